//! What becomes of a routed detection: a case, its alert, the request for its clip.
//!
//! The functions `respond` and `preserve` do it to the case table, `arm` shows it beforehand; both
//! by this code, so that what was shown is what happens. Modules stand in reading order, which is
//! the order data flows; a module uses only modules above it:
//!
//! ```text
//! message --incident::read--> detection --case::open, join--> case --claim, respond--> alert, clip request
//! ```

// The functional core: no network, clock or environment.
pub mod time;
pub mod id;
pub mod fragment;
pub mod incident;
pub mod evidence;
pub mod cut;
pub mod guard;
pub mod audit;
pub mod case;
pub mod claim;

// The step, over a trait that says what it needs of the outside world.
pub mod step;
pub mod case_table;
pub mod respond;
