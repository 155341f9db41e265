//! Cases whose clip is overdue: their requests are sent again while the stream holds the video.
//!
//! The function `sweep` does the same by itself, with longer pauses, and ends what is lost; a person who
//! has repaired something need not wait for it.

use std::collections::BTreeSet;

use casework::case::overdue::{Asker, Overdue, PERSON_PAUSE_MS, overdue};
use casework::evidence;
use casework::time::{parse_ms, rfc3339};
use contract::case::CaseItem;

use super::{Mode, RedriveServices, Request};
use crate::dead_letter::DeadLetters;
use crate::deploy::CloudError;

/// What was done about overdue clips.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Clips {
    /// Cases whose clip was asked for again.
    pub asked: Vec<String>,
    /// Cases whose clip was not asked for now, and why.
    pub waiting: Vec<(String, &'static str)>,
    /// Cases that will have no clip, and why.
    pub lost: Vec<(String, String)>,
    /// Every overdue clip was looked at.
    pub is_whole: bool,
}

/// Why a clip is not asked for whose request has just been put back.
const AMONG_LETTERS: &str = "its request was among these letters";

/// Why nothing is done about an overdue clip, of the reasons that `casework` has.
fn why_wait(case: &CaseItem, now_ms: i64) -> &'static str {
    let asked_ms = case.evidence.requested_at.as_deref().and_then(parse_ms);
    if evidence::request(case).is_none() {
        return "the case does not say which stream holds its video";
    }
    if asked_ms.is_some_and(|asked_ms| now_ms < asked_ms.saturating_add(PERSON_PAUSE_MS)) {
        return "asked for within the last quarter of an hour";
    }
    "not due yet, or its stream holds the video no longer and `sweep` ends it within the hour"
}

/// Asks again for every clip that is overdue, but for those whose request has just been put back.
pub(super) async fn ask_again(
    services: &impl RedriveServices,
    request: &Request<'_>,
    already: &BTreeSet<String>,
    clips: &mut Clips,
) -> Result<(), CloudError> {
    let now = rfc3339(request.now_ms);
    let mut after = None;
    loop {
        let (page, next) = services.fetch_due(&now, after).await?;
        for case_id in page {
            if services.is_stopped() {
                return Ok(());
            }
            ask(services, request, (case_id, already), clips).await?;
        }
        after = next;
        if after.is_none() {
            return Ok(());
        }
    }
}

async fn ask(
    services: &impl RedriveServices,
    request: &Request<'_>,
    (case_id, already): (String, &BTreeSet<String>),
    clips: &mut Clips,
) -> Result<(), CloudError> {
    let Some(case) = services.fetch_case(&case_id).await? else { return Ok(()) };
    match overdue(&case, Asker::Person, request.now_ms) {
        Overdue::Ended => {}
        Overdue::Lost(reason) => clips.lost.push((case_id, reason)),
        _ if already.contains(&case_id) => clips.waiting.push((case_id, AMONG_LETTERS)),
        Overdue::Wait => clips.waiting.push((case_id, why_wait(&case, request.now_ms))),
        Overdue::Ask(_) if request.mode == Mode::Look => clips.asked.push(case_id),
        Overdue::Ask(message) => {
            if !services.note_asked(&case, &rfc3339(request.now_ms)).await? {
                // Somebody else has just changed it, and asks.
                clips.waiting.push((case_id, "the case was changed just now, by what asks itself"));
                return Ok(());
            }
            let body = serde_json::to_string(&message).expect("a message is JSON");
            services.send(DeadLetters::Evidence, &body).await?;
            clips.asked.push(case_id);
        }
    }
    Ok(())
}
