//! A clip that is overdue: when it is asked for again, and when it is given up. Pure.
//!
//! A request lives in its queue and puts itself back, so one that is lost shows only by a case that
//! stays pending past its deadline. Asking twice does no harm but makes work, so the pauses between
//! two requests grow; what the stream no longer holds ends as failed, so that nothing waits for ever.
//! To change when something is done, start in [`overdue`].

use contract::case::{CaseItem, EvidenceStatus};
use contract::evidence::EvidenceMessage;
use serde_json::json;

use super::Change;
use crate::evidence::{self, PATIENCE_MS};
use crate::time::{parse_ms, rfc3339};

/// Milliseconds of an hour.
const HOUR_MS: i64 = 3_600_000;

/// Shortest pause between two requests of the sweep, in milliseconds. Our choice: a request that is
/// alive puts itself back within a quarter of an hour, and one whose function dies comes again after
/// 24 minutes.
pub const PAUSE_MS_MIN: i64 = HOUR_MS;

/// Longest pause of the sweep, in milliseconds. Our choice: four more requests a day for as long as
/// the stream holds the video.
pub const PAUSE_MS_MAX: i64 = 6 * HOUR_MS;

/// Pause before a person's request, in milliseconds: the longest that a living request is put back.
pub const PERSON_PAUSE_MS: i64 = 900_000;

/// From the end of what the stream holds until a clip is given up, in milliseconds. Our choice: a
/// request that is alive ends the case itself when it comes back, a quarter of an hour at most.
pub const GIVE_UP_MS: i64 = HOUR_MS;

/// The same from the end of the wanted video where the case does not say how long its stream holds
/// it, in milliseconds. Our choice, a week: a request puts itself back for five days at most.
const GIVE_UP_UNKNOWN_MS: i64 = 7 * 24 * HOUR_MS;

/// Who asks again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker {
    /// The function `sweep`, by itself and again and again.
    Sweep,
    /// A person, who has repaired something.
    Person,
}

/// What is to be done about a case whose clip is still to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Overdue {
    /// Nothing, yet: the clip is not due, or was asked for a short while ago.
    Wait,
    /// Nothing, ever: the request has ended.
    Ended,
    /// Send this request again.
    Ask(Box<EvidenceMessage>),
    /// Nothing can be kept any more, for this reason.
    Lost(String),
}

/// Decides about a case.
pub fn overdue(case: &CaseItem, asker: Asker, now_ms: i64) -> Overdue {
    if case.evidence.status != EvidenceStatus::Pending {
        return Overdue::Ended;
    }
    let Some(range) = evidence::range_of(case) else {
        return Overdue::Lost("the case does not say which video it wants".to_owned());
    };
    let due_ms = range.end_ms.saturating_add(PATIENCE_MS);
    if now_ms < due_ms {
        return Overdue::Wait;
    }
    let (Some(held), Some(message)) = (&case.evidence.request, evidence::request(case)) else {
        let is_over = now_ms >= range.end_ms.saturating_add(GIVE_UP_UNKNOWN_MS);
        let reason = "the case does not say which stream holds its video".to_owned();
        return if is_over { Overdue::Lost(reason) } else { Overdue::Wait };
    };
    let gone_ms = range.end_ms.saturating_add(i64::from(held.retention_hours) * HOUR_MS);
    if now_ms >= gone_ms.saturating_add(GIVE_UP_MS) {
        let (hours, gone) = (held.retention_hours, rfc3339(gone_ms));
        let reason = format!(
            "no request kept a clip while the stream held the video: {hours} h, until {gone}"
        );
        return Overdue::Lost(reason);
    }
    let asked_ms = case.evidence.requested_at.as_deref().and_then(parse_ms);
    let is_time = asked_ms.is_none_or(|asked_ms| now_ms >= next_ms(asked_ms, due_ms, asker));
    if is_time && now_ms < gone_ms { Overdue::Ask(Box::new(message)) } else { Overdue::Wait }
}

/// When a clip that was asked for may be asked for again: each time after as long as it was overdue.
fn next_ms(asked_ms: i64, due_ms: i64, asker: Asker) -> i64 {
    let pause_ms = match asker {
        Asker::Sweep => asked_ms.saturating_sub(due_ms).clamp(PAUSE_MS_MIN, PAUSE_MS_MAX),
        Asker::Person => PERSON_PAUSE_MS,
    };
    asked_ms.saturating_add(pause_ms)
}

/// The case after its clip was asked for again: of two that note it, one loses and does not send.
pub fn asked_again(case: &CaseItem, now_ms: i64) -> Change {
    let mut change = Change::of(case, now_ms);
    change.case.evidence.requested_at = Some(change.case.updated_at.clone());
    change
}

/// The case after its clip was given up.
pub fn given_up(case: &CaseItem, actor: &str, reason: &str, now_ms: i64) -> Change {
    let mut change = Change::of(case, now_ms);
    super::clip::fail(&mut change.case.evidence, reason);
    evidence::set_pending(&mut change.case);
    let facts = json!(change.case.evidence);
    change.note(actor, "evidence-failed", facts);
    change
}

#[cfg(test)]
mod tests {
    use contract::priority::Priority;
    use proptest::prelude::*;

    use super::*;
    use crate::case::{KeptClip, Outcome, finish_evidence, join, open};
    use crate::evidence::Range;
    use crate::incident::example::detection;

    /// The clip of the case wants 85 s to 117 s, its stream holds a day.
    const DUE_MS: i64 = 117_000 + PATIENCE_MS;
    const GONE_MS: i64 = 117_000 + 24 * HOUR_MS;

    fn case() -> CaseItem {
        open(&detection(100, Priority::High), None, "evidence", 100_000).case
    }

