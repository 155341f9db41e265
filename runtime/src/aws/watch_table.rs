//! DynamoDB: the note of a store's last minute, and what ails its cameras, in the case table.
//!
//! Each write is one call with a condition, and harmless in any order and number: a note never goes
//! back, and of each kind of sign the latest stays. Calls have little time, because the watch does not
//! wait for them. A condition that does not hold is no failure.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use casework::step::StepError;
use contract::health::{AilmentItem, ailment_sk, health_pk};
use contract::watch::{SK_WATCH, WatchedItem, watched_pk};
use contract::window::WindowMessage;
use serde_dynamo::aws_sdk_dynamodb_1::from_item;

use super::throttling::Throttled;
use super::{CONNECT_MAX, failure};
use crate::dispatch::Removed;
use crate::health::{Sign, State};
use crate::tick::AHEAD_MS_MAX;

/// How long one attempt may take. Our choice: the table answers in milliseconds, and a tick that is
/// a second late loses nothing.
const ATTEMPT_MAX: Duration = Duration::from_secs(1);

/// How long a call may take with its second attempt. See [`ATTEMPT_MAX`].
const OPERATION_MAX: Duration = Duration::from_secs(3);

/// Attempts of one call: the next tick, or the next window, comes soon.
const ATTEMPTS_MAX: u32 = 2;

/// How long items are kept that nobody touches, in seconds. Our choice: a trouble outlasts a long
/// weekend, and a note older than minutes is of no use.
const KEPT_SECONDS: i64 = 7 * 24 * 60 * 60;

/// The case table, as the watch uses it.
pub(super) struct WatchTable {
    client: Client,
    name: String,
}

