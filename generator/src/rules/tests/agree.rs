//! The patterns against a first-match reading of the rules that shares no code with the compiler:
//! random rule sets, small and large, and events of every shape.

use std::collections::BTreeSet;
use std::iter::once;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

use super::*;
use crate::pattern::Pattern;

const FIELDS: [&str; 7] =
    ["event_type", "camera", "aisle", "aisle_kind", "zone", "period", "confidence"];

// What a first-match reading of the YAML says, written without the compiler.

/// A field's one value: a list of one is as good as its element.
fn value<'d>(detail: &'d Value, field: &str) -> Option<&'d Value> {
    match detail.get(field)? {
        Value::Array(list) => list.first(),
        other => Some(other),
    }
}

fn text_holds(list: Option<&[String]>, detail: &Value, field: &str) -> bool {
    let Some(list) = list else { return true };
    value(detail, field)
        .and_then(Value::as_str)
        .is_some_and(|text| list.iter().any(|it| it == text))
}

fn texts(ids: Option<&Vec<Id>>) -> Option<Vec<String>> {
    ids.map(|ids| ids.iter().map(Id::to_string).collect())
}

fn holds(when: &Condition, detail: &Value) -> bool {
    let period = when.period.map(|it| vec![it.as_str().to_owned()]);
    text_holds(when.event_types.as_deref(), detail, "event_type")
        && text_holds(texts(when.cameras.as_ref()).as_deref(), detail, "camera")
        && text_holds(texts(when.aisles.as_ref()).as_deref(), detail, "aisle")
        && text_holds(texts(when.aisle_kinds.as_ref()).as_deref(), detail, "aisle_kind")
        && text_holds(when.zones.as_deref(), detail, "zone")
        && text_holds(period.as_deref(), detail, "period")
        && when.min_confidence.is_none_or(|least| {
            value(detail, "confidence")
                .and_then(Value::as_f64)
                .is_some_and(|it| it >= least.value())
        })
}

fn first_match(rules: &[Rule], detail: &Value) -> String {
    let found = rules.iter().find(|rule| holds(&rule.when, detail));
    found.map_or(UNROUTED.to_owned(), |rule| rule.name.to_string())
}

// What the patterns say.

struct Compiled {
    store: Store,
    set: RuleSet,
    patterns: Vec<Pattern>,
}

impl Compiled {
    /// Compiles, and checks what holds of every pattern.
    fn new(conditions: Vec<Condition>) -> Self {
        let rules = conditions.into_iter().enumerate();
        let store = store(rules.map(|(n, when)| rule(&format!("r{n}"), when)).collect());
        let set = compile(&store).unwrap();
        let ids: BTreeSet<_> = set.rules.iter().map(|it| &it.id).collect();
        assert_eq!(ids.len(), set.rules.len());
        assert!(ids.iter().all(|id| id.len() <= 64));
        assert!(set.rules.len() <= BUS_RULES_MAX);
        for it in &set.rules {
            assert!(it.pattern.to_string().chars().count() <= CHARACTERS_MAX, "{}", it.pattern);
        }
        let patterns = set.rules.iter().map(|it| Pattern::parse(&it.pattern).unwrap()).collect();
        Self { store, set, patterns }
    }

    /// The names of the rules whose patterns match, one for each pattern.
    fn matched(&self, detail: &Value) -> Vec<&str> {
        let event = json!({ "source": "arm.detector", "detail-type": "BehaviourDetected", "detail": detail });
        let rules = self.set.rules.iter().zip(&self.patterns);
        rules.filter(|(_, it)| it.matches(&event)).map(|(it, _)| it.rule.as_str()).collect()
    }

    /// Checks that one pattern matches, of the rule that a reading of the YAML says.
    fn agree(&self, detail: &Value) {
        assert_eq!(
            self.matched(detail),
            [first_match(&self.store.rules, detail)],
            "{detail} of {:#?} by {:#?}",
            self.store.rules.iter().map(|it| (&it.name, &it.when)).collect::<Vec<_>>(),
            self.set.rules.iter().map(|it| (&it.id, it.pattern.to_string())).collect::<Vec<_>>()
        );
    }

