//! Tests of cases that become one: which goes on, what it takes over, and who is told.

use contract::alert;
use contract::case::{AlertStatus, CaseItem, CaseStatus, EvidenceStatus};
use contract::priority::Priority;
use contract::wording::Wording;

use crate::audit;
use crate::case::{self, Change, Parts, Told, parts};
use crate::claim::{self, Claim};
use crate::incident::example::detection;

/// A case that begins at this second, and whose rule tells this audience.
fn opened(start_s: i64, priority: Priority, audience: &str) -> Change {
    let mut opening = detection(start_s, priority);
    opening.routing.notify = vec![audience.to_owned()];
    case::open(&opening, None, "evidence", 0)
}

fn told(case: &CaseItem) -> CaseItem {
    let told = Told {
        rank: case.alert.wanted_rank.unwrap(),
        audiences: case::audiences(case).to_vec(),
        texts: alert::texts(&claim::facts(case), &Wording::default()),
        message_id: "1".to_owned(),
    };
    case::alerted(case, &told, 0).case
}

fn absorb(case: &CaseItem, other: &CaseItem) -> Change {
    let mut change = Change::of(case, 1);
    change.absorb(other, 1);
    change
}

/// Who is still to be told after the second became part of the first, and of what priority.
fn check(case: &CaseItem, other: &CaseItem) -> Option<(Vec<String>, Priority)> {
    let change = absorb(case, other);
    let [part] = change.absorbed.as_slice() else { panic!("one case") };
    assert!(!case::is_due(&part.case.alert), "it tells nobody any more");
    let merged = &change.case;
    let is_due = case::is_due(&merged.alert);
    assert_eq!(is_due, merged.alert.status == AlertStatus::Pending);
    is_due.then(|| (case::audiences(merged).to_vec(), claim::facts(merged).priority))
}

#[test]
fn who_was_told_is_not_told_again_and_who_was_not_is() {
    let names = |names: &[&str]| names.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
    let floor = opened(100, Priority::High, "floor").case;
    let others = opened(200, Priority::High, "floor").case;
    let security = opened(200, Priority::Critical, "security").case;
    let high = |audiences| Some((names(audiences), Priority::High));
    let critical = |audiences| Some((names(audiences), Priority::Critical));
    assert_eq!(check(&told(&floor), &told(&others)), None);
    assert_eq!(check(&told(&floor), &others), None, "they know of the incident");
    assert_eq!(check(&floor, &told(&others)), None);
    assert_eq!(check(&floor, &others), high(&["floor"]));
    assert_eq!(check(&told(&floor), &security), critical(&["security"]));
    assert_eq!(check(&floor, &security), critical(&["security", "floor"]));
    assert_eq!(check(&floor, &told(&security)), critical(&["floor"]));
    assert_eq!(check(&security, &told(&floor)), critical(&["security"]));
    assert_eq!(check(&told(&security), &floor), critical(&["floor"]));
    let mut silent = detection(100, Priority::Low);
    silent.routing.shadow = true;
    let silent = case::open(&silent, None, "evidence", 0).case;
    assert_eq!(check(&silent, &told(&floor)), None);
    assert_eq!(check(&silent, &floor), high(&["floor"]));
    assert_eq!(check(&floor, &silent), high(&["floor"]));
    assert_eq!(check(&silent, &silent), None);
}

#[test]
fn an_alert_that_is_being_published_is_left_to_its_publisher() {
    let case = opened(100, Priority::High, "floor").case;
    let other = opened(200, Priority::High, "floor").case;
    let Claim::Ours(claimed) = claim::claim(&other, "a", 0) else { panic!("nobody has it") };
    for merged in [absorb(&case, &claimed.case).case, absorb(&claimed.case, &case).case] {
        assert_eq!(claim::claim(&merged, "b", 1), Claim::Others);
        assert_eq!(claim::claim(&merged, "a", 0), Claim::Held);
        assert!(claim::release(&merged, "a", 2).is_some());
    }
}

