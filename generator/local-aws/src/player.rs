//! Plays footage into a stream, as a camera in a store would: fragment after fragment, each when
//! it is complete, with the camera's clock in it.
//!
//! What a camera does wrong stands in `camera`. Video that comes late, as from a gateway that stores
//! it while its line is down, is a play with a `start_ms` in the past: it is ingested at once. A camera
//! with a wrong clock is not shown.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use crate::app::App;
use crate::aws_error::AwsError;
use crate::camera::Camera;
use crate::clock;
use crate::footage::{Footage, SHELF_SWEEP};
use crate::matroska::Cluster;
use crate::state::missing_stream;

/// How often a scene may be repeated: about an hour of it. Our choice.
const REPEAT_MAX: u32 = 200;
/// Longest quiet time on each side. Our choice: an hour.
const QUIET_SECONDS_MAX: u32 = 3_600;

/// What to play.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Play {
    /// Name of the stream; it must exist.
    pub stream: String,
    #[serde(default = "shelf_sweep")]
    pub footage: String,
    /// The camera's time of the first frame; now, when not given. What lies in the past is
    /// ingested at once.
    #[serde(default)]
    pub start_ms: Option<i64>,
    #[serde(default = "once")]
    pub repeat: u32,
    /// So many seconds of the first fragment before the scene, and of the last one after it: a
    /// camera sends before anything happens, and goes on afterwards.
    #[serde(default)]
    pub quiet_s: u32,
    /// Ingests everything without waiting, also what lies in the future: for tests.
    #[serde(default)]
    pub at_once: bool,
    /// What the camera does to the footage.
    #[serde(default)]
    pub camera: Camera,
}

fn shelf_sweep() -> String {
    SHELF_SWEEP.to_owned()
}

fn once() -> u32 {
    1
}

/// What is being played.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Playing {
    pub stream: String,
    pub footage: String,
    /// The camera's time of the first frame, and the first millisecond after the last one.
    pub start_ms: i64,
    pub end_ms: i64,
    pub fragments: usize,
}

/// Starts playing; returns at once, unless `at_once` is asked for: then when all is ingested.
pub fn play(app: &App, play: &Play) -> Result<Playing, AwsError> {
    if !(1..=REPEAT_MAX).contains(&play.repeat) || play.quiet_s > QUIET_SECONDS_MAX {
        let message =
            format!("repeat must be 1 to {REPEAT_MAX}, quiet_s at most {QUIET_SECONDS_MAX}");
        return Err(AwsError::invalid_argument(message));
    }
    let (scene, delay) = {
        let state = app.state();
        if !state.streams.contains_key(&play.stream) {
            return Err(missing_stream(&play.stream));
        }
        let scene = state.scenes.iter().find(|it| it.script.footage == play.footage).cloned();
        (scene, state.settings.ingest_delay)
    };
    let Some(scene) = scene else {
        return Err(AwsError::not_found(format!("no footage is called {}", play.footage)));
    };
    let start_ms = play.start_ms.unwrap_or_else(clock::now_ms);
    let clusters = play.camera.send(timeline(&scene, start_ms, play), start_ms)?;
    let playing = Playing {
        stream: play.stream.clone(),
        footage: play.footage.clone(),
        start_ms,
        end_ms: start_ms + scene.length_ms() * i64::from(play.repeat),
        fragments: clusters.len(),
    };
    let delay_ms = i64::try_from(delay.as_millis()).unwrap_or(i64::MAX);
    if play.at_once {
        for cluster in clusters {
            let due_ms = cluster.timestamp_ms + cluster.length_ms() + delay_ms;
            let now_ms = clock::now_ms();
            app.state().ingest(&play.stream, cluster, due_ms.min(now_ms), now_ms)?;
        }
    } else {
        app.spawn(send(app.clone(), play.stream.clone(), clusters, delay_ms));
    }
    Ok(playing)
}

/// The fragments with the times of a camera that began at `start_ms`.
fn timeline(scene: &Footage, start_ms: i64, play: &Play) -> Vec<Cluster> {
    let quiet_ms = i64::from(play.quiet_s) * 1_000;
    let quiet = |it: Option<&Cluster>| it.map_or(0, |it| quiet_ms / it.length_ms().max(1));
    let (first, last) = (scene.clusters.first(), scene.clusters.last());
    let before = (0..quiet(first)).filter_map(|_| first);
    let acts = (0..play.repeat).flat_map(|_| &scene.clusters);
    let after = (0..quiet(last)).filter_map(|_| last);
    let mut at_ms = start_ms - before.clone().map(Cluster::length_ms).sum::<i64>();
    let mut clusters = Vec::new();
    for cluster in before.chain(acts).chain(after) {
        clusters.push(Cluster { timestamp_ms: at_ms, tags: Vec::new(), ..cluster.clone() });
        at_ms += cluster.length_ms();
    }
    clusters
}

/// Ingests each fragment when its last frame is over and it was on its way for a while.
async fn send(app: App, stream: String, clusters: Vec<Cluster>, delay_ms: i64) {
    for cluster in clusters {
        let due_ms = cluster.timestamp_ms + cluster.length_ms() + delay_ms;
        let wait_ms = u64::try_from(due_ms - clock::now_ms()).unwrap_or(0);
        sleep(Duration::from_millis(wait_ms)).await;
        let now_ms = clock::now_ms();
        // The stream was deleted while the camera was sending.
        if app.state().ingest(&stream, cluster, due_ms.min(now_ms), now_ms).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The times of the fragments of a scene that begins at second 100.
    fn check(play: &str) -> Vec<i64> {
        let play = serde_json::from_str(play).unwrap();
        let clusters = timeline(&Footage::shelf_sweep(), 100_000, &play);
        clusters.iter().map(|it| it.timestamp_ms).collect()
    }

    #[test]
    fn a_repeated_scene_goes_on_without_a_gap() {
        let expected: Vec<_> = (0..20).map(|it| 100_000 + it * 2_000).collect();
        assert_eq!(check(r#"{"stream": "s", "repeat": 2}"#), expected);
    }

    #[test]
    fn a_camera_is_quiet_before_and_after_the_scene() {
        let expected: Vec<_> = (-3..13).map(|it| 100_000 + it * 2_000).collect();
        assert_eq!(check(r#"{"stream": "s", "quiet_s": 6}"#), expected);
    }
}
