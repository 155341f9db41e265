//! DynamoDB: the case table.
//!
//! Every change is one transaction with conditions, so that a change is on record whole or not at
//! all. A case is updated attribute by attribute: what we do not know of an item stays as it is.

use std::collections::HashMap;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{BuildError, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, Update};
use casework::case::{Change, GuardChange};
use casework::case_table::Written;
use casework::guard;
use casework::step::StepError;
use casework::time::rfc3339;
use contract::case::{
    CaseItem, CaseStatus, GuardItem, INDEX_PENDING, PENDING_PK, SK_CASE, SK_GUARD, SK_SEEN,
    SeenItem,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_dynamo::aws_sdk_dynamodb_1::{from_item, to_attribute_value, to_item};

use super::failure;
use crate::sweep::{Due, Page};

/// Why a part of a transaction is refused for now. Source: DynamoDB API reference,
/// `TransactWriteItems`, "Errors",
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>.
const REFUSED: [&str; 4] = [
    "ConditionalCheckFailed",
    "ProvisionedThroughputExceeded",
    "ThrottlingError",
    "TransactionConflict",
];

type Item = HashMap<String, AttributeValue>;

/// The condition of an item that must be new.
const IS_NEW: &str = "attribute_not_exists(pk)";

/// The case table.
pub(super) struct Table {
    client: Client,
    name: String,
}

/// A change that cannot be written as it is.
#[derive(Debug, thiserror::Error)]
enum ChangeError {
    #[error("the item has no form in the table")]
    Item(#[from] serde_dynamo::Error),
    #[error("the call is incomplete")]
    Call(#[from] BuildError),
}

impl Table {
    pub(super) fn new(config: &SdkConfig, name: String) -> Self {
        Self { client: Client::new(config), name }
    }

    pub(super) async fn fetch_case(&self, case_id: &str) -> Result<Option<CaseItem>, StepError> {
        self.fetch(&format!("CASE#{case_id}"), SK_CASE).await
    }

    pub(super) async fn fetch_guard(&self, pk: &str) -> Result<Option<GuardItem>, StepError> {
        self.fetch(pk, SK_GUARD).await
    }

    /// The case that holds a detection, once it has been counted.
    pub(super) async fn fetch_seen(&self, detection: &str) -> Result<Option<String>, StepError> {
        let seen: Option<SeenItem> = self.fetch(&guard::seen_pk(detection), SK_SEEN).await?;
        Ok(seen.map(|seen| seen.case_id))
    }

    pub(super) async fn put_change(&self, change: &Change) -> Result<Written, StepError> {
        let (step, subject) = ("write case", &change.case.case_id);
        let items =
            self.items(change).map_err(|error| StepError::permanent(step, subject, error))?;
        let call = self.client.transact_write_items().set_transact_items(Some(items));
        match call.send().await {
            Ok(_) => Ok(Written::Done),
            Err(error) if may_be_asked_again(&error) => Ok(Written::Refused),
            Err(error) => Err(failure(step, subject, error)),
        }
    }

    /// A page of the index of cases whose clip is still to come: those that were due by a moment.
    pub(super) async fn fetch_due(
        &self,
        by_ms: i64,
        after: Option<&Due>,
    ) -> Result<Page, StepError> {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let begin = after.map(|due| {
            HashMap::from([
                ("pk".to_owned(), text(&format!("CASE#{}", due.case_id))),
                ("sk".to_owned(), text(SK_CASE)),
                ("pending_pk".to_owned(), text(PENDING_PK)),
                ("evidence_due_at".to_owned(), text(&due.due_at)),
            ])
        });
        let call = self
            .client
            .query()
            .table_name(&self.name)
            .index_name(INDEX_PENDING)
            .key_condition_expression("pending_pk = :pending AND evidence_due_at < :by")
            .expression_attribute_values(":pending", text(PENDING_PK))
            .expression_attribute_values(":by", text(&rfc3339(by_ms)))
            .set_exclusive_start_key(begin);
        let answer = call.send().await;
        let answer = answer.map_err(|error| failure("read index", INDEX_PENDING, error))?;
        Ok(Page {
            due: answer.items().iter().filter_map(due_of).collect(),
            more_after: answer.last_evaluated_key().and_then(due_of),
        })
    }

    async fn fetch<T: DeserializeOwned>(&self, pk: &str, sk: &str) -> Result<Option<T>, StepError> {
        let step = "read item";
        let call = self
            .client
            .get_item()
            .table_name(&self.name)
            .consistent_read(true)
            .key("pk", AttributeValue::S(pk.to_owned()))
            .key("sk", AttributeValue::S(sk.to_owned()));
        let answer = call.send().await.map_err(|error| failure(step, pk, error))?;
        let item = answer.item.map(from_item).transpose();
        item.map_err(|error| StepError::permanent(step, pk, error))
    }

    fn items(&self, change: &Change) -> Result<Vec<TransactWriteItem>, ChangeError> {
        let case = match &change.before {
            None => self.put_new(&change.case)?,
            Some(before) => self.update(before, &change.case)?,
        };
        let mut items = vec![case];
        for entry in &change.entries {
            items.push(self.put_new(entry)?);
        }
        for seen in change.counted.iter().flat_map(|counted| &counted.seen) {
            items.push(self.put_new(seen)?);
        }
        for GuardChange { before, guard } in change.counted.iter().flat_map(|it| &it.guards) {
            items.push(match before {
                None => self.put_new(guard)?,
                Some(before) => self.replace(before.version, guard)?,
            });
        }
        for absorbed in &change.absorbed {
            items.extend(self.items(absorbed)?);
        }
        Ok(items)
    }

    fn put_new(&self, item: &impl Serialize) -> Result<TransactWriteItem, ChangeError> {
        let put = Put::builder().table_name(&self.name).set_item(Some(to_item(item)?));
        let put = put.condition_expression(IS_NEW).build()?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    fn replace(&self, version: u64, guard: &GuardItem) -> Result<TransactWriteItem, ChangeError> {
        let put = Put::builder()
            .table_name(&self.name)
            .set_item(Some(to_item(guard)?))
            .condition_expression("#version = :version")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":version", AttributeValue::N(version.to_string()));
        Ok(TransactWriteItem::builder().put(put.build()?).build())
    }

    /// Sets what differs and removes what is gone, if the case's version and status are still those
    /// before: whoever sets a status by hand may leave the version alone. Of a status that we do not
    /// know we cannot say the word; it stays as it is.
    fn update(&self, before: &CaseItem, case: &CaseItem) -> Result<TransactWriteItem, ChangeError> {
        let (known, item): (Item, Item) = (to_item(before)?, to_item(case)?);
        let mut update = Update::builder()
            .table_name(&self.name)
            .key("pk", AttributeValue::S(case.pk.clone()))
            .key("sk", AttributeValue::S(case.sk.clone()))
            .condition_expression("#version = :before")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":before", AttributeValue::N(before.version.to_string()));
        if before.status != CaseStatus::Unknown {
            update = update
                .condition_expression("#version = :before AND #status = :status")
                .expression_attribute_names("#status", "status")
                .expression_attribute_values(":status", to_attribute_value(before.status)?);
        }
        let (mut sets, mut removes) = (Vec::new(), Vec::new());
        let mut names: Vec<_> = known.keys().chain(item.keys()).collect();
        names.sort_unstable();
        names.dedup();
        for (index, name) in names.into_iter().enumerate() {
            let value = item.get(name);
            if known.get(name) == value {
                continue;
            }
            update = update.expression_attribute_names(format!("#a{index}"), name);
            match value {
                Some(value) => {
                    sets.push(format!("#a{index} = :a{index}"));
                    let name = format!(":a{index}");
                    update = update.expression_attribute_values(name, value.clone());
                }
                None => removes.push(format!("#a{index}")),
            }
        }
        let mut expression = format!("SET {}", sets.join(", "));
        if !removes.is_empty() {
            expression = format!("{expression} REMOVE {}", removes.join(", "));
        }
        let update = update.update_expression(expression).build()?;
        Ok(TransactWriteItem::builder().update(update).build())
    }
}

/// The case that a key of the index names.
fn due_of(key: &Item) -> Option<Due> {
    let text = |name: &str| key.get(name)?.as_s().ok();
    let case_id = text("pk")?.strip_prefix("CASE#")?.to_owned();
    Some(Due { case_id, due_at: text("evidence_due_at")?.clone() })
}

/// Whether a transaction was refused because something else is on record than it builds on, or because
/// the table had too much to do; the SDK repeats neither.
fn may_be_asked_again(error: &SdkError<TransactWriteItemsError, HttpResponse>) -> bool {
    let codes = cancellation_codes(error);
    codes.iter().any(|code| REFUSED.contains(&code.as_str()))
}

/// The codes by which the parts of a cancelled transaction say why.
fn cancellation_codes(error: &SdkError<TransactWriteItemsError, HttpResponse>) -> Vec<String> {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
        error.as_service_error()
    else {
        return Vec::new();
    };
    let reasons = cancelled.cancellation_reasons().iter();
    reasons.filter_map(|reason| reason.code.clone()).filter(|code| code != "None").collect()
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::config::{BehaviorVersion, Config};
    use aws_sdk_dynamodb::types::CancellationReason;
    use aws_sdk_dynamodb::types::error::TransactionCanceledException;
    use aws_sdk_s3::primitives::SdkBody;
    use casework::incident::example::detection;
    use casework::{audit, case};
    use contract::case::AuditEntry;
    use contract::priority::Priority;

    use super::*;

    fn items(change: &Change) -> Vec<TransactWriteItem> {
        let config = Config::builder().behavior_version(BehaviorVersion::latest()).build();
        let table = Table { client: Client::from_conf(config), name: "cases".to_owned() };
        table.items(change).unwrap()
    }

    fn opened() -> Change {
        case::open(&detection(100, Priority::High), None, "evidence", 100_000)
    }

    #[test]
    fn items_come_back_from_the_table_as_they_went_and_their_hashes_hold() {
        let change = opened();
        let item: Item = to_item(&change.case).unwrap();
        assert_eq!(from_item::<CaseItem>(item).unwrap(), change.case);
        let entry = &change.entries[0];
        let read: AuditEntry = from_item(to_item(entry).unwrap()).unwrap();
        assert_eq!(&read, entry);
        assert_eq!(audit::hash(&read), entry.hash);
        let counted = change.counted.unwrap();
        let guard: Item = to_item(&counted.guards[0].guard).unwrap();
        assert_eq!(guard["expires_at"], AttributeValue::N("2592100".to_owned()));
        assert_eq!(from_item::<GuardItem>(guard).unwrap(), counted.guards[0].guard);
    }

    /// Whether a transaction that was cancelled for these reasons has moved on.
    fn check(codes: &[&str]) -> bool {
        let reason = |code: &&str| CancellationReason::builder().code(*code).build();
        let cancelled = TransactionCanceledException::builder()
            .set_cancellation_reasons(Some(codes.iter().map(reason).collect()))
            .build();
        let response = HttpResponse::new(400.try_into().unwrap(), SdkBody::empty());
        may_be_asked_again(&SdkError::service_error(
            TransactWriteItemsError::TransactionCanceledException(cancelled),
            response,
        ))
    }

    #[test]
    fn a_change_is_asked_for_again_unless_it_can_never_be_taken() {
        assert!(check(&["None", "ConditionalCheckFailed"]));
        assert!(check(&["TransactionConflict", "None"]));
        assert!(check(&["ThrottlingError", "None"]));
        assert!(check(&["ConditionalCheckFailed", "ProvisionedThroughputExceeded"]));
        assert!(!check(&["ValidationError"]));
    }

    #[test]
    fn what_is_new_must_not_be_on_record() {
        let items = items(&opened());
        let conditions: Vec<_> =
            items.iter().map(|item| item.put().unwrap().condition_expression()).collect();
        assert_eq!(conditions, [Some(IS_NEW); 4], "case, entry, mark and guard");
    }

    #[test]
    fn a_status_that_we_do_not_know_is_read_and_left_as_it_is() {
        let mut item: Item = to_item(opened().case).unwrap();
        item.insert("status".to_owned(), AttributeValue::S("HANDED_TO_POLICE".to_owned()));
        let case: CaseItem = from_item(item).unwrap();
        assert_eq!(case.status, CaseStatus::Unknown);
        let [item] = items(&Change::of(&case, 0)).try_into().unwrap();
        let update = item.update().unwrap();
        assert_eq!(update.condition_expression(), Some("#version = :before"));
        let names: Vec<_> = update.expression_attribute_names().unwrap().values().collect();
        assert!(!names.contains(&&"status".to_owned()), "{names:?}");
    }

    #[test]
    fn a_case_is_updated_by_what_differs_if_it_is_as_it_was() {
        let case = opened().case;
        let mut after = case.clone();
        after.version = 2;
        after.camera = None;
        after.detections = 5;
        let change = Change { case: after, ..Change::of(&case, 0) };
        let [item] = items(&change).try_into().unwrap();
        let update = item.update().unwrap();
        assert_eq!(update.condition_expression(), Some("#version = :before AND #status = :status"));
        let mut names: Vec<_> = update.expression_attribute_names().unwrap().values().collect();
        names.sort();
        assert_eq!(names, ["camera", "detections", "status", "version", "version"]);
        let mut values: Vec<_> = update
            .expression_attribute_values()
            .unwrap()
            .values()
            .flat_map(|it| it.as_n())
            .collect();
        values.sort();
        assert_eq!(values, ["1", "2", "5"]);
        let mut shape = update.update_expression().to_owned();
        shape.retain(|c| !c.is_ascii_digit());
        assert_eq!(shape, "SET #a = :a, #a = :a REMOVE #a");
    }

    #[test]
    fn a_key_of_the_index_names_its_case() {
        let item: Item = to_item(&opened().case).unwrap();
        let due = due_of(&item).unwrap();
        assert_eq!(due.case_id, opened().case.case_id);
        assert_eq!(due.due_at, "1970-01-01T00:11:57.000Z");
    }

    #[test]
    fn a_guard_is_replaced_if_it_is_as_it_was() {
        let guard = opened().counted.unwrap().guards[0].guard.clone();
        let case = opened().case;
        let joined = case::join(&case, &detection(110, Priority::High), Some(guard), 0);
        let items = items(&joined);
        let guard = items.last().unwrap().put().unwrap();
        assert_eq!(guard.condition_expression(), Some("#version = :version"));
        assert_eq!(guard.item()["version"], AttributeValue::N("2".to_owned()));
    }

    #[test]
    fn cases_that_become_one_are_written_in_one_transaction_each_if_it_is_as_it_was() {
        let other = case::open(&detection(200, Priority::Low), None, "evidence", 0).case;
        let mut change = Change::of(&opened().case, 0);
        change.absorb(&other, 0);
        let items = items(&change);
        let updates: Vec<_> = items.iter().filter_map(TransactWriteItem::update).collect();
        let keys: Vec<_> = updates.iter().map(|it| it.key()["pk"].as_s().unwrap()).collect();
        assert_eq!(keys, [&change.case.pk, &other.pk]);
        for update in updates {
            let condition = update.condition_expression();
            assert_eq!(condition, Some("#version = :before AND #status = :status"));
        }
        let put = |it: &TransactWriteItem| Some(it.put()?.item()["action"].as_s().unwrap().clone());
        assert_eq!(items.iter().filter_map(put).collect::<Vec<_>>(), ["absorbed", "merged"]);
    }
}
