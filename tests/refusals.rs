//! A store that is wrong is refused with a place and a remedy, before anything is written.

use insta::assert_snapshot;

use arm_tests::{Fleet, Outcome};

fn shown(outcome: &Outcome) -> String {
    format!("{}{}exit code {}", outcome.out, outcome.err, outcome.code)
}

const FOUR_MISTAKES: &str = r#"store: renton-007
name: Renton
aisles:
  - { id: aisle-5, name: Aisle 5 }
  - { id: aisle-6, name: Aisle 6 }
cameras:
  - { id: aisle-5-a, aisle: asile-5 }
  - { id: aisle-6-a, aisle: aisle-6 }
  - { id: aisle-6-a, aisle: aisle-6 }
rules:
  - name: sweep
    when: { event_type: shelf_sweep }
    priority: high
    notify: [flor]
subscribers:
  - { audience: loss-prevention, sms: "206-555-0100" }
  - { audience: floor, email: floor@example.com }
"#;

#[test]
fn four_mistakes_are_four_diagnostics_in_one_run() {
    let fleet = Fleet::new(&[("renton-007.yaml", FOUR_MISTAKES)]);
    assert_snapshot!(shown(&fleet.arm("check", &[])), @r#"
    error[unknown-aisle]: the camera `aisle-5-a` names the aisle `asile-5`, which this store lacks
     --> stores/renton-007.yaml:7:29
      |
    7 |   - { id: aisle-5-a, aisle: asile-5 }
      |                             ^^^^^^^ not known here
      |
      = help: did you mean `aisle-5`? known: `aisle-5`, `aisle-6`

    error[duplicate-camera]: there are two cameras `aisle-6-a`
     --> stores/renton-007.yaml:9:11
      |
    8 |   - { id: aisle-6-a, aisle: aisle-6 }
      |           --------- first here
    9 |   - { id: aisle-6-a, aisle: aisle-6 }
      |           ^^^^^^^^^ again here
      |
      = help: rename one of the two, or delete it

    error[unknown-audience]: no audience `flor`: nobody would be told
      --> stores/renton-007.yaml:14:14
       |
    14 |     notify: [flor]
       |              ^^^^ not known here
       |
       = help: did you mean `floor`? known: `floor`, `loss-prevention`, `store-manager`

    error[bad-phone-number]: `206-555-0100` is no phone number in international form (E.164)
      --> stores/renton-007.yaml:16:39
       |
    16 |   - { audience: loss-prevention, sms: "206-555-0100" }
       |                                       ^^^^^^^^^^^^^^^
       |
       = help: write `+`, the country code and the number, digits only, in quotes, such as `"+12065550100"`

    for more about a code: arm check --explain unknown-aisle
    error: 4 errors in 1 store
    exit code 1
    "#);
}

#[test]
fn a_fleet_with_a_mistake_writes_nothing() {
    let fleet = Fleet::new(&[("renton-007.yaml", FOUR_MISTAKES)]);
    let out = fleet.path("out");
    assert_eq!(fleet.arm("generate", &["--out", &out]).code, 1);
    assert_eq!(fleet.files("out"), []);
}

#[test]
fn machines_get_the_same_with_places_as_numbers() {
    let fleet =
        Fleet::new(&[("renton-007.yaml", "store: renton-008\nname: R\naisles: []\ncameras: []\n")]);
    assert_snapshot!(shown(&fleet.arm("check", &["--format", "json"])), @r#"
    {"schema":"arm.check/1","diagnostics":[{"severity":"error","code":"store-not-file-name","message":"the file is named `renton-007.yaml` and holds the store `renton-008`","place":{"file":"stores/renton-007.yaml","line":1,"column":8,"end_line":1,"end_column":18},"label":"","related":[],"help":"rename the file to `renton-008.yaml`, or the store to `renton-007`","stores":["renton-007"],"of":""}]}
    error: 1 error in 1 store
    exit code 1
    "#);
}

#[test]
fn a_program_that_generates_or_deploys_is_told_what_check_tells() {
    let fleet = Fleet::new(&[("renton-007.yaml", FOUR_MISTAKES)]);
    let told = fleet.arm("check", &["--format", "json"]).out;
    for command in ["generate", "deploy", "rehearse"] {
        let outcome = fleet.arm(command, &["--format", "json"]);
        assert_eq!((outcome.out.as_str(), outcome.code), (told.as_str(), 1), "{command}");
    }
}

#[test]
fn code_review_gets_a_note_at_each_mistake() {
    let fleet = Fleet::new(&[("renton-007.yaml", FOUR_MISTAKES)]);
    assert_snapshot!(shown(&fleet.arm("check", &["--format", "github"])), @r#"
    ::error file=stores/renton-007.yaml,line=7,endLine=7,col=29,endColumn=36,title=unknown-aisle::the camera `aisle-5-a` names the aisle `asile-5`, which this store lacks%0Ahelp: did you mean `aisle-5`? known: `aisle-5`, `aisle-6`
    ::error file=stores/renton-007.yaml,line=9,endLine=9,col=11,endColumn=20,title=duplicate-camera::there are two cameras `aisle-6-a`%0Ahelp: rename one of the two, or delete it
    ::error file=stores/renton-007.yaml,line=14,endLine=14,col=14,endColumn=18,title=unknown-audience::no audience `flor`: nobody would be told%0Ahelp: did you mean `floor`? known: `floor`, `loss-prevention`, `store-manager`
    ::error file=stores/renton-007.yaml,line=16,endLine=16,col=39,endColumn=54,title=bad-phone-number::`206-555-0100` is no phone number in international form (E.164)%0Ahelp: write `+`, the country code and the number, digits only, in quotes, such as `"+12065550100"`
    error: 4 errors in 1 store
    exit code 1
    "#);
    let right = Fleet::new(&[("renton-007.yaml", &store(""))]);
    assert_snapshot!(shown(&right.arm("check", &["--format", "github"])), @"
    no problems in 1 store
    exit code 0
    ");
}

/// What one wrong store file is told.
fn check(text: &str) -> String {
    told(&Fleet::new(&[("renton-007.yaml", text)]))
}

/// Place, code and message of everything that a fleet is told.
fn told(fleet: &Fleet) -> String {
    let outcome = fleet.arm("check", &["--format", "json"]);
    let answer: serde_json::Value = serde_json::from_str(&outcome.out).unwrap();
    let all = answer["diagnostics"].as_array().unwrap().iter().map(|it| {
        let place = &it["place"];
        let text = |key: &str| it[key].as_str().unwrap().to_owned();
        format!("{}:{} {} {}", place["line"], place["column"], text("code"), text("message"))
    });
    all.collect::<Vec<_>>().join("\n")
}

/// A store that is right but for what a test adds.
fn store(extra: &str) -> String {
    format!(
        "store: renton-007\nname: Renton\naisles: [{{ id: aisle-1, kind: staple }}]\n\
         cameras: [{{ id: a, aisle: aisle-1 }}]\nsubscribers: [{{ audience: floor, email: a@b.co }}, \
         {{ audience: loss-prevention, email: a@b.co }}]\n{extra}"
    )
}

#[test]
fn yaml_traps_are_refused_by_name() {
    let cases = [
        "store: [",
        "",
        "store: renton-007\nstore: renton-007\nname: R\naisles: []\ncameras: []\nrules: []\nsubscribers: []\n",
        "a: &x 1\n",
        "a: !Ref x\n",
        "a: 1\n---\nb: 2\n",
        "? [a]\n: b\n",
        "store: \"a\u{7}\"\n",
        "- a\n",
    ];
    let told: Vec<_> = cases.iter().map(|text| check(text)).collect();
    assert_snapshot!(told.join("\n"), @"
    1:8 syntax the `[` here is not closed
    1:1 empty-file the file is empty
    2:1 duplicate-key the key `store` stands twice
    1:4 yaml-anchor YAML anchors and aliases are not read
    1:4 yaml-tag YAML tags such as `!Ref` have no meaning here
    2:1 several-documents a second YAML document begins here
    1:3 key-not-text a key must be plain text
    1:10 control-character the file holds the control character U+0007, which shows nothing
    1:1 wrong-type the store must be a mapping of keys to values, not a list
    ");
}

#[test]
fn nesting_without_end_is_refused() {
    assert_snapshot!(check(&format!("store: {}", "[".repeat(10_000))), @"1:263 too-deep nested more than 24 levels deep");
}

#[test]
fn each_noun_has_its_refusals() {
    let cases = [
        "hours: { mon-sun: 7-23 }",
        "hours: { someday: closed }",
        "hours: { mon: 07:00-12:00, mon-tue: 08:00-09:00 }",
        "hours: { mon: [07:00-12:00, 11:00-13:00] }",
        "timezone: America/Seatle",
        "cell: us-east",
        "format: supermarkt",
        "labels: [Big Store]",
        "cooldown: 0s",
        "evidence: { before: 5m }",
        "evidence: { lock: forever }",
        "camera: { bitrate: 20Mbps, watch: { window: 60s } }",
        "camera: { watch: { when: sometimes } }",
        "rules: [{ name: unrouted, when: {}, priority: low, notify: [] }]",
        "rules: [{ name: r, when: { event_type: [] }, priority: low, notify: [] }]",
        "rules: [{ name: r, when: { event_type: Shelf-Sweep }, priority: low, notify: [] }]",
        "rules: [{ name: r, when: { camera: b }, priority: low, notify: [] }]",
        "rules: [{ name: r, when: { aisle_kind: stapel }, priority: low, notify: [] }]",
        "rules: [{ name: r, when: { zone: top }, priority: low, notify: [] }]",
        "rules: [{ name: r, when: { period: night }, priority: low, notify: [] }]",
        "rules: [{ name: r, when: { min_confidence: 1.5 }, priority: low, notify: [] }]",
        "rules: [{ name: r, when: { min_confidence: .inf }, priority: low, notify: [] }]",
        "rules: [{ name: r, when: {}, priority: urgent, notify: [] }]",
        "rules: [{ name: r, when: {}, priority: low, notify: [], shadow: yes }]",
        "rules: [{ name: r, when: {}, priority: low, notify: [] }, { name: r, when: {}, priority: low, notify: [] }]",
        "rules: [{ name: a, when: {}, priority: low, notify: [] }, { name: b, when: {}, priority: low, notify: [] }]",
        "colour: red",
    ];
    let told: Vec<_> = cases.iter().map(|extra| check(&store(extra))).collect();
    assert_snapshot!(told.join("\n"), @"
    6:19 bad-hours `7-23` is no opening time
    6:10 bad-day `someday` is no day
    6:28 hours-twice `mon` has hours twice
    6:29 bad-hours `11:00-13:00` overlaps another span of the same day
    6:11 unknown-timezone `America/Seatle` is no time zone of the IANA database
    6:7 unknown-cell fleet.yaml has no cell `us-east`
    6:9 unknown-format fleet.yaml has no format `supermarkt`
    6:10 bad-id `Big Store` cannot be the id of a label
    6:11 wrong-value `cooldown` cannot be `0s`
    6:21 wrong-value `before` cannot be `5m`
    6:19 wrong-value `lock` cannot be `forever`
    6:45 window-too-large a window of 60 s at 20000 kbit/s is 150.0 MB, over the 4.7 MB that the model takes
    6:26 wrong-value `when` cannot be `sometimes`
    6:17 reserved-name `unrouted` is the name of the implicit last rule
    6:40 empty-condition `event_type` is an empty list, so the rule can never match
    6:40 bad-event-type `Shelf-Sweep` is no event type
    6:36 unknown-camera this store has no camera `b`
    6:40 unknown-aisle-kind this store has no aisle of kind `stapel`
    6:34 unknown-zone this store has no camera with a zone `top`
    6:36 wrong-value `period` cannot be `night`
    6:44 confidence-out-of-range `min_confidence` is 1.5
    6:44 wrong-value `min_confidence` cannot be `.inf`
    6:40 wrong-value `priority` cannot be `urgent`
    6:65 wrong-value `shadow` cannot be `yes`
    6:67 duplicate-rule there are two rules `r`
    31:13 unreachable-rule the rule `after-hours` can never match
    35:13 unreachable-rule the rule `shelf-sweep` can never match
    6:67 unreachable-rule the rule `b` can never match
    6:1 unknown-key the store has no key `colour`
    ");
}

/// Place, code, message and help of everything that a wrong store is told.
fn helped(text: &str) -> String {
    let outcome = Fleet::new(&[("renton-007.yaml", text)]).arm("check", &["--format", "json"]);
    let answer: serde_json::Value = serde_json::from_str(&outcome.out).unwrap();
    let all = answer["diagnostics"].as_array().unwrap().iter().map(|it| {
        let place = &it["place"];
        let text = |key: &str| it[key].as_str().unwrap().to_owned();
        let (code, message, help) = (text("code"), text("message"), text("help"));
        format!("{}:{} {code} {message}; {help}", place["line"], place["column"])
    });
    all.collect::<Vec<_>>().join("\n")
}

#[test]
fn one_slip_is_one_error_and_its_help_can_be_copied() {
    let rule = |when: &str| {
        format!("rules: [{{ name: r, when: {{ {when} }}, priority: low, notify: [floor] }}]")
    };
    let camera = |extra: &str| {
        format!(
            "store: renton-007\nname: R\naisles: [{{ id:aisle-1 }}]\ncameras: [{{ id: a, aisle: aisle-1{extra} }}]\n"
        )
    };
    let cases = [
        camera(""),
        camera(", zones: [{ id: z, area: [10%, 20%, 50%, 40%] }]").replace("id:a", "id: a"),
        camera(", zones: [{ id: z, area: 0.1 0.2 0.5 0.4 }]").replace("id:a", "id: a"),
        camera(", bitrate: 2,5Mbps").replace("id:a", "id: a"),
        camera("").replace("id:a", "id: a").replace("cameras", "camers"),
        camera("").replace("id:a", "id: a").replace("store: renton-007\n", ""),
        store("camera: { bitrate: 2000000 }"),
        store("camera: { bitrate: 1Mpbs, retention: 48 hours }"),
        store("cooldown: 1h30m"),
        store("hours: { \"mon,tue\": 8-20 Uhr }"),
        store("hours: { mon: 08:00-12:00, 13:00-20:00 }"),
        store(&rule("min_confidence: 0,8")),
        store(&rule("min_confidence: 65%")),
        store(&rule("event_type: shelf_sweep, concealment")),
        store(
            "rules:\n  - name: r\n    when: { min_confidence: 0.4 }\n    priority: low\n    notify: loss-prevention, floor\n",
        ),
        store("allow: [{ code: no-rule, until: 24.12.2026, reason: x }]"),
        store("allow: [{ code: no-rule, until: 2026-02-30, reason: x }]"),
        store("").replace("email: a@b.co }]", "email: a@b.co, c@d.co }]"),
        store("").replace("floor, email: a@b.co", "floor, phone: 1"),
    ];
    let told: Vec<_> = cases.iter().map(|text| helped(text)).collect();
    assert_snapshot!(told.join("\n\n"), @"
    3:14 syntax the colon behind `id` has no space behind it; put a space after the colon: `id: aisle-1`

    4:60 wrong-value `area` cannot be `10%`; did you mean `area: [0.1, 0.2, 0.5, 0.4]`?

    4:59 wrong-type `area` must be a list, not a value; put the numbers in brackets: `area: [0.1, 0.2, 0.5, 0.4]`

    4:47 unknown-key the comma ends the value of `bitrate`, so `5Mbps` is a key; write a decimal point: `bitrate: 2.5Mbps`

    4:1 unknown-key the store has no key `camers`; did you mean `cameras`?

    1:1 missing-key the store lacks `store`; add `store:` with its id, the file's name without `.yaml`

    6:20 wrong-value `bitrate` cannot be `2000000`; did you mean `2Mbps`? a rate from 64kbps to 20Mbps

    6:20 wrong-value `bitrate` cannot be `1Mpbs`; did you mean `1Mbps`? a rate from 64kbps to 20Mbps
    6:38 wrong-value `retention` cannot be `48 hours`; did you mean `48h`? a length of time from 1h to 3650d, in whole hours

    6:11 wrong-value `cooldown` cannot be `1h30m`; did you mean `90m`? a length of time from 1s to 1d, in whole seconds

    6:10 bad-day `mon,tue` is no day; write a key for each: `mon` and `tue`
    6:21 bad-hours `8-20 Uhr` is no opening time; did you mean `08:00-20:00`?

    6:28 wrong-value the comma ends the hours of `mon`, so `13:00-20:00` is a key; put the spans in brackets: `mon: [08:00-12:00, 13:00-20:00]`

    6:46 unknown-key the comma ends the value of `min_confidence`, so `8` is a key; write a decimal point: `min_confidence: 0.8`

    6:44 wrong-value `min_confidence` cannot be `65%`; did you mean `0.65`?

    6:53 unknown-key the comma ends the value of `event_type`, so `concealment` is a key; put the values in brackets: `event_type: [shelf_sweep, concealment]`

    10:13 wrong-value `notify` is one text with a comma in it; put the entries in brackets: `notify: [loss-prevention, floor]`

    6:33 wrong-value `until` cannot be `24.12.2026`; did you mean `2026-12-24`?

    6:33 wrong-value `until` cannot be `2026-02-30`; write a day that exists: 2026-02 has 28 days

    5:95 unknown-key the comma ends the value of `email`, so `c@d.co` is a key; write one entry for each `email`, or put a text with a comma in quotes

    5:34 unknown-key a subscriber has no key `phone`; use one of: `audience`, `email`, `sms`, `https`, `push`
    ");
}

#[test]
fn subscribers_and_names_have_their_refusals() {
    let subscribers = |entry: &str| {
        format!(
            "store: renton-007\nname: Renton\naisles: [{{ id: a }}]\ncameras: [{{ id: a, aisle: a }}]\nsubscribers:\n  \
             - {{ audience: floor, email: a@b.co }}\n  - {{ audience: loss-prevention, email: a@b.co }}\n  - {entry}\n"
        )
    };
    let cases = [
        "{ audience: floor, sms: 2065550100 }",
        "{ audience: floor, email: nobody }",
        "{ audience: floor, https: \"http://a.b/\" }",
        "{ audience: floor, push: phone }",
        "{ audience: floor, sms: \"ssm:no-slash\" }",
        "{ audience: floor }",
        "{ audience: everybody, email: a@b.co }",
    ];
    let mut told: Vec<_> = cases.iter().map(|entry| check(&subscribers(entry))).collect();
    told.push(check("store: renton-007\nname: \"<b>\"\naisles: [{ id: A1 }]\ncameras: [{ id: a, aisle: A1, zones: [{ id: z, area: [0.5, 0.5, 0.6, 0.1] }] }]\n"));
    told.push(check("store: a-gw-b\nname: R\naisles: []\ncameras: []\nrules: []\nsubscribers: [{ audience: floor, email: a@b.co }, { audience: loss-prevention, email: a@b.co }]\n"));
    told.push(check("store: renton-008\nname: R\naisles: []\n"));
    assert_snapshot!(told.join("\n"), @"
    8:29 bad-phone-number `2065550100` is no phone number in international form (E.164)
    8:31 bad-email `nobody` is no e-mail address
    8:31 bad-url `http://a.b/` is no HTTPS address
    8:30 bad-push-endpoint `phone` is no SNS mobile push endpoint
    8:29 bad-reference `ssm:no-slash` is no reference to a stored address
    8:5 subscriber-channel the subscriber has no channel
    8:17 unknown-audience fleet.yaml has no audience `everybody`
    2:7 bad-name the store's name holds the character `<`
    3:16 bad-id `A1` cannot be the id of an aisle
    4:54 zone-outside-picture the zone `z` is not inside the picture
    1:8 bad-id a store's id cannot hold `gw` as a part: gateways are named by it
    1:8 store-not-file-name the file is named `renton-007.yaml` and holds the store `a-gw-b`
    1:1 missing-key the store lacks `cameras`
    1:8 store-not-file-name the file is named `renton-007.yaml` and holds the store `renton-008`
    ");
}

/// What a fleet is told whose fleet.yaml is this, with one store that is right.
fn check_fleet(fleet_yaml: &str) -> String {
    let right = "store: s-1\nname: S\ncell: a\ntimezone: UTC/X\naisles: [{ id: x }]\ncameras: [{ id: x, aisle: x }]\n";
    let right = right.replace("UTC/X", "Etc/UTC");
    let fleet = Fleet::new(&[("fleet.yaml", fleet_yaml), ("s-1.yaml", &right)]);
    told(&fleet)
}

#[test]
fn cells_and_models_have_their_refusals() {
    let cell = |cell: &str| format!("cells: {{ a: {{ {cell} }} }}\nmodel: {{ endpoint: e }}\n");
    let model = |model: &str| {
        format!(
            "cells: {{ a: {{ account: \"123456789012\", region: us-west-2 }} }}\nmodel: {{ {model} }}\n"
        )
    };
    let image = "image: 123456789012.dkr.ecr.us-west-2.amazonaws.com/m:1";
    let two = |other: &str| {
        let home = "{ account: \"123456789012\", region: us-west-2 }";
        format!("cells: {{ a: {home}, {other}: {home} }}\nmodel: {{ endpoint: e }}\n")
    };
    let cases = [
        cell("account: \"12345\", region: us-west-2"),
        cell("account: \"123456789012\", region: us-west-9"),
        cell("account: \"123456789012\", region: us-west-2, log_retention: 100d"),
        cell("account: \"123456789012\", region: us-west-2, ops_email: [a@b.co, a@b.co]"),
        "cells: { a: { account: \"123456789012\", region: us-west-2 } }\n".to_owned(),
        model("endpoint: -x"),
        model("endpoint: e, instance: ml.g4dn.xlarge"),
        model(""),
        model("image: library/model, instance: ml.g4dn.xlarge"),
        model("image: 123456789012.dkr.ecr.us-west-2.amazonaws.com/m, instance: ml.g4dn.xlarge"),
        model("image: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/m:1, instance: ml.g4dn.xlarge"),
        model(image),
        model(&format!("{image}, instance: g4dn.xlarge")),
        model(&format!("{image}, instance: ml.t3.medium")),
        model(&format!("{image}, instance: ml.g4dn.xlarge, data: \"s3://*/model.tar.gz\"")),
        model(&format!("{image}, instance: ml.g4dn.xlarge, instances: 8-1")),
        two("a-b"),
    ];
    let told: Vec<_> = cases.iter().map(|text| check_fleet(text)).collect();
    assert_snapshot!(told.join("\n"), @"
    1:24 bad-account `12345` is no AWS account id
    1:8 no-rule the store has no rule: every detection is only logged, and nobody is told
    1:48 unknown-region `us-west-9` is no region that arm knows
    1:8 no-rule the store has no rule: every detection is only logged, and nobody is told
    1:74 bad-log-retention CloudWatch Logs cannot keep logs for 100 days
    1:8 no-rule the store has no rule: every detection is only logged, and nobody is told
    1:79 duplicate-email `ops_email` has the address `a@b.co` twice
    1:8 no-rule the store has no rule: every detection is only logged, and nobody is told
    1:10 missing-model the cell `a` has no model
    1:8 no-rule the store has no rule: every detection is only logged, and nobody is told
    2:20 bad-endpoint `-x` cannot be the name of a SageMaker endpoint
    1:8 no-rule the store has no rule: every detection is only logged, and nobody is told
    2:33 bad-model an endpoint that exists has its own model data, instances and scaling
    1:8 no-rule the store has no rule: every detection is only logged, and nobody is told
    2:8 bad-model a model is either an endpoint that exists or an image to host
    1:8 no-rule the store has no rule: every detection is only logged, and nobody is told
    2:17 bad-image `library/model` is no image in Amazon ECR
    1:8 no-rule the store has no rule: every detection is only logged, and nobody is told
    2:17 bad-image `123456789012.dkr.ecr.us-west-2.amazonaws.com/m` names no account's image with a tag or digest
    1:8 no-rule the store has no rule: every detection is only logged, and nobody is told
    2:17 image-region the image is in eu-west-1, the cell in us-west-2
    1:8 no-rule the store has no rule: every detection is only logged, and nobody is told
    2:8 bad-instance a hosted model needs an instance type
    1:8 no-rule the store has no rule: every detection is only logged, and nobody is told
    2:77 bad-instance `g4dn.xlarge` is no SageMaker instance type
    1:8 no-rule the store has no rule: every detection is only logged, and nobody is told
    2:77 bad-instance `ml.t3.medium` is burstable, and SageMaker does not scale those
    2:77 unknown-instance `ml.t3.medium` is none of the types that arm knows SageMaker to host models on
    1:8 no-rule the store has no rule: every detection is only logged, and nobody is told
    2:99 bad-model-data `s3://*/model.tar.gz` is no model archive in S3
    1:8 no-rule the store has no rule: every detection is only logged, and nobody is told
    2:104 wrong-value `instances` cannot be `8-1`
    1:8 no-rule the store has no rule: every detection is only logged, and nobody is told
    1:61 cell-names-meet the cells `a` and `a-b` share an account and region, and their names would meet
    1:8 no-rule the store has no rule: every detection is only logged, and nobody is told
    ");
}

#[test]
fn roles_have_their_refusals() {
    let cell = |more: &str| {
        format!("cells:\n  a:\n    account: \"123456789012\"\n    region: us-west-2\n{more}\n")
            + "model: { endpoint: e }\n"
    };
    let role = |role: &str| cell(&format!("    role: {role}"));
    let id = |id: &str| role(&format!("arn:aws:iam::123456789012:role/arm\n    external_id: {id}"));
    let cases = [
        role("arm-deploy"),
        role("arn:aws:iam::123456789012:user/ci"),
        role("arn:aws:iam::123456789012:role/"),
        role("arn:aws:iam::210987654321:role/ops/arm"),
        cell("    external_id: acme-7"),
        id("x"),
        id("\"acme 7\""),
        id(&"x".repeat(1_225)),
        id(&"x".repeat(1_224)),
    ];
    let told: Vec<_> = cases.iter().map(|text| check_fleet(text)).collect();
    assert_snapshot!(told.join("\n").replace(NO_RULE, ""), @"
    5:11 bad-role `arm-deploy` is no ARN of an IAM role
    5:11 bad-role `arn:aws:iam::123456789012:user/ci` is no ARN of an IAM role
    5:11 bad-role `arn:aws:iam::123456789012:role/` is no ARN of an IAM role
    5:11 bad-role the role is of the account 210987654321, the cell of 123456789012
    5:18 bad-external-id `external_id` belongs to a role, and the cell has none
    6:18 bad-external-id the external id is shorter than 2 characters
    6:18 bad-external-id `acme 7` holds a character that STS does not take in an external id
    6:18 bad-external-id the external id is longer than 1,224 characters
    1:8 no-rule the store has no rule: every detection is only logged, and nobody is told
    ");
}

/// What is told of the store of [`check_fleet`] whatever the fleet is.
const NO_RULE: &str =
    "1:8 no-rule the store has no rule: every detection is only logged, and nobody is told\n";

/// A fleet with these waves, one to a line.
fn with_waves(waves: &[&str]) -> String {
    let waves: Vec<_> = waves.iter().map(|wave| format!("  - {{ {wave} }}\n")).collect();
    let home = "{ account: \"123456789012\", region: us-west-2 }";
    format!("cells: {{ a: {home} }}\nmodel: {{ endpoint: e }}\nwaves:\n{}", waves.concat())
}

#[test]
fn waves_have_their_refusals_all_in_one_run() {
    let fleet = with_waves(&[
        "name: First, stores: 1",
        "name: none",
        "name: both, labels: [x], stores: 1",
        "name: bare, labels: []",
        "name: both, stores: 0",
        "name: zero, stores: 0%",
        "name: over, stores: 101%",
        "name: far, stores: 10 percent",
        "name: huge, stores: 100001",
        "name: slow, stores: 1, bake: 2d",
        "name: bold, stores: 1, max_failures: 101%",
        "name: rest, stores: 1",
        "labels: [y_z]",
        "name: odd, stores: 1, pause: 1m",
        "name: loose, labels: x",
    ]);
    assert_snapshot!(check_fleet(&fleet), @"
    4:13 bad-id `First` cannot be the id of a wave
    5:13 bad-wave the wave `none` does not say which stores it takes
    6:28 unknown-label no store has the label `x`
    6:32 bad-wave the wave `both` has both `labels` and `stores`
    7:19 bad-wave the wave `bare` names no label
    8:13 duplicate-wave there are two waves `both`
    8:27 wrong-value `stores` cannot be `0`
    9:27 wrong-value `stores` cannot be `0%`
    10:27 wrong-value `stores` cannot be `101%`
    11:26 wrong-value `stores` cannot be `10 percent`
    12:27 wrong-value `stores` cannot be `100001`
    13:36 wrong-value `bake` cannot be `2d`
    14:44 wrong-value `max_failures` cannot be `101%`
    15:19 bad-wave the wave `rest` takes the stores that no other wave takes
    16:5 missing-key a wave lacks `name`
    16:16 bad-id `y_z` cannot be the id of a label
    17:29 unknown-key a wave has no key `pause`
    18:28 wrong-type `labels` must be a list, not a value
    1:8 no-rule the store has no rule: every detection is only logged, and nobody is told
    ");
    let early = with_waves(&["name: rest, bake: 1m", "name: last, stores: 100%"]);
    assert_snapshot!(check_fleet(&early), @"
    4:5 bad-wave the wave `rest` takes every store that is left, and others follow
    1:8 no-rule the store has no rule: every detection is only logged, and nobody is told
    ");
}

#[test]
fn a_label_that_no_store_has_is_refused_unless_a_store_could_not_be_read() {
    let labelled = |label: &str| {
        let waves = with_waves(&[&format!("name: canary, labels: [{label}]")]);
        let store = "store: s-1\nname: S\ncell: a\ntimezone: Etc/UTC\nlabels: [canary]\naisles: []\ncameras: []\n";
        Fleet::new(&[("fleet.yaml", &waves), ("s-1.yaml", store)])
    };
    assert!(!told(&labelled("canary")).contains("unknown-label"));
    let wrong = labelled("canery");
    let line = "4:30 unknown-label no store has the label `canery`";
    assert!(told(&wrong).contains(line), "{}", told(&wrong));
    wrong.write("s-2.yaml", b"store: [");
    assert!(!told(&wrong).contains("unknown-label"), "{}", told(&wrong));
    let none = Fleet::new(&[("fleet.yaml", &with_waves(&["name: canary, labels: [canery]"]))]);
    assert!(told(&none).contains("no-stores") && !told(&none).contains("unknown-label"));
}

#[test]
fn a_wave_that_earlier_ones_leave_nothing_is_warned_of() {
    let fleet =
        with_waves(&["name: all-of-them, stores: 100%", "name: more, stores: 5", "name: rest"]);
    assert_snapshot!(check_fleet(&fleet), @"
    5:13 empty-wave earlier waves take every store that the wave `more` asks for
    1:8 no-rule the store has no rule: every detection is only logged, and nobody is told
    ");
}

#[test]
fn files_that_are_no_yaml_have_their_refusals() {
    let fleet = Fleet::new(&[("a.yml", "store: a"), ("renton-007.yaml", &store("é: 1"))]);
    fleet.write("SHOUTED.YAML", b"store: a");
    fleet.write(".hidden.yaml", b"[");
    std::fs::create_dir(fleet.path("stores/folder.yaml")).unwrap();
    fleet.write("latin.yaml", b"store: \xe9\n");
    fleet.write("large.yaml", &vec![b'#'; 5_000_000]);
    let deep: Vec<_> = (0..30).map(|n| " ".repeat(n) + "a:\n").collect();
    fleet.write("deep.yaml", deep.concat().as_bytes());
    assert_snapshot!(told(&fleet), @"
    1:1 not-yaml-suffix a store's file ends in `.yaml`, in these letters
    1:1 not-yaml-suffix a store's file ends in `.yaml`, in these letters
    25:25 too-deep nested more than 24 levels deep
    1:1 not-a-file this is no file that can be read
    1:1 file-too-large the file is over the 4194304 bytes that are read
    1:8 not-utf-8 the file is not UTF-8 text
    6:1 unknown-key the store has no key `é`
    ");
}

#[test]
fn a_file_of_nothing_but_mistakes_is_told_briefly() {
    let many: Vec<_> = (0..50_000).map(|n| format!("a{n}: 1\n")).collect();
    let told = check(&many.concat());
    assert_eq!(told.lines().count(), 200);
    assert!(told.ends_with("more problems in this file)"), "{}", told.lines().last().unwrap());
}

#[test]
fn a_cell_with_too_many_stores_and_a_store_with_too_many_cameras_are_refused() {
    let fleet = Fleet::new(&[]);
    for number in 0..201 {
        let id = format!("store-{number:03}");
        let cameras: Vec<_> = (0..if number == 7 { 401 } else { 1 })
            .map(|n| format!("{{ id: c{n}, aisle: a }}"))
            .collect();
        let text = format!(
            "store: {id}\nname: S\naisles: [{{ id: a }}]\ncameras: [{}]\nsubscribers: [{{ audience: floor, email: a@b.co }}, \
             {{ audience: loss-prevention, email: a@b.co }}]\n",
            cameras.join(", ")
        );
        fleet.write(&format!("{id}.yaml"), text.as_bytes());
    }
    assert_snapshot!(told(&fleet), @"
    5:3 too-many-stores the cell `us-west` has 201 stores, and holds 200
    4:9507 too-many-cameras the store has 401 cameras, and a stack holds 400
    ");
}
