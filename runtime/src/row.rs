//! Rows: a case as one flat line for the analytics, and the objects that hold the lines. Pure.
//!
//! Rows are only ever added. A case has a row for each of its versions; delivered twice, a version
//! has its row twice, so readers take one row of the highest version of each case.

use casework::time::parse_ms;
use contract::case::CaseItem;
use contract::row::{COLUMNS, PREFIX};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

/// A version of a case, with the place of its record in the table's stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    pub sequence: String,
    pub case: CaseItem,
}

/// One object of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows {
    pub key: String,
    /// JSON, one row a line.
    pub lines: String,
    /// Place of the first record in the stream.
    pub first_sequence: String,
}

/// The objects for some records, one for each day and store, in the order of their first records.
///
/// Keys derive from the records, so that a repeated batch writes the same objects again. The day is
/// that on which the case was created, which never changes: all versions lie in one partition.
pub fn objects(records: &[Record]) -> Vec<Rows> {
    let mut groups: Vec<(String, Vec<&Record>)> = Vec::new();
    for record in records {
        let day: String = record.case.created_at.chars().take(10).collect();
        let folder = format!("{PREFIX}dt={day}/store_id={}/", record.case.store);
        match groups.iter_mut().find(|(known, _)| *known == folder) {
            Some((_, group)) => group.push(record),
            None => groups.push((folder, vec![record])),
        }
    }
    let rows = groups.into_iter().filter_map(|(folder, group)| {
        let (first, last) = (group.first()?, group.last()?);
        let lines = group.iter().map(|record| row(&record.case).to_string() + "\n");
        Some(Rows {
            key: format!("{folder}{}-{}.json", first.sequence, last.sequence),
            lines: lines.collect(),
            first_sequence: first.sequence.clone(),
        })
    });
    rows.collect()
}

/// One case as one row: every column, `null` where the case has no value, and the store's id.
pub fn row(case: &CaseItem) -> Value {
    let local = local_time(case);
    let model_version = case.model.as_ref().and_then(|model| model.version.clone());
    let mut values = json!({
        "case_id": case.case_id,
        "version": case.version,
        "store_name": case.store_name,
        "cell": case.cell,
        "timezone": case.timezone,
        "camera": case.camera,
        "aisle": case.aisle,
        "aisle_name": case.aisle_name,
        "aisle_kind": case.aisle_kind,
        "zone": case.zone,
        "period": case.period,
        "event_type": case.event_type,
        "priority": case.priority,
        "priority_rank": case.priority_rank,
        "status": case.status,
        "confidence": case.confidence,
        "rule": case.rule,
        "shadow": case.shadow,
        "detections": case.detections,
        "opened_at": case.opened_at,
        "opened_date_local": local.as_ref().map(|it| it.date().to_string()),
        "opened_hour_local": local.as_ref().map(jiff::Zoned::hour),
        "opened_weekday_local": local.as_ref().map(|it| it.weekday().to_monday_one_offset()),
        "last_seen_at": case.last_seen_at,
        "created_at": case.created_at,
        "updated_at": case.updated_at,
        "evidence_status": case.evidence.status,
        "evidence_key": case.evidence.key,
        "evidence_bytes": evidence_bytes(case),
        "evidence_reason": case.evidence.reason,
        "alert_status": case.alert.status,
        "alert_sent_at": case.alert.sent_at,
        "alert_delay_ms": alert_delay_ms(case),
        "model_version": model_version,
    });
    let mut row = Map::new();
    for (column, _) in COLUMNS {
        row.insert(column.to_owned(), values.get_mut(column).map(Value::take).unwrap_or_default());
    }
    row.insert("store_id".to_owned(), json!(case.store));
    Value::Object(row)
}

/// What the objects of a clip weigh together.
fn evidence_bytes(case: &CaseItem) -> Option<u64> {
    let first = case.evidence.bytes?;
    let others: u64 = case.evidence.parts.iter().skip(1).map(|part| part.bytes).sum();
    Some(first + others)
}

