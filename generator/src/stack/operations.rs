//! What the platform team watches: the alarms and the dashboard of a cell.
//!
//! An alarm means that a person must act; what heals by itself stands on the dashboard only.

use contract::settings::FUNCTIONS;
use serde::Serialize;
use serde_json::{Value, json};

use crate::name::{CellNames, pascal_case};

/// Namespace of what the functions count, with the cell as the dimension `Cell`.
pub(super) const NAMESPACE: &str = "ARM";
/// The queues whose age matters, with the age in seconds at which people must look. A window is
/// stale after minutes, an alert is late after one; a clip has hours, while the stream keeps it.
const AGES: [(&str, u32); 3] = [("windows", 120), ("incidents", 60), ("evidence", 3_600)];
/// What dead letters were meant for.
const DEAD_LETTERS: [&str; 4] = ["windows", "incidents", "evidence", "changes"];
/// What the functions count that must not go on.
const COUNTS: [(&str, &str); 4] = [
    (
        "WatchNoteErrors",
        "Ticks cannot tell which minutes were missed; look at the log of `dispatch`",
    ),
    (
        "HealthErrors",
        "Nobody may be told of cameras that ail; look at the logs of `dispatch` and `analyze`",
    ),
    ("WindowsSkipped", "Windows are read too late: the model, or Lambda, is too slow"),
    ("ModelContractErrors", "The model's answers break the contract"),
];
/// Milliseconds by which the rows may lag behind the cases: ten minutes, our choice.
const ROWS_LAG_MS: u32 = 600_000;
/// SQS's name for how many messages wait.
const DEPTH: &str = "ApproximateNumberOfMessagesVisible";
/// SQS's name for how many seconds the first of them waits.
const AGE: &str = "ApproximateAgeOfOldestMessage";

/// An alarm that rings above its threshold.
#[derive(Serialize)]
pub(super) struct Alarm {
    logical_id: String,
    name: String,
    description: String,
    namespace: &'static str,
    metric: &'static str,
    dimensions: Value,
    statistic: &'static str,
    period_seconds: u32,
    periods: u32,
    datapoints: u32,
    threshold: u32,
}

impl Alarm {
    /// Rings within a minute of the first value above zero.
    fn new(names: &CellNames, about: &str, description: &str, metric: Metric) -> Self {
        let Metric { namespace, name, statistic, dimension, value } = metric;
        Self {
            logical_id: format!("{}Alarm", pascal_case(about)),
            name: names.alarm(about),
            description: description.to_owned(),
            namespace,
            metric: name,
            dimensions: json!([{ "Name": dimension, "Value": value }]),
            statistic,
            period_seconds: 60,
            periods: 1,
            datapoints: 1,
            threshold: 0,
        }
    }

    /// Rings when two of three stretches of five minutes are above the threshold.
    fn again_and_again(self) -> Self {
        Self { period_seconds: 300, periods: 3, datapoints: 2, ..self }
    }
}

/// What is measured, of what.
struct Metric {
    namespace: &'static str,
    name: &'static str,
    statistic: &'static str,
    dimension: &'static str,
    value: String,
}

impl Metric {
    fn of_queue(name: &'static str, queue: String) -> Self {
        Self {
            namespace: "AWS/SQS",
            name,
            statistic: "Maximum",
            dimension: "QueueName",
            value: queue,
        }
    }

    fn of_function(name: &'static str, statistic: &'static str, function: String) -> Self {
        Self {
            namespace: "AWS/Lambda",
            name,
            statistic,
            dimension: "FunctionName",
            value: function,
        }
    }

    fn of_cell(name: &'static str, cell: &str) -> Self {
        let value = cell.to_owned();
        Self { namespace: NAMESPACE, name, statistic: "Sum", dimension: "Cell", value }
    }
}

pub(super) fn alarms(names: &CellNames) -> Vec<Alarm> {
    let mut alarms = queue_alarms(names);
    alarms.extend(function_alarms(names));
    alarms.extend(count_alarms(names));
    alarms
}

/// How a person puts back what lies in the dead-letter queue that is named next.
fn redrive(names: &CellNames) -> String {
    format!("arm redrive {} --queue", names.cell())
}

fn queue_alarms(names: &CellNames) -> Vec<Alarm> {
    let redrive = redrive(names);
    let undelivered = Alarm::new(
        names,
        "undelivered-depth",
        &format!(
            "AWS could not deliver events, ticks or alerts; run `{redrive} undelivered --dry-run` to \
             see which, then without `--dry-run`"
        ),
        Metric::of_queue(DEPTH, names.queue("undelivered")),
    );
    let dead = DEAD_LETTERS.map(|queue| {
        let text = format!(
            "A function gave up on messages of `{queue}`; look at its log, then run `{redrive} \
             {queue}`"
        );
        let metric = Metric::of_queue(DEPTH, names.dead_letter_queue(queue));
        Alarm::new(names, &format!("{queue}-dlq-depth"), &text, metric)
    });
    let ages = AGES.map(|(queue, seconds)| {
        let text = format!("The queue `{queue}` is not emptied in time");
        let metric = Metric::of_queue(AGE, names.queue(queue));
        let alarm = Alarm::new(names, &format!("{queue}-age"), &text, metric);
        Alarm { threshold: seconds, periods: 3, datapoints: 3, ..alarm }
    });
    [undelivered].into_iter().chain(dead).chain(ages).collect()
}

