//! Cells and stores for tests.

use contract::evidence::LockMode;
use contract::hours::Hours;
use contract::priority::Priority;
use contract::store::Zone;
use contract::watch::WatchWhen;
use contract::wording::Wording;
use serde_json::json;

use crate::model::{
    Aisle, Architecture, Camera, Cell, Channel, Detector, Endpoint, EvidenceSettings, HostedModel,
    Id, Store, Subscriber,
};
use crate::rules::CompiledRule;

pub(crate) fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

/// A cell that asks an existing endpoint.
pub(crate) fn cell() -> Cell {
    Cell {
        id: id("us-west"),
        account: "123456789012".to_owned(),
        region: "us-west-2".to_owned(),
        architecture: Architecture::Arm64,
        detector: Detector::Existing { endpoint: "Shelf-Model".to_owned() },
        ops_email: vec![Endpoint::Ssm("/arm/ops-email".to_owned())],
        log_days: 30,
        role: None,
    }
}

/// The same with a model that we host on this instance type.
pub(crate) fn hosting_cell(instance: &str) -> Cell {
    let model = HostedModel {
        image: "123456789012.dkr.ecr.us-west-2.amazonaws.com/shelf/model:1.4".to_owned(),
        data: Some("s3://acme-models/shelf/1.4.tar.gz".to_owned()),
        instance: instance.to_owned(),
        instances: (1, 8),
        concurrency: 4,
    };
    Cell { detector: Detector::Hosted(model), ..cell() }
}

/// One camera in one aisle, open at all times, nobody to tell.
pub(crate) fn store() -> Store {
    Store {
        id: id("seattle-001"),
        name: "Pike Place".to_owned(),
        cell: id("us-west"),
        format: None,
        labels: vec![],
        hours: Hours { timezone: "America/Los_Angeles".to_owned(), ..Hours::default() },
        aisles: vec![Aisle {
            id: id("aisle-5"),
            name: "Aisle 5".to_owned(),
            kind: Some(id("high-value")),
        }],
        cameras: cameras(1),
        rules: vec![],
        subscribers: vec![],
        wording: Wording::default(),
        evidence: EvidenceSettings {
            before_s: 15,
            after_s: 15,
            keep_days: 90,
            lock: LockMode::Governance,
        },
    }
}

/// The store with so many cameras of four zones each, and every kind of subscriber.
pub(crate) fn large_store(count: usize) -> Store {
    let subscriber = |audience: &str, channel, endpoint| Subscriber {
        audience: id(audience),
        channel,
        endpoint,
    };
    let literal = |text: &str| Endpoint::Literal(text.to_owned());
    let push = "arn:aws:sns:us-west-2:123456789012:endpoint/GCM/arm/1f5c";
    Store {
        cameras: cameras(count)
            .into_iter()
            .map(|camera| Camera { zones: zones(), ..camera })
            .collect(),
        subscribers: vec![
            subscriber("loss-prevention", Channel::Sms, literal("+12065550100")),
            subscriber("loss-prevention", Channel::Email, Endpoint::Secret("lp-email".to_owned())),
            subscriber("loss-prevention", Channel::Push, literal(push)),
            subscriber("floor", Channel::Https, literal("https://hooks.example.com/floor")),
            subscriber("floor", Channel::Sms, literal("+12065550100")),
            subscriber("floor", Channel::Sms, Endpoint::Ssm("/arm/floor-phone".to_owned())),
        ],
        ..store()
    }
}

fn cameras(count: usize) -> Vec<Camera> {
    let camera = |number: usize| Camera {
        id: id(&format!("aisle-5-{number}")),
        aisle: id("aisle-5"),
        source: None,
        retention_hours: if number == 1 { 24 } else { 72 },
        bitrate_kbps: 1_000,
        window_s: 10,
        when: WatchWhen::Always,
        zones: vec![],
    };
    (1..=count).map(camera).collect()
}

fn zones() -> Vec<Zone> {
    let zone = |id: &str, left| Zone { id: id.to_owned(), area: [left, 0.25, 0.125, 0.5] };
    vec![zone("razors", 0.0), zone("spirits", 0.25), zone("batteries", 0.5), zone("exit", 0.75)]
}

pub(crate) fn rule(id: &str) -> CompiledRule {
    CompiledRule {
        id: id.to_owned(),
        rule: id.to_owned(),
        pattern: json!({
            "detail": { "event_type": ["shelf_sweep"], "confidence": [{ "numeric": [">=", 0.6] }] }
        }),
        priority: Priority::High,
        notify: vec!["loss-prevention".to_owned(), "floor".to_owned()],
        cooldown_s: 60,
        shadow: false,
    }
}
