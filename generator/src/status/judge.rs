//! One stack of the board: its state in people's words, what is wrong, and the command to run next.
//!
//! A stack may have several faults; the worst gives its place. To tell a new one, add it to [`Fault`] in
//! the order of weight, with its heading and its command here. Pure.

use contract::health::{Ailment, AilmentItem};

use super::subscribers::Unreached;
use super::{Alarm, AlarmState, Drift, Found, Of, Wanted, digest};
use crate::model::{Cell, Id};
use crate::name::StoreNames;

/// Stores that one command names. Our choice: more do not fit a line.
const NAMED_MAX: usize = 4;

/// A stack as the board shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    pub of: Of,
    pub stack: String,
    /// CloudFormation's word; `None`: there is no stack.
    pub status: Option<String>,
    /// CloudFormation's words for a status that is trouble.
    pub reason: String,
    pub deployed_ms: Option<i64>,
    pub is_in_step: bool,
    pub drift: Drift,
    pub cameras: Cameras,
    /// `None`: not asked.
    pub unreached: Option<Vec<Unreached>>,
    /// `None`: not asked.
    pub ailments: Option<Vec<Ailing>>,
    /// The worst first.
    pub faults: Vec<Fault>,
}

/// What may be wrong with a stack; the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// An operation on the stack failed, and it cannot be updated as it is.
    Broken,
    /// The store's alarm says that cameras ail, or that nobody watches.
    Cameras,
    /// The files ask for it, and it is not there.
    Absent,
    /// It was deployed from something else than the files say.
    Behind,
    /// An operation is under way.
    Moving,
    /// Resources were changed by others than CloudFormation.
    Drifted,
    /// Somebody whom the files name is not told.
    Unreached,
    /// It is there, and no file of the cell asks for it.
    Orphan,
}

/// How the cameras of a store are, by its alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cameras {
    Well,
    /// Since when, milliseconds since the epoch.
    Ail(Option<i64>),
    /// Nothing is counted any more: the store's schedule or `dispatch` has stopped.
    Unwatched(Option<i64>),
    /// The alarm has not enough to tell, is not there, or may not be read.
    Unknown,
    /// The stack has none: it is of no store.
    None,
}

/// A camera that ails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ailing {
    pub camera: String,
    pub ailment: Ailment,
    pub since_ms: i64,
}

/// What a status means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// There is no stack, or only the shell of one.
    Absent,
    /// It can be updated.
    Settled,
    Moving,
    /// It cannot be updated before somebody mends it.
    Broken,
}

/// Source of the words: CloudFormation API reference, `Stack`, `StackStatus`. A word that is not known is
/// trouble.
pub fn state(status: &str) -> State {
    match status {
        "REVIEW_IN_PROGRESS" | "DELETE_COMPLETE" => State::Absent,
        "CREATE_COMPLETE"
        | "UPDATE_COMPLETE"
        | "UPDATE_ROLLBACK_COMPLETE"
        | "IMPORT_COMPLETE"
        | "IMPORT_ROLLBACK_COMPLETE" => State::Settled,
        status if status.ends_with("_IN_PROGRESS") => State::Moving,
        _ => State::Broken,
    }
}

