//! Random rule sets on both sides against the pattern engine; and every sentence, whole, of small
//! changes.

use contract::evidence::LockMode;
use contract::hours::{Hours, Period, Span};
use contract::priority::Priority;
use contract::store::Zone;
use contract::watch::WatchWhen;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::json;

use super::*;
use crate::model::{Aisle, Condition, Confidence, Rule, Store};
use crate::pattern::Pattern;
use crate::rules::compile;
use crate::stack::{self, fixture};

fn template(store: &Store) -> Template {
    let rules = compile(store).unwrap().rules;
    stack::store(&fixture::cell(), store, &rules).unwrap()
}

fn rule(name: &str, priority: Priority, when: Condition) -> Rule {
    let notify = vec![fixture::id("floor")];
    Rule { name: fixture::id(name), when, priority, notify, cooldown_s: 60, shadow: false }
}

fn types(types: &[&str]) -> Condition {
    let types = types.iter().map(|it| (*it).to_owned()).collect();
    Condition { event_types: Some(types), ..Condition::default() }
}

fn sure(confidence: f64, when: Condition) -> Condition {
    Condition { min_confidence: Confidence::new(confidence), ..when }
}

fn day_hours(from: u16, to: u16) -> Hours {
    let week = vec![vec![Span::new(from * 60, to * 60).unwrap()]; 7];
    Hours { timezone: "America/Los_Angeles".to_owned(), week, ..Hours::default() }
}

/// A store that closes at night, with three aisles of two kinds and none; a zone before the first.
fn store() -> Store {
    let base = fixture::large_store(3);
    let aisle = |id: &str, kind: Option<&str>| Aisle {
        id: fixture::id(id),
        name: Aisle::name_from(id),
        kind: kind.map(fixture::id),
    };
    let mut cameras = base.cameras.clone();
    for (camera, aisle) in cameras.iter_mut().zip(["aisle-5", "aisle-6", "entrance"]) {
        camera.id = fixture::id(&format!("{aisle}-a"));
        camera.aisle = fixture::id(aisle);
        camera.zones.clear();
    }
    cameras[0].zones = vec![Zone { id: "razors".to_owned(), area: [0.0, 0.0, 0.5, 0.5] }];
    let closed = Condition { period: Some(Period::Closed), ..Condition::default() };
    let high =
        Condition { aisle_kinds: Some(vec![fixture::id("high-value")]), ..types(&["concealment"]) };
    Store {
        hours: day_hours(7, 23),
        aisles: vec![
            aisle("aisle-5", Some("high-value")),
            aisle("aisle-6", Some("staple")),
            aisle("entrance", None),
        ],
        cameras,
        rules: vec![
            rule("after-hours", Priority::Critical, sure(0.5, closed)),
            rule("concealment-high-value", Priority::High, sure(0.6, high)),
            rule("concealment", Priority::Medium, sure(0.7, types(&["concealment"]))),
        ],
        ..base
    }
}

/// Every sentence of a change, loud ones with `!`, details and causes below.
fn check(change: impl FnOnce(&mut Store)) -> String {
    let before = store();
    let mut after = before.clone();
    change(&mut after);
    let findings = rules(Some(&template(&before)), Some(&template(&after)));
    let lines = findings.into_iter().map(|it| {
        let class = if it.class == Class::Rules { "" } else { "data loss: " };
        assert!(matches!(it.class, Class::Rules | Class::DataLoss), "{it:?}");
        let sign = if it.weight == Weight::Loud { "!" } else { "-" };
        let details: Vec<_> = it.details.iter().map(|it| format!("\n    {it}")).collect();
        let details = details.concat();
        let about: Vec<_> = it.about.iter().map(|it| it.join(".")).collect();
        format!("{sign} {class}{}{details}\n    <- {}\n", it.text, about.join(" "))
    });
    lines.collect()
}

#[test]
fn a_threshold_says_what_is_between_the_two() {
    insta::assert_snapshot!(check(|store| {
        store.rules[1].when.min_confidence = Confidence::new(0.8);
    }));
}

#[test]
fn a_rule_that_goes_leaves_its_detections_to_later_ones() {
    insta::assert_snapshot!(check(|store| {
        store.rules.remove(0);
    }));
}

#[test]
fn what_nobody_is_told_of_any_more_comes_first() {
    insta::assert_snapshot!(check(|store| {
        store.rules[0].priority = Priority::High;
        store.rules[1].notify.clear();
        store.rules[2].shadow = true;
    }));
}

