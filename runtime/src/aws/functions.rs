//! What each function needs of AWS, from the services that have it: one file per function.
//!
//! Each implements the trait of its step, over the services beside this module, and makes only the
//! clients that its step needs. A new function begins with its step's trait and gets a file here.

mod dispatch;
mod analyze;
mod respond;
mod preserve;
mod project;
mod sweep;

pub use analyze::Analyze;
pub use dispatch::Dispatch;
pub use preserve::Preserve;
pub use project::Project;
pub use respond::Respond;
pub use sweep::Sweep;
