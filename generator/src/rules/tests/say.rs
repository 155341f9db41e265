//! What is said about rules: which cross, what falls to `unrouted`, who takes from whom.

use contract::store::Zone;
use contract::watch::WatchWhen;

use super::*;
use crate::model::{Aisle, Camera};

fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

/// A store that opens at seven, with a pharmacy, a dock that is watched when closed, and these rules.
fn shop(rules: Vec<Rule>) -> Store {
    let aisle = |name: &str, kind: Option<&str>| Aisle {
        id: id(name),
        name: Aisle::name_from(name),
        kind: kind.map(id),
    };
    let camera = |name: &str, aisle: &str, when, zone: Option<&str>| Camera {
        id: id(name),
        aisle: id(aisle),
        source: None,
        retention_hours: 24,
        bitrate_kbps: 1_000,
        window_s: 10,
        when,
        zones: zone
            .map(|zone| Zone { id: zone.to_owned(), area: [0.0, 0.0, 1.0, 1.0] })
            .into_iter()
            .collect(),
    };
    Store {
        hours: Hours { week: vec![vec!["07:00-23:00".parse().unwrap()]; 7], ..Hours::default() },
        aisles: vec![aisle("pharmacy", Some("high-value")), aisle("dock", None)],
        cameras: vec![
            camera("pharmacy-a", "pharmacy", WatchWhen::Always, Some("till")),
            camera("dock-a", "dock", WatchWhen::Closed, None),
            camera("dock-b", "dock", WatchWhen::Never, Some("gate")),
        ],
        ..store(rules)
    }
}

/// A rule that tells somebody, or with an empty audience nobody.
fn told(name: &str, priority: Priority, audience: &str, when: Condition) -> Rule {
    let notify = if audience.is_empty() { vec![] } else { vec![id(audience)] };
    Rule { priority, notify, ..rule(name, when) }
}

fn event(event_type: &str) -> Condition {
    Condition { event_types: Some(types(&[event_type])), ..Condition::default() }
}

fn closed(least: f64) -> Condition {
    Condition {
        period: Some(Period::Closed),
        min_confidence: Confidence::new(least),
        ..Condition::default()
    }
}

/// What is said of rules that cross, one line for each taker.
fn crossing(store: &Store) -> String {
    let lines = partly_shadowed(store, &vec![0; store.rules.len()]).into_iter().flat_map(|it| {
        let PartlyShadowed { rule, priority, takers, .. } = it;
        takers.into_iter().map(move |taker| {
            let Taker { rule: earlier, priority: lower, tells, example, .. } = taker;
            format!("{example}: {earlier} ({lower:?}, tells {tells}) before {rule} ({priority:?})")
        })
    });
    lines.collect::<Vec<_>>().join("\n")
}

const HIGH: Priority = Priority::High;
const CRITICAL: Priority = Priority::Critical;

#[test]
fn two_rules_that_cross_are_told_with_a_detection_that_a_camera_can_make() {
    let kind = Condition { aisle_kinds: Some(vec![id("high-value")]), ..event("hide") };
    let zone = Condition { zones: Some(vec!["till".to_owned()]), ..event("sweep") };
    let aisle = Condition { aisles: Some(vec![id("dock")]), ..Condition::default() };
    let camera = Condition { cameras: Some(vec![id("pharmacy-a")]), ..event("crowd") };
    insta::assert_snapshot!(
        [
            crossing(&shop(vec![
                told("hide", HIGH, "floor", kind),
                told("late", CRITICAL, "floor", closed(0.5)),
            ])),
            crossing(&shop(vec![
                told("till", HIGH, "floor", zone),
                told("late", CRITICAL, "floor", closed(0.5)),
            ])),
            crossing(&shop(vec![
                told("dock", HIGH, "floor", aisle),
                told("late", CRITICAL, "floor", closed(0.0)),
            ])),
            crossing(&shop(vec![
                told("crowd", HIGH, "floor", camera),
                told("low", Priority::Low, "floor", event("other")),
                told("late", CRITICAL, "floor", closed(0.9)),
            ])),
        ]
        .join("\n"),
        @"
    a hide with confidence 0.5 in an aisle of kind `high-value` while closed: hide (High, tells true) before late (Critical)
    a sweep with confidence 0.5 in the zone `till` while closed: till (High, tells true) before late (Critical)
    a detection with confidence 0 in Dock while closed: dock (High, tells true) before late (Critical)
    a crowd with confidence 0.9 before the camera `pharmacy-a` while closed: crowd (High, tells true) before late (Critical)
    an other with confidence 0.9 while closed: low (Low, tells true) before late (Critical)
    "
    );
}