#[test]
fn another_order_of_rules_is_told_by_what_moves() {
    insta::assert_snapshot!(check(|store| store.rules.swap(0, 2)));
}

#[test]
fn a_rule_of_another_name_is_one_quiet_sentence() {
    insta::assert_snapshot!(check(|store| {
        store.rules[0].name = fixture::id("night");
        store.rules[2].name = fixture::id("hiding");
    }));
}

#[test]
fn an_aisle_of_another_kind_treats_its_detections_otherwise() {
    insta::assert_snapshot!(check(|store| store.aisles[0].kind = Some(fixture::id("staple"))));
}

#[test]
fn other_hours_treat_otherwise_what_is_seen_between_them() {
    insta::assert_snapshot!(check(|store| store.hours = day_hours(6, 22)));
}

#[test]
fn another_time_zone_moves_hours_both_ways() {
    insta::assert_snapshot!(check(|store| store.hours.timezone = "Europe/Berlin".to_owned()));
}

#[test]
fn one_weekday_and_one_date_are_told_as_such() {
    insta::assert_snapshot!(check(|store| {
        store.hours.week[6].clear();
        store.hours.week[5] = vec![Span::new(8 * 60, 20 * 60).unwrap()];
        store.hours.dates.insert("2026-12-25".to_owned(), vec![]);
        store.rules.clear();
    }));
}

#[test]
fn a_camera_that_is_watched_less_is_loud_and_cameras_alike_are_one_sentence() {
    insta::assert_snapshot!(check(|store| {
        store.cameras[0].when = WatchWhen::Closed;
        store.cameras[1].when = WatchWhen::Never;
        store.cameras[2].when = WatchWhen::Never;
    }));
    insta::assert_snapshot!(check(|store| {
        let mut new = store.cameras[1].clone();
        new.id = fixture::id("aisle-6-b");
        store.cameras.remove(2);
        store.cameras.push(new);
        store.cameras[0].window_s = 20;
        store.cameras[0].zones[0].area = [0.5, 0.0, 0.5, 0.5];
        store.cameras[1].zones = vec![Zone { id: "oil".to_owned(), area: [0.0, 0.0, 0.5, 0.5] }];
    }));
}

#[test]
fn a_rule_for_a_zone_and_a_camera_says_where() {
    insta::assert_snapshot!(check(|store| {
        let zone = Condition { zones: Some(vec!["razors".to_owned()]), ..types(&["concealment"]) };
        store.rules.insert(0, rule("razors", Priority::Critical, zone));
        let camera =
            Condition { cameras: Some(vec![fixture::id("entrance-a")]), ..Condition::default() };
        store.rules.push(rule("entrance", Priority::Low, camera));
    }));
}

#[test]
fn settings_have_a_sentence_each() {
    insta::assert_snapshot!(check(|store| {
        store.rules[0].cooldown_s = 300;
        store.rules[1].cooldown_s = 300;
        store.evidence.keep_days = 30;
        store.evidence.before_s = 30;
        store.evidence.lock = LockMode::Compliance;
    }));
}

#[test]
fn what_no_camera_makes_is_quiet() {
    insta::assert_snapshot!(check(|store| {
        // The camera looks at another aisle.
        let nowhere = Condition {
            cameras: Some(vec![fixture::id("entrance-a")]),
            aisles: Some(vec![fixture::id("aisle-5")]),
            ..Condition::default()
        };
        store.rules.insert(0, rule("nowhere", Priority::Critical, nowhere));
    }));
}

#[test]
fn nothing_is_told_of_what_is_the_same() {
    assert_eq!(check(|_| {}), "");
    assert_eq!(check(|store| store.cameras[0].retention_hours = 25), "");
    let template = template(&store());
    assert_eq!(rules(None, Some(&template)), []);
    assert_eq!(rules(Some(&template), None)[0].weight, Weight::Loud);
}

#[test]
fn what_is_not_as_we_write_it_is_said_and_not_compared() {
    let text = template(&store()).to_json();
    let other = text.replacen(r#"\"event_id\":<id>"#, "", 1);
    let odd = text.replace(r#"["concealment"]"#, r#"[{"suffix":"ment"}]"#);
    assert!(other != text && odd != text);
    for changed in [other, odd] {
        let findings = rules(Some(&template(&store())), Some(&Template::parse(&changed).unwrap()));
        assert!(findings[0].text.contains("not compared"), "{findings:?}");
        assert_eq!((findings.len(), findings[0].weight), (1, Weight::Loud));
    }
}

// Against the engine.

const TYPES: [&str; 3] = ["concealment", "shelf_sweep", "loitering"];

fn texts(all: &'static [&'static str]) -> impl Strategy<Value = Option<Vec<String>>> {
    let some = subsequence(all, 1..=all.len());
    proptest::option::weighted(0.3, some.prop_map(|it| it.into_iter().map(str::to_owned).collect()))
}

fn ids(all: &'static [&'static str]) -> impl Strategy<Value = Option<Vec<crate::model::Id>>> {
    texts(all).prop_map(|it| Some(it?.iter().map(|it| fixture::id(it)).collect()))
}

