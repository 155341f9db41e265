//! The embedded footage: what a camera would send, and what a good model would say about it. Pure.
//!
//! The pictures are drawn (`footage/make.py`) and the model's words are written by hand
//! (`footage/shelf-sweep.json`): together they show that real H.264 and the model's contract go
//! through the whole chain. They show nothing about how well a model sees.

use serde::Deserialize;

use crate::matroska::{self, Cluster};

/// The scene that is embedded.
pub const SHELF_SWEEP: &str = "shelf-sweep";

const SHELF_SWEEP_VIDEO: &[u8] = include_bytes!("../footage/shelf-sweep.mkv");
const SHELF_SWEEP_SCRIPT: &str = include_str!("../footage/shelf-sweep.json");

/// One behaviour of the scene; seconds count from the first frame.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct ScriptedDetection {
    pub at_s: f64,
    pub until_s: f64,
    pub event_type: String,
    pub confidence: f64,
    #[serde(default)]
    pub zone: Option<String>,
    #[serde(default)]
    pub bbox: Option<[f64; 4]>,
}

/// The model that the script claims to be.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ScriptedModel {
    pub name: String,
    pub version: String,
}

/// What the stand-in of the model says.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    pub note: String,
    /// Name of the footage that it is about.
    pub footage: String,
    pub model: ScriptedModel,
    pub detections: Vec<ScriptedDetection>,
}

/// A scene: its video, one cluster per fragment, timestamps from 0, and its script.
#[derive(Clone, Debug)]
pub struct Footage {
    pub clusters: Vec<Cluster>,
    pub script: Script,
}

impl Footage {
    /// The embedded scene.
    pub fn shelf_sweep() -> Self {
        let clusters = matroska::read(SHELF_SWEEP_VIDEO).expect("the embedded footage is Matroska");
        let script =
            serde_json::from_str(SHELF_SWEEP_SCRIPT).expect("the embedded script is valid");
        Self { clusters, script }
    }

    /// How long the scene lasts.
    pub fn length_ms(&self) -> i64 {
        self.clusters.last().map_or(0, |it| it.timestamp_ms + it.length_ms())
    }

    /// At which millisecond of the scene these pictures begin, or `None` for other pictures.
    ///
    /// Looks at the video alone, as a model does: the key frame, byte for byte.
    pub fn recognise(&self, cluster: &Cluster) -> Option<i64> {
        let picture = &cluster.frames.first()?.data;
        let same = |it: &&Cluster| it.frames.first().is_some_and(|frame| frame.data == *picture);
        self.clusters.iter().find(same).map(|it| it.timestamp_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_footage_is_what_a_camera_sends() {
        let footage = Footage::shelf_sweep();
        let shape: Vec<_> = footage
            .clusters
            .iter()
            .map(|it| {
                let keys = it.frames.iter().filter(|it| it.key).count();
                (it.timestamp_ms, it.length_ms(), it.frames.len(), keys)
            })
            .collect();
        let expected: Vec<_> = (0..10).map(|it| (it * 2_000, 2_000, 30, 1)).collect();
        assert_eq!(shape, expected);
        assert_eq!(footage.length_ms(), 20_000);
        let track = &footage.clusters[0].track;
        assert_eq!(
            (track.codec_id.as_str(), track.width, track.height),
            ("V_MPEG4/ISO/AVC", 640, 360)
        );
    }

    #[test]
    fn every_fragment_is_recognised_by_its_pictures_alone() {
        let footage = Footage::shelf_sweep();
        let seen: Vec<_> = footage.clusters.iter().map(|it| footage.recognise(it)).collect();
        let expected: Vec<_> = (0..10).map(|it| Some(it * 2_000)).collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn the_script_stays_inside_the_scene() {
        let Script { footage, detections, .. } = Footage::shelf_sweep().script;
        assert_eq!(footage, SHELF_SWEEP);
        assert!(detections.iter().all(|it| 0.0 <= it.at_s && it.at_s < it.until_s));
        assert!(detections.iter().all(|it| it.until_s <= 20.0));
    }
}
