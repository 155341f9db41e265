//! DynamoDB: the case table, as operators read it, and the two notes that they leave.
//!
//! Everything is read page by page. A note changes one attribute, under a condition; nothing here writes
//! or removes an entry of an audit trail.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, Select};
use casework::time::parse_ms;
use contract::case::{
    CaseItem, INDEX_BY_STORE, INDEX_PENDING, PENDING_PK, PROJECTED_AGAIN_ATTRIBUTE, SK_CASE,
};
use contract::health::{AilmentItem, health_pk};
use serde_json::{Map, Value};

use super::failed;
use crate::deploy::CloudError;
use crate::redrive::{Place, Written};
use crate::verify::{Page, Record, Selection};

/// How sort keys of audit entries begin.
const SK_ENTRIES: &str = "EVENT#";

type Item = HashMap<String, AttributeValue>;

/// The case table of a cell.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) client: Client,
    pub(super) name: String,
}

impl Table {
    pub(super) async fn fetch_case(&self, case_id: &str) -> Result<Option<CaseItem>, CloudError> {
        let what = || format!("read the case {case_id} from the table {}", self.name);
        let call = self.client.get_item().table_name(&self.name).consistent_read(true);
        let answer = call.set_key(Some(key_of(case_id))).send().await.map_err(failed(what()))?;
        let read = |item: Item| serde_json::from_value(object(&item));
        answer.item.map(read).transpose().map_err(|error| CloudError::other(what(), error))
    }

