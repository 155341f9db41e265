//! The words of alerts: inherited key by key, checked with the place inside the text, and sent as they
//! are shown. What people then read, the tests of `contract::alert` hold.

use arm_tests::read_back::read_back;
use arm_tests::{Fleet, Outcome, STORE, root};
use insta::assert_snapshot;
use serde_json::{Value, json};

fn shown(outcome: &Outcome) -> String {
    format!("{}{}exit code {}", outcome.out, outcome.err, outcome.code)
}

/// The words that the rules of a store carry.
fn carried(fleet: &Fleet, store: &str) -> Value {
    let outcome = fleet.arm("generate", &["--out", &fleet.path("out")]);
    assert_eq!(outcome.code, 0, "{}", outcome.err);
    let files = fleet.files("out/us-west/stores");
    let file = files.iter().find(|(path, _)| path.to_string_lossy().contains(store)).unwrap();
    let template: Value = serde_json::from_slice(&file.1).unwrap();
    read_back(&template).rules["sweep"].wording.clone()
}

/// The store of the tests with this behind it.
fn store(more: &str) -> String {
    format!("{}{more}", STORE.replace("name: Renton", "name: Renton\nformat: kiosk"))
}

const FLEET: &str = r#"cells: { us-west: { account: "123456789012", region: us-west-2 } }
model: { endpoint: shelf-behaviour }
audiences: [floor]
defaults:
  cell: us-west
  timezone: America/Los_Angeles
  alerts: { headline: "{behaviour}: {place}", sms: "{case} {place}", email_subject: "{headline}" }
formats: { kiosk: { alerts: { sms: "{headline}, {case}" } } }
"#;

#[test]
fn words_are_inherited_key_by_key_and_shown_with_their_origin() {
    let text = store(
        "alerts:\n  email_subject: \"{headline} ({store})\"\n  email: |\n    {headline}\n    {case}\n",
    );
    let fleet = Fleet::new(&[("renton-007.yaml", &text)]);
    fleet.write("fleet.yaml", FLEET.as_bytes());
    // The subject is the built-in one, which travels with nobody.
    let expected = json!({
        "headline": "{behaviour}: {place}", "sms": "{headline}, {case}", "email": "{headline}\n{case}",
    });
    assert_eq!(carried(&fleet, "renton-007"), expected);
    let shown = fleet.arm("check", &["--show", "renton-007"]).out;
    let alerts = &shown[shown.find("alerts:").unwrap()..shown.find("evidence:").unwrap()];
    assert_snapshot!(alerts, @r#"
    alerts:
      headline: "{behaviour}: {place}"                       # stores/fleet.yaml:7
      sms: "{headline}, {case}"                              # stores/fleet.yaml:8
      email_subject: "{headline} ({store})"                  # stores/renton-007.yaml:8
      email: "{headline}\n{case}\n"                          # stores/renton-007.yaml:10
    "#);
}

#[test]
fn a_store_without_words_of_its_own_carries_none() {
    let fleet = Fleet::new(&[("renton-007.yaml", STORE)]);
    fleet.write("fleet.yaml", arm_tests::FLEET.as_bytes());
    assert_eq!(carried(&fleet, "renton-007"), Value::Null);
}

#[test]
fn every_mistake_in_the_words_is_shown_where_it_stands() {
    let text = store(
        r#"alerts:
  headline: 'Räuber {plase}: {{x}} } {headline} {behaviour'
  sms: "two\nlines, \u007bcase}"
  email_subject: Größe {place}
  email: |
    {headline}

      Kamera: {kamera}, {nothing at all}
"#,
    );
    let fleet = Fleet::new(&[("renton-007.yaml", &text)]);
    fleet.write("fleet.yaml", FLEET.replace("{case} {place}", &"x".repeat(161)).as_bytes());
    assert_snapshot!(shown(&fleet.arm("check", &[])));
}

#[test]
fn a_text_message_that_loses_words_by_the_store_s_own_is_told_there_and_once() {
    let subscribers = "subscribers: [{ audience: floor, sms: \"+12065550100\" }]\n";
    let words = format!("alerts: {{ sms: \"警報 {{place}} {{case}}. {}\" }}\n", "Now. ".repeat(20));
    let text = store(&format!("{subscribers}{words}"))
        .replace("notify: []", "notify: [floor]")
        .replace("[{ id: aisle-5 }]", "[{ id: aisle-5 }, { id: aisle-6 }]")
        .replace("aisle: aisle-5 }]", "aisle: aisle-5 }, { id: aisle-6-a, aisle: aisle-6 }]");
    let fleet = Fleet::new(&[("renton-007.yaml", &text)]);
    fleet.write("fleet.yaml", FLEET.as_bytes());
    assert_snapshot!(shown(&fleet.arm("check", &[])), @r#"
    1 warning in 1 store
    warning[sms-shortened]: a text message about `shelf_sweep` in the aisle `aisle-5` cannot hold the characters `警報`
     --> stores/renton-007.yaml:8:16
      |
    8 | ...s: "警報 {place} {case}. Now. Now. Now. Now. Now. Now. Now. Now. Now. Now. Now. Now. Now. Now. Now. Now. Now. Now. Now. Now. " }
      |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ a text message has 160 characters
      |
      = help: choose shorter or plainer words; the message would be: Aisle 5 0123456789ABCDEF. Now. Now. Now. Now. Now. Now. Now. Now. Now. Now. Now. Now. Now. Now. Now. Now. Now. Now. Now. Now.

    for more about a code: arm check --explain sms-shortened
    exit code 0
    "#);
}

#[test]
fn the_example_of_the_readme_is_right() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let section = readme.split("\n## The words\n").nth(1).unwrap();
    let example = section.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    let fleet = Fleet::new(&[("renton-007.yaml", &format!("{STORE}{example}"))]);
    fleet.write("fleet.yaml", arm_tests::FLEET.as_bytes());
    let right = "no problems in 1 store\nexit code 0";
    assert_eq!(shown(&fleet.arm("check", &[])), right);
}
