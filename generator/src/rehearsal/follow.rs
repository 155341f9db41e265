//! Follows one incident from the camera to the clip, and checks that what it finds holds together.
//!
//! It only looks: at what the local Kinesis Video and model were asked, at what subscribers got,
//! at the case table and the bucket. Nothing here makes the incident happen but the footage.

use std::time::Duration;

use contract::case::{CaseItem, EvidenceStatus};

use crate::aws::rehearsal::{Delivered, Observer};
use crate::console::count;
use crate::digest::sha256;

use super::RehearsalError;
use super::local::{Local, Told};
use super::story::{self, Chapter};

/// Time between two looks.
const LOOK: Duration = Duration::from_millis(500);
/// Longest wait for the case: the schedule ticks within two minutes, a window takes half of one.
const CASE_SECONDS: u64 = 240;
/// Longest wait for the clip after the case: the seconds after the incident, and a retry.
const CLIP_SECONDS: u64 = 180;
/// Longest wait for the alert after the case.
const ALERT_SECONDS: u64 = 60;

/// What is looked at.
#[derive(Debug)]
pub struct Scene<'a> {
    pub observer: &'a Observer,
    pub local: &'a Local,
    pub table: String,
    pub store: String,
    /// The store's time zone.
    pub timezone: String,
    pub stream: String,
    /// Our own subscriber's queue.
    pub queue_url: String,
    /// The emulator's log, for a story that stops.
    pub log: String,
}

/// What the rehearsal ended with.
#[derive(Debug)]
pub struct Ending {
    pub case: CaseItem,
    pub clip: Vec<u8>,
    pub told: Vec<Told>,
    pub delivered: Vec<Delivered>,
}

/// Follows the incident to its end, telling what happens.
pub async fn follow(
    scene: &Scene<'_>,
    tell: &mut dyn FnMut(Chapter, String),
) -> Result<Ending, RehearsalError> {
    let mut follower = Follower {
        scene,
        calls: 0,
        messages: 0,
        told: Vec::new(),
        delivered: Vec::new(),
        ticked: false,
    };
    let case = follower.wait_for_case(tell).await?;
    for (chapter, text) in story::case_opened(&case, &scene.timezone) {
        tell(chapter, text);
    }
    follower.wait_for_alert(&case, tell).await?;
    let case = follower.wait_for_clip(tell).await?;
    let clip = scene.observer.fetch(&case.evidence.bucket, &case.evidence.key).await?;
    check_clip(&case, &clip)?;
    let Follower { told, delivered, .. } = follower;
    Ok(Ending { case, clip, told, delivered })
}

struct Follower<'a> {
    scene: &'a Scene<'a>,
    /// Numbers of the last call and message that were told.
    calls: u64,
    messages: u64,
    told: Vec<Told>,
    delivered: Vec<Delivered>,
    ticked: bool,
}

