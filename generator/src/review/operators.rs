//! Who is told of a cell's own troubles: dead letters, errors, silent cameras. `ops_email` in YAML.
//!
//! Read from the subscriptions of a platform's template, so that it holds of deployed ones, too. Who is
//! told of incidents is in `people.rs`. Pure.

use std::collections::BTreeSet;

use super::hearing::kept;
use super::{About, Class, Finding, Weight};
use crate::template::Template;

/// Returns who starts and stops being told.
pub(super) fn operators(before: &Template, after: &Template, cell: &str) -> Vec<Finding> {
    let (was, is) = (addresses(before), addresses(after));
    let about = vec![vec!["cells".to_owned(), cell.to_owned(), "ops_email".to_owned()]];
    let mut found = Vec::new();
    let mut tell = |weight, text| found.push(finding(weight, text, &about));
    if is.is_empty() && !was.is_empty() {
        tell(Weight::Loud, format!("nobody is told of {TROUBLES} any more"));
    }
    for address in was.difference(&is) {
        tell(Weight::Loud, format!("{address} is no longer told of {TROUBLES}"));
    }
    for address in is.difference(&was) {
        let confirm = "it must confirm by the link that AWS sends first";
        tell(Weight::Loud, format!("{address} is told of {TROUBLES} now; {confirm}"));
    }
    found
}

const TROUBLES: &str = "the cell's dead letters, errors and silent cameras";

fn addresses(template: &Template) -> BTreeSet<String> {
    let subscriptions = template
        .resources()
        .filter(|(_, it)| it.get("Type").is_some_and(|it| it == "AWS::SNS::Subscription"));
    let endpoint = |(_, it): (&str, &serde_json::Value)| {
        let endpoint = it.pointer("/Properties/Endpoint")?.as_str()?;
        Some(kept(endpoint).unwrap_or_else(|| endpoint.to_owned()))
    };
    subscriptions.filter_map(endpoint).collect()
}

fn finding(weight: Weight, text: String, about: &[About]) -> Finding {
    Finding { about: about.to_vec(), ..Finding::new(Class::People, weight, text) }
}
