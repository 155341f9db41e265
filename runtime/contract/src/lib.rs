//! The types that the generator writes and the runtime reads, and the meaning that both must share.
//!
//! The two programs ship at different times, so everything here is a file format: fields are only
//! added, readers ignore what they do not know, and `version` grows when a meaning changes.
//! Configuration travels with the data: schedule input -> window -> detection -> incident -> case.
//!
//! Modules stand in reading order, which is the order data flows. Pure: no I/O, no clock.
#![warn(missing_docs)]

pub mod priority;
pub mod hours;
pub mod store;
pub mod health;
pub mod watch;
pub mod window;
pub mod detection;
pub mod evidence;
pub mod inert;
pub mod wording;
pub mod incident;
pub mod case;
pub mod row;
pub mod sweep;
pub mod alert;
pub mod settings;

/// The version that every message of this release carries.
pub const VERSION: u32 = 1;
