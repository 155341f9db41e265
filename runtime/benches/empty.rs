//! The floor of the benchmarks: a function that does nothing, on the same runtime and profile.
//!
//! What it needs, every function in Rust needs; what ours needs beyond it is ours. Keep it as its
//! authors show it: one handler, nothing else.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::run(service_fn(handle)).await
}

async fn handle(_: LambdaEvent<Value>) -> Result<Value, Error> {
    Ok(json!({ "batchItemFailures": [] }))
}
