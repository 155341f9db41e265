//! Whatever `check` accepts, the templates give back to the letter: names with quotes, braces and
//! `${...}`, odd numbers, references. Texts are written into YAML in every style that can hold them.

use std::collections::BTreeMap;
use std::fmt::Write;

use generator::input::{self, Content, InputFile};
use generator::stack;
use proptest::prelude::*;
use serde_json::{Value, json};

use arm_tests::read_back::{CameraBack, ReadBack, RuleBack, read_back};

const FLEET: &str = r#"cells: { us-west: { account: "123456789012", region: us-west-2 } }
model: { endpoint: shelf-behaviour }
audiences: [floor, lp]
"#;

/// A store to ask for.
#[derive(Clone, Debug)]
struct Wish {
    name: String,
    timezone: &'static str,
    aisles: Vec<(String, Option<String>)>,
    cameras: Vec<CameraBack>,
    subscribers: Vec<(&'static str, &'static str, String)>,
    rule: RuleBack,
    /// Which YAML style each text takes, in turn.
    styles: Vec<u8>,
}

/// Texts that something on the way could take for its own.
fn hostile() -> impl Strategy<Value = String> {
    let traps = prop::sample::select(vec![
        "{{resolve:ssm:/x}}",
        "{{ x }}",
        "{% raw %}",
        "${AWS::AccountId}",
        "${!x}",
        "$",
        "{",
        "}",
        "!Ref Alerts",
        "!Sub",
        "&a",
        "*a",
        "'",
        "''",
        "`",
        "#",
        " #x",
        ": ",
        "- ",
        "? ",
        "|",
        ">",
        "%",
        "@",
        "NO",
        "on",
        "null",
        "~",
        "0x1F",
        "1e3",
        ".inf",
        "012",
        "é",
        "日本",
        "🛒",
        "\u{a0}",
        "\u{85}",
        "\u{2028}",
        "[",
        "]",
        ",",
        "=",
        "<",
        "\"",
        "\\",
        "\n",
        "\t",
        "Fn::Sub",
        "aws",
    ]);
    prop::collection::vec(prop_oneof![traps.prop_map(str::to_owned), "[a-zA-Z0-9 ]{1,6}"], 1..5)
        .prop_map(|parts| parts.concat())
}

fn camera(aisles: usize) -> impl Strategy<Value = CameraBack> {
    let zone = ("[a-z]{1,8}", 0..50_u8, 1..50_u8);
    let when = prop::sample::select(vec!["always", "open", "closed", "never"]);
    (0..aisles, 12..100_u64, 2..30_u64, when, prop::option::of(zone)).prop_map(
        |(aisle, retention_hours, window_s, when, zone)| CameraBack {
            id: String::new(),
            aisle: format!("aisle-{aisle}"),
            retention_hours,
            device: (retention_hours % 2 == 0).then(|| format!("10.0.0.{retention_hours}")),
            window_s,
            when: when.to_owned(),
            zones: zone
                .map(|(id, at, size)| {
                    let (at, size) = (f64::from(at) / 100.0, f64::from(size) / 100.0);
                    (id, vec![at, at, size, size])
                })
                .into_iter()
                .collect(),
        },
    )
}

/// Words of alerts, each with placeholders and hostile text that its channel takes.
fn wording() -> BoxedStrategy<Value> {
    let text = (hostile(), prop::sample::select(vec!["{place}", "{case}", "{{x}}"]));
    let text = text.prop_map(|(text, placeholder)| {
        let text = text.replace('{', "{{").replace('}', "}}");
        format!("{text}{placeholder}{text}")
    });
    let words = prop::collection::vec(prop::option::of(text), 4).prop_map(|texts| {
        let keys = ["headline", "sms", "email_subject", "email"].into_iter();
        let takes = |key: &str, c: char| match key {
            "email" => c == '\n' || !c.is_control(),
            "email_subject" => matches!(c, ' '..='~'),
            _ => !c.is_control(),
        };
        let all = keys.zip(texts).filter_map(|(key, text)| {
            let text: String = text?.chars().filter(|c| takes(key, *c)).collect();
            Some((key.to_owned(), json!(text)))
        });
        let all: serde_json::Map<_, _> = all.collect();
        if all.is_empty() { Value::Null } else { Value::Object(all) }
    });
    words.boxed()
}