#[test]
fn a_rule_that_tells_nobody_takes_from_one_that_does_whatever_its_priority() {
    let mute = |shadow| {
        let first = Rule { shadow, ..told("first", CRITICAL, "", event("hide")) };
        crossing(&shop(vec![first, told("late", HIGH, "floor", closed(0.5))]))
    };
    assert_eq!(
        mute(false),
        "a hide with confidence 0.5 while closed: first (Critical, tells false) before late (High)"
    );
    let shadow = Rule { shadow: true, ..told("first", CRITICAL, "floor", event("hide")) };
    assert_eq!(
        crossing(&shop(vec![shadow, told("late", HIGH, "floor", closed(0.5))])),
        mute(false)
    );
    // The other way around, the later one could only make it worse.
    let mute =
        vec![told("first", HIGH, "floor", event("hide")), told("late", CRITICAL, "", closed(0.5))];
    assert_eq!(crossing(&shop(mute)), "");
    let both =
        vec![told("first", HIGH, "", event("hide")), told("late", CRITICAL, "", closed(0.5))];
    assert_eq!(
        crossing(&shop(both)),
        "a hide with confidence 0.5 while closed: first (High, tells false) before late (Critical)"
    );
}

#[test]
fn what_is_meant_or_cannot_happen_is_not_told() {
    let late = |when| told("late", CRITICAL, "floor", when);
    let first = |priority, when| told("first", priority, "floor", when);
    let narrower = Condition { min_confidence: Confidence::new(0.6), ..event("hide") };
    let narrower = Condition { period: Some(Period::Closed), ..narrower };
    let none = [
        ("narrower", vec![first(HIGH, narrower), late(closed(0.5))]),
        ("wider", vec![first(HIGH, Condition::default()), late(closed(0.5))]),
        ("as urgent", vec![first(CRITICAL, event("hide")), late(closed(0.5))]),
        ("apart", vec![first(HIGH, event("hide")), late(event("sweep"))]),
        (
            "taken before",
            vec![
                told("all", CRITICAL, "floor", closed(0.0)),
                first(HIGH, event("hide")),
                late(closed(0.5)),
            ],
        ),
        // No camera has this zone in this aisle, and the one with the gate is never watched.
        (
            "no camera",
            vec![
                first(HIGH, Condition { zones: Some(vec!["gate".to_owned()]), ..event("hide") }),
                late(closed(0.5)),
            ],
        ),
        (
            "not when it is watched",
            vec![
                first(HIGH, Condition { aisles: Some(vec![id("dock")]), ..event("hide") }),
                late(Condition { period: Some(Period::Open), ..Condition::default() }),
            ],
        ),
    ];
    for (why, rules) in none {
        assert_eq!(crossing(&shop(rules)), "", "{why}");
    }
    let rules = vec![first(HIGH, event("hide")), late(closed(0.5))];
    assert_ne!(crossing(&shop(rules.clone())), "");
    let always_open = Store { hours: Hours::default(), ..shop(rules) };
    assert_eq!(crossing(&always_open), "");
}

