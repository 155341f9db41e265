//! What the functions of a cell wrote of one store: several log groups, merged by time.
//!
//! The store's id is looked for by AWS, as a word anywhere in a record; here only records stay whose own
//! field names the store, and lines that are no JSON. Passwords of cameras are covered before anything
//! else is done with a record. To read another field, start in [`record`].

use std::collections::BTreeMap;
use std::time::Duration;

use contract::settings::FUNCTIONS;
use serde_json::Value;

use crate::deploy::CloudError;
use crate::diagnostic::cover;

/// Time between two looks with `--follow`. Our choice: AWS allows five reads of a log group a second, and
/// records come some seconds late in any case.
const FOLLOW_TIME: Duration = Duration::from_secs(5);
/// How much later than its own time a record may be found, in milliseconds. Our choice: Lambda hands logs
/// on within seconds.
const LATE_MS: i64 = 60_000;

/// What reading needs of AWS, in its own words; `aws` implements it, the tests script it.
#[expect(async_fn_in_trait, reason = "only our own commands and tests implement it")]
pub trait LogServices {
    /// Every event of a function's log group since a moment that matches; `None`: there is no such group.
    async fn events(&self, ask: &Ask<'_>) -> Result<Option<Events>, CloudError>;
    async fn pause(&self, time: Duration);
    /// Whether the person has asked to stop.
    fn is_stopped(&self) -> bool;
}

/// What is asked of one log group.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    pub function: &'a str,
    /// In the words of `CloudWatch` Logs.
    pub pattern: &'a str,
    pub from_ms: i64,
}

/// What is found in one log group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Events {
    pub events: Vec<Event>,
    /// There are more pages than are read.
    pub is_cut: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub id: String,
    pub at_ms: i64,
    pub message: String,
}

/// Which records are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    pub store: String,
    pub camera: Option<String>,
    /// Of [`FUNCTIONS`]; empty: all.
    pub functions: Vec<String>,
    /// Only warnings and errors.
    pub is_errors: bool,
    pub from_ms: i64,
    /// Most records, the newest.
    pub limit: usize,
}

/// A record of a function.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    pub at_ms: i64,
    pub function: String,
    /// Such as `ERROR`; `METRIC` of a count, `TEXT` of a line that is no JSON.
    pub level: String,
    /// What happened, in a sentence.
    pub message: String,
    /// What it is about, such as `case` and its id.
    pub about: Vec<(&'static str, String)>,
    /// As it was written, without passwords.
    pub raw: Value,
    /// It says only that there is nothing to count.
    pub is_idle: bool,
}

/// What was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// In the order of their times.
    pub records: Vec<Record>,
    /// Older records that were read and are over the limit.
    pub over: usize,
    /// Functions without a log group.
    pub missing: Vec<&'static str>,
    /// Functions of which there is more than was read.
    pub cut: Vec<&'static str>,
}

impl Selection {
    /// The pattern for AWS: records that hold these words. Source: `CloudWatch` Logs user guide, "Filter
    /// pattern syntax", "Match terms in unstructured log events".
    fn pattern(&self) -> String {
        let words = [Some(&self.store), self.camera.as_ref()];
        words.into_iter().flatten().map(|it| format!("\"{it}\"")).collect::<Vec<_>>().join(" ")
    }

    fn wants(&self, record: &Record) -> bool {
        let level = record.level.as_str();
        !self.is_errors || matches!(level, "ERROR" | "WARN")
    }
}

/// Reads what was written, the log groups side by side; `seen` holds the ids and times of events that are known, and
/// takes in those that are new.
pub async fn read(
    services: &impl LogServices,
    selection: &Selection,
    seen: &mut BTreeMap<String, i64>,
) -> Result<Found, CloudError> {
    let pattern = selection.pattern();
    let [dispatch, analyze, respond, preserve, project, sweep] = FUNCTIONS.map(|function| {
        let is_wanted =
            selection.functions.is_empty() || selection.functions.iter().any(|it| it == function);
        let ask = Ask { function, pattern: &pattern, from_ms: selection.from_ms };
        async move { if is_wanted { services.events(&ask).await.map(Some) } else { Ok(None) } }
    });
    let answers = tokio::join!(dispatch, analyze, respond, preserve, project, sweep);
    let answers: [_; FUNCTIONS.len()] = answers.into();
    let mut found = Found::default();
    for (function, answer) in FUNCTIONS.into_iter().zip(answers) {
        match answer? {
            None => {}
            Some(None) => found.missing.push(function),
            Some(Some(Events { events, is_cut })) => {
                found.cut.extend(is_cut.then_some(function));
                let new = events.iter().filter(|it| seen.insert(it.id.clone(), it.at_ms).is_none());
                let records = new.filter_map(|it| record(function, it, selection));
                found.records.extend(records.filter(|it| selection.wants(it)));
            }
        }
    }
    found.records.sort_by_key(|it| it.at_ms);
    found.over = found.records.len().saturating_sub(selection.limit);
    found.records.drain(..found.over);
    Ok(found)
}