    /// What ails the cameras of a store. An item that cannot be read is trouble, and told.
    pub(super) async fn fetch_ailments(&self, store: &str) -> Result<Vec<AilmentItem>, CloudError> {
        let what = || format!("read the health of the cameras of {store} from {}", self.name);
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let call = self
                .client
                .query()
                .table_name(&self.name)
                .key_condition_expression("pk = :store")
                .expression_attribute_values(":store", text(&health_pk(store)))
                .set_exclusive_start_key(after);
            let answer = call.send().await.map_err(failed(what()))?;
            for item in answer.items() {
                let read = serde_json::from_value(object(item));
                found.push(read.map_err(|error| CloudError::other(what(), error))?);
            }
            after = answer.last_evaluated_key;
            if after.is_none() {
                return Ok(found);
            }
        }
    }

    /// The case and its trail, in the order of the table: entries first, by their number.
    pub(super) async fn fetch_record(&self, case_id: &str) -> Result<Record, CloudError> {
        let what = || format!("read the case {case_id} with its trail from {}", self.name);
        let (mut record, mut after) = (Record::default(), None);
        loop {
            let call = self
                .client
                .query()
                .table_name(&self.name)
                .consistent_read(true)
                .key_condition_expression("pk = :case")
                .expression_attribute_values(":case", text(&format!("CASE#{case_id}")))
                .set_exclusive_start_key(after);
            let answer = call.send().await.map_err(failed(what()))?;
            for item in answer.items() {
                add(&mut record, item);
            }
            after = answer.last_evaluated_key;
            if after.is_none() {
                return Ok(record);
            }
        }
    }

    pub(super) async fn fetch_due(
        &self,
        by: &str,
        after: Option<Place>,
    ) -> Result<(Vec<String>, Option<Place>), CloudError> {
        let call = self
            .client
            .query()
            .table_name(&self.name)
            .index_name(INDEX_PENDING)
            .key_condition_expression("pending_pk = :pending AND evidence_due_at < :by")
            .expression_attribute_values(":pending", text(PENDING_PK))
            .expression_attribute_values(":by", text(by))
            .set_exclusive_start_key(after.map(key));
        let what = format!("read the index {INDEX_PENDING} of the table {}", self.name);
        let answer = call.send().await.map_err(failed(what))?;
        Ok((ids(answer.items()), answer.last_evaluated_key().map(place)))
    }

    pub(super) async fn fetch_ids(
        &self,
        selection: &Selection,
        after: Option<Place>,
    ) -> Result<(Page, Option<Place>), CloudError> {
        // No text of a moment is before the one or behind the other.
        let from = selection.from.clone().unwrap_or_else(|| "-".to_owned());
        let to = selection.to.clone().unwrap_or_else(|| "A".to_owned());
        let (items, last) = match &selection.store {
            Some(store) => self.ids_of_store(store, (&from, &to), after).await?,
            None => self.ids_of_cell(after).await?,
        };
        let opened = |item: &&Item| match item.get("opened_at").and_then(|it| it.as_s().ok()) {
            Some(opened_at) => *opened_at >= from && *opened_at < to,
            // A case without it is broken, and that must be told.
            None => true,
        };
        let is_entry = |item: &&Item| {
            let sk = item.get("sk").and_then(|it| it.as_s().ok());
            sk.is_some_and(|sk| sk.starts_with(SK_ENTRIES))
        };
        let (entries, cases): (Vec<_>, Vec<_>) = items.iter().partition(is_entry);
        let selected = cases.iter().copied().filter(opened);
        let mut trails = ids(entries);
        trails.dedup();
        let page = Page { ids: ids(selected), cases: ids(cases.clone()), trails };
        Ok((page, last.as_ref().map(place)))
    }

    async fn ids_of_store(
        &self,
        store: &str,
        (from, to): (&str, &str),
        after: Option<Place>,
    ) -> Result<(Vec<Item>, Option<Item>), CloudError> {
        let call = self
            .client
            .query()
            .table_name(&self.name)
            .index_name(INDEX_BY_STORE)
            .key_condition_expression("store_pk = :store AND opened_at BETWEEN :from AND :to")
            .expression_attribute_values(":store", text(&format!("STORE#{store}")))
            .expression_attribute_values(":from", text(from))
            .expression_attribute_values(":to", text(to))
            .projection_expression("pk, opened_at")
            .set_exclusive_start_key(after.map(key));
        let what = format!("list the cases of the store {store} in the table {}", self.name);
        let answer = call.send().await.map_err(failed(what))?;
        Ok((answer.items.unwrap_or_default(), answer.last_evaluated_key))
    }

    /// How many cases a store has; the table's index is counted, and no case is read.
    pub(super) async fn count_of_store(&self, store: &str) -> Result<u64, CloudError> {
        let call = self
            .client
            .query()
            .table_name(&self.name)
            .index_name(INDEX_BY_STORE)
            .select(Select::Count)
            .key_condition_expression("store_pk = :store")
            .expression_attribute_values(":store", text(&format!("STORE#{store}")));
        let what = || format!("count the cases of the store {store} in the table {}", self.name);
        let (mut number, mut after) = (0, None);
        loop {
            let answer = call.clone().set_exclusive_start_key(after).send().await;
            let answer = answer.map_err(failed(what()))?;
            number += u64::try_from(answer.count).unwrap_or_default();
            after = answer.last_evaluated_key;
            if after.is_none() {
                return Ok(number);
            }
        }
    }

    async fn ids_of_cell(
        &self,
        after: Option<Place>,
    ) -> Result<(Vec<Item>, Option<Item>), CloudError> {
        let call = self
            .client
            .scan()
            .table_name(&self.name)
            .filter_expression("sk = :case OR begins_with(sk, :entries)")
            .expression_attribute_values(":case", text(SK_CASE))
            .expression_attribute_values(":entries", text(SK_ENTRIES))
            .projection_expression("pk, sk, opened_at")
            .set_exclusive_start_key(after.map(key));
        let answer = call.send().await;
        let answer =
            answer.map_err(failed(format!("list the cases of the table {}", self.name)))?;
        Ok((answer.items.unwrap_or_default(), answer.last_evaluated_key))
    }

    pub(super) async fn fetch_written(
        &self,
        (from, to): (&str, &str),
        after: Option<Place>,
    ) -> Result<(Vec<Written>, Option<Place>), CloudError> {
        let call = self
            .client
            .scan()
            .table_name(&self.name)
            .filter_expression("sk = :case AND updated_at BETWEEN :from AND :to")
            .expression_attribute_values(":case", text(SK_CASE))
            .expression_attribute_values(":from", text(from))
            .expression_attribute_values(":to", text(to))
            .projection_expression("pk, updated_at")
            .set_exclusive_start_key(after.map(key));
        let what = format!("look for changed cases in the table {}", self.name);
        let answer = call.send().await.map_err(failed(what))?;
        let written = |item: &Item| {
            let case_id = id_of(item)?;
            Some(Written { case_id, at_ms: parse_ms(item.get("updated_at")?.as_s().ok()?)? })
        };
        let written = answer.items().iter().filter_map(written).collect();
        Ok((written, answer.last_evaluated_key().map(place)))
    }

    /// Notes when the clip was asked for, if the case is as it was.
    pub(super) async fn note_asked(&self, case: &CaseItem, now: &str) -> Result<bool, CloudError> {
        let number = |number: u64| AttributeValue::N(number.to_string());
        let call = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(key_of(&case.case_id)))
            .condition_expression("#version = :before")
            .update_expression(
                "SET evidence.requested_at = :now, updated_at = :now, #version = :after",
            )
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":before", number(case.version))
            .expression_attribute_values(":after", number(case.version + 1))
            .expression_attribute_values(":now", text(now));
        let what = format!("note in the case {} that its clip is asked for", case.case_id);
        match call.send().await {
            Ok(_) => Ok(true),
            Err(error) if error.as_service_error().is_some_and(is_condition) => Ok(false),
            Err(error) => Err(failed(what)(error)),
        }
    }

    /// Changes a case in nothing but a note, if there is one.
    pub(super) async fn touch(&self, case_id: &str, now: &str) -> Result<(), CloudError> {
        let call = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(key_of(case_id)))
            .condition_expression("attribute_exists(pk)")
            .update_expression("SET #note = :now")
            .expression_attribute_names("#note", PROJECTED_AGAIN_ATTRIBUTE)
            .expression_attribute_values(":now", text(now));
        let what = format!("note in the case {case_id} that it is given a row again");
        match call.send().await {
            // A case that is gone needs no row.
            Err(error) if !error.as_service_error().is_some_and(is_condition) => {
                Err(failed(what)(error))
            }
            _ => Ok(()),
        }
    }
}

