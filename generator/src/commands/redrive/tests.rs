//! What a redrive says: nothing that it did not look at, and everything that it left.

use crate::dead_letter::Letter;
use crate::dead_letter::tests::fleet;
use crate::redrive::Entry;

use super::*;

const KINDS: [DeadLetters; 2] = [DeadLetters::Windows, DeadLetters::Evidence];

/// Table, JSON and exit code's words of a report about two queues.
fn check(mode: Mode, change: impl Fn(&mut Report)) -> (String, serde_json::Value, String) {
    let fleet = fleet();
    let request = Request {
        fleet: &fleet,
        cell: &fleet.fleet.cells[0],
        queues: KINDS.into(),
        drop: [].into(),
        drop_letters: [].into(),
        mode,
        now_ms: 0,
    };
    let mut report =
        Report { queues: KINDS.map(|it| (it, Looked::Whole)).into(), ..Report::default() };
    change(&mut report);
    let end = conclude(&report, &request).err().map(|it| it.to_string()).unwrap_or_default();
    (table::table(&report, &request, 80), json::to_json(&report, &request, None), end)
}

fn poisoned(number: usize) -> Entry {
    let body = format!("{{\u{202e}{}", "long ".repeat(40));
    let letter = Letter { id: format!("m-{number}"), body, ..Letter::default() };
    Entry::new(DeadLetters::Windows, &letter, NOT_UNDERSTOOD, "it is not JSON".to_owned())
}

fn leave(report: &mut Report, entries: Vec<Entry>) {
    for it in entries {
        let sum = report.sums.entry((it.queue, it.kind, Became::Left)).or_default();
        sum.count += 1;
        report.left.push(it);
    }
}

#[test]
fn only_queues_that_were_looked_at_are_said_to_have_no_letters() {
    let (text, _, end) = check(Mode::CarryOut, |_| ());
    let expected = "no letters in windows, evidence; the other queues were not looked at\n";
    assert!(text.ends_with(expected), "{text}");
    assert_eq!(end, "");
    let (text, json, _) = check(Mode::CarryOut, |report| {
        report.queues.insert(DeadLetters::Windows, Looked::Failed("no".to_owned()));
        report.queues.insert(DeadLetters::Evidence, Looked::NotTried);
    });
    assert!(!text.contains("no letters") && text.contains("evidence was not looked at"), "{text}");
    assert_eq!(
        (&json["queues"][0]["looked"], &json["queues"][0]["error"]),
        (&"failed".into(), &"no".into())
    );
    assert_eq!(json["queues"][1]["looked"], "not-tried");
}

#[test]
fn letters_are_told_by_reason_with_three_examples_before_the_table() {
    let (text, json, end) =
        check(Mode::CarryOut, |report| leave(report, (0..5).map(poisoned).collect()));
    assert!(text.contains("5 letters of windows: it is not JSON"), "{text}");
    assert!(text.contains("and 2 more") && !text.contains("m-3") && !text.contains('\u{202e}'));
    assert!(text.lines().last().unwrap().contains("not understood"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert_eq!(json["left"].as_array().unwrap().len(), 5);
    assert_eq!(json["left"][4]["kind"], "not-understood");
    assert_eq!(end, "0 put back, 0 deleted, 5 left (5 need a person, see above)");
}

#[test]
fn a_run_that_was_stopped_or_that_another_keeps_from_letters_is_never_done() {
    let (_, _, end) = check(Mode::Look, |report| report.is_stopped = true);
    assert!(end.starts_with("stopped; what stands above is not all"), "{end}");
    let (text, json, end) = check(Mode::Look, |report| {
        report.hidden.insert(DeadLetters::Windows, 600);
    });
    assert!(text.contains("600 letters are hidden by another run for up to 10 min"), "{text}");
    assert_eq!(json["queues"][0]["hidden"], 600);
    assert!(end.ends_with("600 hidden by another run"), "{end}");
}

#[test]
fn overdue_clips_are_left_alone_for_the_reasons_that_they_have() {
    let (text, json, _) = check(Mode::CarryOut, |report| {
        let waiting = [("A", "one reason"), ("B", "another"), ("C", "another")];
        report.clips.waiting = waiting.map(|(case, why)| (case.to_owned(), why)).into();
    });
    assert!(text.contains("2 overdue clips: left alone; another"), "{text}");
    assert!(text.contains("1 overdue clip: left alone; one reason"), "{text}");
    assert_eq!(json["clips"]["waiting"][0]["reason"], "one reason");
}

#[test]
fn an_alert_that_is_left_or_deleted_is_named() {
    let body = r#"{"TopicArn":"a:renton-007-alerts","Subject":"sweep","Timestamp":"T"}"#;
    let attributes = [("ERROR_MESSAGE".to_owned(), "endpoint gone".to_owned())].into();
    let letter =
        Letter { id: "a".to_owned(), body: body.to_owned(), attributes, ..Letter::default() };
    let entry = || {
        let noun = Useless::Alerts.noun();
        Entry::new(DeadLetters::Undelivered, &letter, noun, "by --drop alerts".to_owned())
    };
    let (text, json, _) = check(Mode::CarryOut, |report| report.dropped.push(entry()));
    assert!(text.contains("alert of renton-007-alerts, T: sweep (endpoint gone)"), "{text}");
    assert_eq!(json["dropped"][0]["alert"]["subject"], "sweep");
    let (text, ..) = check(Mode::CarryOut, |report| leave(report, vec![entry()]));
    assert!(text.contains("alert of renton-007-alerts, T: sweep (endpoint gone)"), "{text}");
}
