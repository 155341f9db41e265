//! A made-up run of `arm deploy`, to look at: 40 stores in two cells and three waves, of which one
//! fails, while AWS throttles one cell for a time.
//!
//! `rollout [SPEED]` plays it as `arm deploy` would show it here, so many times as fast as it would
//! go; `rollout events` prints its events at once; `rollout cost` says how long a picture takes to
//! make, with 100 stacks under way. To change the story, start at [`script`].
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "shell: a tool of the tests")]

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use generator::commands::AnswerFormat;
use generator::commands::deploy::shower::Shower;
use generator::console::{Console, Place};
use generator::deploy::StackEvent;
use generator::deploy::progress::{Failure, Pace, Progress, Summary, WaveSize};
use generator::diagnostic::Colour;
use jiff::{SignedDuration, Timestamp};

const CELLS: [&str; 2] = ["us-east", "us-west"];

/// Seconds from the begin, and what is told then.
type Script = Vec<(f64, Progress)>;

fn main() -> ExitCode {
    let mode = std::env::args().nth(1).unwrap_or_default();
    let is_terminal = io::stderr().is_terminal();
    let (mut out, mut err) = (io::stdout(), io::stderr());
    let size = || {
        let size = terminal_size::terminal_size_of(io::stderr());
        size.map_or((80, 24), |(width, height)| (usize::from(width.0), usize::from(height.0)))
    };
    let place = match std::env::var("GITHUB_ACTIONS") {
        Ok(_) => Place::GithubActions,
        Err(_) if is_terminal => Place::Terminal(size),
        Err(_) => Place::Elsewhere,
    };
    let colour = if is_terminal { Colour::Ansi } else { Colour::Plain };
    let mut console =
        Console { out: &mut out, err: &mut err, out_colour: colour, colour, place, input: None };
    if mode == "cost" {
        return cost();
    }
    let script = script();
    if mode == "events" {
        let mut shower = Shower::new(AnswerFormat::Json, &mut console);
        for (seconds, progress) in every_other_kind().into_iter().chain(script) {
            shower.take_at(&progress, at(Timestamp::UNIX_EPOCH, seconds));
        }
        return ExitCode::SUCCESS;
    }
    let speed = mode.parse().unwrap_or(20.0);
    play(&script, speed, Shower::new(AnswerFormat::Human, &mut console))
}

/// Plays the story faster than it would go, by a clock that goes as fast.
fn play(script: &Script, speed: f64, mut shower: Shower<'_, '_>) -> ExitCode {
    let (begun, start) = (Timestamp::now(), Instant::now());
    let mut waiting = script.iter().peekable();
    while let Some((seconds, _)) = waiting.peek() {
        let now = start.elapsed().as_secs_f64() * speed;
        if *seconds > now {
            shower.tick_at(at(begun, now));
            std::thread::sleep(Duration::from_millis(100));
            continue;
        }
        if let Some((seconds, progress)) = waiting.next() {
            // However fast, a log has its signs of life.
            if !io::stderr().is_terminal() {
                shower.tick_at(at(begun, *seconds));
            }
            shower.take_at(progress, at(begun, *seconds));
        }
    }
    let Some((_, Progress::Ended { summary })) = script.last() else { return ExitCode::FAILURE };
    match shower.conclude(summary, Some("arm deploy --resume 20261123-0125")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => ExitCode::from(error.exit_code()),
    }
}

/// How long a picture of 100 stacks under way takes; ten a second are made.
fn cost() -> ExitCode {
    const PICTURES: u32 = 1_000;
    let (mut out, mut err) = (io::sink(), io::sink());
    let (out_colour, colour, place) = (Colour::Plain, Colour::Ansi, Place::Terminal(|| (120, 40)));
    let mut console =
        Console { out: &mut out, err: &mut err, out_colour, colour, place, input: None };
    let mut shower = Shower::new(AnswerFormat::Human, &mut console);
    let begun = Timestamp::UNIX_EPOCH;
    let mut story = Story::default();
    story.begin(&["all"], 100);
    for number in 1..=100 {
        story.start(0.0, number, 40);
        story.resource(1.0, number, "AWS::KinesisVideo::Stream", "CREATE_IN_PROGRESS");
    }
    for (seconds, progress) in &story.0 {
        shower.take_at(progress, at(begun, *seconds));
    }
    let start = Instant::now();
    for picture in 0..PICTURES {
        shower.tick_at(at(begun, f64::from(picture)));
    }
    let each = start.elapsed() / PICTURES;
    println!("{each:?} a picture, {:.2} % of a processor", each.as_secs_f64() * 10.0 * 100.0);
    ExitCode::SUCCESS
}

fn at(begun: Timestamp, seconds: f64) -> Timestamp {
    begun + SignedDuration::from_secs_f64(seconds)
}

/// A story that is being written.
#[derive(Default)]
struct Story(Script);

impl Story {
    fn tell(&mut self, seconds: f64, progress: Progress) {
        self.0.push((seconds, progress));
    }