fn local_time(case: &CaseItem) -> Option<jiff::Zoned> {
    let zone = TimeZone::get(&case.timezone).unwrap_or(TimeZone::UTC);
    Some(case.opened_at.parse::<Timestamp>().ok()?.to_zoned(zone))
}

fn alert_delay_ms(case: &CaseItem) -> Option<i64> {
    Some(parse_ms(case.alert.sent_at.as_deref()?)? - parse_ms(&case.opened_at)?)
}

#[cfg(test)]
mod tests {
    use casework::case;
    use casework::incident::example::detection;
    use contract::evidence::EvidencePart;
    use contract::priority::Priority;

    use super::*;

    #[test]
    fn a_clip_in_parts_weighs_what_they_weigh_together() {
        let mut case = case::open(&detection(0, Priority::High), None, "evidence", 0).case;
        assert_eq!(row(&case)["evidence_bytes"], Value::Null);
        case.evidence.bytes = Some(7);
        assert_eq!(row(&case)["evidence_bytes"], 7);
        let part = |bytes| EvidencePart {
            key: String::new(),
            media_type: String::new(),
            sha256: String::new(),
            bytes,
            version_id: None,
            start: String::new(),
            end: String::new(),
            gaps: Vec::new(),
            retain_until: String::new(),
            reason: None,
        };
        case.evidence.parts = vec![part(7), part(20)];
        assert_eq!(row(&case)["evidence_bytes"], 27);
    }

    #[test]
    fn every_version_of_a_case_lies_in_one_partition() {
        // Opened a minute past midnight, and then a detection of the day before joins it.
        let detection = detection(86_460, Priority::High);
        let first = case::open(&detection, None, "evidence", 86_465_000).case;
        let later = CaseItem {
            version: 2,
            opened_at: "1970-01-01T23:59:30.000Z".to_owned(),
            ..first.clone()
        };
        let record = |(index, case)| Record { sequence: format!("{index}00"), case };
        let records: Vec<_> = [first, later].into_iter().enumerate().map(record).collect();
        let keys: Vec<_> = objects(&records).into_iter().map(|rows| rows.key).collect();
        assert_eq!(keys, ["cases/dt=1970-01-02/store_id=seattle-001/000-100.json"]);
    }

    #[test]
    fn a_row_has_every_column_and_local_time() {
        // Saturday evening in Seattle, Sunday morning in UTC.
        let detection = detection(1_795_330_800, Priority::High);
        let mut case = case::open(&detection, None, "evidence", 1_795_330_801_000).case;
        case.alert.sent_at = Some("2026-11-22T07:00:02.500Z".to_owned());
        let key = case.evidence.key.clone();
        let expected = json!({
            "case_id": case.case_id,
            "version": 1,
            "store_name": "Pike Place",
            "cell": "us-west",
            "timezone": "America/Los_Angeles",
            "camera": "a5-a",
            "aisle": "aisle-5",
            "aisle_name": "Aisle 5",
            "aisle_kind": null,
            "zone": null,
            "period": "open",
            "event_type": "shelf_sweep",
            "priority": "high",
            "priority_rank": 2,
            "status": "OPEN",
            "confidence": 0.5,
            "rule": "high-rule",
            "shadow": false,
            "detections": 1,
            "opened_at": "2026-11-22T07:00:00.000Z",
            "opened_date_local": "2026-11-21",
            "opened_hour_local": 23,
            "opened_weekday_local": 6,
            "last_seen_at": "2026-11-22T07:00:02.000Z",
            "created_at": "2026-11-22T07:00:01.000Z",
            "updated_at": "2026-11-22T07:00:01.000Z",
            "evidence_status": "PENDING",
            "evidence_key": key,
            "evidence_bytes": null,
            "evidence_reason": null,
            "alert_status": "PENDING",
            "alert_sent_at": "2026-11-22T07:00:02.500Z",
            "alert_delay_ms": 2_500,
            "model_version": null,
            "store_id": "seattle-001",
        });
        assert_eq!(row(&case), expected);
    }
}
