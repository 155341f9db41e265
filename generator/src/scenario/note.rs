//! What a scenario takes for granted and life does not give: a camera that nobody watches then, an
//! audience that nobody is in.
//!
//! A note changes no verdict: the rules are tried all the same. To note something more, add it to
//! [`notes`]; only what is true whatever the rules do belongs here.

use serde_json::Value;

use crate::model::Store;
use crate::trial::{Event, unwatched};

use super::Scenario;

/// The notes of one scenario, each once.
pub(super) fn notes(scenario: &Scenario<'_>) -> Vec<String> {
    let store = scenario.tested.store;
    let expected = scenario.expect.notify.iter().flat_map(|notify| &notify.value);
    let seen = scenario.given.iter().filter_map(|event| unseen(store, event));
    let mut notes = Vec::new();
    for note in seen.chain(expected.filter_map(|audience| empty(store, &audience.value))) {
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    notes
}

/// That the model does not see what the camera sees.
fn unseen(store: &Store, event: &Event) -> Option<String> {
    let id = event.detail().get("camera").and_then(Value::as_str)?;
    let camera = store.cameras.iter().find(|camera| camera.id.as_str() == id)?;
    let only = unwatched(store, camera, event.at_ms)?;
    Some(format!("the camera `{id}` of {} is {only}", store.id))
}

/// That an audience which is to be notified has nobody in it.
fn empty(store: &Store, audience: &str) -> Option<String> {
    let is_empty = store.subscribers.iter().all(|it| it.audience.as_str() != audience);
    let of = &store.id;
    is_empty.then(|| {
        format!("nobody in {of} is in the audience `{audience}`, so `notify` reaches nobody there")
    })
}
