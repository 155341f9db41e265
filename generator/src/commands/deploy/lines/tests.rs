//! The log of one run, for anybody and for GitHub Actions.

use insta::assert_snapshot;
use jiff::SignedDuration;

use super::*;
use crate::deploy::StackEvent;
use crate::deploy::progress::{Pace, Summary, WaveSize};

fn at(seconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
}

fn named(number: u32) -> (String, String, Option<String>) {
    let store = format!("store-{number:04}");
    ("west".to_owned(), format!("arm-west-{store}"), Some(store))
}

fn started(number: u32) -> Progress {
    let (cell, stack, store) = named(number);
    let types =
        [("AWS::KinesisVideo::Stream", 40), ("AWS::Events::Rule", 5), ("AWS::SNS::Topic", 1)];
    let resources: BTreeMap<_, _> = types.map(|(name, number)| (name.to_owned(), number)).into();
    Progress::Started { cell, stack, store, creates: true, resources }
}

fn done(number: u32) -> Progress {
    let (cell, stack, store) = named(number);
    Progress::Done { cell, stack, store }
}

fn event(number: u32, id: &str, kind: &str, status: &str, reason: &str) -> Progress {
    let (cell, stack, _) = named(number);
    let [id, kind, status, reason] = [id, kind, status, reason].map(str::to_owned);
    let logical_id = if id.is_empty() { stack.clone() } else { id };
    let id = String::new();
    let event =
        StackEvent { id, logical_id, resource_type: kind, status, reason, ..StackEvent::default() };
    Progress::Resource { cell, stack, event }
}

/// The log of a run of two stores, of which one fails, with an alarm after it.
fn log(reader: Reader) -> String {
    let (stream, stack_type) = ("AWS::KinesisVideo::Stream", "AWS::CloudFormation::Stack");
    let (cell, stack, store) = named(2);
    let (cause, next) =
        ("limit\nof streams, 100 %".to_owned(), "arm recover store-0002".to_owned());
    let failed = Progress::Failed { cell, stack, store, cause, next };
    let wave = || "early".to_owned();
    let cell = || "west".to_owned();
    let waves = vec![WaveSize { name: wave(), stacks: 3 }];
    let (cells, run) = (vec![cell()], "r-7f2a".to_owned());
    let begun = Progress::Begun { run, is_resumed: true, cells, waves, stacks: 90 };
    let left = Some(Duration::from_mins(14));
    let pace = Pace { throttled: 3, left, ..Pace::default() };
    let (reason, key) = ("the alarm `a` is in ALARM".to_owned(), "functions/5d.zip".to_owned());
    let news = [
        (0, begun),
        (2, Progress::Listed { cell: cell(), unchanged: 87, changing: 3 }),
        (3, Progress::Uploaded { cell: cell(), key, bytes: 900, was_there: false }),
        (4, Progress::WaveBegun { wave: wave() }),
        (5, started(1)),
        (6, started(2)),
        (7, event(1, "CameraA", stream, "CREATE_COMPLETE", "")),
        (30, Progress::Pace { cell: cell(), pace }),
        (50, event(2, "CameraA", stream, "CREATE_FAILED", "limit\n::error::of streams")),
        (51, event(2, "", stack_type, "ROLLBACK_IN_PROGRESS", "")),
        (52, event(2, "", stack_type, "ROLLBACK_IN_PROGRESS", "")),
        (70, done(1)),
        (80, failed),
        (81, Progress::Baking { wave: wave(), time: Duration::from_mins(15) }),
        (140, Progress::Stopped { wave: wave(), reason }),
        (141, Progress::WaveDone { wave: wave() }),
        (142, Progress::Ended { summary: Summary::default() }),
    ];
    let mut lines = Lines::new(reader);
    let (mut text, mut clock) = (String::new(), 0);
    for (seconds, progress) in news {
        for second in clock..seconds {
            text += &lines.tick(at(second));
        }
        clock = seconds;
        text += &lines.take(&progress, at(seconds));
    }
    text + &lines.tick(at(9_999))
}

#[test]
fn a_log_has_a_line_for_each_turn_of_a_stack_and_one_every_half_minute() {
    assert_snapshot!(log(Reader::Anybody));
}

#[test]
fn in_github_actions_a_wave_is_a_group_and_a_failure_an_annotation() {
    assert_snapshot!(log(Reader::GithubActions));
}

#[test]
fn what_aws_says_begins_no_line() {
    let log = log(Reader::Anybody);
    assert!(log.lines().all(|line| line.starts_with("1970-01-01T")), "{log}");
}

#[test]
fn a_store_that_goes_well_takes_two_lines_however_many_resources_it_has() {
    let mut lines = Lines::new(Reader::Anybody);
    let mut text = lines.take(&started(1), at(0));
    for place in 0..100 {
        for status in ["CREATE_IN_PROGRESS", "CREATE_COMPLETE"] {
            let id = format!("Camera{place}");
            text += &lines.take(&event(1, &id, "AWS::KinesisVideo::Stream", status, ""), at(1));
        }
    }
    text += &lines.take(&done(1), at(2));
    assert_eq!(text.lines().count(), 2);
}