#[test]
fn both_trails_say_what_happened_and_the_rise_of_the_priority_is_an_entry_of_its_own() {
    let (case, other) = (opened(100, Priority::Low, "floor"), opened(200, Priority::High, "floor"));
    let mut change = absorb(&case.case, &other.case);
    let actions = |it: &Change| it.entries.iter().map(|it| it.action.clone()).collect::<Vec<_>>();
    assert_eq!(actions(&change), ["absorbed", "escalated"]);
    assert_eq!(change.entries[0].facts["case"], other.case.case_id.as_str());
    assert_eq!(change.entries[1].facts["to"], "high");
    let part = change.absorbed.pop().unwrap();
    assert_eq!(actions(&part), ["merged"]);
    assert_eq!(part.entries[0].facts["into"], case.case.case_id.as_str());
    for (opened, change) in [(&case, &change), (&other, &part)] {
        let trail = [opened.entries.clone(), change.entries.clone()].concat();
        assert_eq!(audit::verify(&change.case, &trail), []);
    }
    let merged = &change.case;
    assert_eq!((merged.detections, merged.priority_rank, &*merged.rule), (2, 2, "high-rule"));
    assert_eq!(merged.last_seen_at, other.case.last_seen_at);
    assert_eq!((part.case.status, part.case.detections), (CaseStatus::Merged, 1));
    assert_eq!(part.case.status_pk, "MERGED#seattle-001");
    assert_eq!(part.case.merged_into, Some(merged.case_id.clone()));
}

#[test]
fn a_clip_that_is_kept_or_to_come_stays_with_its_case_and_the_other_wants_a_longer_one() {
    let mut kept = opened(100, Priority::Low, "floor").case;
    kept.evidence.status = EvidenceStatus::Stored;
    let pending = opened(200, Priority::Low, "floor").case;
    let change = absorb(&kept, &pending);
    assert_eq!(change.absorbed[0].case.evidence, pending.evidence);
    assert_eq!(change.absorbed[0].case.pending_pk, pending.pending_pk);
    let longer = &change.case.evidence;
    assert_eq!((longer.status, longer.extensions), (EvidenceStatus::Pending, Some(1)));
    assert_eq!((&longer.start, &longer.end), (&kept.evidence.start, &pending.evidence.end));
    assert!(change.case.pending_pk.is_some());
}

#[test]
fn the_first_goes_on_after_one_that_people_work_on_and_never_one_that_they_decided() {
    use CaseStatus::{Acknowledged, Confirmed, Dismissed, InReview, Open, Unknown};
    let case = |(start_s, status): (i64, CaseStatus)| {
        let mut case = opened(start_s, Priority::Low, "floor").case;
        case.status = status;
        case
    };
    let check = |statuses: [CaseStatus; 3]| {
        let cases: Vec<_> = [300, 200, 100].into_iter().zip(statuses).map(case).collect();
        let starts = |cases: &[&CaseItem]| {
            cases.iter().map(|it| case::opened_ms(it) / 1_000).collect::<Vec<_>>()
        };
        let Parts { survivor, absorbed, apart } = parts(&cases);
        let survivor = survivor.map(|it| case::opened_ms(it) / 1_000);
        (survivor, starts(&absorbed), starts(&apart))
    };
    assert_eq!(check([Open, Open, Open]), (Some(100), vec![200, 300], vec![]));
    assert_eq!(check([Open, InReview, Open]), (Some(200), vec![100, 300], vec![]));
    assert_eq!(check([Acknowledged, InReview, Open]), (Some(200), vec![100], vec![300]));
    assert_eq!(check([Open, Open, Confirmed]), (Some(200), vec![300], vec![100]));
    assert_eq!(check([Open, Unknown, Confirmed]), (Some(300), vec![], vec![100, 200]));
    assert_eq!(check([Dismissed, Confirmed, Unknown]), (None, vec![], vec![100, 200, 300]));
    assert_eq!(parts(&[]).survivor, None);
}