prop_compose! {
    fn condition()(
        event_types in texts(&TYPES),
        aisles in ids(&["aisle-5", "aisle-6", "elsewhere"]),
        aisle_kinds in ids(&["high-value", "staple"]),
        cameras in ids(&["aisle-5-a", "entrance-a"]),
        zones in texts(&["razors"]),
        min_confidence in proptest::option::weighted(0.4, select(vec![0.0, 0.3, 0.5, 0.9, 1.0])),
        period in proptest::option::weighted(0.3, select(vec![Period::Open, Period::Closed])),
    ) -> Condition {
        let min_confidence = min_confidence.and_then(Confidence::new);
        Condition { event_types, aisles, aisle_kinds, cameras, zones, min_confidence, period }
    }
}

prop_compose! {
    fn some_rule()(
        when in condition(),
        priority in select(Priority::ALL.to_vec()),
        tells in any::<bool>(),
        shadow in proptest::bool::weighted(0.2),
    ) -> Rule {
        let rule = rule("r", priority, when);
        let notify = if tells { rule.notify } else { vec![] };
        Rule { notify, shadow, ..rule }
    }
}

/// Rules, and the same with some of them changed, moved or gone.
fn two_sides() -> impl Strategy<Value = (Vec<Rule>, Vec<Rule>)> {
    let rules = || proptest::collection::vec(some_rule(), 0..5);
    (rules(), rules(), any::<bool>(), 0..3_usize).prop_map(|(mut before, other, keeps, turn)| {
        for (at, rule) in before.iter_mut().enumerate() {
            rule.name = fixture::id(&format!("r{at}"));
        }
        let mut after: Vec<_> = if keeps { before.clone() } else { other };
        for (at, rule) in after.iter_mut().enumerate() {
            rule.name = fixture::id(&format!("r{at}"));
        }
        if keeps && !after.is_empty() {
            let turn = turn % after.len();
            after.rotate_left(turn);
            after[0].priority = Priority::Medium;
        }
        (before, after)
    })
}

fn details() -> impl Strategy<Value = Vec<Value>> {
    let text = |all: &[&str]| {
        let odd = [json!(null), json!(true), json!(7), json!("something else")];
        let all: Vec<_> = all.iter().map(|it| json!(it)).chain(odd).collect();
        proptest::option::weighted(0.8, select(all))
    };
    let number = [0.0, 0.29, 0.3, 0.4, 0.5, 0.9, 0.95, 1.0, 7.0, -1.0].map(|it| json!(it));
    let numbers = number.into_iter().chain([json!("x"), json!(false), json!(null)]);
    let number = proptest::option::weighted(0.8, select(numbers.collect::<Vec<_>>()));
    let detail = (
        text(&TYPES),
        text(&["open", "closed"]),
        text(&["high-value", "staple"]),
        text(&["aisle-5", "aisle-6"]),
        text(&["aisle-5-a", "aisle-6-a", "entrance-a"]),
        text(&["razors"]),
        number,
    );
    let detail = detail.prop_map(|(a, b, c, d, e, f, g)| {
        let values = FIELDS.iter().zip([a, b, c, d, e, f, g]);
        values.filter_map(|(name, it)| Some(((*name).to_owned(), it?))).collect()
    });
    proptest::collection::vec(detail, 30)
}

/// The patterns of a side, read once.
struct Engine(Vec<(Pattern, Treatment)>);

impl Engine {
    fn new(side: &Side) -> Self {
        let read = |rule: &ReadRule| {
            (Pattern::parse(&rule.pattern).unwrap(), Treatment::of(&rule.message))
        };
        Self(side.rules.iter().map(read).collect())
    }
}

/// The one treatment of an event, by the engine.
fn treatment(engine: &Engine, detail: &Value) -> Treatment {
    let event = json!({ "source": "arm.detector", "detail": detail });
    let matching: Vec<_> = engine.0.iter().filter(|(it, _)| it.matches(&event)).collect();
    assert_eq!(matching.len(), 1, "{detail}");
    matching[0].1.clone()
}