    /// An event for every branch of every pattern; all their rules, without `unrouted`.
    fn drawn_from_patterns(&self) -> (Vec<(String, Value)>, BTreeSet<String>) {
        let mut events = Vec::new();
        let mut rules = BTreeSet::new();
        for it in &self.set.rules {
            rules.insert(it.rule.clone());
            let empty = Map::new();
            let detail = it.pattern["detail"].as_object().unwrap_or(&empty);
            let branches =
                detail.get("$or").map_or(vec![json!({})], |it| it.as_array().unwrap().clone());
            assert!(branches.len() != 1 || !detail.contains_key("$or"));
            for branch in branches {
                assert!(branch != json!({}) || !detail.contains_key("$or"), "{}", it.pattern);
                let all = detail.iter().filter(|(name, _)| *name != "$or");
                let all: Vec<_> = all.chain(branch.as_object().unwrap()).collect();
                let mut names = BTreeSet::new();
                assert!(all.iter().all(|(name, _)| names.insert(*name)), "{}", it.pattern);
                for turn in 0..4 {
                    let fields = all.iter().filter_map(|(name, list)| {
                        let list = list.as_array().unwrap();
                        Some(((*name).clone(), one_of(&list[turn % list.len()], turn)?))
                    });
                    events.push((it.rule.clone(), Value::Object(fields.collect())));
                }
            }
        }
        rules.remove(UNROUTED);
        (events, rules)
    }
}

/// A value that one entry of a pattern's list matches; `None` for a missing one.
fn one_of(matcher: &Value, turn: usize) -> Option<Value> {
    if matcher.get("exists").is_some() {
        return None;
    }
    if matcher.get("anything-but").is_some() {
        return Some([json!("else"), json!(7), json!(null), json!("")][turn % 4].clone());
    }
    if matcher.get("prefix").is_some() {
        return Some(json!("0.9"));
    }
    let Some(range) = matcher.get("numeric").and_then(Value::as_array) else {
        return Some(matcher.clone());
    };
    let (operator, bound) = (range[0].as_str().unwrap(), range[1].as_f64().unwrap());
    Some(json!(if operator == ">=" { bound } else { bound.next_down() }))
}

// What they are tried on.

/// The values of each field that rules name.
#[derive(Clone, Copy)]
struct Names {
    texts: [&'static [&'static str]; 5],
    confidences: &'static [f64],
    /// Out of a hundred, how often a field is limited.
    limited: [u32; 7],
}

const SMALL: Names = Names {
    texts: [
        &["sweep", "hide", "loiter"],
        &["cam-1", "cam-2"],
        &["aisle-1", "aisle-2"],
        &["high-value", "staple"],
        &["top", "floor"],
    ],
    confidences: &[0.0, 0.5, 0.8, 1.0],
    limited: [40, 40, 40, 40, 40, 40, 30],
};

/// So few that all events can be tried.
const TINY: Names = Names {
    texts: [&["sweep", "hide"], &["cam-1"], &["aisle-1", "aisle-2"], &["staple"], &["top"]],
    confidences: &[0.5, 0.8],
    limited: [50, 30, 40, 30, 30, 50, 40],
};

/// As in a large store.
const LARGE: Names = Names {
    texts: [
        &["sweep", "hide", "loiter", "switch", "tamper", "crowd", "fall", "spill"],
        &[
            "cam-1", "cam-2", "cam-3", "cam-4", "cam-5", "cam-6", "cam-7", "cam-8", "cam-9",
            "cam-10", "cam-11", "cam-12", "cam-13", "cam-14", "cam-15", "cam-16", "cam-17",
            "cam-18", "cam-19",
        ],
        &[
            "aisle-1", "aisle-2", "aisle-3", "aisle-4", "aisle-5", "aisle-6", "aisle-7", "aisle-8",
            "aisle-9", "aisle-10", "aisle-11", "aisle-12", "aisle-13", "aisle-14", "aisle-15",
        ],
        &["high-value", "staple", "fresh", "apparel", "checkout", "back"],
        &["top", "middle", "floor", "door"],
    ],
    confidences: &[0.5, 0.6, 0.65, 0.7, 0.8, 0.9, 0.95],
    limited: [95, 10, 25, 25, 10, 25, 50],
};

