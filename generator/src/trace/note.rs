//! What a reader should know beside what becomes of an event: where it says what no camera of the
//! store would, and what its words do not mean to EventBridge.

use serde_json::Value;

use crate::model::{Camera, Id, Rule, Store};
use crate::trial::{Event, unwatched};

/// The notes on one event, in the order of its fields.
pub(super) fn notes(store: &Store, event: &Event) -> Vec<String> {
    let text = |field: &str| event.detail().get(field).and_then(Value::as_str);
    let camera =
        text("camera").and_then(|id| store.cameras.iter().find(|camera| camera.id.as_str() == id));
    let period = store.hours.period_at(event.at_ms);
    let mut notes = Vec::new();
    notes.extend(text("store").filter(|it| *it != store.id.as_str()).map(|id| {
        format!(
            "the event names the store `{id}`; the bus decides, and this one is `{}`'s",
            store.id
        )
    }));
    notes.extend(
        text("event_type")
            .filter(|it| !is_named(store, it))
            .map(|event_type| format!("no rule of this store names the event type `{event_type}`")),
    );
    match (camera, text("camera")) {
        (Some(camera), _) => notes.extend(of_camera(store, camera, event)),
        (None, Some(id)) => {
            notes.push(format!("the store has no camera `{id}`: there is no video to keep"));
        }
        (None, None) if event.detail().get("period").is_none() => notes.push(
            "only a camera's detection brings aisle and period: rules that ask for them do not match"
                .to_owned(),
        ),
        (None, None) => {}
    }
    notes.extend(text("period").filter(|it| *it != period.as_str()).map(|said| {
        format!("the event says `period: {said}`, and the store is {} then", period.as_str())
    }));
    notes.extend(confidence(event.detail().get("confidence")));
    notes
}

fn is_named(store: &Store, event_type: &str) -> bool {
    let named = |rule: &Rule| {
        let types = rule.when.event_types.as_ref();
        types.is_none_or(|types| types.iter().any(|it| it == event_type))
    };
    store.rules.iter().any(named)
}

/// Where an event contradicts what the store says of its camera.
fn of_camera(store: &Store, camera: &Camera, event: &Event) -> Vec<String> {
    let id = &camera.id;
    let mut notes = Vec::new();
    let only = unwatched(store, camera, event.at_ms);
    notes.extend(only.map(|only| format!("the camera `{id}` is {only}: the model sees nothing")));
    let text = |field: &str| event.detail().get(field).and_then(Value::as_str);
    let aisle = store.aisle(&camera.aisle);
    let kind = aisle.kind.as_ref().map(Id::as_str);
    if let Some(said) = text("aisle").filter(|it| *it != aisle.id.as_str()) {
        notes.push(format!("the event says `aisle: {said}`, and `{id}` looks at `{}`", aisle.id));
    }
    if let Some(said) = text("aisle_kind").filter(|it| Some(*it) != kind) {
        let kind = kind.map_or("of no kind".to_owned(), |kind| format!("of kind `{kind}`"));
        notes.push(format!("the event says `aisle_kind: {said}`, and `{}` is {kind}", aisle.id));
    }
    if let Some(said) = text("zone").filter(|it| !camera.zones.iter().any(|zone| zone.id == *it)) {
        notes.push(format!("the camera `{id}` has no zone `{said}`"));
    }
    notes
}

fn confidence(confidence: Option<&Value>) -> Option<String> {
    match confidence? {
        Value::String(text) => Some(format!(
            "`confidence` is the text `{text}`: to a rule with `min_confidence` it is no number"
        )),
        Value::Number(number) if number.as_f64().is_some_and(|it| !(0.0..=1.0).contains(&it)) => {
            Some(format!("`confidence` is {number}, and a model says 0 to 1"))
        }
        _ => None,
    }
}