/// Reads on until the person asks to stop; `show` gets what is new, and says whether anybody listens.
pub async fn follow(
    services: &impl LogServices,
    selection: &Selection,
    (mut seen, mut last_ms): (BTreeMap<String, i64>, i64),
    show: &mut dyn FnMut(&Found) -> bool,
) -> Result<(), CloudError> {
    loop {
        services.pause(FOLLOW_TIME).await;
        if services.is_stopped() {
            return Ok(());
        }
        let from_ms = (last_ms - LATE_MS).max(selection.from_ms);
        let selection = Selection { from_ms, ..selection.clone() };
        seen.retain(|_, at_ms| *at_ms >= from_ms);
        let found = read(services, &selection, &mut seen).await?;
        last_ms = found.records.last().map_or(last_ms, |it| it.at_ms.max(last_ms));
        if !show(&found) {
            return Ok(());
        }
    }
}

/// What an event says, if it is about the store and the camera that are wanted.
fn record(function: &str, event: &Event, selection: &Selection) -> Option<Record> {
    let message = cover(event.message.trim_end());
    let Ok(raw @ Value::Object(_)) = serde_json::from_str::<Value>(&message) else {
        return Some(Record {
            at_ms: event.at_ms,
            function: function.to_owned(),
            level: "TEXT".to_owned(),
            message: message.clone().into_owned(),
            about: Vec::new(),
            raw: Value::String(message.into_owned()),
            is_idle: false,
        });
    };
    let text = |key: &str| raw.get(key).and_then(Value::as_str).map(str::to_owned);
    let store = text("store").or_else(|| text("Store"));
    let is_camera =
        selection.camera.is_none() || text("camera").as_ref() == selection.camera.as_ref();
    if store.as_ref() != Some(&selection.store) || !is_camera {
        return None;
    }
    let counts = counts(&raw);
    let is_metric = raw.get("_aws").is_some();
    let level = if is_metric { "METRIC".to_owned() } else { text("level").unwrap_or_default() };
    let said = counts.iter().map(|(name, value)| format!("{name} {value}"));
    let said = said.collect::<Vec<_>>().join(", ");
    let message = if is_metric { said } else { text("message").unwrap_or_default() };
    let keys = ["camera", "window", "case", "outcome", "error"];
    let about = keys.into_iter().filter_map(|key| Some((key, text(key)?))).collect();
    let is_idle = is_metric && counts.iter().all(|(_, value)| *value == 0);
    let function = function.to_owned();
    Some(Record { at_ms: event.at_ms, function, level, message, about, raw, is_idle })
}