/// A list of one to three of a field's values, or no condition.
fn some_of(names: Names, field: usize) -> impl Strategy<Value = Option<Vec<String>>> {
    let values = names.texts[field];
    let texts = subsequence(values.to_vec(), 1..=values.len().min(3));
    let texts = texts.prop_map(|texts| texts.iter().map(|it| (*it).to_owned()).collect());
    proptest::option::weighted(f64::from(names.limited[field]) / 100.0, texts)
}

fn conditions(names: Names) -> impl Strategy<Value = Condition> {
    let ids = |field| {
        some_of(names, field)
            .prop_map(|list| list.map(|list| list.iter().map(|it| Id::new(it).unwrap()).collect()))
    };
    let [.., period, confidence] = names.limited.map(|it| f64::from(it) / 100.0);
    (
        some_of(names, 0),
        ids(1),
        ids(2),
        ids(3),
        some_of(names, 4),
        proptest::option::weighted(confidence, select(names.confidences)),
        proptest::option::weighted(period, select(vec![Period::Open, Period::Closed])),
    )
        .prop_map(|(event_types, cameras, aisles, aisle_kinds, zones, least, period)| {
            Condition {
                event_types,
                aisles,
                aisle_kinds,
                cameras,
                zones,
                min_confidence: least.and_then(Confidence::new),
                period,
            }
        })
}

fn sets(names: Names, rules: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Condition>> {
    proptest::collection::vec(conditions(names), rules)
}

/// What no rule names in any field.
fn odd() -> impl Strategy<Value = Option<Value>> {
    let values = vec![
        json!("other"),
        json!("SWEEP"),
        json!("Cam-1"),
        json!(""),
        json!("0.9"),
        json!(7),
        json!(null),
        json!(true),
        json!(false),
        json!([]),
        json!({}),
        json!({ "y": 1 }),
        json!([null]),
        json!(["x"]),
    ];
    prop_oneof![1 => Just(None), 2 => select(values).prop_map(Some)]
}

/// A field's value: known, perhaps as a list of one, or odd, or missing.
fn text_value(names: Names, field: usize) -> impl Strategy<Value = Option<Value>> {
    let values = if field == 5 { &["open", "closed"] } else { names.texts[field] };
    prop_oneof![
        6 => select(values).prop_map(|it| Some(json!(it))),
        1 => select(values).prop_map(|it| Some(json!([it]))),
        2 => odd(),
    ]
}

/// Confidences at every threshold and the nearest numbers beside it, whole, negative and huge.
fn numbers(names: Names) -> Vec<Value> {
    let at = names.confidences.iter().flat_map(|it| [it.next_down(), *it, it.next_up()]);
    let all = at.map(|it| json!(it)).chain([
        json!(0),
        json!(1),
        json!(-1),
        json!(2),
        json!(-0.0),
        json!(0.55),
        json!(1e-300),
        json!(1e10),
        json!(1e300),
        json!(-1e300),
        json!(f64::MIN_POSITIVE),
        json!(1u64 << 53),
    ]);
    all.collect()
}

fn details(names: Names) -> impl Strategy<Value = Value> {
    let number = || select(numbers(names));
    let confidence = prop_oneof![
        6 => number().prop_map(Some),
        1 => number().prop_map(|it| Some(json!([it]))),
        2 => odd(),
    ];
    let text = |field| text_value(names, field);
    (text(0), text(1), text(2), text(3), text(4), text(5), confidence).prop_map(
        |(event_type, camera, aisle, aisle_kind, zone, period, confidence)| {
            let values = [event_type, camera, aisle, aisle_kind, zone, period, confidence];
            let fields = FIELDS.iter().zip(values);
            fields.filter_map(|(name, value)| Some(((*name).to_owned(), value?))).collect()
        },
    )
}

/// An event that fulfils a condition: from a random one, what the condition limits put right.
fn fulfil(when: &Condition, mut detail: Value, turn: usize) -> Value {
    let period = when.period.map(|it| vec![it.as_str().to_owned()]);
    let lists = [
        when.event_types.clone(),
        texts(when.cameras.as_ref()),
        texts(when.aisles.as_ref()),
        texts(when.aisle_kinds.as_ref()),
        when.zones.clone(),
        period,
    ];
    for (field, list) in FIELDS.iter().zip(lists) {
        if let Some(list) = list {
            detail[*field] = json!(list[turn % list.len()]);
        }
    }
    if let Some(least) = when.min_confidence {
        let least = least.value();
        detail["confidence"] = [json!(least), json!(least.next_up()), json!(1)][turn % 3].clone();
    }
    detail
}

/// Every event over the names, with another and a missing one of each field.
fn every(names: Names) -> Vec<Value> {
    let texts = names.texts.into_iter().chain(once(&["open", "closed"][..]));
    let values = texts.map(|texts| {
        let known = texts.iter().map(|it| Some(json!(it)));
        known.chain([Some(json!("else")), None]).collect::<Vec<_>>()
    });
    let least = names.confidences.iter().flat_map(|it| [it.next_down(), *it]);
    let least = least.map(|it| Some(json!(it))).chain([None]).collect();
    let mut all = vec![json!({})];
    for (field, values) in FIELDS.iter().zip(values.chain(once(least))) {
        let with = |detail: &Value| {
            let detail = detail.clone();
            let values = values.clone().into_iter();
            values.map(move |value| {
                let mut detail = detail.clone();
                if let Some(value) = value {
                    detail[*field] = value;
                }
                detail
            })
        };
        all = all.iter().flat_map(with).collect();
    }
    all
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(300))]

    #[test]
    fn exactly_one_pattern_matches_and_it_is_the_first_rule_that_holds(
        conditions in sets(SMALL, 0..13),
        details in proptest::collection::vec(details(SMALL), 30),
    ) {
        let compiled = Compiled::new(conditions);
        for detail in details {
            compiled.agree(&detail);
        }
        compiled.agree(&FIELDS.iter().map(|it| ((*it).to_owned(), json!([]))).collect());
        compiled.agree(&json!({}));
    }
}

