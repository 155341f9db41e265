//! The one binary of all functions: `_HANDLER` names the one to serve.

use std::process::ExitCode;

use runtime::{entry, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    telemetry::start();
    // On the heap: the steps of all functions together are large.
    match Box::pin(entry::run()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            telemetry::cannot_serve(&error);
            ExitCode::FAILURE
        }
    }
}
