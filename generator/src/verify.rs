//! Verifies cases one after another: reads each with its trail, and reads its clips through SHA-256.
//!
//! It changes nothing, and holds one case and one piece of a clip at a time. A case that is being written
//! while it is read is read again, so that a trail is never held against an older case.

use std::collections::BTreeSet;

use contract::case::{AuditEntry, CaseItem};

use crate::deploy::CloudError;
use crate::redrive::Place;
use crate::verification::{self, Clip, Finding, Object};

/// How often a case is read in which something does not hold and that changes meanwhile. Our choice:
/// a case changes a few times in its first minutes, and then seldom.
const READS_MAX: usize = 5;

/// A case with its trail as the table has them; what cannot be read is told instead.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    pub case: Option<Result<CaseItem, String>>,
    pub entries: Vec<AuditEntry>,
    pub unread: Vec<String>,
}

/// Which cases are verified.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    pub store: Option<String>,
    /// Opened at this moment or later, RFC 3339.
    pub from: Option<String>,
    /// Opened before this moment.
    pub to: Option<String>,
}

/// A page of the table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Ids of its cases that are selected.
    pub ids: Vec<String>,
    /// Ids of all of its cases.
    pub cases: Vec<String>,
    /// Ids of cases of which it has entries; only where the whole table is read.
    pub trails: Vec<String>,
}

/// What is told while cases are verified.
#[derive(Debug)]
pub enum Told<'a> {
    /// What does not hold, with the case's id.
    Finding(&'a str, &'a Finding),
    /// So many cases have been read.
    Read(u64),
}

/// After how many cases people are told. Our choice: some seconds pass.
const TELL_EVERY: u64 = 500;

/// What a verification needs of AWS; `aws` implements it, the tests script it.
#[expect(async_fn_in_trait, reason = "only our own commands and tests implement it")]
pub trait VerifyServices {
    /// A page of ids, and where the next page begins.
    async fn fetch_ids(
        &self,
        selection: &Selection,
        after: Option<Place>,
    ) -> Result<(Page, Option<Place>), CloudError>;
    async fn fetch_record(&self, case_id: &str) -> Result<Record, CloudError>;
    /// Reads a clip from its first byte to its last; `None` when it is gone.
    async fn read_clip(&self, clip: &Clip) -> Result<Option<Object>, CloudError>;
}

/// How much was verified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    pub cases: u64,
    pub entries: u64,
    pub clips: u64,
    pub bytes: u64,
    /// Clips that are gone, as they may be: their time is over.
    pub expired: u64,
    /// Cases in which something does not hold.
    pub wrong: u64,
}

