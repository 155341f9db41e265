//! What a review says of every kind of change: `tests/changes` has the kinds and what must be found.
//!
//! Each is told with the right class and weight, the stacks, the lines of YAML that caused it and a part
//! of the text, and nothing is told besides. All words stand in one snapshot.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use arm_tests::kinds::{self, Files, Kind};
use generator::diagnostic::Colour;
use generator::review::{Cause, Class, Detail, Review, Subject, human, is_empty};
use insta::assert_snapshot;
use proptest::prelude::*;

/// Every kind with its review, made once for all tests.
static REVIEWED: LazyLock<Vec<(Kind, Review)>> = LazyLock::new(|| {
    let review = |kind: Kind| {
        let review = reviewed(&kind);
        (kind, review)
    };
    kinds::all().into_iter().map(review).collect()
});

fn reviewed(kind: &Kind) -> Review {
    let fleet = kinds::fleet();
    let after = kind.made(&fleet).unwrap_or_else(|| panic!("{}: not made", kind.name));
    kinds::compare(&fleet, &after).unwrap_or_else(|| panic!("{}: refused", kind.name))
}

/// Whether a line of a table holds of what was told: all up to the text, and a part of that.
fn holds(expected: &str, told: &str) -> bool {
    match (expected.split_once(" : "), told.split_once(" : ")) {
        (Some((place, part)), Some((found, text))) => place == found && text.contains(part),
        _ => expected == told,
    }
}

