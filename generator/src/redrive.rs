//! Puts back what lies in dead-letter queues, and asks again for clips that are overdue.
//!
//! Every letter is received, sent where its [`Fate`] says and only then deleted: whatever stops this
//! run, a letter is in one of the two queues, or in both, and all functions bear a second delivery. What
//! is not sent on is held while the run lasts, so that nothing is seen twice, and made visible again at
//! its end. SQS's own task (`StartMessageMoveTask`) looks at nothing that it moves: it would put poisoned
//! messages and stale windows back too, and could not tell them apart.
//!
//! To change what becomes of a letter, see `dead_letter`; here is only how it is carried out.

mod overdue;
mod report;

use std::collections::{BTreeMap, BTreeSet};

use casework::time::rfc3339;
use contract::case::{CaseItem, EvidenceStatus};

use crate::dead_letter::{self, DeadLetters, Fate, Letter, Useless};
use crate::deploy::CloudError;
use crate::input::CompiledFleet;
use crate::model::Cell;

pub use overdue::Clips;
pub use report::{Became, Entry, Looked, NOT_UNDERSTOOD, Report, Sum};

/// Most letters of one queue that a run holds. Our choice: a standard queue has up to 120,000 in
/// flight, and ten thousand fit the memory of any machine; the next run takes the next.
pub const LETTERS_MAX: usize = 10_000;

/// The kind of a letter that tells of changes.
const CHANGES: &str = "case-changes";

/// The kind of a letter that somebody wants deleted by its id, whatever it is.
const NAMED: &str = "named";

/// A queue that is not there: the others may be.
#[derive(Debug, thiserror::Error)]
#[error("there is no such queue; is the cell deployed?")]
pub struct NoQueue;

/// A letter that this run has received, and hides from others for a while.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    pub letter: Letter,
    /// By which it is deleted, or made visible again.
    pub receipt: String,
}

/// A case that was written lately.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    pub case_id: String,
    /// When it was written last, in milliseconds since the epoch.
    pub at_ms: i64,
}

/// Where a page of the table begins: the key of the last item before it, texts by name.
pub type Place = BTreeMap<String, String>;

/// What a redrive needs of AWS, in its own words; `aws` implements it, the tests script it.
#[expect(async_fn_in_trait, reason = "only our own commands and tests implement it")]
pub trait RedriveServices {
    /// Receives up to ten dead letters, and hides them; none when the queue has no more.
    async fn receive(&self, queue: DeadLetters) -> Result<Vec<Held>, CloudError>;
    /// How many dead letters somebody else has received, so that nobody can see them.
    async fn count_hidden(&self, queue: DeadLetters) -> Result<u64, CloudError>;
    /// Makes a dead letter visible again, now; gives up soon.
    async fn release(&self, queue: DeadLetters, held: &Held) -> Result<(), CloudError>;
    async fn delete(&self, queue: DeadLetters, held: &Held) -> Result<(), CloudError>;
    /// Sends to the queue that a function reads.
    async fn send(&self, queue: DeadLetters, body: &str) -> Result<(), CloudError>;
    async fn fetch_case(&self, case_id: &str) -> Result<Option<CaseItem>, CloudError>;
    /// A page of the cases whose clip was due by a moment, and where the next page begins.
    async fn fetch_due(
        &self,
        by: &str,
        after: Option<Place>,
    ) -> Result<(Vec<String>, Option<Place>), CloudError>;
    /// Notes that the clip was asked for, unless the case has changed; returns whether it was noted.
    async fn note_asked(&self, case: &CaseItem, now: &str) -> Result<bool, CloudError>;
    /// A page of the cases that were written last between two moments.
    async fn fetch_written(
        &self,
        between: (&str, &str),
        after: Option<Place>,
    ) -> Result<(Vec<Written>, Option<Place>), CloudError>;
    /// Changes a case in nothing but a note, so that the table's stream gives it a row again.
    async fn touch(&self, case_id: &str, now: &str) -> Result<(), CloudError>;
    /// Whether the person wants to stop.
    fn is_stopped(&self) -> bool;
}

/// Whether anything is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Nothing is; what would be done is told.
    Look,
    CarryOut,
}

/// What is asked for.
pub struct Request<'a> {
    pub fleet: &'a CompiledFleet,
    pub cell: &'a Cell,
    pub queues: BTreeSet<DeadLetters>,
    /// What may be deleted.
    pub drop: BTreeSet<Useless>,
    /// Letters that may be deleted whatever they are.
    pub drop_letters: BTreeSet<String>,
    pub mode: Mode,
    pub now_ms: i64,
}

