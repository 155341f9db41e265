//! What `store.yaml.j2` is given.

use std::collections::BTreeSet;

use contract::alert::ATTRIBUTE_AUDIENCE;
use serde::Serialize;
use serde_json::{Value, json};

use super::message::{
    INPUT_TEMPLATE_CHARACTERS_MAX, WATCH_INPUT_BYTES_MAX, rule_input, watch_input,
};
use super::operations::NAMESPACE;
use super::{REFERENCES_MAX, StackError, arn, sub, tags, within};
use crate::blueprint::dynamic_reference;
use crate::model::{Address, Cell, Channel, Endpoint, Store};
use crate::name::{
    AISLE_TAG, CAMERA_TAG, CELL_TAG, CellNames, STORE_TAG, StoreNames, anonymous_id, logical_id,
};
use crate::rules::CompiledRule;
use crate::template::{BYTES_MAX, RESOURCES_MAX};
use crate::validate::rtsp;

/// Longest part of a topic's ARN before its name, with the longest partition and region we know:
/// `arn:aws-us-gov:sns:ap-southeast-2:123456789012:`.
const TOPIC_ARN_PREFIX_CHARACTERS: usize = 47;

/// Resources of a store's stack beside cameras, rules and subscriptions, and more than there are.
const FIXED_RESOURCES: usize = 12;
/// Bytes of a resource in a template beside what its context brings, and more than there are.
const RESOURCE_BYTES: usize = 2_000;

/// Stands for the ARN of the store's alerts topic in a text for `Fn::Sub`.
const TOPIC: &str = "${Alerts}";

#[derive(Serialize)]
pub(super) struct Context {
    #[serde(skip)]
    pub(super) stack: String,
    description: String,
    tags: Value,
    cameras: Vec<CameraContext>,
    video_key: Value,
    messages_key: String,
    messages_key_arn: Value,
    thing: String,
    bus: String,
    undelivered_arn: Value,
    incidents_arn: Value,
    rules: Vec<RuleContext>,
    alerts_topic: String,
    subscriptions: Vec<SubscriptionContext>,
    schedule: ScheduleContext,
    audience_attribute: &'static str,
    dispatch_arn: Value,
    scheduler_role_arn: Value,
    offline: OfflineContext,
    ops_topic_arn: Value,
}

#[derive(Serialize)]
struct CameraContext {
    logical_id: String,
    stream: String,
    retention_hours: u32,
    device: Option<String>,
    tags: Value,
}

#[derive(Serialize)]
struct RuleContext {
    logical_id: String,
    name: String,
    description: String,
    pattern: Value,
    input: String,
}

#[derive(Serialize)]
struct SubscriptionContext {
    logical_id: String,
    protocol: &'static str,
    endpoint: String,
    audiences: BTreeSet<String>,
    has_dead_letters: bool,
}

/// The alarm for cameras that ail, and for a watch that has stopped.
#[derive(Serialize)]
struct OfflineContext {
    name: String,
    namespace: &'static str,
    metric: &'static str,
    dimensions: Value,
}

#[derive(Serialize)]
struct ScheduleContext {
    name: String,
    input: String,
}

impl Context {
    pub(super) fn new(
        cell: &Cell,
        store: &Store,
        rules: &[CompiledRule],
    ) -> Result<Self, StackError> {
        let shared = CellNames::new(cell);
        let names = StoreNames::new(&store.cell, &store.id);
        let queue = |name: &str| arn("sqs", &shared.queue(name));
        let scheduler_role = shared.scheduler_role();
        Ok(Self {
            stack: names.stack().to_owned(),
            description: format!(
                "Autonomous Retail Module, cell {}: store {}",
                store.cell, store.id
            ),
            tags: tags(&[(CELL_TAG, store.cell.as_str()), (STORE_TAG, store.id.as_str())]),
            cameras: cameras(store, &names),
            video_key: arn("kms", &shared.key_alias("video")),
            messages_key: shared.key_alias("cases"),
            messages_key_arn: arn("kms", &shared.key_alias("cases")),
            thing: names.thing(),
            bus: names.bus().to_owned(),
            undelivered_arn: queue("undelivered"),
            incidents_arn: queue("incidents"),
            rules: compiled(store, rules, &names)?,
            alerts_topic: names.alerts_topic(),
            subscriptions: subscriptions(store),
            schedule: schedule(store, &names)?,
            audience_attribute: ATTRIBUTE_AUDIENCE,
            dispatch_arn: arn("lambda", &format!("function:{}", shared.function("dispatch"))),
            scheduler_role_arn: sub(&format!(
                "arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/{scheduler_role}"
            )),
            offline: offline(store, &names),
            ops_topic_arn: arn("sns", &shared.ops_topic()),
        })
    }
}

