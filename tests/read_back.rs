//! What a store's template says, read without the code that wrote it: by CloudFormation's names, as
//! EventBridge Scheduler, EventBridge and SNS would get it. For tests that compare it with what was
//! asked for.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a missing part fails the test")]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// The values of one store's template.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadBack {
    pub name: String,
    pub timezone: String,
    /// As the schedule's input has them.
    pub hours: Value,
    /// Id, name and kind.
    pub aisles: Vec<(String, String, Option<String>)>,
    pub cameras: Vec<CameraBack>,
    /// Protocol, endpoint and audiences.
    pub subscriptions: BTreeSet<(String, String, Vec<String>)>,
    /// By name; the implicit last rule is left out.
    pub rules: BTreeMap<String, RuleBack>,
}

/// One camera.
#[derive(Clone, Debug, PartialEq)]
pub struct CameraBack {
    pub id: String,
    pub aisle: String,
    pub retention_hours: u64,
    pub device: Option<String>,
    pub window_s: u64,
    pub when: String,
    /// Id and area.
    pub zones: Vec<(String, Vec<f64>)>,
}

/// What one rule sends on.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleBack {
    pub priority: String,
    pub notify: Vec<String>,
    pub cooldown_s: u64,
    pub shadow: bool,
    /// Seconds before and after, days kept, lock.
    pub evidence: (u64, u64, u64, String),
    /// The words of alerts that are the store's own.
    pub wording: Value,
}

/// Reads a template.
pub fn read_back(template: &Value) -> ReadBack {
    let resources = template["Resources"].as_object().unwrap();
    let of = |kind: &str| {
        let of_kind = resources.values().filter(|it| it["Type"] == kind);
        of_kind.map(|it| it["Properties"].clone()).collect::<Vec<_>>()
    };
    let schedule = &of("AWS::Scheduler::Schedule")[0];
    let watch: Value =
        serde_json::from_str(&text(&schedule["Target"]["Input"]["Fn::Sub"])).unwrap();
    let streams: BTreeMap<String, Value> = of("AWS::KinesisVideo::Stream")
        .into_iter()
        .map(|stream| (text(&stream["Name"]), stream))
        .collect();
    let prefix = text(&watch["stream_prefix"]);
    let cameras: Vec<_> = list(&watch["cameras"])
        .iter()
        .map(|it| camera(it, &streams[&format!("{prefix}{}", text(&it["id"]))]))
        .collect();
    assert_eq!(cameras.len(), streams.len(), "a stream for each camera");
    let aisles = list(&watch["aisles"])
        .into_iter()
        .map(|it| (text(&it["id"]), text(&it["name"]), it["kind"].as_str().map(str::to_owned)));
    let mut rules = BTreeMap::new();
    for rule in of("AWS::Events::Rule") {
        let message = incident(&rule["Targets"][0]["InputTransformer"]["InputTemplate"]["Fn::Sub"]);
        assert_eq!(message["store"], watch["store"], "every rule names the store alike");
        let name = text(&message["rule"]);
        if name != "unrouted" {
            rules.insert(name, rule_back(&message));
        }
    }
    let subscriptions = of("AWS::SNS::Subscription").into_iter().map(|it| {
        let audiences = list(&it["FilterPolicy"]["audience"]).iter().map(text).collect();
        (text(&it["Protocol"]), text(&it["Endpoint"]), audiences)
    });
    ReadBack {
        name: text(&watch["store"]["name"]),
        timezone: text(&watch["store"]["timezone"]),
        hours: watch["hours"].clone(),
        aisles: aisles.collect(),
        cameras,
        subscriptions: subscriptions.collect(),
        rules,
    }
}

fn camera(watched: &Value, stream: &Value) -> CameraBack {
    let zones = watched["zones"].as_array().cloned().unwrap_or_default();
    let numbers = |area: &Value| list(area).iter().map(|it| it.as_f64().unwrap()).collect();
    CameraBack {
        id: text(&watched["id"]),
        aisle: text(&watched["aisle"]),
        retention_hours: stream["DataRetentionInHours"].as_u64().unwrap(),
        device: stream["DeviceName"].as_str().map(str::to_owned),
        window_s: watched["window_s"].as_u64().unwrap(),
        when: text(&watched["when"]),
        zones: zones.iter().map(|it| (text(&it["id"]), numbers(&it["area"]))).collect(),
    }
}

/// The incident's message, as EventBridge would send it of an event with nothing in it.
fn incident(template: &Value) -> Value {
    let mut message = text(template).replace("${!", "${");
    for placeholder in ["<id>", "<time>", "<resources>", "<detail>"] {
        assert_eq!(message.matches(placeholder).count(), 1, "{message}");
        message = message.replace(placeholder, "null");
    }
    serde_json::from_str(&message).unwrap()
}

fn rule_back(message: &Value) -> RuleBack {
    let evidence = &message["evidence"];
    let number = |value: &Value| value.as_u64().unwrap();
    RuleBack {
        priority: text(&message["priority"]),
        notify: list(&message["notify"]).iter().map(text).collect(),
        cooldown_s: number(&message["cooldown_s"]),
        shadow: message["shadow"].as_bool().unwrap(),
        evidence: (
            number(&evidence["before_s"]),
            number(&evidence["after_s"]),
            number(&evidence["keep_days"]),
            text(&evidence["lock"]),
        ),
        wording: message.get("wording").cloned().unwrap_or_default(),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}