/// Carries out a request. What was done by the time that a call fails stands in the report.
///
/// A queue that is not there does not keep the others from being read; any other failure does, because
/// it is AWS that cannot be reached. The first failure is returned. `tell` hears which queue is read.
pub async fn redrive(
    services: &impl RedriveServices,
    request: &Request<'_>,
    report: &mut Report,
    tell: &mut dyn FnMut(DeadLetters),
) -> Result<(), CloudError> {
    let mut outcome = Ok(());
    report.queues = request.queues.iter().map(|queue| (*queue, Looked::NotTried)).collect();
    for queue in &request.queues {
        if services.is_stopped() {
            break;
        }
        tell(*queue);
        // This is so if nobody lets the call return.
        report.queues.insert(*queue, Looked::Stopped);
        let done = empty(services, request, *queue, report).await;
        let (looked, is_end) = match &done {
            Ok(()) if services.is_stopped() => (Looked::Stopped, true),
            Ok(()) => (Looked::Whole, false),
            Err(error) => (Looked::Failed(told(error)), !error.source.is::<NoQueue>()),
        };
        report.queues.insert(*queue, looked);
        outcome = outcome.and(done);
        if is_end {
            break;
        }
    }
    report.is_stopped = services.is_stopped();
    let is_up = report.queues.get(&DeadLetters::Evidence) == Some(&Looked::Whole);
    if is_up && !report.is_stopped && !report.queues.values().any(|it| *it == Looked::NotTried) {
        let already = report.requested.clone();
        let asked = overdue::ask_again(services, request, &already, &mut report.clips).await;
        report.clips.is_whole = asked.is_ok() && !services.is_stopped();
        outcome = outcome.and(asked);
    }
    report.is_stopped = services.is_stopped();
    outcome
}

/// An error and what caused it last, on one line.
fn told(error: &CloudError) -> String {
    let mut cause: &dyn std::error::Error = &*error.source;
    while let Some(source) = cause.source() {
        cause = source;
    }
    format!("{error}: {cause}")
}

/// Takes one queue's letters; whatever happens, those that are still held become visible again. Where
/// one cannot, the rest is not tried: SQS shows them by itself.
async fn empty(
    services: &impl RedriveServices,
    request: &Request<'_>,
    queue: DeadLetters,
    report: &mut Report,
) -> Result<(), CloudError> {
    let hidden = services.count_hidden(queue).await?;
    if hidden > 0 {
        report.hidden.insert(queue, hidden);
    }
    let mut held = BTreeMap::new();
    let outcome = take(services, request, queue, (report, &mut held)).await;
    for (released, it) in held.values().enumerate() {
        if let Err(error) = services.release(queue, it).await {
            report.still_hidden.insert(queue, held.len() - released);
            return outcome.and(Err(error));
        }
    }
    outcome
}

async fn take(
    services: &impl RedriveServices,
    request: &Request<'_>,
    queue: DeadLetters,
    (report, held): (&mut Report, &mut BTreeMap<String, Held>),
) -> Result<(), CloudError> {
    let mut spans = BTreeMap::new();
    while !services.is_stopped() {
        if held.len() >= LETTERS_MAX {
            report.more.push(queue);
            break;
        }
        let received = services.receive(queue).await?;
        if received.is_empty() {
            break;
        }
        let mut fresh = Vec::new();
        for it in received {
            let id = it.letter.id.clone();
            // The body may be large, and whoever only holds a letter does not need it.
            let letter = Letter { body: String::new(), ..it.letter.clone() };
            let known = held.insert(id, Held { letter, receipt: it.receipt.clone() });
            fresh.extend(known.is_none().then_some(it));
        }
        for it in fresh {
            if services.is_stopped() {
                return Ok(());
            }
            if request.drop_letters.contains(&it.letter.id) {
                if request.mode == Mode::CarryOut {
                    services.delete(queue, &it).await?;
                    held.remove(&it.letter.id);
                }
                let reason = "named by --drop-letter".to_owned();
                report.delete(Entry::new(queue, &it.letter, NAMED, reason));
                continue;
            }
            let fate =
                dead_letter::fate(queue, &it.letter, (request.fleet, request.cell), request.now_ms);
            if let Fate::Rows { from_ms, to_ms } = fate {
                spans.insert(it.letter.id.clone(), (from_ms, to_ms));
                continue;
            }
            if meet(services, request, (queue, &it, fate), report).await? {
                held.remove(&it.letter.id);
            }
        }
    }
    rows(services, request, &spans, report).await?;
    for id in spans.keys() {
        let Some(it) = held.get(id).cloned() else { continue };
        let became = if services.is_stopped() { Became::Left } else { Became::Rows };
        if became == Became::Left {
            let reason = "the run was stopped before it".to_owned();
            report.leave(Entry::new(queue, &it.letter, CHANGES, reason));
            continue;
        }
        if request.mode == Mode::CarryOut {
            services.delete(queue, &it).await?;
            held.remove(id);
        }
        report.note(queue, (CHANGES, became), it.letter.sent_ms);
    }
    Ok(())
}