impl Context {
    /// Whether the template is far from every limit, without rendering it. Each resource adds at
    /// most [`RESOURCE_BYTES`] to what its context brings, and each subscription one reference; the
    /// test renders stores and compares.
    pub(super) fn plainly_fits(&self) -> bool {
        let resources =
            FIXED_RESOURCES + self.cameras.len() + self.rules.len() + self.subscriptions.len();
        let brought = serde_json::to_string(self).map_or(usize::MAX, |text| text.len());
        let bytes = brought.saturating_add(resources * RESOURCE_BYTES);
        resources <= RESOURCES_MAX
            && self.subscriptions.len() <= REFERENCES_MAX
            && bytes <= BYTES_MAX
    }
}

fn cameras(store: &Store, names: &StoreNames) -> Vec<CameraContext> {
    let contexts = store.cameras.iter().map(|camera| CameraContext {
        logical_id: logical_id("Camera", camera.id.as_str()),
        stream: names.stream(&camera.id),
        retention_hours: camera.retention_hours,
        device: camera.source.as_ref().and_then(rtsp::host).map(str::to_owned),
        tags: tags(&[
            (CELL_TAG, store.cell.as_str()),
            (STORE_TAG, store.id.as_str()),
            (CAMERA_TAG, camera.id.as_str()),
            (AISLE_TAG, camera.aisle.as_str()),
        ]),
    });
    contexts.collect()
}

fn compiled(
    store: &Store,
    rules: &[CompiledRule],
    names: &StoreNames,
) -> Result<Vec<RuleContext>, StackError> {
    let contexts = rules.iter().map(|rule| {
        let input = rule_input(store, rule, TOPIC);
        let topic = TOPIC_ARN_PREFIX_CHARACTERS + names.alerts_topic().len();
        let characters = input.chars().count() - TOPIC.len() + topic;
        let what = format!("characters in the input of rule `{}`", rule.id);
        within(names.stack(), characters, &what, INPUT_TEMPLATE_CHARACTERS_MAX)?;
        Ok(RuleContext {
            logical_id: logical_id("Rule", &rule.id),
            name: rule.id.clone(),
            description: format!("{} -> {}", rule.rule, rule.priority),
            pattern: rule.pattern.clone(),
            input,
        })
    });
    contexts.collect()
}

/// One subscription per address: SNS knows no second one of the same protocol and endpoint. Its
/// filter lets through what is meant for any audience that the address belongs to.
fn subscriptions(store: &Store) -> Vec<SubscriptionContext> {
    let mut addresses = store.addresses();
    addresses.sort_by_key(|it| (it.channel, it.endpoint));
    let contexts = addresses.into_iter().map(|Address { channel, endpoint, audiences }| {
        let endpoint = address(endpoint);
        SubscriptionContext {
            logical_id: anonymous_id(&format!("Subscription{}", word(channel)), &endpoint),
            protocol: channel.protocol(),
            endpoint,
            audiences: audiences.into_iter().map(str::to_owned).collect(),
            has_dead_letters: channel == Channel::Https,
        }
    });
    contexts.collect()
}

/// The address itself, or where CloudFormation finds it.
pub(super) fn address(endpoint: &Endpoint) -> String {
    match endpoint {
        Endpoint::Literal(address) => address.clone(),
        Endpoint::Ssm(path) => dynamic_reference(&format!("ssm:{path}")),
        Endpoint::Secret(name) => dynamic_reference(&format!("secretsmanager:{name}")),
    }
}

fn word(channel: Channel) -> &'static str {
    match channel {
        Channel::Email => "Email",
        Channel::Sms => "Sms",
        Channel::Https => "Https",
        Channel::Push => "Push",
    }
}

fn schedule(store: &Store, names: &StoreNames) -> Result<ScheduleContext, StackError> {
    let input = watch_input(store, TOPIC);
    let topic = TOPIC_ARN_PREFIX_CHARACTERS + names.alerts_topic().len();
    let bytes = input.len() - TOPIC.len() + topic;
    within(names.stack(), bytes, "bytes in the watch's input", WATCH_INPUT_BYTES_MAX)?;
    Ok(ScheduleContext { name: names.watch_schedule(), input })
}

