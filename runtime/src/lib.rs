//! The Lambda functions: from a minute on the clock to a case with its alert and its clip.
//!
//! Modules stand in reading order, which is the order data flows; a module uses only modules
//! above it. The core computes, a step decides what happens next over a small trait of its own,
//! the shell acts:
//!
//! ```text
//! dispatch   tick --tick::owed--> minutes --window::windows--> windows
//!            what ails cameras --outlook::outlook--> messages to the audience `ops`
//! analyze    window --(fragments, model)--> answer --detection::detections--> events
//!            fragments --health::judge--> what ails the camera
//! respond    message --incident::read--> detection --case::open, join--> case, alert, clip request
//! preserve   request --cut::plan--> clip --case::finish_evidence, complete_evidence--> case
//! project    case --row::row--> rows
//! sweep      overdue case --case::overdue--> clip request, or the end of it
//! ```

// The functional core: no network, clock or environment.
pub mod window;
pub mod tick;
pub mod health;
pub mod outlook;
pub mod detection;
pub mod row;
pub mod metric;
pub mod mp4;

// Steps: one per function, over a trait that says what the step needs.
pub mod dispatch;
pub mod analyze;
pub mod preserve;
pub mod project;
pub mod sweep;

// The shell: environment, clock, logs, AWS, and Lambda's events.
pub mod settings;
pub mod clock;
pub mod telemetry;
pub mod aws;
pub mod entry;