/// Verifies these cases, or those that a selection names when there are none. `tell` hears every
/// finding with the case's id, and how far it is. A trail whose case is gone is a case that does not hold.
pub async fn verify(
    services: &impl VerifyServices,
    (cases, selection): (&[String], &Selection),
    (bucket, now_ms): (&str, i64),
    tell: &mut dyn FnMut(Told<'_>),
) -> Result<Checked, CloudError> {
    let mut checked = Checked::default();
    let (mut page, mut after) = (Page { ids: cases.to_vec(), ..Page::default() }, None);
    // Trails whose case is on a later page, or nowhere.
    let mut alone = BTreeSet::new();
    loop {
        if cases.is_empty() {
            (page, after) = services.fetch_ids(selection, after).await?;
        }
        alone.extend(std::mem::take(&mut page.trails));
        for case_id in &page.cases {
            alone.remove(case_id);
        }
        for case_id in &page.ids {
            let findings = one(services, case_id, (bucket, now_ms), &mut checked).await?;
            checked.add(case_id, &findings, tell);
        }
        if after.is_none() {
            break;
        }
    }
    for case_id in &alone {
        let findings = one(services, case_id, (bucket, now_ms), &mut checked).await?;
        if findings.contains(&Finding::NoCase) {
            checked.add(case_id, &findings, tell);
        }
    }
    Ok(checked)
}

impl Checked {
    fn add(&mut self, case_id: &str, findings: &[Finding], tell: &mut dyn FnMut(Told<'_>)) {
        self.cases += 1;
        self.wrong += u64::from(!findings.is_empty());
        for finding in findings {
            tell(Told::Finding(case_id, finding));
        }
        if self.cases.is_multiple_of(TELL_EVERY) {
            tell(Told::Read(self.cases));
        }
    }
}

async fn one(
    services: &impl VerifyServices,
    case_id: &str,
    (bucket, now_ms): (&str, i64),
    checked: &mut Checked,
) -> Result<Vec<Finding>, CloudError> {
    let (record, mut findings) = settled(services, case_id, bucket).await?;
    checked.entries += u64::try_from(record.entries.len()).unwrap_or(u64::MAX);
    let Some(Ok(case)) = &record.case else { return Ok(findings) };
    for clip in verification::clips(case, &record.entries) {
        let object = services.read_clip(&clip).await?;
        let found = verification::of_clip(&clip, object.as_ref(), now_ms);
        checked.clips += u64::from(object.is_some());
        checked.expired += u64::from(object.is_none() && found.is_empty());
        checked.bytes += object.map_or(0, |object| object.bytes);
        findings.extend(found);
    }
    Ok(findings)
}

/// A case and what does not hold in it, read until it has not changed between two readings.
async fn settled(
    services: &impl VerifyServices,
    case_id: &str,
    bucket: &str,
) -> Result<(Record, Vec<Finding>), CloudError> {
    let mut record = services.fetch_record(case_id).await?;
    for _ in 1..READS_MAX {
        let findings = of_record(&record, bucket);
        if findings.is_empty() {
            return Ok((record, findings));
        }
        let again = services.fetch_record(case_id).await?;
        if again == record {
            return Ok((record, findings));
        }
        record = again;
    }
    let findings = of_record(&record, bucket);
    Ok((record, findings))
}

fn of_record(record: &Record, bucket: &str) -> Vec<Finding> {
    let mut findings: Vec<_> = record.unread.iter().cloned().map(Finding::EntryUnread).collect();
    match &record.case {
        None => findings.push(Finding::NoCase),
        Some(Err(error)) => findings.push(Finding::CaseUnread(error.clone())),
        Some(Ok(case)) => {
            findings.extend(verification::of_case(case, &record.entries, bucket));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use casework::case_table::memory::run;

    use super::*;

    /// Three pages of one case each; the second case changes until it was read so often.
    struct World {
        settles_after: usize,
        reads: Cell<usize>,
    }

    impl VerifyServices for World {
        async fn fetch_ids(
            &self,
            _: &Selection,
            after: Option<Place>,
        ) -> Result<(Page, Option<Place>), CloudError> {
            let number = after.map_or(1, |place| place.len() + 1);
            let texts = |number: usize| (0..number).map(|it| (it.to_string(), String::new()));
            let next = (number < 3).then(|| texts(number).collect());
            // The trail of the second case comes a page before it; that of the last has none.
            let (id, next_id) = (number.to_string(), (number + 1).to_string());
            let page = Page { ids: vec![id.clone()], cases: vec![id], trails: vec![next_id] };
            Ok((page, next))
        }

        async fn fetch_record(&self, case_id: &str) -> Result<Record, CloudError> {
            if case_id != "2" {
                return Ok(Record::default());
            }
            self.reads.set(self.reads.get() + 1);
            let unread = vec![self.reads.get().min(self.settles_after).to_string()];
            Ok(Record { unread, ..Record::default() })
        }

        async fn read_clip(&self, _: &Clip) -> Result<Option<Object>, CloudError> {
            Ok(None)
        }
    }

    /// Findings by case, and how often the second case was read.
    fn check(cases: &[&str], settles_after: usize) -> (Vec<String>, u64, usize) {
        let world = World { settles_after, reads: Cell::default() };
        let cases: Vec<_> = cases.iter().map(|it| (*it).to_owned()).collect();
        let mut told = Vec::new();
        let mut tell = |it: Told<'_>| match it {
            Told::Finding(case, finding) => told.push(format!("{case} {}", finding.code())),
            Told::Read(number) => told.push(format!("{number} read")),
        };
        let of = (cases.as_slice(), &Selection::default());
        let checked = run(verify(&world, of, ("bucket", 0), &mut tell)).unwrap().unwrap();
        (told, checked.cases, world.reads.get())
    }

    #[test]
    fn every_page_is_verified_and_named_cases_alone() {
        let all = ["1 no-case", "2 entry-unread", "2 no-case", "3 no-case", "4 no-case"];
        assert_eq!(check(&[], 1), (all.map(str::to_owned).to_vec(), 4, 2), "4 is a trail alone");
        assert_eq!(check(&["3"], 1), (vec!["3 no-case".to_owned()], 1, 0));
    }

    #[test]
    fn a_case_that_changes_while_it_is_read_is_read_again() {
        assert_eq!(check(&["2"], 3).2, 4);
        assert_eq!(check(&["2"], 99).2, READS_MAX);
    }
}