/// `dispatch` counts the cameras that ail at every tick, also when there is none.
fn offline(store: &Store, names: &StoreNames) -> OfflineContext {
    OfflineContext {
        name: names.offline_alarm(),
        namespace: NAMESPACE,
        metric: "CamerasAiling",
        dimensions: json!([
            { "Name": "Cell", "Value": store.cell.as_str() },
            { "Name": "Store", "Value": store.id.as_str() },
        ]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Id, Subscriber};
    use crate::stack::{self, fixture};

    fn check(store: &Store, rules: &[CompiledRule]) -> Result<String, String> {
        let template = stack::store(&fixture::cell(), store, rules);
        template.map(|template| template.to_yaml()).map_err(|error| error.to_string())
    }

    fn subscriber(audience: &str, endpoint: Endpoint) -> Subscriber {
        Subscriber { audience: Id::new(audience).unwrap(), channel: Channel::Sms, endpoint }
    }

    #[test]
    fn a_small_store() {
        let phone = subscriber("floor", Endpoint::Literal("+12065550100".to_owned()));
        let store = Store { subscribers: vec![phone], ..fixture::store() };
        insta::assert_snapshot!(check(&store, &[fixture::rule("shelf-sweep")]).unwrap());
    }

    #[test]
    fn one_address_in_two_audiences_is_one_subscription() {
        let phone = || Endpoint::Literal("+12065550100".to_owned());
        let subscribers =
            vec![subscriber("floor", phone()), subscriber("loss-prevention", phone())];
        let contexts = subscriptions(&Store { subscribers, ..fixture::store() });
        let [context] = contexts.as_slice() else { panic!("{}", contexts.len()) };
        assert_eq!(context.audiences, ["floor", "loss-prevention"].map(str::to_owned).into());
        assert!(!context.logical_id.contains("2065550100"), "no personal data in names");
    }

    #[test]
    fn addresses_that_are_kept_elsewhere_are_references() {
        let subscribers = vec![
            subscriber("floor", Endpoint::Ssm("/arm/phone".to_owned())),
            subscriber("floor", Endpoint::Secret("arm-phone".to_owned())),
        ];
        let contexts = subscriptions(&Store { subscribers, ..fixture::store() });
        let endpoints: Vec<_> = contexts.into_iter().map(|context| context.endpoint).collect();
        assert_eq!(
            endpoints,
            ["{{resolve:ssm:/arm/phone}}", "{{resolve:secretsmanager:arm-phone}}"]
        );
    }

    #[test]
    fn a_store_of_180_cameras_fits() {
        let rules: Vec<_> =
            (0..100).map(|number| fixture::rule(&format!("rule-{number}"))).collect();
        let template = stack::store(&fixture::cell(), &fixture::large_store(180), &rules).unwrap();
        assert_eq!(template.resources().count(), 180 + 100 + 11);
    }

    #[test]
    fn what_plainly_fits_does_fit_with_room_to_spare() {
        for cameras in [1, 40, 180, 380] {
            let rules: Vec<_> =
                (0..cameras / 4).map(|n| fixture::rule(&format!("rule-{n}"))).collect();
            let store = fixture::large_store(cameras);
            let context = Context::new(&fixture::cell(), &store, &rules).unwrap();
            let template = stack::store(&fixture::cell(), &store, &rules);
            let plain = context.plainly_fits();
            assert!(!plain || template.is_ok(), "{cameras}");
            assert!(plain || cameras > 100, "{cameras}");
            if let Ok(template) = template {
                let resources = FIXED_RESOURCES
                    + store.cameras.len()
                    + rules.len()
                    + context.subscriptions.len();
                assert!(template.resources().count() <= resources, "{cameras}");
                let brought = serde_json::to_string(&context).unwrap().len();
                assert!(
                    template.to_json().len() <= brought + resources * RESOURCE_BYTES,
                    "{cameras}"
                );
            }
        }
    }

    #[test]
    fn what_cloudformation_or_eventbridge_would_refuse_is_an_error_that_counts() {
        let many: Vec<_> =
            (0..300).map(|number| fixture::rule(&format!("rule-{number}"))).collect();
        assert_eq!(
            check(&fixture::large_store(200), &many).unwrap_err(),
            "the stack arm-us-west-store-seattle-001 would need 511 resources, and 500 \
             are the most"
        );
        let long = Store { name: "n".repeat(8_000), ..fixture::store() };
        assert_eq!(
            check(&long, &[fixture::rule("shelf-sweep")]).unwrap_err(),
            "the stack arm-us-west-store-seattle-001 would need 8511 characters in the \
             input of rule `shelf-sweep`, and 8192 are the most"
        );
        let phone = |number| subscriber("floor", Endpoint::Ssm(format!("/arm/phone-{number}")));
        let phones = Store { subscribers: (0..61).map(phone).collect(), ..fixture::store() };
        assert_eq!(
            check(&phones, &[]).unwrap_err(),
            "the stack arm-us-west-store-seattle-001 would need 61 stored addresses (`ssm:`, \
             `secret:`), and 60 are the most"
        );
    }
}
