//! Everything the stand-in remembers, and what one call is. Pure: the time is an argument.
//!
//! A call reads its input, changes the state and answers; what it did goes into the journal that
//! a rehearsal tells its story from. Nothing here is on disk: a restart forgets everything.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::aws_error::AwsError;
use crate::footage::Footage;
use crate::journal::Journal;
use crate::matroska::Cluster;
use crate::stream::{Fragment, Stream};

/// What differs between one rehearsal and another.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Account and region that stand in ARNs.
    pub account: String,
    pub region: String,
    /// How long a fragment needs from its last frame until it can be read. Kinesis Video needs
    /// about a second.
    pub ingest_delay: Duration,
    /// What `GetDataEndpoint` answers, when a proxy stands in front; otherwise the own address.
    pub data_endpoint: Option<String>,
    /// Endpoints of the SageMaker runtime that are there from the start; others come by
    /// `PUT /_local/endpoints/{name}`.
    pub endpoints: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            account: "123456789012".to_owned(),
            region: "us-west-2".to_owned(),
            ingest_delay: Duration::from_secs(1),
            data_endpoint: None,
            endpoints: Vec::new(),
        }
    }
}

/// One call, as the journal tells it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Call {
    pub at_ms: i64,
    /// The AWS operation, such as `GetClip`.
    pub operation: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// `InferenceId` of a model's call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inference_id: Option<String>,
    /// First millisecond that was asked for, or of the video that the model was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_ms: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_ms: Option<i64>,
    /// Fragments listed or given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fragments: Option<usize>,
    /// Detections that the model answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detections: Option<usize>,
    /// Bytes of video: given to the model, or answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<usize>,
    /// `ok` or the error's code.
    pub result: String,
}

/// What a test asks to go wrong: an error, or damage to the media of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The AWS operation that fails.
    pub operation: String,
    /// Only for this stream or endpoint.
    #[serde(default)]
    pub name: Option<String>,
    /// The error's code, such as `InvalidMediaFrameException`.
    #[serde(default)]
    pub error: Option<String>,
    #[serde(default)]
    pub damage: Option<Damage>,
    /// How many calls fail; without it all.
    #[serde(default)]
    pub times: Option<u32>,
}

/// What is wrong with media that is answered as if all were well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Damage {
    /// The second half of the bytes is missing.
    BreaksOff,
    /// The second half of the fragments is missing.
    Short,
}

/// All of it.
#[derive(Debug)]
pub struct State {
    pub settings: Settings,
    pub scenes: Vec<Footage>,
    pub streams: BTreeMap<String, Stream>,
    pub endpoints: BTreeSet<String>,
    pub calls: Journal<Call>,
    /// What each subscriber of a topic would get; posted by the emulator's recorder.
    pub messages: Journal<Value>,
    /// Where this service is reached, without a slash at the end.
    pub url: String,
    faults: Vec<Fault>,
    fragments_made: u64,
}

impl State {
    pub fn new(settings: Settings, url: String) -> Self {
        let endpoints = settings.endpoints.iter().cloned().collect();
        Self {
            settings,
            scenes: vec![Footage::shelf_sweep()],
            streams: BTreeMap::new(),
            endpoints,
            calls: Journal::default(),
            messages: Journal::default(),
            url,
            faults: Vec::new(),
            fragments_made: 0,
        }
    }

    /// Makes the next calls fail; an unknown code is refused, and so is what no media can have.
    pub fn add_fault(&mut self, fault: Fault) -> Result<(), AwsError> {
        let refuse = |message: String| Err(AwsError::invalid_argument(message));
        match (&fault.error, fault.damage) {
            (Some(code), None) if AwsError::named(code, "").is_none() => {
                return refuse(format!("no service answers with `{code}`"));
            }
            (None, Some(Damage::BreaksOff))
                if fault.operation != "GetClip" && fault.operation != "GetMediaForFragmentList" =>
            {
                return refuse(format!("{} answers no media", fault.operation));
            }
            (None, Some(Damage::Short)) if fault.operation != "GetClip" => {
                return refuse("only GetClip leaves out fragments".to_owned());
            }
            (Some(_), None) | (None, Some(_)) => {}
            _ => return refuse("a fault is either an error or damage".to_owned()),
        }
        self.faults.push(fault);
        Ok(())
    }

    pub fn clear_faults(&mut self) {
        self.faults.clear();
    }

    /// The error that was asked for, if this call is to fail.
    pub fn take_fault(&mut self, operation: &str, name: Option<&str>) -> Option<AwsError> {
        let fault = self.due(operation, name, |it| it.error.is_some())?;
        let code = fault.error.as_deref()?;
        AwsError::named(code, format!("a test asked {operation} to fail"))
    }

    /// The damage that was asked for, if this call's media is to have some.
    pub fn take_damage(&mut self, operation: &str, name: Option<&str>) -> Option<Damage> {
        self.due(operation, name, |it| it.damage.is_some())?.damage
    }

    fn due(
        &mut self,
        operation: &str,
        name: Option<&str>,
        is_kind: fn(&Fault) -> bool,
    ) -> Option<&Fault> {
        let fault = self.faults.iter_mut().find(|it| {
            let named = it.name.is_none() || it.name.as_deref() == name;
            it.operation == operation && named && it.times != Some(0) && is_kind(it)
        })?;
        fault.times = fault.times.map(|it| it - 1);
        Some(fault)
    }