fn wishes() -> impl Strategy<Value = Wish> {
    let zones = prop::sample::select(vec!["America/Los_Angeles", "Europe/Berlin", "Asia/Kolkata"]);
    let subscribers = prop::sample::subsequence(
        vec![
            ("email", "email", "o'neil+{x}@example.com"),
            ("email", "email", "ssm:/a/b.c-d_e"),
            ("sms", "sms", "+12065550100"),
            ("https", "https", "https://example.com/?a=$x&b=1"),
            ("push", "application", "secret:a/b"),
        ],
        0..5,
    );
    let rule = (0..4_usize, 1..86_400_u64, any::<bool>(), 0..=120_u64, 1..3_650_u64, wording());
    (1..4_usize).prop_flat_map(move |aisles| {
        let aisle = ("[a-z]{0}", prop::option::of(hostile())).prop_map(|(_, name)| name);
        (
            hostile(),
            zones.clone(),
            prop::collection::vec(aisle, aisles),
            prop::collection::vec(camera(aisles), 0..5),
            subscribers.clone(),
            rule.clone(),
            prop::collection::vec(any::<u8>(), 8),
        )
            .prop_map(
                |(name, timezone, aisles, mut cameras, subscribers, rule, styles)| {
                    for (number, camera) in cameras.iter_mut().enumerate() {
                        camera.id = format!("cam-{number}");
                    }
                    let (priority, cooldown_s, shadow, before, keep, wording) = rule;
                    Wish {
                        name,
                        timezone,
                        aisles: (0..).map(|n| format!("aisle-{n}")).zip(aisles).collect(),
                        cameras,
                        subscribers: subscribers
                            .into_iter()
                            .map(|(key, protocol, address)| (key, protocol, address.to_owned()))
                            .collect(),
                        rule: RuleBack {
                            priority: ["low", "medium", "high", "critical"][priority].to_owned(),
                            notify: vec!["lp".to_owned(), "floor".to_owned()],
                            cooldown_s,
                            shadow,
                            evidence: (before, 120 - before, keep, "compliance".to_owned()),
                            wording,
                        },
                        styles,
                    }
                },
            )
    })
}

/// A text in YAML: bare where that is safe, in single or in double quotes.
fn yaml(text: &str, style: u8) -> String {
    let bare = !text.is_empty()
        && text != "null"
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let one_line = !text.contains(|c: char| c.is_control() || "\u{85}\u{2028}".contains(c));
    match style % 3 {
        0 if bare => text.to_owned(),
        1 if one_line => format!("'{}'", text.replace('\'', "''")),
        _ => {
            let mut quoted = json!(text).to_string();
            for odd in ['\u{85}', '\u{2028}', '\u{a0}'] {
                quoted = quoted.replace(odd, &format!("\\u{:04x}", u32::from(odd)));
            }
            quoted
        }
    }
}

fn file(wish: &Wish) -> String {
    let mut styles = wish.styles.iter().copied().cycle();
    let mut text = |value: &str| yaml(value, styles.next().unwrap());
    let mut out = format!("store: renton-007\nname: {}\ncell: us-west\n", text(&wish.name));
    writeln!(out, "timezone: {}\nhours: {{ mon-fri: 08:00-02:00 }}", wish.timezone).unwrap();
    out += "aisles:\n";
    for (id, name) in &wish.aisles {
        let name = name.as_ref().map(|name| format!("    name: {}\n", text(name)));
        write!(out, "  - id: {}\n{}", text(id), name.unwrap_or_default()).unwrap();
    }
    out += if wish.cameras.is_empty() { "cameras: []\n" } else { "cameras:\n" };
    for it in &wish.cameras {
        let (id, aisle) = (text(&it.id), text(&it.aisle));
        writeln!(
            out,
            "  - {{ id: {id}, aisle: {aisle}, retention: {}h, watch: {{ window: {}s, when: {} }}, zones: [{}]{} }}",
            it.retention_hours,
            it.window_s,
            it.when,
            it.zones.iter().map(|(id, area)| format!("{{ id: {}, area: {area:?} }}", text(id))).collect::<Vec<_>>().concat(),
            it.device.as_ref().map_or(String::new(), |host| format!(", rtsp: \"rtsp://{host}/1\"")),
        )
        .unwrap();
    }
    let RuleBack { priority, notify, cooldown_s, shadow, evidence, wording } = &wish.rule;
    out += if wording.is_null() { "" } else { "alerts:\n" };
    for (key, words) in wording.as_object().into_iter().flatten() {
        writeln!(out, "  {key}: {}", text(words.as_str().unwrap())).unwrap();
    }
    writeln!(
        out,
        "rules:\n  - {{ name: only, when: {{ period: open }}, priority: {priority}, notify: {notify:?}, cooldown: {cooldown_s}s, shadow: {shadow} }}",
    )
    .unwrap();
    out += if wish.subscribers.is_empty() { "subscribers: []\n" } else { "subscribers:\n" };
    for (key, _, address) in &wish.subscribers {
        writeln!(out, "  - {{ audience: floor, {key}: {} }}", text(address)).unwrap();
    }
    let (before, after, keep, lock) = evidence;
    writeln!(
        out,
        "evidence: {{ before: {before}s, after: {after}s, keep: {keep}d, lock: {lock} }}"
    )
    .unwrap();
    out
}

