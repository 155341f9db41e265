//! The compiler against a first-match reading of the rules that shares no code with it.

use proptest::prelude::*;
use serde_json::{Value, json};

use contract::evidence::LockMode;
use contract::hours::Hours;
use contract::wording::Wording;

use super::*;
use crate::model::{Confidence, EvidenceSettings};
use crate::pattern;

fn store(rules: Vec<Rule>) -> Store {
    Store {
        id: Id::new("s-1").unwrap(),
        name: "S".to_owned(),
        cell: Id::new("c").unwrap(),
        format: None,
        labels: vec![],
        hours: Hours::default(),
        aisles: vec![],
        cameras: vec![],
        rules,
        subscribers: vec![],
        wording: Wording::default(),
        evidence: EvidenceSettings {
            before_s: 1,
            after_s: 1,
            keep_days: 1,
            lock: LockMode::Governance,
        },
    }
}

fn rule(name: &str, when: Condition) -> Rule {
    let name = Id::new(name).unwrap();
    Rule { name, when, priority: Priority::High, notify: vec![], cooldown_s: 60, shadow: false }
}

/// The patterns of a rule set, one line each.
fn check(rules: Vec<Rule>) -> String {
    let set = compile(&store(rules)).unwrap();
    let lines = set.rules.iter().map(|rule| format!("{}: {}", rule.id, rule.pattern));
    let unreachable = set
        .unreachable
        .iter()
        .map(|it| format!("{} never: {}", it.rule, it.shadowed_by.join(", ")));
    lines.chain(unreachable).collect::<Vec<_>>().join("\n")
}

fn types(types: &[&str]) -> Vec<String> {
    types.iter().map(|it| (*it).to_owned()).collect()
}