impl WatchTable {
    pub(super) fn new(config: &SdkConfig, name: String) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_MAX.min(ATTEMPT_MAX))
            .operation_attempt_timeout(ATTEMPT_MAX)
            .operation_timeout(OPERATION_MAX);
        let config = aws_sdk_dynamodb::config::Builder::from(config)
            .timeout_config(timeouts.build())
            .retry_classifier(Throttled)
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS_MAX));
        Self { client: Client::from_conf(config.build()), name }
    }

    pub(super) async fn fetch_watched(&self, store: &str) -> Result<Option<i64>, StepError> {
        let step = "read the last minute of store";
        let call = self
            .client
            .get_item()
            .table_name(&self.name)
            .consistent_read(true)
            .key("pk", text(&watched_pk(store)))
            .key("sk", text(SK_WATCH));
        let answer = call.send().await.map_err(|error| failure(step, store, error))?;
        let item: Option<WatchedItem> = answer
            .item
            .map(from_item)
            .transpose()
            .map_err(|error| StepError::permanent(step, store, error))?;
        Ok(item.map(|item| item.minute_ms))
    }

    pub(super) async fn put_watched(
        &self,
        store: &str,
        minute_ms: i64,
        now_ms: i64,
    ) -> Result<(), StepError> {
        let call = self.watched_call(store, minute_ms, now_ms);
        send("note the last minute of store", store, call).await
    }

    fn watched_call(&self, store: &str, minute_ms: i64, now_ms: i64) -> UpdateItemFluentBuilder {
        self.update(&watched_pk(store), SK_WATCH)
            .update_expression("SET minute_ms = :minute, expires_at = :expires")
            .condition_expression(
                "attribute_not_exists(pk) OR minute_ms < :minute OR minute_ms > :ahead",
            )
            .expression_attribute_values(":minute", number(minute_ms))
            .expression_attribute_values(":ahead", number(now_ms + AHEAD_MS_MAX))
            .expression_attribute_values(":expires", expires_at(now_ms))
    }

    pub(super) async fn fetch_ailments(&self, store: &str) -> Result<Vec<AilmentItem>, StepError> {
        let step = "read what ails the cameras of store";
        let mut pages = self
            .client
            .query()
            .table_name(&self.name)
            .consistent_read(true)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", text(&health_pk(store)))
            .into_paginator()
            .items()
            .send();
        let mut items = Vec::new();
        while let Some(item) = pages.next().await {
            let item = item.map_err(|error| failure(step, store, error))?;
            let item = from_item(item).map_err(|it| StepError::permanent(step, store, it))?;
            items.push(item);
        }
        Ok(items)
    }

    /// Notes a sign of a window; of each kind the latest stays.
    pub(super) async fn put_sign(
        &self,
        window: &WindowMessage,
        sign: &Sign,
    ) -> Result<(), StepError> {
        send("note the health of camera", &window.camera, self.sign_call(window, sign)).await
    }

    fn sign_call(&self, window: &WindowMessage, sign: &Sign) -> UpdateItemFluentBuilder {
        let sk = ailment_sk(&window.camera, sign.ailment);
        let call = self
            .update(&health_pk(&window.store.id), &sk)
            .expression_attribute_values(":end", number(window.end_ms));
        match &sign.state {
            State::Well => call.update_expression("SET well_ms = :end").condition_expression(
                "attribute_exists(pk) AND (attribute_not_exists(well_ms) OR well_ms < :end)",
            ),
            State::Ails { since_ms, delay_ms, is_late } => {
                let mut sets = "SET camera = :camera, ailment = :ailment, seen_ms = :end, \
                                since_ms = if_not_exists(since_ms, :since), expires_at = :expires"
                    .to_owned();
                let mut call = call
                    .condition_expression("attribute_not_exists(pk) OR seen_ms < :end")
                    .expression_attribute_values(":camera", text(&window.camera))
                    .expression_attribute_values(":ailment", text(sign.ailment.as_str()))
                    .expression_attribute_values(":since", number(*since_ms))
                    .expression_attribute_values(":expires", expires_at(window.end_ms));
                if let Some(delay_ms) = delay_ms {
                    sets += ", delay_ms = if_not_exists(delay_ms, :delay)";
                    call = call.expression_attribute_values(":delay", number(*delay_ms));
                }
                // Once late, always late: a delay that is steady for one window says nothing.
                if *is_late {
                    sets += ", is_late = :late";
                    call = call.expression_attribute_values(":late", AttributeValue::Bool(true));
                }
                call.update_expression(sets)
            }
        }
    }

    pub(super) async fn put_told(
        &self,
        item: &AilmentItem,
        since_ms: Option<i64>,
    ) -> Result<(), StepError> {
        let call = self.update(&item.pk, &item.sk).condition_expression("attribute_exists(pk)");
        let call = match since_ms {
            Some(since_ms) => call
                .update_expression("SET told_since_ms = :since")
                .expression_attribute_values(":since", number(since_ms)),
            None => call.update_expression("REMOVE told_since_ms"),
        };
        send("note what was told of camera", &item.camera, call).await
    }

    pub(super) async fn remove_ailment(&self, item: &AilmentItem) -> Result<Removed, StepError> {
        let call = self
            .client
            .delete_item()
            .table_name(&self.name)
            .key("pk", text(&item.pk))
            .key("sk", text(&item.sk))
            .condition_expression("attribute_not_exists(pk) OR seen_ms = :seen")
            .expression_attribute_values(":seen", number(item.seen_ms));
        match call.send().await {
            Ok(_) => Ok(Removed::Done),
            Err(error) if is_unmet(&error) => Ok(Removed::SeenAgain),
            Err(error) => Err(failure("forget what ailed camera", &item.camera, error)),
        }
    }

    fn update(&self, pk: &str, sk: &str) -> UpdateItemFluentBuilder {
        let call = self.client.update_item().table_name(&self.name);
        call.key("pk", text(pk)).key("sk", text(sk))
    }
}

/// Makes a call; where its condition does not hold, something later is on record.
async fn send(
    step: &'static str,
    subject: &str,
    call: UpdateItemFluentBuilder,
) -> Result<(), StepError> {
    match call.send().await {
        Ok(_) => Ok(()),
        Err(error) if is_unmet(&error) => Ok(()),
        Err(error) => Err(failure(step, subject, error)),
    }
}