    fn begin(&mut self, waves: &[&str], stacks: usize) {
        let waves = waves.iter().zip([3, 12, 25]);
        let waves = waves.map(|(name, stacks)| WaveSize { name: (*name).to_owned(), stacks });
        self.tell(
            0.0,
            Progress::Begun {
                run: "20261123-0125".to_owned(),
                is_resumed: false,
                cells: CELLS.map(str::to_owned).to_vec(),
                waves: waves.collect(),
                stacks,
            },
        );
    }

    fn start(&mut self, seconds: f64, number: u32, cameras: usize) {
        let (cell, stack, store) = named(number);
        let types = [
            ("AWS::KinesisVideo::Stream", cameras),
            ("AWS::IoT::Thing", cameras),
            ("AWS::Events::Rule", 5),
            ("AWS::Events::EventBus", 1),
            ("AWS::SNS::Topic", 2),
            ("AWS::SNS::Subscription", 4),
            ("AWS::Scheduler::Schedule", 1),
            ("AWS::CloudWatch::Alarm", 1),
        ];
        let resources: BTreeMap<_, _> =
            types.map(|(name, number)| (name.to_owned(), number)).into();
        let of = || (cell.clone(), stack.clone(), Some(store.clone()));
        let (of_cell, of_stack, store) = of();
        self.tell(seconds, Progress::Preparing { cell: of_cell, stack: of_stack, store });
        let ((cell, stack, store), creates) = (of(), number < 4);
        self.tell(seconds + 12.0, Progress::Started { cell, stack, store, creates, resources });
    }

    fn resource(&mut self, seconds: f64, number: u32, kind: &str, status: &str) {
        let place = self.0.len();
        self.event(seconds, number, (&format!("{}{place}", kind.len()), kind, status, ""));
    }

    fn event(&mut self, seconds: f64, number: u32, event: (&str, &str, &str, &str)) {
        let (cell, stack, _) = named(number);
        let (logical_id, kind, status, reason) = event;
        let logical_id = if logical_id.is_empty() { stack.clone() } else { logical_id.to_owned() };
        let event = StackEvent {
            id: format!("{number}-{}", self.0.len()),
            logical_id,
            resource_type: kind.to_owned(),
            status: status.to_owned(),
            reason: reason.to_owned(),
            ..StackEvent::default()
        };
        self.tell(seconds, Progress::Resource { cell, stack, event });
    }

    /// One store from its change set to its end.
    fn store(&mut self, seconds: f64, number: u32, cameras: u32) -> f64 {
        self.start(seconds, number, usize::try_from(cameras).unwrap_or_default());
        let begun = seconds + 12.0;
        let mut now = begun;
        let kinds = [
            ("AWS::Events::EventBus", 1, 1.0),
            ("AWS::SNS::Topic", 2, 1.0),
            ("AWS::SNS::Subscription", 4, 2.0),
            ("AWS::Events::Rule", 5, 6.0),
            ("AWS::KinesisVideo::Stream", cameras, 3.0),
            ("AWS::IoT::Thing", cameras, 0.5),
            ("AWS::CloudWatch::Alarm", 1, 2.0),
            ("AWS::Scheduler::Schedule", 1, 25.0),
        ];
        for (kind, number_of, each) in kinds {
            for place in 0..number_of {
                let id = format!("{}{place}", kind.replace("::", ""));
                self.event(now, number, (&id, kind, "CREATE_IN_PROGRESS", ""));
                now += each;
                if number == 17 && kind.contains("Stream") && place == 9 {
                    return self.failing(now, number, &id);
                }
                self.event(now, number, (&id, kind, "CREATE_COMPLETE", ""));
            }
        }
        let (cell, stack, store) = named(number);
        self.tell(now, Progress::Done { cell, stack, store: Some(store) });
        now
    }

    fn failing(&mut self, now: f64, number: u32, id: &str) -> f64 {
        let kind = "AWS::KinesisVideo::Stream";
        self.event(now, number, (id, kind, "CREATE_FAILED", REASON));
        let stack = ("", "AWS::CloudFormation::Stack", "UPDATE_ROLLBACK_IN_PROGRESS", "");
        self.event(now + 1.0, number, stack);
        let Failure { cause, next, .. } = failure();
        let (cell, stack, store) = named(number);
        self.tell(now + 40.0, Progress::Failed { cell, stack, store: Some(store), cause, next });
        now + 40.0
    }

    /// A wave whose stores go so many at once; returns when it ends.
    fn wave(&mut self, from: f64, name: &str, numbers: std::ops::RangeInclusive<u32>) -> f64 {
        let wave = || name.to_owned();
        self.tell(from, Progress::WaveBegun { wave: wave() });
        let mut free = [from; 10];
        for number in numbers {
            let Some(slot) = free.iter_mut().min_by(|a, b| a.total_cmp(b)) else { break };
            *slot = self.store(*slot + 1.5, number, 8 + number * 7 % 33);
        }
        let end = free.iter().copied().fold(from, f64::max);
        let time = Duration::from_mins(3);
        self.tell(end + 1.0, Progress::Baking { wave: wave(), time });
        self.tell(end + 181.0, Progress::WaveDone { wave: wave() });
        end + 182.0
    }
}