    fn asked(at_ms: i64) -> CaseItem {
        asked_again(&case(), at_ms).case
    }

    /// What the sweep does.
    fn check(case: &CaseItem, now_ms: i64) -> &'static str {
        match overdue(case, Asker::Sweep, now_ms) {
            Overdue::Wait => "wait",
            Overdue::Ended => "ended",
            Overdue::Ask(_) => "ask",
            Overdue::Lost(_) => "lost",
        }
    }

    #[test]
    fn a_clip_that_nobody_asked_for_is_asked_for_once_it_is_due() {
        assert_eq!(check(&case(), DUE_MS - 1), "wait");
        let Overdue::Ask(message) = overdue(&case(), Asker::Sweep, DUE_MS) else {
            panic!("it is due")
        };
        assert_eq!((message.start_ms, message.end_ms, message.attempt), (85_000, 117_000, 0));
        assert_eq!(message.stream, "arm-us-west-seattle-001-a5-a");
    }

    #[test]
    fn what_was_asked_for_a_short_while_ago_is_left_alone_and_the_pauses_grow() {
        assert_eq!(check(&asked(100_000), DUE_MS), "wait");
        assert_eq!(check(&asked(100_000), 100_000 + PAUSE_MS_MIN), "ask");
        let later = asked(DUE_MS + 2 * HOUR_MS);
        assert_eq!(check(&later, DUE_MS + 4 * HOUR_MS - 1), "wait");
        assert_eq!(check(&later, DUE_MS + 4 * HOUR_MS), "ask");
        let late = asked(DUE_MS + 10 * HOUR_MS);
        assert_eq!(check(&late, DUE_MS + 16 * HOUR_MS), "ask", "six hours at most");
    }

    #[test]
    fn a_person_need_not_wait_as_long_as_the_sweep() {
        let at_ms = DUE_MS + 5 * HOUR_MS;
        let check = |now_ms| overdue(&asked(at_ms), Asker::Person, now_ms);
        assert_eq!(check(at_ms + PERSON_PAUSE_MS - 1), Overdue::Wait);
        assert!(matches!(check(at_ms + PERSON_PAUSE_MS), Overdue::Ask(_)));
    }

    #[test]
    fn a_clip_is_given_up_once_the_stream_holds_none_of_it() {
        assert_eq!(check(&case(), GONE_MS - 1), "ask", "its last second is there yet");
        assert_eq!(check(&case(), GONE_MS), "wait", "a request that is alive ends the case");
        let reason = overdue(&case(), Asker::Sweep, GONE_MS + GIVE_UP_MS);
        let expected = "no request kept a clip while the stream held the video: 24 h, until \
                        1970-01-02T00:01:57.000Z";
        assert_eq!(reason, Overdue::Lost(expected.to_owned()));
        let change = given_up(&case(), "sweep", "too late", GONE_MS);
        let evidence = &change.case.evidence;
        assert_eq!(evidence.status, EvidenceStatus::Failed);
        assert_eq!(evidence.reason.as_deref(), Some("too late"));
        assert_eq!((&change.case.pending_pk, &change.case.evidence_due_at), (&None, &None));
        let [entry] = change.entries.try_into().unwrap();
        assert_eq!((&*entry.actor, &*entry.action), ("sweep", "evidence-failed"));
        assert_eq!(check(&change.case, i64::MAX), "ended");
    }

    #[test]
    fn a_longer_clip_that_is_given_up_leaves_the_one_that_is_kept() {
        let wanted = Range { start_ms: 85_000, end_ms: 117_000 };
        let mut kept = KeptClip::whole("key".to_owned(), wanted);
        (kept.first.start, kept.first.end) = (rfc3339(84_000), rfc3339(118_000));
        let digest = kept.first.sha256.clone();
        let kept = Outcome::Kept(Box::new(kept));
        let stored = finish_evidence(&case(), &kept, 200_000).unwrap().case;
        assert_eq!(check(&stored, i64::MAX), "ended");
        let longer = join(&stored, &detection(130, Priority::High), None, 200_000).case;
        let given_up = given_up(&longer, "sweep", "too late", GONE_MS).case;
        assert_eq!(given_up.evidence.status, EvidenceStatus::Incomplete);
        assert_eq!(given_up.evidence.sha256, Some(digest));
        let gap = "1970-01-01T00:01:58.000Z/1970-01-01T00:02:27.000Z";
        assert_eq!(given_up.evidence.gaps, [gap]);
    }

    #[test]
    fn a_case_that_does_not_name_its_stream_is_given_up_after_a_week() {
        let mut case = case();
        case.evidence.request = None;
        assert_eq!(check(&case, GONE_MS + GIVE_UP_MS), "wait");
        assert_eq!(check(&case, 117_000 + GIVE_UP_UNKNOWN_MS), "lost");
    }

    proptest! {
        #[test]
        fn whoever_looks_at_any_time_asks_seldom_and_ends_for_good(
            first_ms in 0_i64..25 * HOUR_MS,
            every_ms in 60_000_i64..3 * HOUR_MS,
        ) {
            let mut case = case();
            let (mut requests, mut now_ms) = (0, first_ms);
            while now_ms < GONE_MS + GIVE_UP_MS + every_ms {
                match overdue(&case, Asker::Sweep, now_ms) {
                    Overdue::Ask(_) => {
                        requests += 1;
                        case = asked_again(&case, now_ms).case;
                    }
                    Overdue::Lost(reason) => case = given_up(&case, "sweep", &reason, now_ms).case,
                    Overdue::Wait | Overdue::Ended => {}
                }
                now_ms += every_ms;
            }
            prop_assert_eq!(case.evidence.status, EvidenceStatus::Failed);
            prop_assert!(requests <= 8, "{requests} requests in a day");
        }
    }
}