/// Does with a letter what is to be done; returns whether it is gone from its queue.
async fn meet(
    services: &impl RedriveServices,
    request: &Request<'_>,
    (queue, held, fate): (DeadLetters, &Held, Fate),
    report: &mut Report,
) -> Result<bool, CloudError> {
    let letter = &held.letter;
    let (kind, sends) = match fate {
        Fate::PutBack { kind, sends } => (kind, sends),
        Fate::Request { case_id } => match services.fetch_case(&case_id).await? {
            None => {
                let reason = format!("its case `{case_id}` is not on record");
                report.leave(Entry::new(queue, letter, "no-case", reason));
                return Ok(false);
            }
            Some(case) => {
                let is_pending = case.evidence.status == EvidenceStatus::Pending;
                if is_pending && request.mode == Mode::CarryOut {
                    // Else the next run, or the sweep, asks as well; a case that has just changed asks itself.
                    services.note_asked(&case, &rfc3339(request.now_ms)).await?;
                }
                report.requested.insert(case_id);
                let kind = if is_pending { "clip-request" } else { "settled-clip-request" };
                (kind, vec![(DeadLetters::Evidence, letter.body.clone())])
            }
        },
        Fate::Useless(useless) => {
            let may_go = request.drop.contains(&useless);
            if !may_go {
                report.useless.insert(useless);
                let reason = format!("`--drop {}` deletes it", useless.as_str());
                report.leave(Entry::new(queue, letter, useless.noun(), reason));
                return Ok(false);
            }
            if request.mode == Mode::CarryOut {
                services.delete(queue, held).await?;
            }
            let reason = format!("by --drop {}", useless.as_str());
            report.delete(Entry::new(queue, letter, useless.noun(), reason));
            return Ok(request.mode == Mode::CarryOut);
        }
        Fate::Stays(reason) => {
            report.leave(Entry::new(queue, letter, NOT_UNDERSTOOD, reason));
            return Ok(false);
        }
        Fate::Rows { .. } => return Ok(false),
    };
    let to = sends.first().map_or(queue, |(to, _)| *to);
    if request.mode == Mode::CarryOut {
        for (to, body) in sends {
            services.send(to, &body).await?;
        }
        services.delete(queue, held).await?;
    }
    report.note(queue, (kind, Became::PutBack(to)), letter.sent_ms);
    Ok(request.mode == Mode::CarryOut)
}

/// Gives rows again to the cases that were written last in one of these spans of time. A case that
/// was written later has a newer row, or one of its own among the letters.
async fn rows(
    services: &impl RedriveServices,
    request: &Request<'_>,
    spans: &BTreeMap<String, (i64, i64)>,
    report: &mut Report,
) -> Result<(), CloudError> {
    let from_ms = spans.values().map(|span| span.0).min();
    let to_ms = spans.values().map(|span| span.1).max();
    let (Some(from_ms), Some(to_ms)) = (from_ms, to_ms) else { return Ok(()) };
    let (from, to, now) = (rfc3339(from_ms), rfc3339(to_ms), rfc3339(request.now_ms));
    let mut after = None;
    loop {
        let (page, next) = services.fetch_written((&from, &to), after).await?;
        for case in page {
            let is_in = |(from, to): &(i64, i64)| (*from..=*to).contains(&case.at_ms);
            if services.is_stopped() || !spans.values().any(is_in) {
                continue;
            }
            if request.mode == Mode::CarryOut {
                services.touch(&case.case_id, &now).await?;
            }
            report.rows.insert(case.case_id);
        }
        after = next;
        if after.is_none() || services.is_stopped() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests;