/// The status in people's words.
pub fn words(status: &str) -> &str {
    match status {
        "CREATE_IN_PROGRESS" => "being created",
        "CREATE_COMPLETE" => "created",
        "CREATE_FAILED" => "creation failed",
        "ROLLBACK_IN_PROGRESS" => "creation failed, being rolled back",
        "ROLLBACK_COMPLETE" => "creation failed, rolled back",
        "ROLLBACK_FAILED" => "creation failed, and so did its rollback",
        "UPDATE_IN_PROGRESS" | "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS" => "being updated",
        "UPDATE_COMPLETE" => "updated",
        "UPDATE_FAILED" => "update failed",
        "UPDATE_ROLLBACK_IN_PROGRESS" | "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS" => {
            "update failed, being rolled back"
        }
        "UPDATE_ROLLBACK_COMPLETE" => "last update rolled back",
        "UPDATE_ROLLBACK_FAILED" => "update failed, and so did its rollback",
        "DELETE_IN_PROGRESS" => "being deleted",
        "DELETE_COMPLETE" => "deleted",
        "DELETE_FAILED" => "deletion failed",
        "REVIEW_IN_PROGRESS" => "a shell without resources",
        "IMPORT_IN_PROGRESS" => "resources being imported",
        "IMPORT_COMPLETE" => "resources imported",
        "IMPORT_ROLLBACK_IN_PROGRESS" => "import failed, being rolled back",
        "IMPORT_ROLLBACK_COMPLETE" => "last import rolled back",
        "IMPORT_ROLLBACK_FAILED" => "import failed, and so did its rollback",
        other => other,
    }
}

/// The line of a stack that the files ask for.
pub(super) fn line(
    cell: &Cell,
    wanted: &Wanted<'_>,
    (name, found): (&str, Option<&Found>),
    alarms: Option<&[Alarm]>,
) -> Line {
    let found = found.filter(|it| state(&it.status) != State::Absent);
    let mut line = Line { is_in_step: false, ..bare(wanted.of.clone(), name, found) };
    let Some(found) = found else {
        line.faults.push(Fault::Absent);
        return line;
    };
    let expected = digest(cell, &wanted.shall, found);
    let is_same = expected.is_some() && expected == found.digest;
    match state(&found.status) {
        State::Absent => {}
        State::Broken => line.faults.push(Fault::Broken),
        State::Moving => line.faults.push(Fault::Moving),
        State::Settled if is_same => line.is_in_step = true,
        State::Settled => line.faults.push(Fault::Behind),
    }
    if let Of::Store(store) = &wanted.of {
        let alarm = StoreNames::new(&cell.id, store).offline_alarm();
        line.cameras = cameras(alarms.unwrap_or_default().iter().find(|it| it.name == alarm));
        if matches!(line.cameras, Cameras::Ail(_) | Cameras::Unwatched(_)) {
            line.faults.push(Fault::Cameras);
        }
    }
    line
}

/// The line of a stack that no file of the cell asks for.
pub(super) fn orphan(found: &Found, store: Id, has_moved: bool) -> Line {
    let mut line = bare(Of::Store(store), &found.name, Some(found));
    if has_moved {
        line.reason.insert_str(0, "its file says another cell ");
    }
    line.faults.push(Fault::Orphan);
    line
}

fn bare(of: Of, name: &str, found: Option<&Found>) -> Line {
    let is_trouble = |it: &&Found| state(&it.status) != State::Settled;
    let drift = found.map(|it| it.drift).unwrap_or_default();
    let is_drifted = matches!(drift, Drift::Drifted(_));
    Line {
        cameras: if matches!(of, Of::Store(_)) { Cameras::Unknown } else { Cameras::None },
        of,
        stack: name.to_owned(),
        status: found.map(|it| it.status.clone()),
        reason: found.filter(is_trouble).map(|it| it.reason.clone()).unwrap_or_default(),
        deployed_ms: found.and_then(|it| it.deployed_ms),
        is_in_step: false,
        drift,
        unreached: None,
        ailments: None,
        faults: if is_drifted { vec![Fault::Drifted] } else { Vec::new() },
    }
}

/// What the alarm of a store says. It is raised, too, when nothing at all is counted: `CloudWatch` then
/// says that datapoints are missing. Source of its words: `CloudWatch` user guide, "Configuring how alarms
/// treat missing data".
fn cameras(alarm: Option<&Alarm>) -> Cameras {
    match alarm {
        Some(Alarm { state: AlarmState::Ok, .. }) => Cameras::Well,
        Some(Alarm { state: AlarmState::Alarm, since_ms, reason, .. }) => {
            if reason.contains("no datapoints were received") {
                Cameras::Unwatched(*since_ms)
            } else {
                Cameras::Ail(*since_ms)
            }
        }
        _ => Cameras::Unknown,
    }
}

