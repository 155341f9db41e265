//! `arm`: from a store's YAML file to a deployed CloudFormation stack.
//!
//! Modules stand in reading order, which is the order data flows; a module uses only modules
//! above it (`tests/architecture.rs` checks). Each stage is one file with one public verb:
//!
//! ```text
//! text -yaml::parse-> Node -config::store-> StoreConfig -inherit::resolve-> Inherited
//! Inherited -validate::validate-> Fleet;  Store -rules::compile-> RuleSet;  all of it: input::read
//! Store + RuleSet -stack::store-> Template
//! ```

// The functional core: no files, network, clock or environment.
pub mod digest;
pub mod paragraph;
pub mod diagnostic;
pub mod explanation;
pub mod report;
pub mod yaml;
pub mod scalar;
pub mod model;
pub mod stack_status;
pub mod cause;
pub mod quota;
pub mod price;
pub mod schema;
pub mod json_schema;
pub mod decode;
pub mod layout;
pub mod config;
pub mod inherit;
pub mod validate;
pub mod allow;
pub mod pattern;
pub mod rules;
pub mod name;
pub mod blueprint;
pub mod template;
pub mod change;
pub mod stack;
pub mod trial;
pub mod trace;
pub mod simulation;
pub mod demand;
pub mod rollout;
pub mod cost;
pub mod input;
pub mod dead_letter;
pub mod verification;
pub mod scenario;
pub mod effective;
pub mod review;
pub mod starter;
pub mod sibling;
pub mod bundle;
pub mod reference;

// The shell: reads, calls the core, acts.
pub mod files;
pub mod git;
pub mod events;
pub mod load;
pub mod release;
pub mod deploy;
pub mod deployed;
pub mod preflight;
pub mod redrive;
pub mod verify;
pub mod status;
pub mod drift;
pub mod logs;
pub mod recover;
pub mod destroy;
pub mod aws;
pub mod cargo;
pub mod error;
pub mod console;
pub mod rehearsal;
pub mod commands;
pub mod cli;
