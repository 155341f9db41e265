//! Pictures of one run at three sizes, and what no picture may be.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use jiff::SignedDuration;

use super::*;
use crate::deploy::StackEvent;
use crate::deploy::progress::{Pace, WaveSize};

fn at(seconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
}

/// A board that is fed one piece of news after the other.
struct Feed(Board);

impl Feed {
    /// A run of 2 cells and 3 waves; 40 of 200 stacks are to be changed.
    fn begun() -> Self {
        let mut feed = Self(Board::new(Colour::Plain));
        let wave = |name: &str, stacks| WaveSize { name: name.to_owned(), stacks };
        let (cells, run) = (["us-east", "us-west"].map(str::to_owned), "r-7f2a".to_owned());
        let waves = vec![wave("canary", 3), wave("early", 20), wave("rest", 17)];
        let begun =
            Progress::Begun { run, is_resumed: false, cells: cells.to_vec(), waves, stacks: 200 };
        feed.tell(0, &begun);
        feed
    }

    fn listed(mut self) -> Self {
        for cell in ["us-east", "us-west"] {
            let cell = cell.to_owned();
            self.tell(2, &Progress::Listed { cell, unchanged: 80, changing: 20 });
        }
        self
    }

    fn tell(&mut self, seconds: i64, progress: &Progress) {
        self.0.take(progress, at(seconds));
    }

    fn wave(&mut self, seconds: i64, wave: &str) {
        self.tell(seconds, &Progress::WaveBegun { wave: wave.to_owned() });
    }

    fn start(&mut self, seconds: i64, number: u32, streams: usize) {
        let (cell, stack, store) = named(number);
        let types = [
            ("AWS::Events::Rule", 5),
            ("AWS::KinesisVideo::Stream", streams),
            ("AWS::SNS::Subscription", 4),
            ("AWS::Scheduler::Schedule", 1),
            ("AWS::CloudWatch::Alarm", 2),
        ];
        let resources: BTreeMap<_, _> =
            types.map(|(name, number)| (name.to_owned(), number)).into();
        self.tell(seconds, &Progress::Started { cell, stack, store, creates: true, resources });
    }

    /// So many resources of a type are done.
    fn made(&mut self, seconds: i64, number: u32, kind: &str, many: usize) {
        for place in 0..many {
            self.event(seconds, number, (&format!("{kind}{place}"), kind, "CREATE_COMPLETE", ""));
        }
    }

    fn event(&mut self, seconds: i64, number: u32, event: (&str, &str, &str, &str)) {
        let (cell, stack, _) = named(number);
        let (logical_id, resource_type, status, reason) = event;
        let event = StackEvent {
            id: String::new(),
            logical_id: if logical_id.is_empty() { stack.clone() } else { logical_id.to_owned() },
            resource_type: resource_type.to_owned(),
            status: status.to_owned(),
            reason: reason.to_owned(),
            ..StackEvent::default()
        };
        self.tell(seconds, &Progress::Resource { cell, stack, event });
    }

    fn done(&mut self, seconds: i64, number: u32) {
        let (cell, stack, store) = named(number);
        self.tell(seconds, &Progress::Done { cell, stack, store });
    }

    fn fail(&mut self, seconds: i64, number: u32, cause: &str) {
        let (cell, stack, store) = named(number);
        let next = format!("arm recover store-{number:04}");
        self.tell(seconds, &Progress::Failed { cell, stack, store, cause: cause.to_owned(), next });
    }

    fn pace(&mut self, seconds: i64, cell: &str, pace: Pace) {
        self.tell(seconds, &Progress::Pace { cell: cell.to_owned(), pace });
    }

    /// The picture at a moment, with its edges.
    fn picture(&self, seconds: i64, width: usize, height: usize) -> String {
        let rows = self.0.draw(at(seconds), width, height);
        assert!(rows.len() <= height, "{} rows of {height}", rows.len());
        assert!(rows.iter().all(|row| width_of(row) <= width), "{rows:#?}");
        rows.iter().map(|row| row.trim_end()).collect::<Vec<_>>().join("\n")
    }
}

fn named(number: u32) -> (String, String, Option<String>) {
    let cell = if number.is_multiple_of(2) { "us-east" } else { "us-west" };
    let store = format!("store-{number:04}");
    (cell.to_owned(), format!("arm-{cell}-{store}"), Some(store))
}

const CAUSE: &str = "camera stream CameraRazors3 (AWS::KinesisVideo::Stream): Resource handler \
    returned message: \"The account has reached its limit of streams\u{1b}[2J: 5,000 (Service: \
    KinesisVideo, Status Code: 400)\" (HandlerErrorCode: ServiceLimitExceeded)";

