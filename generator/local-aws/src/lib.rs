//! A stand-in for Kinesis Video Streams and the SageMaker runtime, for rehearsals and tests.
//!
//! It serves the calls that the product makes, with the shapes and errors that AWS documents, on
//! real H.264 footage: a clip that comes out plays. It does not show IAM, quotas, throttling, the
//! delays of AWS, image quality, or that a model sees anything: the model here is a script
//! (`footage/shelf-sweep.json`). Modules stand in reading order; each uses only those above it.
//!
//! ```text
//! footage -player-> Stream -ListFragments, GetMediaForFragmentList-> body -model-> detections
//!                   Stream -GetClip-> mp4
//! ```

// The functional core: no clock, no network.
pub mod ebml;
pub mod matroska;
pub mod mp4;
pub mod aws_error;
pub mod stream;
pub mod footage;
pub mod camera;
pub mod model;
pub mod journal;
pub mod state;

// The services: one call, one function.
pub mod kinesis_video;
pub mod archived_media;
pub mod sagemaker_runtime;

// The shell: clock, tasks, HTTP.
pub mod clock;
pub mod app;
pub mod player;
pub mod put_media;
pub mod admin;
pub mod server;
pub mod ministack;

pub use server::serve;
pub use state::Settings;