fn function_alarms(names: &CellNames) -> Vec<Alarm> {
    let metric = |function: &str, name, statistic| {
        Metric::of_function(name, statistic, names.function(function))
    };
    let mut alarms = vec![
        Alarm::new(
            names,
            "minutes-lost",
            "So many ticks in a row failed that nobody watched those stores for some minutes",
            Metric::of_cell("MinutesLost", names.cell()),
        ),
        Alarm {
            threshold: ROWS_LAG_MS,
            ..Alarm::new(
                names,
                "project-lag",
                "Rows about cases lag behind the cases",
                metric("project", "IteratorAge", "Maximum"),
            )
        },
    ];
    for function in FUNCTIONS {
        for (name, what) in [("Errors", "fails"), ("Throttles", "is throttled")] {
            let about = format!("{function}-{}", name.to_lowercase());
            let text = format!("The function `{function}` {what} again and again");
            let alarm = Alarm::new(names, &about, &text, metric(function, name, "Sum"));
            alarms.push(alarm.again_and_again());
        }
    }
    alarms
}

fn count_alarms(names: &CellNames) -> Vec<Alarm> {
    let alarm = |metric: &'static str, text: &str| {
        let metric = Metric::of_cell(metric, names.cell());
        Alarm::new(names, &kebab_case(metric.name), text, metric)
    };
    // One is too many: it is lost for good, and what lost it may lose the next.
    let text = format!(
        "A clip cannot be kept; its case says why, and `{} evidence` asks again for those that are \
         overdue",
        redrive(names)
    );
    let failed = alarm("EvidenceFailed", &text);
    let counts = COUNTS.map(|(metric, text)| alarm(metric, text).again_and_again());
    counts.into_iter().chain([failed]).collect()
}

/// `WindowsSkipped` -> `windows-skipped`.
fn kebab_case(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !text.is_empty() {
            text.push('-');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

/// The body of the dashboard, as text for `Fn::Sub`.
pub(super) fn dashboard(names: &CellNames, endpoint: &str) -> String {
    let work = ["windows", "incidents", "evidence"].map(|it| (it, names.queue(it)));
    let dead = DEAD_LETTERS.map(|it| (it, names.dead_letter_queue(it)));
    let undelivered = [("undelivered", names.queue("undelivered"))];
    let lost: Vec<_> = dead.into_iter().chain(undelivered).collect();
    let functions = FUNCTIONS.map(|it| (it, names.function(it)));
    let counts = ["Detections", "WindowsSkipped", "WindowsWithoutVideo", "WindowsIncomplete"];
    let trouble = [
        "ModelContractErrors",
        "EvidenceFailed",
        "EvidenceIncomplete",
        "MinutesLost",
        "WatchNoteErrors",
        "HealthErrors",
    ];
    let cameras = ["CamerasOffline", "CamerasSkewed", "CamerasFrozen"];
    let of_cell = |metrics: &[&str]| -> Value {
        metrics.iter().map(|metric| json!([NAMESPACE, metric, "Cell", names.cell()])).collect()
    };
    let graphs = [
        ("Waiting messages", "Maximum", lines("AWS/SQS", DEPTH, "QueueName", &work)),
        ("Oldest message (s)", "Maximum", lines("AWS/SQS", AGE, "QueueName", &work)),
        ("Dead letters", "Maximum", lines("AWS/SQS", DEPTH, "QueueName", &lost)),
        ("Watch", "Sum", of_cell(&counts)),
        ("Trouble", "Sum", of_cell(&trouble)),
        ("Cameras that ail", "Sum", of_cell(&cameras)),
        ("Function errors", "Sum", lines("AWS/Lambda", "Errors", "FunctionName", &functions)),
        ("Duration (ms)", "p95", lines("AWS/Lambda", "Duration", "FunctionName", &functions)),
        (
            "At once",
            "Maximum",
            lines("AWS/Lambda", "ConcurrentExecutions", "FunctionName", &functions),
        ),
        ("Model latency (us)", "p95", of_endpoint(endpoint, "ModelLatency", "p95")),
        ("Model errors", "Sum", of_endpoint(endpoint, "Invocation5XXErrors", "Sum")),
    ];
    let widgets = graphs.iter().enumerate().map(|(index, graph)| widget(index, graph));
    json!({ "widgets": widgets.collect::<Vec<_>>() }).to_string()
}

/// One line per labelled value of a dimension.
fn lines(namespace: &str, metric: &str, dimension: &str, values: &[(&str, String)]) -> Value {
    let line = |(label, value): &(&str, String)| json!([namespace, metric, dimension, value, { "label": label }]);
    values.iter().map(line).collect()
}

/// One line per variant of the endpoint; only whoever deployed it knows their names.
fn of_endpoint(endpoint: &str, metric: &str, statistic: &str) -> Value {
    let schema = "{AWS/SageMaker,EndpointName,VariantName}";
    let terms = format!(r#"{schema} EndpointName="{endpoint}" MetricName="{metric}""#);
    json!([[{ "expression": format!("SEARCH('{terms}', '{statistic}', 60)"), "id": "variants" }]])
}

/// Two graphs a row; a dashboard is 24 wide.
fn widget(index: usize, (title, statistic, metrics): &(&str, &str, Value)) -> Value {
    json!({
        "type": "metric",
        "x": index % 2 * 12,
        "y": index / 2 * 6,
        "width": 12,
        "height": 6,
        "properties": {
            "title": title,
            "metrics": metrics,
            "stat": statistic,
            "period": 60,
            "region": "${AWS::Region}",
        },
    })
}

#[cfg(test)]
mod tests {
    use crate::stack::fixture;

    use super::*;

    #[test]
    fn what_is_lost_for_good_rings_at_the_first_count() {
        let alarms = alarms(&CellNames::new(&fixture::cell()));
        for metric in ["MinutesLost", "EvidenceFailed"] {
            let alarm = alarms.iter().find(|it| it.metric == metric).unwrap();
            let rings = (alarm.period_seconds, alarm.periods, alarm.datapoints, alarm.threshold);
            assert_eq!(rings, (60, 1, 1, 0), "{metric}");
        }
    }
}