/// What ails a camera, unless it has been well since.
pub(super) fn ailment(item: &AilmentItem) -> Option<Ailing> {
    let is_over = item.well_ms.is_some_and(|well| well >= item.seen_ms);
    let since_ms = item.well_ms.map_or(item.since_ms, |well| well.max(item.since_ms));
    let camera = item.camera.clone();
    (!is_over).then_some(Ailing { camera, ailment: item.ailment, since_ms })
}

impl Line {
    /// Whether there is a stack.
    pub fn is_there(&self) -> bool {
        self.status.is_some()
    }

    /// The store's id, if it is of one.
    pub fn store(&self) -> Option<&str> {
        match &self.of {
            Of::Store(id) => Some(id.as_str()),
            _ => None,
        }
    }

    pub(super) fn hear_subscribers(&mut self, unreached: Vec<Unreached>) {
        if !unreached.is_empty() {
            self.faults.push(Fault::Unreached);
        }
        self.unreached = Some(unreached);
    }
}

/// Where a line stands: by its worst fault.
pub(super) fn rank(line: &Line) -> (bool, Option<Fault>) {
    (line.faults.is_empty(), line.faults.first().copied())
}

impl Fault {
    /// The word for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Broken => "broken",
            Self::Cameras => "cameras",
            Self::Absent => "absent",
            Self::Behind => "behind",
            Self::Moving => "moving",
            Self::Drifted => "drifted",
            Self::Unreached => "unreached",
            Self::Orphan => "orphan",
        }
    }

    /// What it means, for people; begins with the word that the cell's first line counts.
    pub fn heading(self) -> (&'static str, &'static str) {
        match self {
            Self::Broken => ("broken", "an operation on the stack failed"),
            Self::Cameras => ("with ailing cameras", "their alarm is raised"),
            Self::Absent => ("not deployed", "asked for by the files, and not there"),
            Self::Behind => ("behind", "deployed from something else than the files say"),
            Self::Moving => ("moving", "an operation is under way"),
            Self::Drifted => ("drifted", "changed by others than CloudFormation"),
            Self::Unreached => ("with people not reached", "somebody in the files is not told"),
            Self::Orphan => ("in no file", "a stack for which no file of the cell asks"),
        }
    }

    /// The command to run next, for all these lines of a cell.
    pub fn next(self, cell: &str, lines: &[&Line]) -> String {
        let stores: Vec<_> = lines.iter().filter_map(|it| it.store()).collect();
        let first = stores.first().copied();
        let is_shared = stores.len() < lines.len();
        let is_platform = lines.iter().any(|it| it.of == Of::Platform);
        // A command that takes several stores takes a whole cell, too.
        let several = |command: &str| {
            if is_shared || stores.len() > NAMED_MAX || stores.is_empty() {
                format!("{command} --cell {cell}")
            } else {
                format!("{command} {}", stores.join(" "))
            }
        };
        let one = |command: &str| match first {
            Some(store) if stores.len() == 1 => format!("{command} {store}"),
            _ => format!("{command} STORE"),
        };
        match self {
            Self::Broken if is_platform => format!("arm recover --platform {cell}"),
            Self::Broken if is_shared => format!("arm recover --artifacts {cell}"),
            Self::Broken => one("arm recover"),
            Self::Cameras => match lines {
                // Which cameras ail was asked already.
                [line] if line.ailments.is_some() => format!("{} --errors", one("arm logs")),
                _ => several("arm status"),
            },
            Self::Absent | Self::Behind => several("arm deploy"),
            Self::Moving => several("arm status"),
            Self::Drifted => several("arm drift"),
            Self::Unreached => "ask them to follow the link of SNS's message, `Subscription \
                                Confirmation`; who was never asked: `arm drift STORE`"
                .to_owned(),
            Self::Orphan => format!("{} --cell {cell}", one("arm destroy")),
        }
    }
}