fn is_unmet(error: &impl ProvideErrorMetadata) -> bool {
    error.code() == Some("ConditionalCheckFailedException")
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// When what is written now may be forgotten, in seconds since the epoch.
fn expires_at(now_ms: i64) -> AttributeValue {
    number(now_ms / 1_000 + KEPT_SECONDS)
}

#[cfg(test)]
mod tests {
    use aws_config::BehaviorVersion;
    use contract::health::Ailment;
    use contract::hours::Hours;
    use contract::store::{AisleRef, StoreRef};

    use super::*;

    fn table() -> WatchTable {
        let config = SdkConfig::builder().behavior_version(BehaviorVersion::latest()).build();
        WatchTable::new(&config, "cases".to_owned())
    }

    fn window() -> WindowMessage {
        WindowMessage {
            version: contract::VERSION,
            id: "w-1".to_owned(),
            store: StoreRef { id: "seattle-001".to_owned(), ..StoreRef::default() },
            camera: "a5-a".to_owned(),
            aisle: AisleRef::default(),
            stream: String::new(),
            bus: String::new(),
            start_ms: 10_000,
            end_ms: 20_000,
            expires_ms: 0,
            hours: Hours::default(),
            zones: Vec::new(),
            ailing: Vec::new(),
        }
    }

    /// The expression of a call, its condition, and the item that it makes where there is none.
    fn check(call: &UpdateItemFluentBuilder) -> (String, String, String) {
        let key = call.get_key().clone().unwrap();
        let name = |name: &str| key[name].as_s().unwrap().clone();
        let expression = call.get_update_expression().clone().unwrap();
        let condition = call.get_condition_expression().clone().unwrap();
        (expression, condition, format!("{} {}", name("pk"), name("sk")))
    }

    #[test]
    fn a_note_never_goes_back_and_gives_way_to_one_that_is_not_from_the_future() {
        let call = table().watched_call("seattle-001", 60_000, 61_000);
        let (sets, condition, key) = check(&call);
        assert_eq!(sets, "SET minute_ms = :minute, expires_at = :expires");
        let expected = "attribute_not_exists(pk) OR minute_ms < :minute OR minute_ms > :ahead";
        assert_eq!(condition, expected);
        assert_eq!(key, "WATCH#seattle-001 WATCH");
        let values = call.get_expression_attribute_values().clone().unwrap();
        assert_eq!(values[":ahead"], number(181_000));
        assert_eq!(values[":expires"], number(61 + 7 * 86_400));
    }

    #[test]
    fn of_each_kind_of_sign_the_latest_stays_and_only_trouble_makes_an_item() {
        let sign = |state| Sign { ailment: Ailment::Skewed, state };
        let well = table().sign_call(&window(), &sign(State::Well));
        let (sets, condition, key) = check(&well);
        assert_eq!(sets, "SET well_ms = :end");
        let expected = "attribute_exists(pk) AND (attribute_not_exists(well_ms) OR well_ms < :end)";
        assert_eq!(condition, expected);
        assert_eq!(key, "HEALTH#seattle-001 CAMERA#a5-a#skewed");
        let state = State::Ails { since_ms: 10_000, delay_ms: Some(45_000), is_late: true };
        let (sets, condition, _) = check(&table().sign_call(&window(), &sign(state)));
        let expected = "SET camera = :camera, ailment = :ailment, seen_ms = :end, \
                        since_ms = if_not_exists(since_ms, :since), expires_at = :expires, \
                        delay_ms = if_not_exists(delay_ms, :delay), is_late = :late";
        assert_eq!(sets, expected);
        assert_eq!(condition, "attribute_not_exists(pk) OR seen_ms < :end");
    }

    #[test]
    fn what_a_first_sign_writes_is_an_item_that_is_read() {
        let state = State::Ails { since_ms: 10_000, delay_ms: None, is_late: false };
        let call = table().sign_call(&window(), &Sign { ailment: Ailment::Offline, state });
        let values = call.get_expression_attribute_values().clone().unwrap();
        let names = [
            ("camera", ":camera"),
            ("ailment", ":ailment"),
            ("seen_ms", ":end"),
            ("since_ms", ":since"),
            ("expires_at", ":expires"),
        ];
        let written = names.map(|(name, value)| (name.to_owned(), values[value].clone()));
        let item = call.get_key().clone().unwrap().into_iter().chain(written).collect();
        let item: AilmentItem = from_item::<AilmentItem>(item).unwrap();
        assert_eq!((item.ailment, item.since_ms, item.seen_ms), (Ailment::Offline, 10_000, 20_000));
        assert_eq!((item.well_ms, item.told_since_ms), (None, None));
    }
}