#[test]
fn every_kind_of_change_is_told_with_class_place_and_cause_and_nothing_besides() {
    let mut wrong = String::new();
    for (kind, review) in REVIEWED.iter() {
        let mut told = kinds::told(review);
        let mut missing = Vec::new();
        for expected in &kind.expected {
            match told.iter().position(|it| holds(expected, it)) {
                Some(at) => drop(told.remove(at)),
                None => missing.push(expected),
            }
        }
        if !missing.is_empty() || !told.is_empty() {
            writeln!(wrong, "# {}\nmissing: {missing:#?}\nbesides: {told:#?}", kind.name).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn there_are_many_kinds_and_each_is_made_once() {
    let kinds = kinds::all();
    assert!(kinds.len() >= 110, "{}", kinds.len());
    let names: BTreeMap<&str, &Kind> = kinds.iter().map(|it| (it.name.as_str(), it)).collect();
    assert_eq!(names.len(), kinds.len());
    for class in ["data-loss", "replacement", "access", "people", "rules", "cost", "quota", "other"]
    {
        let of_class =
            |it: &&Kind| it.expected.iter().any(|line| line.starts_with(&format!("=> {class} ")));
        assert!(kinds.iter().filter(of_class).count() >= 2, "{class}");
    }
}

#[test]
fn every_word_about_every_kind() {
    let mut page = String::new();
    for (kind, review) in REVIEWED.iter() {
        let told = kinds::told(review);
        let told = if told.is_empty() { "no change".to_owned() } else { told.join("\n") };
        writeln!(page, "# {}\n{told}\n", kind.name).unwrap();
    }
    assert_snapshot!(page);
}

#[test]
fn what_means_nothing_is_no_change() {
    let nothing: Vec<Kind> = kinds::of(kinds::NOTHING);
    assert!(nothing.len() >= 13, "{}", nothing.len());
    for kind in nothing {
        let review = reviewed(&kind);
        assert!(is_empty(&review), "{}: {:?}", kind.name, kinds::told(&review));
        assert_eq!(human(&review, Detail::Summary, Colour::Plain), "no change\n", "{}", kind.name);
    }
}

#[test]
fn a_file_laid_out_anew_is_no_change() {
    let scattered: Files = kinds::fleet()
        .into_iter()
        .map(|(name, text)| (name, text.replace("  - {", "  -   {").replace(" }", "  }")))
        .collect();
    assert_ne!(scattered, kinds::fleet());
    let review = kinds::compare(&scattered, &kinds::fleet()).unwrap();
    assert!(is_empty(&review), "{:?}", kinds::told(&review));
}

/// Whether two kinds of change are made and accepted one after the other; the review of both.
fn both(one: &Kind, other: &Kind) -> Option<(Files, Review)> {
    let fleet = kinds::fleet();
    let after = other.made(&one.made(&fleet)?)?;
    let review = kinds::compare(&fleet, &after)?;
    Some((after, review))
}

/// The line at which a cause points.
fn line<'a>(cause: &Cause, before: &'a Files, after: &'a Files) -> Option<&'a str> {
    let files = if cause.is_before { before } else { after };
    files.get(&cause.file)?.lines().nth(cause.line - 1)
}

/// Whether a line does not stand in the same file of the other side.
fn is_edited(cause: &Cause, before: &Files, after: &Files) -> bool {
    let other = if cause.is_before { after } else { before };
    let text = line(cause, before, after).unwrap_or_default().trim();
    // A line that only stands elsewhere was moved.
    cause.text.ends_with(": moved")
        || other.get(&cause.file).is_none_or(|it| it.lines().all(|line| line.trim() != text))
}

/// Whether a cause's line has the key or a value that its text names.
fn says_so(cause: &Cause, line: &str) -> bool {
    let (path, values) = cause.text.split_once(": ").unwrap_or((&cause.text, ""));
    let clean = |text: &str| text.replace(['"', '\'', '[', ']', '{', '}', ' '], "");
    let line = clean(line);
    let words = path.split('.').chain(values.split(" -> ")).map(clean);
    words.filter(|it| !it.is_empty()).any(|it| line.contains(&it))
}

fn check_causes(after: &Files, review: &Review) -> Result<(), TestCaseError> {
    let before = kinds::fleet();
    let weighty = |class| !matches!(class, Class::Other);
    let findings = review.findings.iter().filter(|it| weighty(it.what.class));
    let findings = findings.map(|it| (it.what.text.clone(), &it.causes));
    let changes = review.changes.iter().map(|it| (it.what.logical_id.clone(), &it.causes));
    for (what, causes) in findings.chain(changes) {
        prop_assert!(!causes.is_empty(), "no cause: {what}");
        for cause in causes {
            let line = line(cause, &before, after);
            prop_assert!(line.is_some_and(|it| says_so(cause, it)), "{what}: {cause:?}: {line:?}");
        }
        let edited = causes.iter().any(|it| is_edited(it, &before, after));
        prop_assert!(edited, "{what}: no line was edited: {causes:?}");
    }
    Ok(())
}

#[test]
fn whatever_is_told_of_a_change_names_a_line_that_was_edited() {
    for (kind, review) in REVIEWED.iter() {
        let after = kind.made(&kinds::fleet()).unwrap();
        check_causes(&after, review).unwrap_or_else(|it| panic!("{}: {it}", kind.name));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..Default::default() })]

    #[test]
    fn so_it_does_where_two_changes_come_together(one in 0..REVIEWED.len(), other in 0..REVIEWED.len()) {
        let (one, other) = (&REVIEWED[one].0, &REVIEWED[other].0);
        if let Some((after, review)) = both(one, other) {
            check_causes(&after, &review)
                .map_err(|it| TestCaseError::fail(format!("{} + {}: {it}", one.name, other.name)))?;
        }
    }
}

/// A fleet of so many supermarkets, 200 in a cell.
fn large(stores: usize) -> Files {
    let mut files = kinds::fleet();
    let mut cells = String::from("cells:\n");
    for cell in 0..stores.div_ceil(200) {
        let number = 100_000_000_000_usize + cell;
        let model = "{ endpoint: shelf-behaviour }";
        writeln!(
            cells,
            "  cell-{cell}: {{ account: \"{number}\", region: us-west-2, model: {model} }}"
        )
        .unwrap();
    }
    let fleet = files.remove("fleet.yaml").unwrap();
    let (_, rest) = fleet.split_once("\naudiences:").unwrap();
    let store = files.remove("fremont.yaml").unwrap();
    let mut files = Files::from([("fleet.yaml".to_owned(), format!("{cells}\naudiences:{rest}"))]);
    for number in 0..stores {
        let id = format!("store-{number:04}");
        let text = store
            .replace("fremont", &id)
            .replace("name: Fremont", &format!("name: Store {number}"))
            .replace("cell: us-west", &format!("cell: cell-{}", number / 200));
        files.insert(format!("{id}.yaml"), text);
    }
    files
}

/// The fleet with a line of fleet.yaml replaced.
fn edited(files: &Files, before: &str, after: &str) -> Files {
    let mut files = files.clone();
    let fleet = files.get_mut("fleet.yaml").unwrap();
    assert_eq!(fleet.matches(before).count(), 1, "{before}");
    *fleet = fleet.replace(before, after);
    files
}

#[test]
fn one_line_that_1000_stores_share_is_told_once_and_on_one_page() {
    let before = large(1_000);
    let threshold = "event_type: concealment, min_confidence: 0.7";
    let after = edited(&before, threshold, "event_type: concealment, min_confidence: 0.8");
    let review = kinds::compare(&before, &after).unwrap();
    assert_eq!(review.stacks.changed, 1_000);
    let all = |subjects: &[Subject]| subjects.len() == 1_000;
    assert!(review.findings.iter().all(|it| all(&it.subjects)), "{:?}", review.findings);
    assert!(review.changes.iter().all(|it| all(&it.subjects) && it.causes.len() == 1));
    let page = human(&review, Detail::Summary, Colour::Plain);
    assert!(page.lines().count() < 60, "{page}");
    assert_snapshot!(page);
}

#[test]
fn what_many_stores_cost_more_is_told_with_its_sum() {
    let before = large(100);
    let after = edited(&before, "bitrate: 1Mbps", "bitrate: 2Mbps");
    let review = kinds::compare(&before, &after).unwrap();
    let costs = review.findings.iter().filter(|it| it.what.class == Class::Cost).count();
    assert_eq!(costs, 1, "{:?}", review.findings);
    let page = human(&review, Detail::Summary, Colour::Plain);
    assert!(page.lines().count() < 60, "{page}");
    assert_snapshot!(page);
}