/// The event's `detail` of a detection.
fn detail_at(sight: &view::Sight<'_>, event_type: &str, confidence: f64) -> Value {
    let texts = [
        Some(event_type),
        Some(sight.period),
        sight.kind,
        Some(sight.aisle),
        Some(sight.camera),
        sight.zone,
    ];
    let texts = FIELDS.iter().zip(texts);
    let texts = texts.filter_map(|(name, text)| Some(((*name).to_owned(), json!(text?))));
    texts.chain([("confidence".to_owned(), json!(confidence))]).collect()
}

fn detail_of(example: &Example<'_>, sight: &view::Sight<'_>) -> Value {
    let event_type = example.event_type.as_deref().unwrap_or("something else");
    detail_at(sight, event_type, example.confidence)
}

/// What every change says holds for what it gives as an example; returns the pairs by their shift.
fn hold_examples(
    before: &Engine,
    after: &Engine,
    changes: &[Change<'_>],
) -> Result<BTreeMap<(Treatment, Treatment), Vec<Shift>>, TestCaseError> {
    let mut pairs: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for it in changes {
        prop_assert_ne!(&it.before, &it.after);
        let event = match &it.example {
            Some(it) => (detail_of(it, &it.view.before), detail_of(it, &it.view.after)),
            None => (it.made_up.clone(), it.made_up.clone()),
        };
        prop_assert_eq!(&treatment(before, &event.0), &it.before, "{}", event.0);
        prop_assert_eq!(&treatment(after, &event.1), &it.after, "{}", event.1);
        prop_assert_eq!(event.0 == event.1, it.shift.fields.is_empty());
        let pair = (it.before.clone(), it.after.clone());
        pairs.entry(pair).or_default().push(it.shift.clone());
    }
    Ok(pairs)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_event_is_treated_otherwise_where_a_change_says_so_and_nowhere_else(
        (old, new) in two_sides(),
        details in details(),
    ) {
        let before = Side::read(&template(&Store { rules: old, ..store() }));
        let after = Side::read(&template(&Store { rules: new, ..store() }));
        let routed = routed(&before, &after).unwrap();
        let (was, is) = (Engine::new(&before), Engine::new(&after));
        let pairs = hold_examples(&was, &is, &routed.changes)?;
        // Also what every view of the store can bring.
        let watch = before.watch.as_ref().unwrap();
        let seen = views(watch, after.watch.as_ref().unwrap()).into_iter().flat_map(|view| {
            let of = |event_type: &str| [0.0, 0.4, 0.9].map(|it| detail_at(&view.after, event_type, it));
            TYPES.into_iter().flat_map(of).collect::<Vec<_>>()
        });
        for detail in details.into_iter().chain(seen) {
            let pair = (treatment(&was, &detail), treatment(&is, &detail));
            let is_same = pair.0 == pair.1;
            prop_assert!(is_same || pairs.contains_key(&pair), "{} {:?}", detail, pair);
        }
    }

    #[test]
    fn what_a_camera_sees_otherwise_is_found_where_its_aisle_zone_or_hours_change(
        (old, new) in two_sides(),
        kind in proptest::option::of(select(vec!["high-value", "staple"])),
        zone in any::<bool>(),
        hours in (5..9_u16, 20..24_u16),
    ) {
        let old = Store { rules: old, ..store() };
        let mut new = Store { rules: new, hours: day_hours(hours.0, hours.1), ..store() };
        new.aisles[1].kind = kind.map(fixture::id);
        if zone {
            new.cameras[0].zones.clear();
        }
        let (before, after) = (Side::read(&template(&old)), Side::read(&template(&new)));
        let routed = routed(&before, &after).unwrap();
        let (was, is) = (Engine::new(&before), Engine::new(&after));
        let pairs = hold_examples(&was, &is, &routed.changes)?;
        let watches = (before.watch.as_ref().unwrap(), after.watch.as_ref().unwrap());
        for view in views(watches.0, watches.1) {
            for event_type in TYPES.into_iter().chain(["something else"]) {
                for confidence in [0.0, 0.2, 0.3, 0.7, 0.95, 1.0] {
                    let before = treatment(&was, &detail_at(&view.before, event_type, confidence));
                    let after = treatment(&is, &detail_at(&view.after, event_type, confidence));
                    let shifts = pairs.get(&(before.clone(), after.clone()));
                    let is_told = shifts.is_some_and(|it| it.contains(&view.shift()));
                    prop_assert!(before == after || is_told, "{:?} {} {}", view, event_type, confidence);
                }
            }
        }
    }
}
