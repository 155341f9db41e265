//! What the compiler makes of small rule sets, whole; `agree` holds it against a reading of the rules
//! that shares no code with it.

mod agree;
mod say;

use contract::evidence::LockMode;
use contract::hours::{Hours, Period};
use contract::wording::Wording;

use super::*;
use crate::model::{Confidence, EvidenceSettings};

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
    assert_eq!(
        set.unwrap_err(),
        RulesError::PatternTooLong { rule: "many".to_owned(), characters: 5_099 }
    );
}

/// The rules of these event types, each with a threshold or none, in this order.
fn confident(rules: &[(&str, &str, Option<f64>)]) -> Vec<Rule> {
    let one = |(name, event_type, least): &(&str, &str, Option<f64>)| {
        let when = Condition {
            event_types: Some(types(&[event_type])),
            min_confidence: least.and_then(Confidence::new),
            ..Condition::default()
        };
        rule(name, when)
    };
    rules.iter().map(one).collect()
}

#[test]
fn what_takes_several_boxes_is_one_pattern_with_or() {
    let kind = Condition {
        event_types: Some(types(&["concealment"])),
        aisle_kinds: Some(vec![Id::new("high-value").unwrap()]),
        min_confidence: Confidence::new(0.6),
        ..Condition::default()
    };
    let rules = [vec![rule("razors", kind)], confident(&[("hide", "concealment", None)])].concat();
    insta::assert_snapshot!(check(rules), @r#"
    razors: {"detail":{"event_type":["concealment"],"aisle_kind":["high-value"],"confidence":[{"numeric":[">=",0.6]}]}}
    hide: {"detail":{"event_type":["concealment"],"$or":[{"aisle_kind":[{"anything-but":["high-value"]},{"exists":false}]},{"aisle_kind":["high-value"],"confidence":[{"numeric":["<",0.6]},{"exists":false},{"prefix":""},null,true,false]}]}}
    unrouted: {"detail":{"event_type":[{"anything-but":["concealment"]},{"exists":false}]}}
    "#);
}

#[test]
fn thresholds_of_one_event_type_make_one_stretch_each() {
    let rules = confident(&[
        ("sure", "sweep", Some(0.9)),
        ("maybe", "sweep", Some(0.5)),
        ("low", "sweep", Some(0.0)),
    ]);
    insta::assert_snapshot!(check(rules), @r#"
    sure: {"detail":{"event_type":["sweep"],"confidence":[{"numeric":[">=",0.9]}]}}
    maybe: {"detail":{"event_type":["sweep"],"confidence":[{"numeric":[">=",0.5,"<",0.9]}]}}
    low: {"detail":{"event_type":["sweep"],"confidence":[{"numeric":[">=",0.0,"<",0.5]}]}}
    unrouted: {"detail":{"$or":[{"event_type":[{"anything-but":["sweep"]},{"exists":false}]},{"event_type":["sweep"],"confidence":[{"numeric":["<",0.0]},{"exists":false},{"prefix":""},null,true,false]}]}}
    "#);
}

#[test]
fn stretches_apart_are_two_conditions_on_one_field() {
    let closed = Condition { period: Some(Period::Closed), ..Condition::default() };
    let middle = confident(&[("sure", "sweep", Some(0.9)), ("maybe", "sweep", Some(0.5))]);
    let rules = [vec![rule("closed", closed)], middle].concat();
    insta::assert_snapshot!(check(rules), @r#"
    closed: {"detail":{"period":["closed"]}}
    sure: {"detail":{"event_type":["sweep"],"period":[{"anything-but":["closed"]},{"exists":false}],"confidence":[{"numeric":[">=",0.9]}]}}
    maybe: {"detail":{"event_type":["sweep"],"period":[{"anything-but":["closed"]},{"exists":false}],"confidence":[{"numeric":[">=",0.5,"<",0.9]}]}}
    unrouted: {"detail":{"period":[{"anything-but":["closed"]},{"exists":false}],"$or":[{"event_type":[{"anything-but":["sweep"]},{"exists":false}]},{"event_type":["sweep"],"confidence":[{"numeric":["<",0.5]},{"exists":false},{"prefix":""},null,true,false]}]}}
    "#);
}

#[test]
fn rules_that_cut_each_other_up_are_refused_with_the_names_of_the_worst() {
    // Each names another field pair of its own, so that what is left has no short words.
    let name = |field: &str, n: usize| Id::new(&format!("{field}-{n}")).unwrap();
    let rules = (0..60).map(|n| {
        let mut when = Condition::default();
        let (first, second) = (n % 5, (n / 5) % 5);
        for field in [first, second] {
            match field {
                0 => when.event_types = Some(vec![format!("type_{n}")]),
                1 => when.cameras = Some(vec![name("camera", n)]),
                2 => when.aisles = Some(vec![name("aisle", n)]),
                3 => when.aisle_kinds = Some(vec![name("kind", n)]),
                _ => when.zones = Some(vec![format!("zone-{n}")]),
            }
        }
        rule(&format!("rule-{n}"), when)
    });
    let error = compile(&store(rules.collect())).unwrap_err();
    insta::assert_debug_snapshot!(error, @r#"
    TooManyPatterns {
        rule: "unrouted",
        cut_by: [
            "rule-25",
            "rule-7",
            "rule-1",
        ],
    }
    "#);
    insta::assert_snapshot!(error, @"what is left for the rule `unrouted` takes more patterns than the 300 EventBridge rules of a bus hold");
}

#[test]
fn more_rules_than_a_bus_holds_are_refused() {
    // Short names, or the pattern of what is left would be too long before.
    let letter = |n: usize| char::from(b'a' + u8::try_from(n).unwrap());
    let names = (0..300).map(|n| format!("{}{}", letter(n / 26), letter(n % 26)));
    let rules = names.map(|name| {
        let when = Condition { event_types: Some(vec![name.clone()]), ..Condition::default() };
        rule(&name, when)
    });
    let rules: Vec<_> = rules.collect();
    assert_eq!(compile(&store(rules[..299].to_vec())).unwrap().rules.len(), BUS_RULES_MAX);
    let error = compile(&store(rules)).unwrap_err();
    assert_eq!(error.rule(), "ln", "the three hundredth");
    assert_eq!(error, RulesError::TooManyPatterns { rule: "ln".to_owned(), cut_by: Vec::new() });
}

#[test]
fn the_rule_that_names_most_is_named_and_it_may_be_the_one_itself() {
    let many = |name: &str, number: usize| {
        let cameras = (0..number).map(|n| Id::new(&format!("a-camera-{n:03}")).unwrap()).collect();
        rule(name, Condition { cameras: Some(cameras), ..Condition::default() })
    };
    for order in [["few", "most"], ["most", "few"]] {
        let rules = order.map(|name| many(name, if name == "most" { 200 } else { 20 }));
        let error = compile(&store(rules.to_vec())).unwrap_err();
        assert_eq!(error.rule(), "most");
    }
}

#[test]
fn a_search_that_runs_out_of_steps_does_not_say_that_nothing_is_left() {
    let rules = confident(&[("sure", "sweep", Some(0.9)), ("any", "sweep", None)]);
    let compiler = Compiler::new(rules.iter().collect()).unwrap();
    let find = |steps| {
        let first = space::RuleBits::first(1);
        let steps = &mut Steps(steps);
        cut::find_left(&compiler.space, &compiler.regions[1], first, steps, |_| true)
    };
    assert_eq!((find(0), find(1)), (cut::Found::Unknown, cut::Found::Unknown));
    assert!(matches!(find(STEPS_MAX), cut::Found::Left(_)));
}
