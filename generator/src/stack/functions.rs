//! The functions of a cell, and the queues between them.

use std::collections::BTreeMap;

use contract::settings;
use serde::Serialize;
use serde_json::{Value, json};

use super::detector::endpoint;
use super::{arn, sub};
use crate::model::Cell;
use crate::name::{CellNames, pascal_case};

/// How long a function may take. Calls to AWS are given 15 seconds and tried again.
const DISPATCH_SECONDS: u32 = 60;
/// Two questions to the model, which has 60 seconds for each, and the fragments before.
const ANALYZE_SECONDS: u32 = 150;
const RESPOND_SECONDS: u32 = 30;
/// Its four calls that carry much have 190 seconds together, see the runtime's `aws`; the rest is for
/// the case.
const PRESERVE_SECONDS: u32 = 240;
const PROJECT_SECONDS: u32 = 60;

/// How long a message of `incidents` stays hidden: a little longer than a claim of `respond` (60 s), as
/// an earlier attempt would find that of the one before it. An alert that failed then comes after a
/// minute and not after three.
const INCIDENTS_HIDDEN_SECONDS: u32 = 70;
/// Half of the time until its next tick; it looks at no more cases than fit.
const SWEEP_SECONDS: u32 = 300;

/// A queue between two functions.
#[derive(Serialize)]
pub(super) struct Queue {
    logical_id: String,
    name: String,
    arn: Value,
    dead_letter_name: String,
    /// Six times the consumer's timeout, so that a message that Lambda could not hand over at once
    /// is not handed out twice. Source: Lambda developer guide, "Using Lambda with Amazon SQS".
    /// Windows get the timeout itself: a failed one must come again before it is stale. Incidents get
    /// little more than twice the timeout: one that is handed out twice is harmless, since `respond`
    /// counts a detection once and claims an alert, and people wait for it.
    visibility_seconds: u32,
    receives_max: u32,
    retention_seconds: u32,
    /// Rules of the stores' buses send to it.
    from_rules: bool,
}

#[derive(Serialize)]
pub(super) struct Function {
    id: &'static str,
    logical_id: String,
    name: String,
    description: &'static str,
    log_group: String,
    memory_mb: u32,
    timeout_seconds: u32,
    environment: BTreeMap<&'static str, Value>,
    /// Logical id of the queue that it takes its work from.
    consumes: Option<&'static str>,
    /// Logical ids of the queues that it, or Lambda on its behalf, sends to.
    sends_to: Vec<&'static str>,
    /// Through which services it has something decrypted that the cases key protects.
    cases_key_decrypts: Vec<Value>,
    /// Through which it has something encrypted.
    cases_key_encrypts: Vec<Value>,
}

pub(super) fn queues(names: &CellNames) -> Vec<Queue> {
    let day = 24 * 60 * 60;
    let queue = |name: &'static str, visibility_seconds, receives_max, retention_seconds| Queue {
        logical_id: pascal_case(name),
        name: names.queue(name),
        arn: arn("sqs", &names.queue(name)),
        dead_letter_name: names.dead_letter_queue(name),
        visibility_seconds,
        receives_max,
        retention_seconds,
        from_rules: name == "incidents",
    };
    vec![
        // A window is stale within minutes; `analyze` reads it all the same, to count it.
        queue("windows", ANALYZE_SECONDS, 3, day),
        // Computed: in a storm of 10,000 batches on one case, 100 at once and with slow calls, a message
        // that kept losing its case to others was received up to four times; the others are for an
        // outage of half an hour.
        queue("incidents", INCIDENTS_HIDDEN_SECONDS, 26, 14 * day),
        queue("evidence", 6 * PRESERVE_SECONDS, 5, 14 * day),
    ]
}