/// What a template must say of a wish.
fn wanted(wish: &Wish) -> ReadBack {
    let span = json!(["08:00-02:00"]);
    let week: Vec<Value> =
        (0..7).map(|day| if day < 5 { span.clone() } else { json!([]) }).collect();
    let aisles = wish.aisles.iter().map(|(id, name)| {
        let made = format!("Aisle {}", id.trim_start_matches("aisle-"));
        (id.clone(), name.clone().unwrap_or(made), None)
    });
    let address = |address: &str| match address.split_once(':') {
        Some(("ssm", path)) => format!("{{{{resolve:ssm:{path}}}}}"),
        Some(("secret", name)) => format!("{{{{resolve:secretsmanager:{name}}}}}"),
        _ => address.to_owned(),
    };
    let subscriptions = wish
        .subscribers
        .iter()
        .map(|(_, protocol, it)| ((*protocol).to_owned(), address(it), vec!["floor".to_owned()]));
    let mut rule = wish.rule.clone();
    for words in rule.wording.as_object_mut().into_iter().flat_map(|it| it.values_mut()) {
        // A block text of YAML ends with a line break, which does not count in any other.
        let text = words.as_str().unwrap();
        *words = json!(text.strip_suffix('\n').unwrap_or(text));
    }
    ReadBack {
        name: wish.name.clone(),
        timezone: wish.timezone.to_owned(),
        hours: json!({ "timezone": wish.timezone, "week": week }),
        aisles: aisles.collect(),
        cameras: wish.cameras.clone(),
        subscriptions: subscriptions.collect(),
        rules: BTreeMap::from([("only".to_owned(), rule)]),
    }
}

fn input_file(name: &str, text: &str) -> InputFile {
    InputFile {
        name: format!("stores/{name}.yaml"),
        stem: name.to_owned(),
        content: Content::Bytes(text.as_bytes().to_vec()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_check_accepts_the_templates_give_back_to_the_letter(wish in wishes()) {
        let text = file(&wish);
        let stores = vec![input_file("renton-007", &text)];
        let input = input::read(input_file("fleet", FLEET), stores, "2026-11-22".parse().unwrap());
        let codes: Vec<_> = input.problems.iter().filter(|it| it.is_error()).map(|it| it.code).collect();
        // The only things that may be refused are a name, and words over their size.
        prop_assert!(codes.iter().all(|code| *code == "bad-name" || *code == "bad-wording" || *code == "control-character"), "{codes:?}\n{text}");
        if let Some(fleet) = &input.fleet {
            let store = &fleet.fleet.stores[0];
            let rules = &fleet.rules_of(store).rules;
            let template = stack::store(fleet.fleet.cell_of(store), store, rules).unwrap();
            let json: Value = serde_json::from_str(&template.to_json()).unwrap();
            prop_assert_eq!(read_back(&json), wanted(&wish), "{}", text);
            let yaml: Value = serde_yaml::from_str(&template.to_yaml()).unwrap();
            prop_assert_eq!(yaml, json, "{}", text);
        }
    }
}