impl Follower<'_> {
    /// Tells what the services were asked since the last look.
    async fn look(&mut self, tell: &mut dyn FnMut(Chapter, String)) -> Result<(), RehearsalError> {
        for call in self.scene.local.calls(self.calls).await? {
            self.calls = call.n;
            if call.operation == "ListFragments" && !self.ticked {
                self.ticked = true;
                tell(
                    Chapter::Tick,
                    "the watch schedule ticked; `dispatch` cut the minute into windows".to_owned(),
                );
            }
            if call.operation != "InvokeEndpoint" {
                continue;
            }
            let span = span(call.start_ms, call.end_ms);
            let bytes = call.bytes.unwrap_or_default();
            let seen = match call.detections {
                _ if call.result != "ok" => format!("the model failed: {}", call.result),
                None | Some(0) => "the model saw nothing".to_owned(),
                Some(seen) => format!("the model saw {}", count(seen, "behaviour")),
            };
            tell(Chapter::Window, format!("{span} UTC, {} kB of video: {seen}", bytes / 1_000));
        }
        Ok(())
    }

    /// Tells what subscribers got since the last look; the rehearsal's own is not one of them.
    async fn listen(
        &mut self,
        tell: &mut dyn FnMut(Chapter, String),
    ) -> Result<(), RehearsalError> {
        for told in self.scene.local.messages(self.messages).await? {
            self.messages = told.n;
            if told.protocol != "sqs" {
                tell(Chapter::Alert, story::alert_line(&told.protocol, &told.endpoint, &told.text));
                self.told.push(told);
            }
        }
        self.delivered.extend(self.scene.observer.receive(&self.scene.queue_url).await?);
        Ok(())
    }

    async fn cases(&self) -> Result<Vec<CaseItem>, RehearsalError> {
        Ok(self.scene.observer.cases(&self.scene.table, &self.scene.store).await?)
    }

    async fn wait_for_case(
        &mut self,
        tell: &mut dyn FnMut(Chapter, String),
    ) -> Result<CaseItem, RehearsalError> {
        for _ in 0..CASE_SECONDS * 2 {
            self.look(tell).await?;
            if let Some(case) = self.cases().await?.into_iter().next() {
                return Ok(case);
            }
            tokio::time::sleep(LOOK).await;
        }
        Err(self.stopped("case", CASE_SECONDS))
    }

    async fn wait_for_alert(
        &mut self,
        case: &CaseItem,
        tell: &mut dyn FnMut(Chapter, String),
    ) -> Result<(), RehearsalError> {
        if case.notify.is_empty() || case.shadow {
            return Ok(());
        }
        for _ in 0..ALERT_SECONDS * 2 {
            self.look(tell).await?;
            self.listen(tell).await?;
            if let Some(delivered) = self.delivered.first() {
                tell(
                    Chapter::Alert,
                    format!("delivered to the rehearsal's own SNS subscriber: {}", delivered.text),
                );
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
        Err(self.stopped("alert at the rehearsal's own subscriber", ALERT_SECONDS))
    }

    async fn wait_for_clip(
        &mut self,
        tell: &mut dyn FnMut(Chapter, String),
    ) -> Result<CaseItem, RehearsalError> {
        for _ in 0..CLIP_SECONDS * 2 {
            self.look(tell).await?;
            self.listen(tell).await?;
            let cases = self.cases().await?;
            if cases.len() > 1 {
                let ids: Vec<_> = cases.iter().map(|case| case.case_id.as_str()).collect();
                return Err(RehearsalError::Wrong(format!(
                    "one incident became the cases {}",
                    ids.join(", ")
                )));
            }
            let kept = cases
                .into_iter()
                .next()
                .and_then(|case| story::clip_kept(&case).map(|text| (case, text)));
            if let Some((case, text)) = kept {
                tell(Chapter::Clip, text);
                return Ok(case);
            }
            tokio::time::sleep(LOOK).await;
        }
        Err(self.stopped("clip", CLIP_SECONDS))
    }

    fn stopped(&self, missing: &'static str, seconds: u64) -> RehearsalError {
        RehearsalError::Stopped { missing, seconds, log: self.scene.log.clone() }
    }
}

fn span(start_ms: Option<i64>, end_ms: Option<i64>) -> String {
    let clock = |ms: Option<i64>| {
        let at = ms.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
        at.map_or("?".to_owned(), |at| at.strftime("%H:%M:%S").to_string())
    };
    format!("{}-{}", clock(start_ms), clock(end_ms))
}

/// The clip is whole, is what the case says it is, and is an MP4 with H.264 in it.
fn check_clip(case: &CaseItem, clip: &[u8]) -> Result<(), RehearsalError> {
    let wrong = |what: String| Err(RehearsalError::Wrong(what));
    if case.evidence.status != EvidenceStatus::Stored {
        return wrong(format!(
            "the evidence of case {} is {:?}",
            case.case_id, case.evidence.status
        ));
    }
    let found = sha256(clip);
    if case.evidence.sha256.as_deref() != Some(&found) {
        return wrong(format!(
            "the clip's SHA-256 is {found}, the case says {:?}",
            case.evidence.sha256
        ));
    }
    let holds = |name: &[u8]| clip.windows(name.len()).any(|it| it == name);
    if clip.get(4..8) != Some(b"ftyp") || !holds(b"avc1") {
        return wrong("the clip is no MP4 with H.264 video".to_owned());
    }
    Ok(())
}
