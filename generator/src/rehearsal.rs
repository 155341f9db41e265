//! The rehearsal: the whole path on this machine, without an AWS account.
//!
//! Real: the templates, the `deploy` code, the function binaries, the footage and its codec, the
//! messages between the functions. Stood in for: AWS itself, by MiniStack (CloudFormation, Lambda,
//! queues, topics, tables, buckets) and by `arm-local-aws` (Kinesis Video, and the customer's
//! model, which answers by a script). Not shown: that AWS accepts the templates (cfn-lint judges
//! that), IAM, quotas, and anything that e-mail, SMS or push services do.

pub mod python;
pub mod servers;
pub mod local;
pub mod story;
pub mod follow;

/// Why a rehearsal cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum RehearsalError {
    #[error("cannot start {program}\n  help: {help}")]
    Start { program: String, help: String, source: std::io::Error },
    #[error("cannot set up the local AWS: {step} failed\n  help: {help}")]
    SetUp { step: String, help: String },
    #[error("cannot listen on 127.0.0.1:{port}\n  help: choose another `--port`, or leave it out")]
    Port { port: u16, source: std::io::Error },
    #[error("the local AWS did not come up within {seconds} s; its log is {log}")]
    NotUp { seconds: u64, log: String },
    #[error("cannot ask the local Kinesis Video: {what}")]
    Local { what: String, source: Box<dyn std::error::Error + Send + Sync> },
    #[error(
        "the story stopped: no {missing} within {seconds} s\n  help: look at {log}, or run again \
         with `--keep` and look around"
    )]
    Stopped { missing: &'static str, seconds: u64, log: String },
    #[error("the rehearsal does not hold: {0}")]
    Wrong(String),
    #[error(
        "no camera of the store is watched now whose shelf sweep would tell anybody\n  help: name one with `--camera`"
    )]
    NoCamera,
    #[error(transparent)]
    Cloud(#[from] crate::deploy::CloudError),
    #[error("interrupted; all that was started has been stopped")]
    Interrupted,
}
