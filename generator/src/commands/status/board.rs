//! The board for people: for each cell one line that sums up, then what is not as it shall be, in groups
//! with the command to run next.
//!
//! What is in step is only counted. A group of many stores of which there is nothing more to say is a
//! paragraph of their ids. Pure. To show more of a stack, start in [`note`].

use casework::time::rfc3339;

use crate::console::count;
use crate::paragraph::{shortened, wrapped_to};
use crate::status::judge::{Ailing, Cameras, Fault, Line, State, state, words};
use crate::status::subscribers::{Unreached, Why};
use crate::status::{Board, Drift, Of};

/// Widest line, in characters. Our choice: a terminal beside an editor.
const WIDTH: usize = 100;
/// Most lines of a group that have nothing to say but a date; of more, only the ids are shown. Our choice.
const PLAIN_MAX: usize = 8;
/// Longest part of CloudFormation's reason that is shown, in characters. Our choice: two lines.
const REASON_MAX: usize = 180;

/// The boards of some cells, `only` of these stores.
pub(super) fn boards(
    boards: &[Board],
    only: &[String],
    is_bundle_compared: bool,
    now_ms: i64,
) -> String {
    let mut text = String::new();
    for board in boards {
        text += &head(board);
        text += &alarms(board);
        let mut faults: Vec<Fault> =
            board.lines.iter().filter_map(|it| it.faults.first().copied()).collect();
        faults.dedup();
        for fault in faults {
            let lines: Vec<_> =
                board.lines.iter().filter(|it| it.faults.first() == Some(&fault)).collect();
            text += &group(fault, &board.cell, &lines);
        }
        text += &well(board, only);
        text += &foot(board, is_bundle_compared && only.is_empty());
    }
    text + &format!("as of {}\n", moment(now_ms))
}

/// `us-west (account 123456789012, us-west-2): 200 stores: 2 broken, 5 behind; 193 stores as they shall be`.
fn head(board: &Board) -> String {
    let stores = || board.lines.iter().filter(|it| it.store().is_some());
    let mut faults: Vec<Fault> = stores().filter_map(|it| it.faults.first().copied()).collect();
    faults.dedup();
    let number = |fault: Fault| stores().filter(|it| it.faults.first() == Some(&fault)).count();
    let mut parts: Vec<_> =
        faults.iter().map(|it| format!("{} {}", number(*it), it.heading().0)).collect();
    let well = stores().filter(|it| it.faults.is_empty()).count();
    parts.push(format!("{well} in step"));
    let stores = count(stores().count(), "store");
    let mark = format!("{}: ", board.cell);
    let text =
        format!("{stores}: {} (account {}, {})", parts.join(", "), board.account, board.region);
    wrapped_to(WIDTH, &mark, &text)
}

fn alarms(board: &Board) -> String {
    if board.alarms.is_empty() {
        return String::new();
    }
    let mut text = "\n  alarms of what the stores share\n".to_owned();
    for alarm in &board.alarms {
        let since = since(alarm.since_ms);
        text += &wrapped_to(WIDTH, "    ", &format!("{} raised{since}", alarm.name));
    }
    text
}

fn group(fault: Fault, cell: &str, lines: &[&Line]) -> String {
    let (word, meaning) = fault.heading();
    let mut text = format!("\n  {word}: {meaning}\n");
    let width = lines.iter().map(|it| name(it).chars().count()).max().unwrap_or_default();
    let plain = lines.iter().filter(|it| is_plain(it)).count();
    let mut ids = Vec::new();
    for line in lines {
        if is_plain(line) && plain > PLAIN_MAX {
            ids.push(name(line));
            continue;
        }
        let mark = format!("    {:<width$}  ", name(line));
        text += &wrapped_to(WIDTH, &mark, &note(line));
        text += &details(line, mark.chars().count());
    }
    if !ids.is_empty() {
        text += &wrapped_to(WIDTH, "    ", &ids.join(" "));
    }
    text + &wrapped_to(WIDTH, "    next: ", &fault.next(cell, lines))
}

