//! Input that was made to harm: refused by name or rendered harmless, in bounded time and memory.

use std::fs::File;

use arm_tests::{FLEET, Fleet, STORE};
use insta::assert_snapshot;

/// What a store of these bytes is told: place and code of each problem, or `accepted`.
fn told(bytes: &[u8]) -> String {
    let fleet = Fleet::new(&[("fleet.yaml", FLEET)]);
    fleet.write("renton-007.yaml", bytes);
    let outcome = fleet.arm("check", &["--format", "json"]);
    assert!([0, 1].contains(&outcome.code), "{}", outcome.err);
    let answer: serde_json::Value = serde_json::from_str(&outcome.out).unwrap();
    let problems = answer["diagnostics"].as_array().unwrap().iter().map(|it| {
        let place = &it["place"];
        format!("{}:{} {}", place["line"], place["column"], it["code"].as_str().unwrap())
    });
    let problems: Vec<_> = problems.collect();
    if problems.is_empty() { "accepted".to_owned() } else { problems.join(", ") }
}

/// The store with one line more.
fn with(line: &str) -> Vec<u8> {
    format!("{STORE}{line}\n").into_bytes()
}

#[test]
fn every_trap_of_yaml_is_refused_or_means_nothing() {
    let bomb: Vec<_> = (1..30).map(|n| format!("b{n}: &b{n} [*b{0}, *b{0}]\n", n - 1)).collect();
    let utf_16: Vec<u8> = STORE.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("as it is", STORE.into()),
        ("byte order mark", format!("\u{feff}{STORE}").into()),
        ("line ends of Windows", STORE.replace('\n', "\r\n").into()),
        ("line ends of an old Mac", STORE.replace('\n', "\r").into()),
        ("no line end", STORE.trim_end().into()),
        ("UTF-16", utf_16),
        ("UTF-16 with its mark", [b"\xff\xfe".to_vec(), b"s\0t\0".to_vec()].concat()),
        ("Latin-1", [b"# caf\xe9\n".to_vec(), STORE.into()].concat()),
        ("NUL", [STORE.into(), vec![0]].concat()),
        ("escape sequence of a terminal", with("labels: [\"\u{1b}[31mred\"]")),
        ("bell", with("labels: [\"\u{7}\"]")),
        ("tab as indentation", STORE.replace("name: Renton", "name:\n\tRenton").into()),
        ("tab behind a value", STORE.replace("name: Renton", "name: Renton\t").into()),
        ("duplicate key", with("name: Kent")),
        ("duplicate key in a list", with("labels: [{ a: 1, a: 2 }]")),
        ("anchor", with("labels: &x [a]")),
        ("alias", with("labels: *x")),
        ("bomb of aliases", [b"b0: &b0 [x]\n".to_vec(), bomb.concat().into()].concat()),
        ("merge key", with("camera: { <<: { retention: 48h } }")),
        ("tag", with("timezone: !Ref AWS::Region")),
        ("tag of a language", with("timezone: !!python/object/apply:os.system [ls]")),
        ("directive", format!("%YAML 1.1\n---\n{STORE}").into()),
        ("second document", format!("{STORE}---\n{STORE}").into()),
        ("end of document", format!("{STORE}...\nmore: 1\n").into()),
        ("list as key", with("? [a, b]\n: c")),
        ("norway", with("timezone: NO")),
        ("yes", STORE.replace("notify: []", "notify: [], shadow: yes").into()),
        ("octal", with("cooldown: 0100")),
        ("number in base sixteen", with("cooldown: 0x10")),
        ("number in base sixty", with("cooldown: 1:30")),
        ("infinity", with("camera: { bitrate: .inf }")),
        ("not a number", STORE.replace("event_type: shelf_sweep", "min_confidence: .nan").into()),
        ("exponent", STORE.replace("event_type: shelf_sweep", "min_confidence: 1e-1").into()),
        ("huge number", with(&format!("cooldown: {}s", "9".repeat(1_000)))),
        ("null", STORE.replace("name: Renton", "name: null").into()),
        ("template", STORE.replace("Renton", "\"{{ fleet.secret }}\"").into()),
        ("CloudFormation", STORE.replace("Renton", "\"${AWS::AccountId}\"").into()),
        ("dynamic reference", STORE.replace("Renton", "\"{{resolve:ssm:/x}}\"").into()),
        ("right-to-left mark", STORE.replace("Renton", "\"Ren\u{202e}ton\"").into()),
        ("line break in a name", STORE.replace("Renton", "\"Ren\\nton\"").into()),
        ("path in an id", STORE.replace("renton-007", "../../etc/passwd").into()),
        ("wildcard in an id", STORE.replace("aisle-5-a", "\"*\"").into()),
    ];
    let told: Vec<_> =
        cases.iter().map(|(what, bytes)| format!("{what}: {}", told(bytes))).collect();
    assert_snapshot!(told.join("\n"));
}

#[test]
fn what_is_too_much_is_refused_at_once() {
    let deep = |open: &str, close: &str| {
        with(&format!("labels: {}{}", open.repeat(200_000), close.repeat(200_000)))
    };
    let wide: Vec<_> = (0..300_000).map(|n| format!("a{n}: 1\n")).collect();
    let blocks: Vec<_> = (0..2_000).map(|n| format!("{}a:\n", "  ".repeat(n))).collect();
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("brackets", deep("[", "]")),
        ("braces", deep("{a: ", "}")),
        ("brackets never closed", with(&format!("labels: {}", "[".repeat(200_000)))),
        ("blocks", blocks.concat().into()),
        ("keys", wide.concat().into()),
        ("one long text", STORE.replace("Renton", &"x".repeat(4_000_000)).into()),
        ("one long comment", format!("{STORE}#{}\n", "x".repeat(4_000_000)).into()),
        ("quotes never closed", with(&format!("labels: [\"{}", "x".repeat(1_000_000)))),
        ("quoted line breaks", with(&format!("labels: [\"{}\"]", "\n".repeat(1_000_000)))),
        ("question marks", with(&"? ".repeat(200_000))),
        ("dashes", with(&format!("labels: {}", "- ".repeat(200_000)))),
        ("commas", with(&format!("labels: [{}]", ",".repeat(200_000)))),
    ];
    let told: Vec<_> = cases
        .iter()
        .map(|(what, bytes)| {
            let told = told(bytes);
            format!("{what}: {}", told.split(", ").next().unwrap())
        })
        .collect();
    assert_snapshot!(told.join("\n"));
}

#[test]
fn a_file_of_a_gigabyte_is_not_read_to_its_end() {
    let fleet = Fleet::new(&[("fleet.yaml", FLEET), ("renton-007.yaml", STORE)]);
    File::create(fleet.path("stores/kent-008.yaml")).unwrap().set_len(1 << 30).unwrap();
    let outcome = fleet.arm("check", &[]);
    assert_eq!(outcome.code, 1);
    assert_snapshot!(outcome.err, @"
    error[file-too-large]: the file is over the 4194304 bytes that are read
    --> stores/kent-008.yaml
     = help: split the store, or look what made the file so large

    for more about a code: arm check --explain file-too-large
    error: 1 error in 2 stores
    ");
}