/// The second wave under way: 8 stores done, one failed, five under way in two cells.
fn second_wave() -> Feed {
    let mut feed = Feed::begun().listed();
    feed.wave(10, "canary");
    for number in 1..=3 {
        feed.start(10, number, 4);
        feed.done(60, number);
    }
    feed.tell(100, &Progress::WaveDone { wave: "canary".to_owned() });
    feed.wave(100, "early");
    for number in 4..=8 {
        feed.start(100, number, 4);
        feed.done(200, number);
    }
    feed.start(150, 9, 10);
    feed.fail(210, 9, CAUSE);
    feed.start(200, 42, 40);
    feed.made(220, 42, "AWS::Events::Rule", 5);
    feed.made(220, 42, "AWS::KinesisVideo::Stream", 31);
    feed.made(220, 42, "AWS::SNS::Subscription", 3);
    feed.start(300, 43, 24);
    feed.made(320, 43, "AWS::KinesisVideo::Stream", 3);
    feed.start(310, 44, 12);
    feed.event(
        330,
        44,
        ("CameraDoor", "AWS::KinesisVideo::Stream", "CREATE_FAILED", "name is taken"),
    );
    feed.event(331, 44, ("", "AWS::CloudFormation::Stack", "ROLLBACK_IN_PROGRESS", ""));
    let (cell, stack, store) = named(45);
    feed.tell(320, &Progress::Preparing { cell, stack, store });
    let (cell, stack, store) = named(46);
    let status = "UPDATE_IN_PROGRESS".to_owned();
    feed.tell(325, &Progress::Attached { cell, stack, store, status });
    let pace =
        Pace { reads: 300, writes: 20, reads_per_second: 8.0, parallel: 12, ..Pace::default() };
    feed.pace(430, "us-east", pace);
    feed.pace(430, "us-west", pace);
    let left = Some(Duration::from_mins(14));
    feed.pace(440, "us-east", Pace { reads: 334, left, ..pace });
    let slow = Pace { reads: 315, throttled: 14, reads_per_second: 2.5, left, ..pace };
    feed.pace(440, "us-west", slow);
    feed
}

#[test]
fn a_wave_at_80_by_24() {
    assert_snapshot!(second_wave().picture(450, 80, 24));
}

#[test]
fn a_wave_at_120_by_40() {
    assert_snapshot!(second_wave().picture(450, 120, 40));
}

#[test]
fn a_wave_at_40_by_10() {
    assert_snapshot!(second_wave().picture(450, 40, 10));
}

#[test]
fn before_the_first_wave_it_says_what_is_waited_for() {
    assert_snapshot!(Feed::begun().picture(1, 80, 24));
    let mut feed = Feed::begun().listed();
    let (cell, stack) = ("us-west".to_owned(), "arm-us-west-platform".to_owned());
    let types = [("AWS::Lambda::Function", 6), ("AWS::SageMaker::Endpoint", 1)];
    let resources = types.map(|(name, number)| (name.to_owned(), number)).into();
    feed.tell(5, &Progress::Started { cell, stack, store: None, creates: true, resources });
    for (kind, many, status) in [
        ("AWS::Lambda::Function", 4, "CREATE_COMPLETE"),
        ("AWS::SageMaker::Endpoint", 1, "CREATE_IN_PROGRESS"),
    ] {
        for place in 0..many {
            let (cell, stack) = ("us-west".to_owned(), "arm-us-west-platform".to_owned());
            let event = StackEvent {
                id: String::new(),
                logical_id: format!("{kind}{place}"),
                resource_type: kind.to_owned(),
                status: status.to_owned(),
                reason: String::new(),
                ..StackEvent::default()
            };
            feed.tell(10, &Progress::Resource { cell, stack, event });
        }
    }
    assert_snapshot!(feed.picture(140, 80, 24));
}

#[test]
fn a_bake_counts_down() {
    let mut feed = second_wave();
    for number in 42..=46 {
        feed.done(460, number);
    }
    feed.tell(500, &Progress::Baking { wave: "early".to_owned(), time: Duration::from_mins(15) });
    assert_snapshot!(feed.picture(650, 80, 12));
}

#[test]
fn a_run_that_was_stopped_says_why() {
    let mut feed = second_wave();
    let reason = "2 of 20 stores failed, more than --max-failures 1".to_owned();
    feed.tell(460, &Progress::Stopped { wave: "early".to_owned(), reason });
    assert_snapshot!(feed.picture(470, 80, 10));
}

#[test]
fn what_has_no_room_is_summed_up() {
    let mut feed = Feed::begun().listed();
    feed.wave(10, "early");
    for number in 1..=9 {
        feed.fail(10, number, "the bucket `b` is gone");
    }
    for number in 10..=90 {
        feed.start(20 + i64::from(number), number, 4);
    }
    assert_snapshot!(feed.picture(200, 80, 20));
}

#[test]
fn a_time_that_is_not_known_is_not_told() {
    let mut feed = second_wave();
    let pace = Pace { reads: 340, ..Pace::default() };
    feed.pace(450, "us-east", pace);
    assert!(!feed.picture(450, 80, 24).contains("left,"));
}

#[test]
fn no_picture_is_wider_or_higher_than_it_may_be() {
    let feed = second_wave();
    for width in 0..130 {
        for height in 0..30 {
            feed.picture(450, width, height);
        }
    }
}

#[test]
fn a_bar_is_as_wide_as_it_shall_be_and_hides_no_kind() {
    for (done, failed, under_way, left) in
        [(0, 0, 0, 0), (0, 0, 0, 9), (9, 0, 0, 0), (996, 1, 1, 2), (1, 1, 1, 996), (0, 0, 5, 5)]
    {
        let tally = Tally { done, failed, under_way, left };
        let shown = shares(tally, 40);
        assert_eq!(shown.iter().sum::<usize>(), 40, "{tally:?}");
        for (number, columns) in [done, failed, under_way, left].into_iter().zip(shown) {
            assert!(number == 0 || columns > 0, "{tally:?} is {shown:?}");
        }
    }
}