#[test]
fn a_store_that_never_opens_is_only_closed() {
    let open = Condition { period: Some(Period::Open), ..Condition::default() };
    let rules =
        vec![told("first", HIGH, "floor", event("hide")), told("late", CRITICAL, "floor", open)];
    assert_eq!(
        crossing(&shop(rules.clone())),
        "a hide while open: first (High, tells true) before late (Critical)"
    );
    let never = Hours { week: vec![vec![]; 7], ..Hours::default() };
    assert_eq!(crossing(&Store { hours: never, ..shop(rules) }), "");
}

#[test]
fn of_many_takers_the_first_three_are_named() {
    let first =
        (0..5).map(|n| told(&format!("first-{n}"), HIGH, "floor", event(&format!("type_{n}"))));
    let rules = first.chain([told("late", CRITICAL, "floor", closed(0.5))]).collect();
    insta::assert_snapshot!(crossing(&shop(rules)), @"
    a type_0 with confidence 0.5 while closed: first-0 (High, tells true) before late (Critical)
    a type_1 with confidence 0.5 while closed: first-1 (High, tells true) before late (Critical)
    a type_2 with confidence 0.5 while closed: first-2 (High, tells true) before late (Critical)
    ");
}

/// What falls to `unrouted`, one line for each event type.
fn rest(rules: Vec<Rule>) -> String {
    let lines = unrouted(&store(rules)).into_iter();
    lines.map(|it| format!("{}: {}", it.event_type, it.what)).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_falls_to_unrouted_is_said_in_the_words_of_the_yaml() {
    let kind = Condition {
        aisle_kinds: Some(vec![id("high-value")]),
        min_confidence: Confidence::new(0.8),
        ..event("concealment")
    };
    let crowd = Condition { zones: Some(vec!["a".to_owned(), "b".to_owned()]), ..event("crowd") };
    let rules = vec![
        rule("kind", kind),
        rule("sweep", event("sweep")),
        rule("crowd", crowd),
        rule("sure", confident(&[("x", "tamper", Some(0.9))])[0].when.clone()),
        rule("late", closed(0.95)),
    ];
    insta::assert_snapshot!(rest(rules), @"
    concealment: outside `aisle_kind: high-value` and outside `period: closed`; outside `aisle_kind: high-value` and below confidence 0.95; below confidence 0.8
    crowd: outside `zone: a, b` and outside `period: closed`; outside `zone: a, b` and below confidence 0.95
    tamper: below confidence 0.9
    ");
    assert_eq!(rest(vec![rule("all", Condition::default()), rule("sweep", event("sweep"))]), "");
}

#[test]
fn what_falls_to_unrouted_is_short_however_much_it_is() {
    let cameras = (0..30).map(|n| id(&format!("cam-{n}"))).collect();
    let many = Condition { cameras: Some(cameras), ..event("hide") };
    let deep = Condition {
        aisles: Some(vec![id("a")]),
        aisle_kinds: Some(vec![id("k")]),
        zones: Some(vec!["z".to_owned()]),
        period: Some(Period::Open),
        min_confidence: Confidence::new(0.5),
        ..many
    };
    insta::assert_snapshot!(rest(vec![rule("deep", deep)]), @"hide: outside `camera: cam-0, cam-1, cam-10, cam-11, 26 more`; outside `aisle: a`; outside `aisle_kind: k`; outside `zone: z`; 2 more");
}

#[test]
fn each_rule_says_its_patterns_and_who_takes_from_it() {
    let rules = vec![
        rule("sweep", event("sweep")),
        rule("late", closed(0.5)),
        rule("sweep-again", event("sweep")),
        rule("hide", event("hide")),
    ];
    let store = store(rules);
    let set = compile(&store).unwrap();
    let lines = routed(&store, &set).into_iter();
    let lines = lines.map(|it| format!("{} {}: {}", it.rule, it.patterns, it.taken_by.join(", ")));
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @"
    sweep 1: 
    late 1: sweep
    sweep-again 0: sweep
    hide 1: late
    unrouted 1: sweep, late, hide
    ");
}

#[test]
fn where_a_third_rule_takes_the_sure_ones_the_example_is_less_sure() {
    let crossed = |least: f64| {
        let sure = Condition { min_confidence: Confidence::new(least), ..Condition::default() };
        let aisle = Condition { aisles: Some(vec![id("dock")]), ..Condition::default() };
        crossing(&shop(vec![
            told("sure", CRITICAL, "floor", sure),
            told("dock", HIGH, "floor", aisle),
            told("sweep", CRITICAL, "floor", event("sweep")),
        ]))
    };
    insta::assert_snapshot!(crossed(0.8), @"a sweep with confidence below 0.8 in Dock: dock (High, tells true) before sweep (Critical)");
    // What is left then is without confidence, and no camera says less than nothing.
    assert_eq!(crossed(0.0), "");
}

#[test]
fn what_falls_to_unrouted_of_an_event_type_that_no_rule_names_is_said_in_the_same_words() {
    let other = |rules: Vec<Rule>| unrouted_other(&store(rules)).unwrap_or_default();
    let sure = Condition { min_confidence: Confidence::new(0.8), ..Condition::default() };
    let told = [
        other(vec![rule("sweep", event("sweep"))]),
        other(vec![rule("sweep", event("sweep")), rule("late", closed(0.5))]),
        other(vec![rule("sure", sure), rule("late", closed(0.5))]),
    ];
    insta::assert_snapshot!(told.join("\n"), @"
    all
    outside `period: closed`; below confidence 0.5
    outside `period: closed` and below confidence 0.8; below confidence 0.5
    ");
    assert_eq!(unrouted_other(&store(vec![rule("all", Condition::default())])), None);
}

#[test]
fn what_is_in_neither_period_is_said_to_be_without_one() {
    let period = |period| Condition { period: Some(period), ..event("sweep") };
    let rules = vec![rule("open", period(Period::Open)), rule("closed", period(Period::Closed))];
    assert_eq!(rest(rules), "sweep: without a period");
}

/// The earlier rules that are said to take from the last rule of a store.
fn taken_by(store: &Store) -> String {
    let routed = routed(store, &compile(store).unwrap());
    routed[store.rules.len() - 1].taken_by.join(", ")
}

#[test]
fn a_rule_takes_nothing_where_no_camera_of_the_store_shows_it() {
    let kind = Condition { aisle_kinds: Some(vec![id("high-value")]), ..Condition::default() };
    let aisle = |name: &str| Condition { aisles: Some(vec![id(name)]), ..Condition::default() };
    let shop = |last: &str| shop(vec![rule("costly", kind.clone()), rule("last", aisle(last))]);
    assert_eq!(
        (taken_by(&shop("dock")), taken_by(&shop("pharmacy"))),
        (String::new(), "costly".to_owned())
    );
    // Without any camera, nothing is known of what there is.
    assert_eq!(taken_by(&Store { cameras: vec![], ..shop("dock") }), "costly");
}

#[test]
fn of_the_rules_before_one_that_never_matches_those_are_named_that_it_lacks() {
    let late = |name: &str, least| {
        rule(name, Condition { min_confidence: Confidence::new(least), ..event("sweep") })
    };
    let rules = vec![
        late("sure", 0.9),
        late("half", 0.5),
        rule("night", closed(0.0)),
        rule("all", event("sweep")),
        rule("crowd", event("crowd")),
        late("again", 0.7),
        rule("never", event("sweep")),
    ];
    let never = compile(&store(rules)).unwrap().unreachable;
    let never: Vec<_> =
        never.iter().map(|it| format!("{}: {}", it.rule, it.shadowed_by.join(", "))).collect();
    insta::assert_snapshot!(never.join("\n"), @"
    again: half
    never: all
    ");
}
