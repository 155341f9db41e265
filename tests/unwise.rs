//! What is said of rules that are legal and do not do what they say: of their order, shadows and times.
//!
//! The rule to keep: what is advised is done here to the letter, and then silences the warning and
//! brings no other, wherever the rules stand. To add a case, write it before and after.

use insta::assert_snapshot;

use arm_tests::{FLEET, Fleet, Outcome};

const STORE: &str = "store: renton-007
name: Renton
format: big
hours: { mon-sun: 07:00-23:00 }
aisles: [{ id: pharmacy, kind: high-value }, { id: dock }]
cameras: [{ id: pharmacy-a, aisle: pharmacy }, { id: dock-a, aisle: dock }]
subscribers: [{ audience: floor, email: floor@example.com }, { audience: guards, email: guards@example.com }]
";

const SWEEP: &str =
    "{ name: sweep, when: { event_type: shelf_sweep }, priority: low, notify: [floor] }";
const HIDE: &str =
    "{ name: hide, when: { event_type: hide, aisle: pharmacy }, priority: low, notify: [floor] }";
const LATE: &str = "{ name: late, when: { period: closed, min_confidence: 0.5 }, priority: high, notify: [guards] }";
const FIRE: &str =
    "{ name: fire, when: { min_confidence: 0.9 }, priority: critical, notify: [guards] }";
const NIGHT_SWEEP: &str = "{ name: night-sweep, when: { event_type: shelf_sweep, period: closed, min_confidence: 0.7 }, priority: critical, notify: [guards] }";
const TRIAL: &str = "{ name: trial, when: { event_type: shelf_sweep, min_confidence: 0.9 }, priority: high, notify: [], shadow: true }";

/// The fleet of one store, with these rules of the store, its format and the defaults.
fn check(rules: Rules<'_>) -> Outcome {
    check_store(STORE, rules)
}

/// The same with another store, up to its rules.
fn check_store(store: &str, [own, format, defaults]: Rules<'_>) -> Outcome {
    let list = |rules: &[&str]| format!("[{}]", rules.join(", "));
    let rules = format!("Los_Angeles, rules: {} }}\naudiences: [floor, guards]", list(defaults));
    let fleet = FLEET.replace("Los_Angeles }", &rules);
    let fleet = format!("{fleet}formats: {{ big: {{ rules: {} }} }}\n", list(format));
    let store = format!("{store}rules: {}\n", list(own));
    let fleet = Fleet::new(&[("fleet.yaml", &fleet), ("renton-007.yaml", &store)]);
    fleet.arm("check", &[])
}

/// What is warned of and advised, without pictures.
fn said(outcome: &Outcome) -> String {
    let told = |line: &&str| line.contains('[') && line.contains("]: ") || line.contains("= help:");
    outcome
        .err
        .lines()
        .chain(outcome.out.lines())
        .filter(told)
        .map(str::trim)
        .collect::<Vec<_>>()
        .join("\n")
}