proptest! {
    #![proptest_config(config(24))]

    #[test]
    fn every_rule_and_every_branch_is_reached_by_an_event_drawn_from_it(
        conditions in prop_oneof![sets(SMALL, 0..13), sets(LARGE, 0..13), sets(LARGE, 20..61)],
        details in proptest::collection::vec(details(LARGE), 4),
    ) {
        let compiled = Compiled::new(conditions);
        let (events, rules) = compiled.drawn_from_patterns();
        for (rule, event) in events {
            prop_assert_eq!(&first_match(&compiled.store.rules, &event), &rule, "{}", event);
            compiled.agree(&event);
        }
        let never: BTreeSet<_> = compiled.set.unreachable.iter().map(|it| it.rule.clone()).collect();
        let all: BTreeSet<_> = compiled.store.rules.iter().map(|it| it.name.to_string()).collect();
        prop_assert_eq!(&(&all - &never), &rules);
        for (rule, detail) in compiled.store.rules.iter().flat_map(|rule| details.iter().map(move |it| (rule, it))) {
            for turn in 0..3 {
                compiled.agree(&fulfil(&rule.when, detail.clone(), turn));
            }
        }
    }
}

proptest! {
    #![proptest_config(config(12))]

    #[test]
    fn of_few_names_every_event_agrees_and_just_the_rules_without_one_are_unreachable(
        conditions in sets(TINY, 1..9),
    ) {
        let compiled = Compiled::new(conditions);
        let mut reached = BTreeSet::new();
        for detail in every(TINY) {
            compiled.agree(&detail);
            reached.insert(first_match(&compiled.store.rules, &detail));
        }
        let rules = compiled.store.rules.iter().map(|it| it.name.to_string());
        let never: Vec<_> = rules.filter(|it| !reached.contains(it)).collect();
        let said: Vec<_> = compiled.set.unreachable.iter().map(|it| it.rule.clone()).collect();
        prop_assert_eq!(said, never);
    }
}

#[test]
fn a_number_with_more_digits_than_a_double_holds_is_in_no_range() {
    let sure = Condition { min_confidence: Confidence::new(0.5), ..Condition::default() };
    let compiled = Compiled::new(vec![sure, Condition::default()]);
    // EventBridge takes it for a text without quotes; see ARCHITECTURE.md.
    assert_eq!(compiled.matched(&json!({ "confidence": 9_007_199_254_740_993_u64 })), [""; 0]);
    assert_eq!(compiled.matched(&json!({ "confidence": i64::MIN })), [""; 0]);
    assert_eq!(compiled.matched(&json!({ "confidence": 9_007_199_254_740_992_u64 })), ["r0"]);
}