    /// Keeps a cluster with an absolute timestamp as the next fragment of a stream, and returns
    /// the fragment's number.
    pub fn ingest(
        &mut self,
        stream: &str,
        cluster: Cluster,
        server_ms: i64,
        now_ms: i64,
    ) -> Result<String, AwsError> {
        let number = format!("91343852333181432392682062{:021}", self.fragments_made + 1);
        let stream = self.streams.get_mut(stream).ok_or_else(|| missing_stream(stream))?;
        stream.ingest(Fragment::new(number.clone(), server_ms, cluster), now_ms);
        self.fragments_made += 1;
        Ok(number)
    }
}

/// The error for a stream that is not there.
pub fn missing_stream(name: &str) -> AwsError {
    AwsError::not_found(format!("The requested stream is not found or not active: {name}"))
}

/// How a call names its stream.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct StreamRef {
    #[serde(default, rename = "StreamName")]
    pub name: Option<String>,
    #[serde(default, rename = "StreamARN")]
    pub arn: Option<String>,
}

impl StreamRef {
    /// The name; out of the ARN `...:stream/<name>/<created>` when only that is given.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref().or_else(|| self.arn.as_deref()?.split('/').nth(1))
    }
}

/// One call in progress.
#[derive(Debug)]
pub struct Request<'a> {
    pub state: &'a mut State,
    pub input: Value,
    pub now_ms: i64,
    /// What the journal will say.
    pub call: &'a mut Call,
}

/// What an operation answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    Json(Value),
    Media { content_type: &'static str, bytes: Vec<u8> },
}

impl Request<'_> {
    /// The input as the operation's own type.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, AwsError> {
        serde_json::from_value(self.input.clone())
            .map_err(|it| AwsError::invalid_argument(format!("cannot read the request: {it}")))
    }

    /// The stream that the input names.
    pub fn stream(&mut self) -> Result<&mut Stream, AwsError> {
        let reference: StreamRef = self.read()?;
        let Some(name) = reference.name() else {
            return Err(AwsError::invalid_argument(
                "Either StreamName or StreamARN must be given.",
            ));
        };
        let stream = self.state.streams.get_mut(name).ok_or_else(|| missing_stream(name))?;
        if reference.arn.as_ref().is_some_and(|it| *it != stream.arn) {
            return Err(missing_stream(name));
        }
        Ok(stream)
    }
}

/// Milliseconds since the epoch as the seconds that JSON carries.
pub fn json_seconds(ms: i64) -> f64 {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0)).as_secs_f64()
}

/// Seconds of JSON as milliseconds since the epoch; `None` before it.
pub fn milliseconds(seconds: f64) -> Option<i64> {
    let rounded = Duration::try_from_secs_f64(seconds + 0.000_5).ok()?;
    i64::try_from(rounded.as_millis()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(name: Option<&str>, times: Option<u32>) -> Fault {
        let name = name.map(str::to_owned);
        let error = Some("InvalidMediaFrameException".to_owned());
        Fault { operation: "GetClip".to_owned(), name, error, damage: None, times }
    }

    #[test]
    fn a_fault_hits_what_it_names_as_often_as_it_says() {
        let mut state = State::new(Settings::default(), String::new());
        state.add_fault(fault(Some("cam"), Some(2))).unwrap();
        let mut hit = |operation, name| state.take_fault(operation, Some(name)).is_some();
        assert!(!hit("ListFragments", "cam"));
        assert!(!hit("GetClip", "other"));
        assert_eq!(
            [hit("GetClip", "cam"), hit("GetClip", "cam"), hit("GetClip", "cam")],
            [true, true, false]
        );
    }

    #[test]
    fn a_fault_with_an_unknown_code_is_refused() {
        let mut state = State::new(Settings::default(), String::new());
        let unknown = Fault { error: Some("OutOfCheese".to_owned()), ..fault(None, None) };
        assert_eq!(state.add_fault(unknown).unwrap_err().code, "InvalidArgumentException");
    }

    #[test]
    fn damage_is_for_media_and_no_error_besides() {
        let mut state = State::new(Settings::default(), String::new());
        let damage = |operation: &str, damage| Fault {
            operation: operation.to_owned(),
            damage: Some(damage),
            error: None,
            ..fault(None, Some(1))
        };
        state.add_fault(damage("GetClip", Damage::Short)).unwrap();
        assert!(state.take_fault("GetClip", None).is_none());
        assert_eq!(state.take_damage("GetClip", None), Some(Damage::Short));
        assert_eq!(state.take_damage("GetClip", None), None);
        for wrong in [
            damage("ListFragments", Damage::BreaksOff),
            damage("GetMediaForFragmentList", Damage::Short),
            Fault { damage: Some(Damage::Short), ..fault(None, None) },
            Fault { error: None, ..fault(None, None) },
        ] {
            assert_eq!(state.add_fault(wrong).unwrap_err().code, "InvalidArgumentException");
        }
    }

    #[test]
    fn milliseconds_survive_the_way_through_json() {
        for ms in [0, 1, 1_763_791_200_123, 1_763_791_200_999] {
            assert_eq!(milliseconds(json_seconds(ms)), Some(ms));
        }
        assert_eq!(milliseconds(-1.0), None);
    }
}