const REASON: &str = "Resource handler returned message: \"The account has reached its limit of \
    streams: 5,000 (Service: KinesisVideo, Status Code: 400, Request ID: 7f2a\u{1b}[2J9c)\" \
    (RequestToken: 5d3e, HandlerErrorCode: ServiceLimitExceeded)";

fn failure() -> Failure {
    let (_, stack, _) = named(17);
    let cause = format!("camera stream CameraRazors3 (AWS::KinesisVideo::Stream): {REASON}");
    Failure { stack, cause, next: "arm recover store-0017".to_owned() }
}

/// Cell, stack and id of a store.
fn named(number: u32) -> (String, String, String) {
    let cell = if number.is_multiple_of(2) { CELLS[0] } else { CELLS[1] };
    let store = format!("store-{number:04}");
    (cell.to_owned(), format!("arm-{cell}-{store}"), store)
}

/// The story.
fn script() -> Script {
    let mut story = Story::default();
    story.begin(&["canary", "early", "rest"], 1_002);
    for (cell, unchanged) in CELLS.iter().zip([480, 481]) {
        let listed = Progress::Listed { cell: (*cell).to_owned(), unchanged, changing: 20 };
        story.tell(4.0, listed);
    }
    let shared = || ("us-west".to_owned(), "arm-us-west-platform".to_owned());
    let (cell, stack) = shared();
    let resources = [("AWS::Lambda::Function", 6), ("AWS::SageMaker::Endpoint", 1)];
    let resources = resources.map(|(name, number)| (name.to_owned(), number)).into();
    let started = Progress::Started { cell, stack, store: None, creates: false, resources };
    story.tell(6.0, started);
    for (id, kind) in
        [("Endpoint", "AWS::SageMaker::Endpoint"), ("Analyze", "AWS::Lambda::Function")]
    {
        let (cell, stack) = shared();
        let status = "UPDATE_IN_PROGRESS".to_owned();
        let (id, logical_id) = (format!("platform-{id}"), id.to_owned());
        let (resource_type, reason) = (kind.to_owned(), String::new());
        let event =
            StackEvent { id, logical_id, resource_type, status, reason, ..StackEvent::default() };
        story.tell(8.0, Progress::Resource { cell, stack, event });
    }
    let (cell, stack) = shared();
    story.tell(150.0, Progress::Done { cell, stack, store: None });
    let mut now = 152.0;
    for (name, numbers) in [("canary", 1..=3), ("early", 4..=15), ("rest", 16..=40)] {
        now = story.wave(now, name, numbers);
    }
    pace(&mut story, now);
    let changed = (1..=40).filter(|it| *it != 17).map(|it| named(it).1).collect();
    let unchanged = (41..=1_001).map(|it| named(it).1).collect();
    let summary = Summary { changed, unchanged, failed: vec![failure()], ..Summary::default() };
    story.tell(now + 1.0, Progress::Ended { summary });
    story.0.sort_by(|a, b| a.0.total_cmp(&b.0));
    story.0
}

/// How calls go: from minute 8 on AWS throttles one cell for two minutes.
fn pace(story: &mut Story, end: f64) {
    let mut pace = Pace { reads_per_second: 8.0, parallel: 5, ..Pace::default() };
    let mut now = 5.0;
    while now < end {
        for cell in CELLS {
            let is_throttled = cell == "us-west" && (480.0..600.0).contains(&now);
            pace.reads += if is_throttled { 11 } else { 17 };
            pace.writes += 2;
            pace.throttled += u64::from(is_throttled);
            let throttled = if cell == "us-west" { pace.throttled } else { 0 };
            let reads_per_second = if is_throttled { 2.5 } else { 8.0 };
            let left = (now > 60.0).then(|| Duration::from_secs_f64(end - now));
            let pace = Pace { throttled, reads_per_second, left, ..pace };
            story.tell(now, Progress::Pace { cell: cell.to_owned(), pace });
        }
        now += 5.0;
    }
}

/// News of the kinds that the story does without.
fn every_other_kind() -> Script {
    let of = || (CELLS[0].to_owned(), "arm-us-east-artifacts".to_owned(), None);
    let (cell, stack, store) = of();
    let unchanged = Progress::Unchanged { cell, stack, store };
    let (cell, stack, store) = of();
    let attached =
        Progress::Attached { cell, stack, store, status: "UPDATE_IN_PROGRESS".to_owned() };
    let key = "functions/5d3e.zip".to_owned();
    let uploaded =
        Progress::Uploaded { cell: CELLS[0].to_owned(), key, bytes: 9_000_000, was_there: false };
    let reason = "the alarm arm-us-east-0004-silent is in ALARM".to_owned();
    let stopped = Progress::Stopped { wave: "early".to_owned(), reason };
    let text = "arm-us-east-store-0004 is not protected from deletion: access denied".to_owned();
    let warning = Progress::Warning { cell: CELLS[0].to_owned(), text };
    [unchanged, attached, uploaded, stopped, warning].map(|progress| (0.0, progress)).into()
}