/// The rules of a store, of its format and of the defaults.
type Rules<'r> = [&'r [&'r str]; 3];

#[test]
fn what_is_advised_silences_the_warning_and_brings_no_other() {
    let cases: [(Rules<'_>, Rules<'_>); 7] = [
        ([&[SWEEP, LATE], &[], &[]], [&[LATE, SWEEP], &[], &[]]),
        ([&[SWEEP], &[LATE], &[]], [&[LATE, SWEEP], &[LATE], &[]]),
        ([&[SWEEP], &[], &[LATE]], [&[LATE, SWEEP], &[], &[LATE]]),
        ([&[], &[SWEEP], &[LATE]], [&[], &[LATE, SWEEP], &[LATE]]),
        // What is more urgent must stay above it.
        ([&[SWEEP], &[FIRE], &[LATE]], [&[FIRE, LATE, SWEEP], &[FIRE], &[LATE]]),
        // Its exceptions go with it.
        ([&[SWEEP, NIGHT_SWEEP, LATE], &[], &[]], [&[NIGHT_SWEEP, LATE, SWEEP], &[], &[]]),
        ([&[SWEEP, HIDE, FIRE, LATE], &[], &[]], [&[FIRE, LATE, SWEEP, HIDE], &[], &[]]),
    ];
    let mut told = Vec::new();
    for (before, after) in cases {
        told.push(said(&check(before)));
        assert_eq!(said(&check(after)), "", "{after:?}");
    }
    assert_snapshot!(told.join("\n\n"), @"
    warning[partly-shadowed]: a shelf_sweep with confidence 0.5 while closed is taken by `sweep` (low) before `late` (high)
    = help: move `late` above `sweep`

    warning[partly-shadowed]: a shelf_sweep with confidence 0.5 while closed is taken by `sweep` (low) before `late` (high)
    = help: write `late` again under its name above `sweep` in the `rules` of the store: there it replaces the inherited one

    warning[partly-shadowed]: a shelf_sweep with confidence 0.5 while closed is taken by `sweep` (low) before `late` (high)
    = help: write `late` again under its name above `sweep` in the `rules` of the store: there it replaces the inherited one

    warning[partly-shadowed]: a shelf_sweep with confidence 0.5 while closed is taken by `sweep` (low) before `late` (high)
    = help: write `late` again under its name above `sweep` in the `rules` of the format `big`: there it replaces the inherited one

    warning[partly-shadowed]: a shelf_sweep with confidence 0.5 while closed is taken by `sweep` (low) before `late` (high)
    = help: write `fire` and `late` again, in this order and under their names, above `sweep` in the `rules` of the store: there they replace the inherited ones
    warning[partly-shadowed]: a shelf_sweep with confidence 0.9 is taken by `sweep` (low) before `fire` (critical)
    = help: write `fire` again under its name above `sweep` in the `rules` of the store: there it replaces the inherited one

    warning[unreachable-rule]: the rule `night-sweep` can never match
    = help: move `night-sweep` above `sweep`, or delete it
    warning[partly-shadowed]: a shelf_sweep with confidence 0.5 while closed is taken by `sweep` (low) before `late` (high)
    = help: move `night-sweep` and `late`, in this order, above `sweep`

    warning[partly-shadowed]: a shelf_sweep with confidence 0.9 is taken by `sweep` (low) before `fire` (critical)
    = help: move `fire` above `sweep`
    warning[partly-shadowed]: a shelf_sweep with confidence 0.5 while closed is taken by `sweep` (low) before `late` (high)
    = help: move `fire` and `late`, in this order, above `sweep`
    ");
}

#[test]
fn a_trial_above_a_rule_that_tells_people_is_told_and_no_order_advised() {
    assert_snapshot!(said(&check([&[TRIAL, SWEEP, LATE], &[], &[]])), @"
    warning[partly-shadowed]: a shelf_sweep with confidence 0.9 is taken by `trial` (high, a shadow, tells nobody) before `sweep` (low)
    = help: try `trial` with `arm simulate` instead, or accept this with `allow` while it is tried: a shadow rule takes its detections from the rules below it, and nobody is told of them
    warning[partly-shadowed]: a shelf_sweep with confidence 0.9 while closed is taken by `trial` (high, a shadow, tells nobody) before `late` (high)
    = help: move `late` above `trial`
    ");
}

#[test]
fn a_rule_that_no_camera_of_the_store_can_reach_is_told_where_it_is_the_stores_own() {
    const AISLE: &str = "{ name: aisle, when: { event_type: hide, aisle: [pharmacy, dock] }, priority: low, notify: [floor] }";
    const ALL: &str = "{ name: all, when: { event_type: hide }, priority: low, notify: [guards] }";
    const KIND: &str = "{ name: kind, when: { event_type: hide, aisle_kind: high-value }, priority: low, notify: [guards] }";
    const MUTE: &str =
        "{ name: mute, when: { event_type: hide, camera: pharmacy-a }, priority: low, notify: [] }";
    let own = [[AISLE, ALL], [HIDE, KIND], [MUTE, KIND]];
    let told: Vec<_> = own.iter().map(|rules| said(&check([rules, &[], &[]]))).collect();
    assert_snapshot!(told.join("\n\n"), @"
    warning[unreachable-rule]: the rule `all` can never match in this store
    = help: delete it or `aisle`: in either order, one of the two gets nothing; as it is, `guards` is never told anything

    warning[camera-unreached]: no rule can match what the camera `dock-a` sees
    = help: add a rule for its aisle, or write `watch: { when: never }` if nothing is to be detected there
    warning[unreachable-rule]: the rule `kind` can never match in this store
    = help: delete it or `hide`: in either order, one of the two gets nothing; as it is, `guards` is never told anything

    warning[camera-unreached]: no rule can match what the camera `dock-a` sees
    = help: add a rule for its aisle, or write `watch: { when: never }` if nothing is to be detected there
    warning[audience-never-told]: no rule of this store tells the audience `floor`
    = help: add `floor` to the `notify` of a rule that is no shadow, or delete its subscribers
    warning[unreachable-rule]: the rule `kind` can never match in this store
    = help: delete it or `mute`: in either order, one of the two gets nothing; as it is, `guards` is never told anything
    ");
    // Inherited, it may be meant for other stores.
    assert_eq!(said(&check([&[AISLE], &[ALL], &[]])), "");
}

#[test]
fn an_audience_that_only_a_shadow_names_is_never_told() {
    const GUARDED: &str = "{ name: guarded, when: { event_type: crowd }, priority: high, notify: [guards], shadow: true }";
    assert_snapshot!(said(&check([&[SWEEP, GUARDED], &[], &[]])), @"
    warning[audience-never-told]: no rule of this store tells the audience `guards`: `guarded`, which names it, is a shadow
    = help: add `guards` to the `notify` of a rule that is no shadow, or delete its subscribers
    ");
}

#[test]
fn a_rule_for_a_time_in_which_its_camera_is_not_watched_has_no_camera() {
    const DOCK: &str = "{ name: dock, when: { event_type: loitering, aisle: dock, period: open }, priority: high, notify: [guards] }";
    let only = |when: &str| {
        let camera = "{ id: dock-a, aisle: dock";
        let watched = STORE.replace(camera, &format!("{camera}, watch: {{ when: {when} }}"));
        said(&check_store(&watched, [&[DOCK, SWEEP], &[], &[]]))
    };
    assert_eq!(only("open"), "");
    assert_snapshot!(only("closed"), @"
    warning[rule-without-camera]: no watched camera can see what the rule `dock` asks for
    = help: its conditions must hold together: name the aisle, kind or zone of one and the same camera, and watch that camera in the rule's `period`
    ");
}

#[test]
fn an_upper_bound_of_confidence_is_not_taken_for_a_slip_of_the_lower() {
    const UNSURE: &str = "{ name: unsure, when: { event_type: hide, max_confidence: 0.4 }, priority: low, notify: [floor] }";
    assert_snapshot!(said(&check([&[UNSURE, LATE], &[], &[]])), @"
    error[unknown-key]: `when` has no key `max_confidence`: confidence has a lower bound only
    = help: put a rule with `min_confidence` above this one: it takes what is surer, and this one gets the rest
    ");
}

#[test]
fn where_no_way_up_serves_all_the_less_urgent_rule_is_to_go_down() {
    // Its camera sees it only while the store is closed, so `late` would take all of it.
    const DOCK: &str = "{ name: dock, when: { event_type: hide, aisle: dock, min_confidence: 0.5 }, priority: high, notify: [floor] }";
    let camera = "{ id: dock-a, aisle: dock";
    let watched = STORE.replace(camera, &format!("{camera}, watch: {{ when: closed }}"));
    let told = |own: &[&str]| said(&check_store(&watched, [own, &[], &[]]));
    assert_snapshot!(told(&[SWEEP, DOCK, LATE]), @"
    warning[partly-shadowed]: a shelf_sweep with confidence 0.5 while closed is taken by `sweep` (low) before `late` (high)
    = help: move `sweep` below `late`
    ");
    assert_eq!(told(&[DOCK, LATE, SWEEP]), "");
}