fn is_condition(error: &UpdateItemError) -> bool {
    error.is_conditional_check_failed_exception()
}

/// Adds an item of a case's partition to what is known of the case.
fn add(record: &mut Record, item: &Item) {
    let json = object(item);
    if json.get("sk").and_then(Value::as_str) == Some(SK_CASE) {
        record.case = Some(serde_json::from_value(json).map_err(|error| error.to_string()));
        return;
    }
    let sk = json.get("sk").and_then(Value::as_str).unwrap_or_default().to_owned();
    match serde_json::from_value(json) {
        Ok(entry) => record.entries.push(entry),
        Err(error) => record.unread.push(format!("{sk}: {error}")),
    }
}

fn key_of(case_id: &str) -> Item {
    HashMap::from([
        ("pk".to_owned(), text(&format!("CASE#{case_id}"))),
        ("sk".to_owned(), text(SK_CASE)),
    ])
}

fn ids<'a>(items: impl IntoIterator<Item = &'a Item>) -> Vec<String> {
    items.into_iter().filter_map(id_of).collect()
}

fn id_of(item: &Item) -> Option<String> {
    Some(item.get("pk")?.as_s().ok()?.strip_prefix("CASE#")?.to_owned())
}

fn key(place: Place) -> Item {
    place.into_iter().map(|(name, value)| (name, AttributeValue::S(value))).collect()
}

/// The keys of the table and of its indexes are texts.
fn place(key: &Item) -> Place {
    let text = |(name, value): (&String, &AttributeValue)| {
        Some((name.clone(), value.as_s().ok()?.clone()))
    };
    key.iter().filter_map(text).collect()
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

/// An item as plain JSON.
pub(super) fn object(item: &Item) -> Value {
    Value::Object(item.iter().map(|(key, value)| (key.clone(), json(value))).collect::<Map<_, _>>())
}

/// DynamoDB's typed value as plain JSON; binary does not occur in a case.
fn json(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => Value::String(text.clone()),
        AttributeValue::N(number) => serde_json::from_str(number).unwrap_or(Value::Null),
        AttributeValue::Bool(it) => Value::Bool(*it),
        AttributeValue::L(items) => items.iter().map(json).collect(),
        AttributeValue::M(item) => object(item),
        AttributeValue::Ss(texts) => texts.iter().cloned().map(Value::String).collect(),
        _ => Value::Null,
    }
}
