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

/// What `check` says of a store with these words, without the help.
fn refused(headline: &str, email: &str) -> Vec<String> {
    let alerts = json!({ "headline": headline, "email": email });
    let fleet = Fleet::new(&[("renton-007.yaml", &store(&format!("alerts: {alerts}\n")))]);
    fleet.write("fleet.yaml", FLEET.as_bytes());
    let err = fleet.arm("check", &[]).err;
    let lines: Vec<_> = err.lines().map(str::trim).collect();
    let errors = lines.windows(2).filter(|pair| pair[0].starts_with("error["));
    errors.flatten().map(|line| (*line).to_owned()).collect()
}

#[test]
fn words_are_measured_as_a_rule_carries_them() {
    for (worst, each) in [("<", 6), (">", 6), ("$", 6), ("{{{{", 14)] {
        let fitting = worst.repeat(4_000 / each);
        assert_eq!(refused("{place}", &format!("{fitting}\n")), [""; 0], "{worst}");
        let over = worst.repeat(4_000 / each + 1);
        let said = refused("{place}", &over);
        let expected = "error[bad-wording]: `email` takes";
        assert!(said[0].starts_with(expected), "{worst}: {said:?}");
        assert_eq!(said.len(), 2, "{worst}: {said:?}");
    }
    let headline = format!("{{place}}{}", "<".repeat(113));
    assert_eq!(refused(&headline, &"\"".repeat(2_000)), [""; 0]);
}

#[test]
fn a_headline_in_itself_is_shown_where_it_is_and_not_in_doubled_braces() {
    assert_eq!(refused("{{headline}} {place}", "{case}"), [""; 0]);
    let said = refused("{{headline}} {headline} {place}", "{case}");
    assert_eq!(said[0], "error[bad-wording]: the headline cannot hold itself");
    let before = r#"alerts: {"headline":"{{headline}} "#.len();
    assert_eq!(said[1], format!("--> stores/renton-007.yaml:7:{}", before + 1));
}

#[test]
fn a_text_of_one_line_holds_no_line_separator_and_no_mark_that_turns_it_around() {
    for c in ['\u{2028}', '\u{2029}', '\u{202e}', '\u{2066}', '\u{200b}', '\u{feff}'] {
        let said = refused(&format!("{{place}} a{c}b"), "{case}");
        let expected =
            format!("error[bad-wording]: `headline` holds the character U+{:04X}", u32::from(c));
        assert_eq!(said[0], expected);
    }
    assert_eq!(refused("{place} می\u{200c}خواهم 👨\u{200d}👩", "{case}"), [""; 0]);
}

#[test]
fn a_rule_that_names_no_event_type_is_measured_with_the_longest_of_the_store() {
    let words = "Go there. ".repeat(14);
    let more = format!(
        "subscribers: [{{ audience: floor, sms: \"+12065550100\" }}]\nalerts: {{ sms: \"{{headline}} {{case}} {words}\" }}\n"
    );
    let text = store(&more).replace(
        "rules: [",
        "rules: [{ name: after-hours, when: { min_confidence: 0.9 }, priority: critical, notify: [floor] }, ",
    );
    let fleet = Fleet::new(&[("renton-007.yaml", &text)]);
    fleet.write("fleet.yaml", FLEET.as_bytes());
    let err = fleet.arm("check", &[]).err;
    assert_snapshot!(err);
    let alone = text.replace("event_type: shelf_sweep", "aisle: aisle-5");
    fleet.write("stores/renton-007.yaml", alone.as_bytes());
    assert!(fleet.arm("check", &[]).err.contains("sms-shortened"));
}