/// The values of a metric's line, by their names.
fn counts(raw: &Value) -> Vec<(String, i64)> {
    let metrics = raw.pointer("/_aws/CloudWatchMetrics/0/Metrics").and_then(Value::as_array);
    let names = metrics.into_iter().flatten().filter_map(|it| it.get("Name")?.as_str());
    names.filter_map(|it| Some((it.to_owned(), raw.get(it)?.as_i64()?))).collect()
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use super::*;

    #[derive(Default)]
    struct Script {
        /// Function and what it wrote, in each look.
        looks: Vec<Vec<(&'static str, Event)>>,
        pauses: Cell<usize>,
        asked: RefCell<Vec<String>>,
    }

    impl LogServices for Script {
        async fn events(&self, ask: &Ask<'_>) -> Result<Option<Events>, CloudError> {
            let told = format!("{} {} {}", ask.function, ask.pattern, ask.from_ms);
            self.asked.borrow_mut().push(told);
            if ask.function == "sweep" {
                return Ok(None);
            }
            let look = self.looks.get(self.pauses.get()).into_iter().flatten();
            let of = look.filter(|(function, _)| *function == ask.function);
            let events = of.map(|(_, event)| event.clone()).collect();
            Ok(Some(Events { events, is_cut: ask.function == "project" }))
        }

        async fn pause(&self, _: Duration) {
            self.pauses.set(self.pauses.get() + 1);
        }

        fn is_stopped(&self) -> bool {
            self.pauses.get() >= self.looks.len()
        }
    }

    fn event(at_ms: i64, message: &str) -> Event {
        Event { id: format!("e{at_ms}"), at_ms, message: message.to_owned() }
    }

    fn selection() -> Selection {
        Selection {
            store: "kent-008".to_owned(),
            camera: None,
            functions: vec![],
            is_errors: false,
            from_ms: 0,
            limit: 10,
        }
    }

    fn look(script: &Script, selection: &Selection) -> Found {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(read(script, selection, &mut BTreeMap::new())).unwrap()
    }

    const HANDLED: &str = r#"{"timestamp":"x","level":"INFO","function":"analyze","store":"kent-008","camera":"a-1","window":"w1","outcome":"empty","message":"handled"}"#;
    const FAILED: &str = r#"{"level":"ERROR","store":"kent-008","camera":"a-2","case":"C1","error":"cannot read rtsp://u:pw@10.0.0.1/1","message":"cannot handle the message"}"#;
    const OTHER: &str = r#"{"level":"ERROR","store":"kent-0081","message":"cannot handle the message about kent-008"}"#;
    const METRIC: &str = r#"{"_aws":{"CloudWatchMetrics":[{"Metrics":[{"Name":"CamerasAiling"}]}]},"Store":"kent-008","CamerasAiling":2}"#;

    fn script() -> Script {
        Script {
            looks: vec![vec![
                ("analyze", event(30, HANDLED)),
                ("respond", event(20, FAILED)),
                ("respond", event(25, OTHER)),
                ("dispatch", event(10, METRIC)),
                ("dispatch", event(11, &METRIC.replace(":2", ":0"))),
                ("dispatch", event(40, "thread panicked at kent-008\n")),
            ]],
            ..Script::default()
        }
    }

    #[test]
    fn records_of_all_functions_stand_in_the_order_of_time_and_are_of_this_store_alone() {
        let script = script();
        let found = look(&script, &selection());
        let told = found.records.iter().map(|it| {
            let about: Vec<_> =
                it.about.iter().map(|(key, value)| format!("{key} {value}")).collect();
            let idle = if it.is_idle { " (idle)" } else { "" };
            format!(
                "{} {} {} {}: {}{idle}",
                it.at_ms,
                it.function,
                it.level,
                it.message,
                about.join(", ")
            )
        });
        insta::assert_snapshot!(told.collect::<Vec<_>>().join("\n"), @"
        10 dispatch METRIC CamerasAiling 2: 
        11 dispatch METRIC CamerasAiling 0:  (idle)
        20 respond ERROR cannot handle the message: camera a-2, case C1, error cannot read rtsp://****@10.0.0.1/1
        30 analyze INFO handled: camera a-1, window w1, outcome empty
        40 dispatch TEXT thread panicked at kent-008:
        ");
        assert_eq!(found.missing, ["sweep"]);
        assert_eq!(found.cut, ["project"]);
        assert_eq!(script.asked.borrow()[0], "dispatch \"kent-008\" 0");
    }

    #[test]
    fn a_password_is_shown_in_no_field_and_not_in_the_raw_record() {
        let found = look(&script(), &selection());
        assert!(!format!("{found:?}").contains("pw@"), "{found:?}");
    }

    #[test]
    fn a_camera_a_function_and_errors_alone_can_be_asked_for() {
        let times = |selection: &Selection| -> Vec<i64> {
            look(&script(), selection).records.iter().map(|it| it.at_ms).collect()
        };
        let camera = Selection { camera: Some("a-1".to_owned()), ..selection() };
        assert_eq!(times(&camera), [30, 40], "AWS looked for the camera in lines that are no JSON");
        let functions = vec!["respond".to_owned()];
        assert_eq!(times(&Selection { functions, ..selection() }), [20]);
        assert_eq!(times(&Selection { is_errors: true, ..selection() }), [20]);
        assert_eq!(times(&Selection { limit: 2, ..selection() }), [30, 40], "the newest stay");
    }

    #[test]
    fn following_shows_what_is_new_once_also_when_it_comes_late() {
        let late = |at_ms| ("analyze", event(at_ms, HANDLED));
        let script = Script {
            looks: vec![
                vec![late(100_000)],
                vec![late(100_000), late(99_000)],
                vec![late(100_000), late(99_000), late(200_000)],
            ],
            ..Script::default()
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut times = Vec::new();
        runtime.block_on(async {
            let mut seen = BTreeMap::new();
            let first = read(&script, &selection(), &mut seen).await.unwrap();
            let last = first.records.last().unwrap().at_ms;
            let mut show = |found: &Found| {
                times.push(found.records.iter().map(|it| it.at_ms).collect::<Vec<_>>());
                true
            };
            follow(&script, &selection(), (seen, last), &mut show).await.unwrap();
        });
        assert_eq!(times, [vec![99_000], vec![200_000]]);
        assert_eq!(script.asked.borrow().last().unwrap(), "sweep \"kent-008\" 40000");
    }
}
