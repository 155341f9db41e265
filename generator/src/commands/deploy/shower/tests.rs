//! Each way of showing a run writes where it shall, and gives the terminal back.

use std::sync::atomic::{AtomicUsize, Ordering};

use insta::assert_snapshot;

use super::*;
use crate::deploy::progress::{Failure, WaveSize};
use crate::diagnostic::Colour;

/// What a run that is shown this way writes to `out` and `err`, and its exit code.
fn shown(format: AnswerFormat, place: Place, summary: &Summary) -> (String, String, u8) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let (colour, out_colour) = (Colour::Plain, Colour::Plain);
    let mut console =
        Console { out: &mut out, err: &mut err, out_colour, colour, place, input: None };
    let mut shower = Shower::new(format, &mut console);
    let now = Timestamp::UNIX_EPOCH;
    let waves = vec![WaveSize { name: "all".to_owned(), stacks: 1 }];
    let (run, cells) = ("r-7f2a".to_owned(), vec!["west".to_owned()]);
    shower.take_at(&Progress::Begun { run, is_resumed: false, cells, waves, stacks: 1 }, now);
    shower.tick_at(now);
    let (wave, reason) = ("all".to_owned(), "1 store failed, as many as may".to_owned());
    shower.take_at(&Progress::Stopped { wave, reason }, now);
    shower.take_at(&Progress::Ended { summary: summary.clone() }, now);
    let ended = shower.conclude(summary, Some("arm deploy --resume r-7f2a"));
    let code = ended.map_or_else(|error| error.exit_code(), |()| 0);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(out), text(err), code)
}

fn partly() -> Summary {
    let failure = Failure {
        stack: "arm-west-0042".to_owned(),
        cause: "limit of\nstreams reached".to_owned(),
        next: "arm recover 0042".to_owned(),
    };
    Summary {
        changed: vec!["arm-west-0001".to_owned()],
        unchanged: vec!["arm-west-platform".to_owned()],
        failed: vec![failure],
        left: (50..58).map(|it| format!("arm-west-00{it}")).collect(),
        ..Summary::default()
    }
}

#[test]
fn a_run_that_did_not_do_everything_ends_with_causes_and_commands() {
    let (out, _, code) = shown(AnswerFormat::Human, Place::Elsewhere, &partly());
    assert_eq!(code, 4);
    assert_snapshot!(out);
}

#[test]
fn a_run_that_did_everything_ends_with_one_line() {
    let summary = Summary { changed: vec!["a".to_owned()], ..Summary::default() };
    let (out, _, code) = shown(AnswerFormat::Human, Place::Elsewhere, &summary);
    assert_eq!((out.as_str(), code), ("1 stack deployed, 0 unchanged, in 0s\n", 0));
}

#[test]
fn a_board_is_gone_at_the_end_and_the_cursor_is_back() {
    let (_, err, _) = shown(AnswerFormat::Human, Place::Terminal(|| (80, 24)), &partly());
    assert!(err.starts_with("\u{1b}[?25l"), "{err:?}");
    assert!(err.ends_with("\u{1b}[J\u{1b}[?25h"), "{err:?}");
    assert!(!err.contains("begins"), "a log beside a board: {err:?}");
}

#[test]
fn a_panic_leaves_the_board_and_gives_the_cursor_back() {
    let mut err = Vec::new();
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let (colour, out_colour) = (Colour::Plain, Colour::Plain);
        let (mut out, place) = (Vec::new(), Place::Terminal(|| (80, 24)));
        let mut console =
            Console { out: &mut out, err: &mut err, out_colour, colour, place, input: None };
        let mut shower = Shower::new(AnswerFormat::Human, &mut console);
        let (run, cells) = ("r-7f2a".to_owned(), Vec::new());
        let begun = Progress::Begun { run, is_resumed: false, cells, waves: Vec::new(), stacks: 1 };
        shower.take_at(&begun, Timestamp::UNIX_EPOCH);
        shower.tick_at(Timestamp::UNIX_EPOCH);
        std::panic::resume_unwind(Box::new(()));
    }));
    assert!(panic.is_err());
    let err = String::from_utf8(err).unwrap();
    assert!(err.ends_with("\u{1b}[J\u{1b}[?25h"), "{err:?}");
    assert_eq!(err.matches("\u{1b}[J").count(), 1, "nothing is erased below: {err:?}");
}

#[test]
fn events_are_all_that_programs_get() {
    let (out, err, code) = shown(AnswerFormat::Json, Place::Terminal(|| (80, 24)), &partly());
    assert_eq!((err.as_str(), code), ("", 4));
    let told: Vec<serde_json::Value> =
        out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let events: Vec<_> = told.iter().map(|it| it["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["begun", "stopped", "ended"]);
}

/// How often the size of the terminal was asked for, once for each picture.
static LOOKS: AtomicUsize = AtomicUsize::new(0);

#[test]
fn time_passes_while_the_work_goes_on_and_its_answer_comes_back() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let (colour, out_colour) = (Colour::Plain, Colour::Plain);
    let place = Place::Terminal(|| {
        LOOKS.fetch_add(1, Ordering::Relaxed);
        (80, 24)
    });
    let mut console =
        Console { out: &mut out, err: &mut err, out_colour, colour, place, input: None };
    let shower = RefCell::new(Shower::new(AnswerFormat::Human, &mut console));
    let work = async {
        let (run, cells) = ("r-7f2a".to_owned(), Vec::new());
        let begun = Progress::Begun { run, is_resumed: false, cells, waves: Vec::new(), stacks: 1 };
        shower.borrow_mut().take(&begun);
        while LOOKS.load(Ordering::Relaxed) < 2 {
            tokio::task::yield_now().await;
        }
        7
    };
    assert_eq!(runtime.block_on(while_working(&shower, work)), 7);
    drop(shower);
    assert!(String::from_utf8(err).unwrap().contains("run r-7f2a"));
}