#[test]
fn the_obvious_store_compiles_to_the_obvious_patterns() {
    let sweep = rule(
        "sweep",
        Condition { event_types: Some(types(&["shelf_sweep"])), ..Condition::default() },
    );
    let hide = rule(
        "hide",
        Condition { event_types: Some(types(&["concealment"])), ..Condition::default() },
    );
    insta::assert_snapshot!(check(vec![sweep, hide]), @r#"
    sweep: {"detail":{"event_type":["shelf_sweep"]}}
    hide: {"detail":{"event_type":["concealment"]}}
    unrouted: {"detail":{"event_type":[{"anything-but":["concealment","shelf_sweep"]},{"exists":false}]}}
    "#);
}

#[test]
fn a_threshold_leaves_lower_missing_and_odd_confidences_to_later_rules() {
    let sure = Condition {
        event_types: Some(types(&["shelf_sweep"])),
        min_confidence: Confidence::new(0.8),
        ..Condition::default()
    };
    let any = Condition { event_types: Some(types(&["shelf_sweep"])), ..Condition::default() };
    insta::assert_snapshot!(check(vec![rule("sure", sure), rule("any", any)]), @r#"
    sure: {"detail":{"event_type":["shelf_sweep"],"confidence":[{"numeric":[">=",0.8]}]}}
    any: {"detail":{"event_type":["shelf_sweep"],"confidence":[{"numeric":["<",0.8]},{"exists":false},{"prefix":""},null,true,false]}}
    unrouted: {"detail":{"event_type":[{"anything-but":["shelf_sweep"]},{"exists":false}]}}
    "#);
}

#[test]
fn a_rule_after_one_that_takes_everything_is_unreachable() {
    let all = rule("all", Condition::default());
    let late = rule("late", Condition { period: Some(Period::Closed), ..Condition::default() });
    insta::assert_snapshot!(check(vec![all, late]), @r#"
    all: {"source":[{"prefix":""}]}
    late never: all
    "#);
}

#[test]
fn a_list_whose_rest_fits_no_pattern_is_refused_by_name() {
    let cameras =
        (0..180).map(|n| Id::new(&format!("very-long-camera-name-{n:03}")).unwrap()).collect();
    let set = compile(&store(vec![rule(
        "many",
        Condition { cameras: Some(cameras), ..Condition::default() },
    )]));
    // The rest cannot be cut: `anything-but` must name them all at once.
    assert_eq!(set.unwrap_err(), RulesError::PatternTooLong("many".to_owned(), 5_099));
}

// What a first-match reading of the YAML says, written without the compiler.

fn text_holds(list: Option<&[String]>, detail: &Value, field: &str) -> bool {
    let Some(list) = list else { return true };
    detail.get(field).and_then(Value::as_str).is_some_and(|text| list.iter().any(|it| it == text))
}

fn ids(ids: Option<&Vec<Id>>) -> Option<Vec<String>> {
    ids.map(|ids| ids.iter().map(Id::to_string).collect())
}

fn holds(when: &Condition, detail: &Value) -> bool {
    let period = when.period.map(|it| vec![it.as_str().to_owned()]);
    text_holds(when.event_types.as_deref(), detail, "event_type")
        && text_holds(ids(when.cameras.as_ref()).as_deref(), detail, "camera")
        && text_holds(ids(when.aisles.as_ref()).as_deref(), detail, "aisle")
        && text_holds(ids(when.aisle_kinds.as_ref()).as_deref(), detail, "aisle_kind")
        && text_holds(when.zones.as_deref(), detail, "zone")
        && text_holds(period.as_deref(), detail, "period")
        && when.min_confidence.is_none_or(|least| {
            detail.get("confidence").and_then(Value::as_f64).is_some_and(|it| it >= least.value())
        })
}

fn first_match(rules: &[Rule], detail: &Value) -> String {
    let found = rules.iter().find(|rule| holds(&rule.when, detail));
    found.map_or(UNROUTED.to_owned(), |rule| rule.name.to_string())
}

/// A list of one to three of a field's few values, or no condition.
fn some_of(values: &'static [&'static str]) -> impl Strategy<Value = Option<Vec<String>>> {
    let texts = proptest::sample::subsequence(values.to_vec(), 1..=values.len().min(3));
    proptest::option::weighted(
        0.4,
        texts.prop_map(|texts| texts.iter().map(|it| (*it).to_owned()).collect()),
    )
}

fn conditions() -> impl Strategy<Value = Condition> {
    let id_list = |values| {
        some_of(values)
            .prop_map(|list| list.map(|list| list.iter().map(|it| Id::new(it).unwrap()).collect()))
    };
    (
        some_of(&["sweep", "hide", "loiter"]),
        id_list(&["cam-1", "cam-2"]),
        id_list(&["aisle-1", "aisle-2"]),
        id_list(&["high-value", "staple"]),
        some_of(&["top", "floor"]),
        proptest::option::weighted(0.4, proptest::sample::select(vec![0.0, 0.5, 0.8, 1.0])),
        proptest::option::weighted(
            0.3,
            proptest::sample::select(vec![Period::Open, Period::Closed]),
        ),
    )
        .prop_map(|(event_types, cameras, aisles, aisle_kinds, zones, confidence, period)| {
            Condition {
                event_types,
                aisles,
                aisle_kinds,
                cameras,
                zones,
                min_confidence: confidence.and_then(Confidence::new),
                period,
            }
        })
}

/// A field's value: known, unknown, of another case or type, or missing.
fn text_value(values: &'static [&'static str]) -> impl Strategy<Value = Option<Value>> {
    prop_oneof![
        6 => proptest::sample::select(values.to_vec()).prop_map(|it| Some(json!(it))),
        1 => Just(None),
        1 => proptest::sample::select(vec![json!("other"), json!("SWEEP"), json!(""), json!(7), json!(null), json!(true)]).prop_map(Some),
    ]
}

fn details() -> impl Strategy<Value = Value> {
    let odd = vec![json!("0.9"), json!(null), json!(true), json!(false), json!(-1), json!(2)];
    let confidence = prop_oneof![
        6 => proptest::sample::select(vec![0.0, 0.49, 0.5, 0.51, 0.79, 0.8, 0.81, 1.0]).prop_map(|it| Some(json!(it))),
        1 => Just(None),
        1 => proptest::sample::select(odd).prop_map(Some),
    ];
    (
        text_value(&["sweep", "hide", "loiter"]),
        text_value(&["cam-1", "cam-2"]),
        text_value(&["aisle-1", "aisle-2"]),
        text_value(&["high-value", "staple"]),
        text_value(&["top", "floor"]),
        text_value(&["open", "closed"]),
        confidence,
    )
        .prop_map(|(event_type, camera, aisle, aisle_kind, zone, period, confidence)| {
            let fields = [
                ("event_type", event_type),
                ("camera", camera),
                ("aisle", aisle),
                ("aisle_kind", aisle_kind),
                ("zone", zone),
                ("period", period),
                ("confidence", confidence),
            ];
            fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn exactly_one_pattern_matches_and_it_is_the_first_rule_that_holds(
        conditions in proptest::collection::vec(conditions(), 0..6),
        details in proptest::collection::vec(details(), 20),
    ) {
        let rules: Vec<_> = conditions.into_iter().enumerate().map(|(n, when)| rule(&format!("r{n}"), when)).collect();
        let store = store(rules);
        // A random rule set may well need more rules than a bus holds; that is an answer, too.
        let Ok(set) = compile(&store) else { return Ok(()) };
        for detail in details {
            let event = json!({ "source": "arm.detector", "detail-type": "BehaviourDetected", "detail": detail });
            let matched: Vec<_> = set.rules.iter().filter(|it| pattern::matches(&it.pattern, &event).unwrap()).collect();
            prop_assert_eq!(matched.len(), 1, "{} matches {:?}", event, matched);
            prop_assert_eq!(&matched[0].rule, &first_match(&store.rules, &detail));
        }
    }
}