pub(super) fn functions(cell: &Cell, names: &CellNames) -> Vec<Function> {
    let reference = |logical_id: &str| json!({ "Ref": logical_id });
    let windows = (settings::WINDOWS_QUEUE_URL, reference("Windows"));
    let evidence = (settings::EVIDENCE_QUEUE_URL, reference("Evidence"));
    let table = (settings::CASE_TABLE, reference("CaseTable"));
    let clips = (settings::EVIDENCE_BUCKET, reference("EvidenceBucket"));
    let rows = (settings::ANALYTICS_BUCKET, reference("AnalyticsBucket"));
    let model = (settings::ENDPOINT_NAME, json!(endpoint(cell, names)));
    let function = |id: &'static str, description, memory_mb, timeout_seconds| Function {
        id,
        logical_id: pascal_case(id),
        name: names.function(id),
        description,
        log_group: names.log_group(id),
        memory_mb,
        timeout_seconds,
        environment: BTreeMap::from([(settings::CELL, json!(cell.id.as_str()))]),
        consumes: None,
        sends_to: vec![],
        cases_key_decrypts: vec![],
        cases_key_encrypts: vec![],
    };
    vec![
        function("dispatch", "Cuts the next minute of a store into windows", 256, DISPATCH_SECONDS)
            .with([windows, table.clone()])
            .sends_to(["Windows", "UndeliveredQueue"])
            .uses_key_for(&["dynamodb", "lambda", "sns", "sqs"]),
        // Its peak with the largest window, 6 MB, is 16 MB; measured by runtime/benches. It waits for
        // the model most of its time, which is paid by memory: the CPU of 256 MB is enough.
        function("analyze", "Shows the model a window of video", 256, ANALYZE_SECONDS)
            .with([model, table.clone()])
            .consumes("Windows")
            .uses_key_for(&["dynamodb", "lambda", "sqs"]),
        function("respond", "Opens cases and alerts people", 256, RESPOND_SECONDS)
            .with([evidence.clone(), table.clone(), clips.clone()])
            .consumes("Incidents")
            .sends_to(["Evidence"])
            .uses_key_for(&["dynamodb", "lambda", "sns", "sqs"]),
        // A clip is up to 100 MB, held whole and once so that S3 can verify its SHA-256; the peak with
        // it is 106 MB, measured by runtime/benches. Raw video that is read in parts may need that
        // twice; a function that runs out of memory would keep nothing.
        function("preserve", "Keeps the clip of a case", 512, PRESERVE_SECONDS)
            .with([evidence.clone(), table.clone(), clips])
            .consumes("Evidence")
            .sends_to(["Evidence"])
            .uses_key_for(&["dynamodb", "lambda", "sqs"]),
        function("project", "Writes a row for every change of a case", 256, PROJECT_SECONDS)
            .with([rows])
            .sends_to(["ChangesDeadLetters"])
            .uses_key_for(&["dynamodb", "lambda", "s3", "sqs"]),
        function("sweep", "Asks again for clips that are overdue", 256, SWEEP_SECONDS)
            .with([evidence, table])
            .sends_to(["Evidence"])
            .uses_key_for(&["dynamodb", "lambda", "sqs"]),
    ]
}

impl Function {
    fn with<const N: usize>(mut self, settings: [(&'static str, Value); N]) -> Self {
        self.environment.extend(settings);
        self
    }

    fn consumes(mut self, queue: &'static str) -> Self {
        self.consumes = Some(queue);
        self
    }

    fn sends_to<const N: usize>(mut self, queues: [&'static str; N]) -> Self {
        self.sends_to.extend(queues);
        self
    }

    /// Through which services it uses the cases key, once the queues that it sends to are known.
    ///
    /// Each decrypts: `lambda` its settings, `sqs`, `sns` and `s3` also to prove a new data key.
    /// Only who sends, publishes or puts an object has a data key made; the table's is made already.
    fn uses_key_for(mut self, names: &[&str]) -> Self {
        let sends = !self.sends_to.is_empty();
        let encrypts = |name: &&str| matches!(*name, "s3" | "sns") || (*name == "sqs" && sends);
        let encrypting: Vec<&str> = names.iter().copied().filter(encrypts).collect();
        self.cases_key_encrypts = services(&encrypting);
        self.cases_key_decrypts = services(names);
        self
    }
}

pub(super) fn services(names: &[&str]) -> Vec<Value> {
    names.iter().map(|name| service(name)).collect()
}

/// A service as `kms:ViaService` has it.
pub(super) fn service(name: &str) -> Value {
    sub(&format!("{name}.${{AWS::Region}}.${{AWS::URLSuffix}}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_message_comes_again_while_its_function_may_still_run() {
        let cell = crate::stack::fixture::cell();
        let names = CellNames::new(&cell);
        for function in functions(&cell, &names) {
            let queues = queues(&names);
            let queue = queues.iter().find(|it| Some(it.logical_id.as_str()) == function.consumes);
            assert!(queue.is_none_or(|it| it.visibility_seconds >= function.timeout_seconds));
        }
        let hidden_ms = i64::from(INCIDENTS_HIDDEN_SECONDS) * 1_000;
        assert!(
            hidden_ms > casework::claim::CLAIM_MS,
            "else it finds the claim of its last attempt"
        );
        let ids: Vec<_> = functions(&cell, &names).iter().map(|function| function.id).collect();
        assert_eq!(ids, settings::FUNCTIONS);
    }
}