/// What a line is called: stores by their ids.
fn name(line: &Line) -> String {
    match &line.of {
        Of::Artifacts => "(artifacts)".to_owned(),
        Of::Platform => "(platform)".to_owned(),
        Of::Store(id) => id.to_string(),
    }
}

/// Whether there is nothing to say of a line but its fault and a date.
fn is_plain(line: &Line) -> bool {
    let is_settled = line.status.as_deref().is_none_or(|it| {
        matches!(it, "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "REVIEW_IN_PROGRESS")
    });
    line.faults.len() == 1
        && is_settled
        && line.reason.is_empty()
        && line.unreached.as_ref().is_none_or(Vec::is_empty)
        && line.ailments.as_ref().is_none_or(Vec::is_empty)
        && !matches!(line.cameras, Cameras::Ail(_) | Cameras::Unwatched(_))
}

/// All that is known of a line.
fn note(line: &Line) -> String {
    let mut parts = Vec::new();
    match &line.status {
        None => parts.push("no stack".to_owned()),
        Some(status) => {
            // CloudFormation keeps when the last operation began.
            let at = line.deployed_ms.map(moment).map(|it| match state(status) {
                State::Settled => format!(" {it}"),
                State::Moving => format!(" since {it}"),
                State::Broken | State::Absent => format!("; begun {it}"),
            });
            parts.push(format!("{}{}", words(status), at.unwrap_or_default()));
        }
    }
    for fault in line.faults.iter().skip(1) {
        parts.extend(also(*fault));
    }
    match line.cameras {
        Cameras::Ail(at) => parts.push(format!("cameras ail{}", since(at))),
        Cameras::Unwatched(at) => {
            parts.push(format!("nobody watches: nothing is counted{}", since(at)));
        }
        _ => {}
    }
    match line.drift {
        Drift::Drifted(at) => parts.push(format!(
            "drift found{}",
            at.map(|it| format!(" {}", moment(it))).unwrap_or_default()
        )),
        Drift::Unknown | Drift::None(_) => {}
    }
    parts.join("; ")
}

/// What more is known of a line, each on lines of its own.
fn details(line: &Line, indent: usize) -> String {
    let reason = (!line.reason.is_empty()).then(|| shortened(&line.reason, REASON_MAX));
    let ailments = line.ailments.iter().flatten().map(ailing);
    let unreached = line.unreached.iter().flatten().map(unreached);
    let all = reason.into_iter().chain(ailments).chain(unreached);
    all.map(|it| wrapped_to(WIDTH, &" ".repeat(indent), &it)).collect()
}

/// A lesser fault, where nothing else of the note says it.
fn also(fault: Fault) -> Option<String> {
    match fault {
        Fault::Behind | Fault::Moving | Fault::Absent | Fault::Orphan | Fault::Broken => {
            Some(format!("also {}", fault.heading().0))
        }
        Fault::Cameras | Fault::Drifted | Fault::Unreached => None,
    }
}

fn ailing(it: &Ailing) -> String {
    format!("camera {}: {} since {}", it.camera, it.ailment.as_str(), moment(it.since_ms))
}

/// `lp by email lp@example.com has not confirmed`.
fn unreached(it: &Unreached) -> String {
    let audiences: Vec<_> = it.audiences.iter().map(String::as_str).collect();
    let addresses = match (it.addresses.as_slice(), it.number) {
        ([one], _) => one.clone(),
        (several, number) => format!("{number} of {}", several.join(", ")),
    };
    let why = match it.why {
        Why::Unconfirmed => "not confirmed",
        Why::Unsubscribed => "no subscription",
    };
    format!("{} by {} {addresses}: {why}", audiences.join(", "), it.channel.as_str())
}

/// What is in step: a number, and of stores that were named each.
fn well(board: &Board, only: &[String]) -> String {
    let lines: Vec<_> = board.lines.iter().filter(|it| it.faults.is_empty()).collect();
    if only.is_empty() {
        let stores = lines.iter().filter(|it| it.store().is_some()).count();
        let shared = lines.len() - stores;
        let shared = match shared {
            2 => ", and what they share".to_owned(),
            _ => String::new(),
        };
        return format!("\n  in step: {}{shared}\n", count(stores, "store"));
    }
    if lines.is_empty() {
        return String::new();
    }
    let width = lines.iter().map(|it| name(it).chars().count()).max().unwrap_or_default();
    let mut text = "\n  in step\n".to_owned();
    for line in lines {
        let mark = format!("    {:<width$}  ", name(line));
        let cameras = match line.cameras {
            Cameras::Well => "; cameras well",
            _ => "; how its cameras are is not known",
        };
        let all = match &line.unreached {
            Some(_) => "; everybody confirmed",
            None => "",
        };
        text += &wrapped_to(WIDTH, &mark, &format!("{}{cameras}{all}", note(line)));
    }
    text
}

fn foot(board: &Board, is_bundle_compared: bool) -> String {
    let mut text = String::new();
    for omission in &board.omissions {
        text += &wrapped_to(WIDTH, "  ", omission);
    }
    let has_platform = board.lines.iter().any(|it| it.of == Of::Platform);
    if has_platform && !is_bundle_compared {
        text += "  the function bundle was not compared: name its folder with --bundle\n";
    }
    let calls: Vec<_> =
        board.calls.iter().map(|(name, number)| format!("{name}={number}")).collect();
    text + &wrapped_to(WIDTH, "  calls: ", &calls.join(", ")) + "\n"
}

fn since(at: Option<i64>) -> String {
    at.map(|it| format!(" since {}", moment(it))).unwrap_or_default()
}

/// To the minute, by universal time.
fn moment(ms: i64) -> String {
    let text = rfc3339(ms);
    let minute: String = text.chars().take(16).collect();
    format!("{}Z", minute.replace('T', " "))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use contract::health::Ailment;
    use insta::assert_snapshot;

    use super::*;
    use crate::model::{Channel, Id};
    use crate::status::{Alarm, AlarmState};

    /// 2026-11-20T10:12:00Z.
    const THEN_MS: i64 = 1_795_169_520_000;

    fn line(of: Of, status: Option<&str>, faults: Vec<Fault>) -> Line {
        Line {
            stack: String::new(),
            status: status.map(str::to_owned),
            reason: String::new(),
            deployed_ms: status.map(|_| THEN_MS),
            is_in_step: faults.is_empty(),
            drift: Drift::Unknown,
            cameras: if matches!(of, Of::Store(_)) { Cameras::Well } else { Cameras::None },
            of,
            unreached: None,
            ailments: None,
            faults,
        }
    }

    fn store(name: &str, status: &str, faults: Vec<Fault>) -> Line {
        line(Of::Store(Id::new(name).unwrap()), Some(status), faults)
    }

    fn board(lines: Vec<Line>) -> Board {
        Board {
            cell: "us-west".to_owned(),
            account: "123456789012".to_owned(),
            region: "us-west-2".to_owned(),
            lines,
            calls: BTreeMap::from([("DescribeStacks", 3), ("DescribeAlarms", 3)]),
            ..Board::default()
        }
    }

    /// A cell of 200 stores with everything that can be wrong.
    fn whole() -> Board {
        let mut lines = vec![
            Line {
                reason: "The following resource(s) failed to update: [CameraAisle5A9A0D653020]. \
                         Account limit exceeded for streams in this account, ask for more before \
                         another attempt is made, or remove cameras that are of no use any more"
                    .to_owned(),
                ..store("kent-008", "UPDATE_ROLLBACK_FAILED", vec![Fault::Broken, Fault::Unreached])
            },
            Line {
                cameras: Cameras::Ail(Some(THEN_MS)),
                ..store("renton-007", "UPDATE_COMPLETE", vec![Fault::Cameras, Fault::Behind])
            },
            Line {
                cameras: Cameras::Unwatched(None),
                ..store("yakima-011", "CREATE_COMPLETE", vec![Fault::Cameras])
            },
            line(Of::Store(Id::new("olympia-003").unwrap()), None, vec![Fault::Absent]),
            line(Of::Platform, Some("UPDATE_COMPLETE"), vec![Fault::Behind]),
        ];
        lines
            .extend((100..130).map(|it| {
                store(&format!("bellevue-{it}"), "CREATE_COMPLETE", vec![Fault::Behind])
            }));
        lines.push(store("everett-001", "UPDATE_IN_PROGRESS", vec![Fault::Moving]));
        let drifted = store("lacey-001", "CREATE_COMPLETE", vec![Fault::Drifted]);
        lines.push(Line { drift: Drift::Drifted(Some(THEN_MS)), ..drifted });
        lines.push(store("gone-001", "CREATE_COMPLETE", vec![Fault::Orphan]));
        lines.extend((0..160).map(|it| store(&format!("a-{it:03}"), "CREATE_COMPLETE", vec![])));
        lines.push(line(Of::Artifacts, Some("CREATE_COMPLETE"), vec![]));
        let alarm = Alarm {
            name: "arm-us-west-windows-age".to_owned(),
            state: AlarmState::Alarm,
            since_ms: Some(THEN_MS),
            reason: String::new(),
        };
        Board { alarms: vec![alarm], ..board(lines) }
    }

    #[test]
    fn a_cell_of_many_stores_is_a_page_that_names_every_trouble_and_what_to_run() {
        let text = boards(&[whole()], &[], false, THEN_MS);
        assert!(text.lines().all(|it| it.chars().count() <= WIDTH), "{text}");
        assert_snapshot!(text);
    }

    #[test]
    fn a_store_that_is_named_is_shown_with_its_cameras_and_its_people() {
        let audiences = ["lp".to_owned(), "manager".to_owned()].into();
        let unreached = Unreached {
            channel: Channel::Email,
            audiences,
            addresses: vec!["lp@example.com".to_owned()],
            number: 1,
            why: Why::Unconfirmed,
        };
        let camera = |it: &str| Ailing {
            camera: it.to_owned(),
            ailment: Ailment::Offline,
            since_ms: THEN_MS,
        };
        let ailing = Line {
            unreached: Some(vec![unreached]),
            ailments: Some(vec![camera("aisle-1-a"), camera("aisle-2-a")]),
            cameras: Cameras::Ail(Some(THEN_MS)),
            ..store("kent-008", "CREATE_COMPLETE", vec![Fault::Cameras, Fault::Unreached])
        };
        let well = Line { unreached: Some(vec![]), ..store("a-1", "UPDATE_COMPLETE", vec![]) };
        let only = ["a-1", "kent-008"].map(str::to_owned);
        assert_snapshot!(boards(&[board(vec![ailing, well])], &only, false, THEN_MS), @"
        us-west: 2 stores: 1 with ailing cameras, 1 in step (account 123456789012, us-west-2)

          with ailing cameras: their alarm is raised
            kent-008  created 2026-11-20 10:12Z; cameras ail since 2026-11-20 10:12Z
                      camera aisle-1-a: offline since 2026-11-20 10:12Z
                      camera aisle-2-a: offline since 2026-11-20 10:12Z
                      lp, manager by email lp@example.com: not confirmed
            next: arm logs kent-008 --errors

          in step
            a-1  updated 2026-11-20 10:12Z; cameras well; everybody confirmed
          calls: DescribeAlarms=3, DescribeStacks=3

        as of 2026-11-20 10:12Z
        ");
    }
}
