//! The story that a rehearsal tells: one line per thing that happened, with its time. Pure.

use std::time::Duration;

use contract::case::{CaseItem, EvidenceStatus};
use serde_json::{Value, json};

use crate::input::CompiledFleet;
use crate::model::{Camera, Cell, Store};
use crate::trial::{self, Event, Sighting};

/// How sure the stand-in for the model is of what it sees.
const CONFIDENCE: f64 = 0.93;

/// What kind of thing happened; the first word of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chapter {
    Stream,
    Tick,
    Window,
    Detection,
    Rule,
    Case,
    Alert,
    Clip,
}

impl Chapter {
    /// The word that people and programs read.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stream => "stream",
            Self::Tick => "tick",
            Self::Window => "window",
            Self::Detection => "detection",
            Self::Rule => "rule",
            Self::Case => "case",
            Self::Alert => "alert",
            Self::Clip => "clip",
        }
    }
}

/// One line of the story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Since the rehearsal began.
    pub at: Duration,
    pub chapter: Chapter,
    pub text: String,
}

impl Line {
    /// `01:12.4  window     ...`
    pub fn human(&self) -> String {
        let tenths = self.at.as_millis() / 100;
        let (minutes, seconds, tenth) = (tenths / 600, tenths / 10 % 60, tenths % 10);
        format!("  {minutes:02}:{seconds:02}.{tenth}  {:<9}  {}", self.chapter.as_str(), self.text)
    }

    /// Schema `arm.rehearse/1`.
    pub fn json(&self) -> Value {
        json!({
            "schema": "arm.rehearse/1",
            "event": self.chapter.as_str(),
            "at_ms": u64::try_from(self.at.as_millis()).unwrap_or(u64::MAX),
            "text": self.text,
        })
    }
}

/// The first camera, in the order of the file, that the model watches now and whose shelf sweep
/// would tell somebody.
pub fn choose_camera<'a>(
    fleet: &CompiledFleet,
    store: &'a Store,
    now_ms: i64,
) -> Option<&'a Camera> {
    store.cameras.iter().find(|camera| tells_somebody(fleet, store, camera, now_ms))
}

/// Whether the model watches a camera now, and its shelf sweep would tell somebody.
pub fn tells_somebody(fleet: &CompiledFleet, store: &Store, camera: &Camera, now_ms: i64) -> bool {
    use contract::watch::WatchWhen;
    let watched = match camera.when {
        WatchWhen::Always => true,
        WatchWhen::Never => false,
        WatchWhen::Open | WatchWhen::Closed => {
            store.hours.period_at(now_ms).as_str() == camera.when.as_str()
        }
    };
    let sighting = Sighting {
        event_type: "shelf_sweep".to_owned(),
        camera: Some(camera.id.to_string()),
        zone: None,
        confidence: Some(CONFIDENCE),
        at_ms: now_ms,
    };
    let event = Event::of_sighting(store, &sighting);
    let rules = trial::matching(fleet.rules_of(store), &event.json);
    watched && rules.iter().any(|rule| !rule.notify.is_empty() && !rule.shadow)
}

/// What the case says about the detection, the rule and itself.
pub fn case_opened(case: &CaseItem, timezone: &str) -> [(Chapter, String); 3] {
    let told = if case.notify.is_empty() { "nobody".to_owned() } else { case.notify.join(", ") };
    let camera = case.camera.as_deref().unwrap_or("no camera");
    let confidence = case.confidence.map_or(String::new(), |it| format!(" {it:.2}"));
    let seen = format!(
        "{}{confidence} by {camera} at {}",
        case.event_type,
        local_time(&case.opened_at, timezone)
    );
    let rule = format!("`{}` matched: priority {}, tells {told}", case.rule, case.priority);
    let opened = format!("{} opened; its clip will be {}", case.case_id, case.evidence.key);
    [(Chapter::Detection, seen), (Chapter::Rule, rule), (Chapter::Case, opened)]
}

/// A time of a case in the store's own zone, to the tenth of a second.
fn local_time(text: &str, timezone: &str) -> String {
    let at = text.parse::<jiff::Timestamp>().ok();
    let local = at.and_then(|at| at.in_tz(timezone).ok());
    local.map_or(text.to_owned(), |it| it.strftime("%H:%M:%S%.1f %Z").to_string())
}

/// What the case says about its clip, once it says anything.
pub fn clip_kept(case: &CaseItem) -> Option<String> {
    let evidence = &case.evidence;
    let size = evidence.bytes.unwrap_or_default();
    let digest = evidence.sha256.as_deref().unwrap_or("none");
    let time = |at: Option<&str>| at.map_or("?".to_owned(), |at| local_time(at, &case.timezone));
    let span = format!(
        "{} to {}",
        time(evidence.clip_start.as_deref()),
        time(evidence.clip_end.as_deref())
    );
    match evidence.status {
        EvidenceStatus::Pending => None,
        EvidenceStatus::Stored => {
            Some(format!("stored whole: {span}, {} kB, SHA-256 {digest}", size / 1_000))
        }
        EvidenceStatus::Incomplete => {
            let reason = evidence.reason.as_deref().unwrap_or("video is missing");
            Some(format!(
                "stored INCOMPLETE ({reason}): {span}, {} kB, SHA-256 {digest}",
                size / 1_000
            ))
        }
        EvidenceStatus::Failed => {
            Some(format!("FAILED: {}", evidence.reason.as_deref().unwrap_or("no reason given")))
        }
    }
}

/// How one subscriber would be told.
pub fn alert_line(protocol: &str, endpoint: &str, text: &str) -> String {
    // What HTTPS gets is SNS's envelope; people care for the message in it.
    let envelope: Option<Value> = serde_json::from_str(text).ok();
    let message = envelope.as_ref().and_then(|it| it.get("Message")).and_then(Value::as_str);
    let text = message.unwrap_or(text);
    let first = text.lines().next().unwrap_or_default();
    let more = if text.lines().count() > 1 { " ..." } else { "" };
    let limit = 110;
    let shown: String = first.chars().take(limit).collect();
    let cut = if shown.len() < first.len() { " ..." } else { more };
    format!("{protocol:<5} {endpoint}: {shown}{cut}")
}

/// What is rehearsed, in one line.
pub fn describe(cell: &Cell, store: &Store, camera: &Camera) -> String {
    format!(
        "{} ({}), camera {}, cell {} in {}",
        store.id, store.name, camera.id, cell.id, cell.region
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_starts_with_minutes_seconds_and_tenths() {
        let line = Line {
            at: Duration::from_millis(72_450),
            chapter: Chapter::Window,
            text: "x".to_owned(),
        };
        assert_eq!(line.human(), "  01:12.4  window     x");
    }

    #[test]
    fn long_and_many_lined_texts_are_cut_and_say_so() {
        assert_eq!(alert_line("email", "a@b.c", "one\ntwo"), "email a@b.c: one ...");
        assert_eq!(alert_line("sms", "+1", "one"), "sms   +1: one");
    }
}
