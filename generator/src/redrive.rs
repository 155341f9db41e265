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

use std::collections::{BTreeMap, BTreeSet};

use casework::time::rfc3339;
use contract::case::{CaseItem, EvidenceStatus};

use crate::dead_letter::{self, DeadLetters, Fate, Letter, Useless};
use crate::deploy::CloudError;
use crate::input::CompiledFleet;
use crate::model::Cell;

pub use overdue::Clips;

/// Most letters of one queue that a run holds. Our choice: a standard queue has up to 120,000 in
/// flight, and ten thousand fit the memory of any machine; the next run takes the next.
pub const LETTERS_MAX: usize = 10_000;

/// What people read of a letter of which nothing can be made.
const CANNOT: &str = "cannot be put back";

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
    /// Makes a dead letter visible again, now.
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
    pub mode: Mode,
    pub now_ms: i64,
}

/// What became of letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Became {
    /// They are in this queue again.
    PutBack(DeadLetters),
    /// The cases that they are about have rows again.
    Rows,
    Dropped,
    /// They lie where they lay.
    Left,
}

/// Letters of one queue and kind that became the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    pub count: usize,
    /// When the oldest was sent, in milliseconds since the epoch.
    pub oldest_ms: i64,
}

/// A letter that is left because nothing could be made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    pub queue: DeadLetters,
    pub id: String,
    pub reason: String,
    pub excerpt: String,
}

/// What a run found and did.
#[derive(Debug, Default)]
pub struct Report {
    pub sums: BTreeMap<(DeadLetters, &'static str, Became), Sum>,
    pub left: Vec<Left>,
    /// What of no use was left.
    pub useless: BTreeSet<Useless>,
    /// Cases that were given a row again.
    pub rows: BTreeSet<String>,
    /// Cases whose request was among the letters.
    pub requested: BTreeSet<String>,
    pub clips: Clips,
    /// The person stopped it.
    pub is_stopped: bool,
    /// Queues that hold more than one run takes.
    pub more: Vec<DeadLetters>,
}

impl Report {
    fn note(&mut self, queue: DeadLetters, (kind, became): (&'static str, Became), sent_ms: i64) {
        let sum = self.sums.entry((queue, kind, became)).or_default();
        sum.oldest_ms = if sum.count == 0 { sent_ms } else { sum.oldest_ms.min(sent_ms) };
        sum.count += 1;
    }

    fn leave(&mut self, queue: DeadLetters, letter: &Letter, reason: String) {
        self.note(queue, (CANNOT, Became::Left), letter.sent_ms);
        let (id, excerpt) = (letter.id.clone(), letter.excerpt());
        self.left.push(Left { queue, id, reason, excerpt });
    }

    /// How many letters lie where they lay.
    pub fn left_count(&self) -> usize {
        let left = self.sums.iter().filter(|((_, _, became), _)| *became == Became::Left);
        left.map(|(_, sum)| sum.count).sum()
    }
}

/// Carries out a request. What was done by the time that a call fails stands in the report.
pub async fn redrive(
    services: &impl RedriveServices,
    request: &Request<'_>,
    report: &mut Report,
) -> Result<(), CloudError> {
    for queue in &request.queues {
        empty(services, request, *queue, report).await?;
    }
    if request.queues.contains(&DeadLetters::Evidence) && !services.is_stopped() {
        let already = report.requested.clone();
        overdue::ask_again(services, request, &already, &mut report.clips).await?;
    }
    report.is_stopped = services.is_stopped();
    Ok(())
}

/// Takes one queue's letters; whatever happens, those that are still held become visible again.
async fn empty(
    services: &impl RedriveServices,
    request: &Request<'_>,
    queue: DeadLetters,
    report: &mut Report,
) -> Result<(), CloudError> {
    let mut held = BTreeMap::new();
    let mut outcome = take(services, request, queue, (report, &mut held)).await;
    for held in held.values() {
        outcome = outcome.and(services.release(queue, held).await);
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
        if request.mode == Mode::CarryOut && became == Became::Rows {
            services.delete(queue, &it).await?;
            held.remove(id);
        }
        report.note(queue, ("changes of cases", became), it.letter.sent_ms);
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
                report.leave(queue, letter, reason);
                return Ok(false);
            }
            Some(case) => {
                let is_pending = case.evidence.status == EvidenceStatus::Pending;
                if is_pending && request.mode == Mode::CarryOut {
                    // Else the next run, or the sweep, asks as well; a case that has just changed asks itself.
                    services.note_asked(&case, &rfc3339(request.now_ms)).await?;
                }
                report.requested.insert(case_id);
                let kind = if is_pending { "clip request" } else { "clip request, ended" };
                (kind, vec![(DeadLetters::Evidence, letter.body.clone())])
            }
        },
        Fate::Useless(useless) => {
            let may_go = request.drop.contains(&useless);
            let became = if may_go { Became::Dropped } else { Became::Left };
            report.useless.extend((!may_go).then_some(useless));
            let is_gone = may_go && request.mode == Mode::CarryOut;
            if is_gone {
                services.delete(queue, held).await?;
            }
            report.note(queue, (useless.noun(), became), letter.sent_ms);
            return Ok(is_gone);
        }
        Fate::Stays(reason) => {
            report.leave(queue, letter, reason);
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
