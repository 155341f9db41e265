//! The effective store is a store again that means the same, and says where each value is from.

use insta::assert_snapshot;

use arm_tests::{Fleet, arm, example_stores, root};

#[test]
fn every_value_of_a_store_is_shown_with_its_file_and_line() {
    let text = "store: renton-007
name: Renton
format: supermarket
aisles: [{ id: aisle-5, kind: high-value }]
camera: { bitrate: 1500kbps }
cameras: [{ id: aisle-5-a, aisle: aisle-5, rtsp: \"rtsp://viewer:tulip7@10.0.5.11/1\" }]
rules: [{ name: shelf-sweep, when: {}, priority: critical, notify: [], shadow: true }]
";
    let fleet = Fleet::new(&[("renton-007.yaml", text)]);
    assert_snapshot!(fleet.arm("check", &["--show", "renton-007"]).out);
}

#[test]
fn what_is_shown_of_a_store_generates_the_same_template() {
    for store in ["seattle-001", "tacoma-012", "bellevue-100"] {
        let read = |name: &str| {
            std::fs::read_to_string(root().join(format!("stores/{name}.yaml"))).unwrap()
        };
        let shown = arm(&["check", "--stores", &example_stores(), "--show", store]).out;
        let file = format!("{store}.yaml");
        let template = |text: &str, out: &str| {
            let fleet = Fleet::new(&[(&file, text)]);
            let outcome = fleet.arm("generate", &["--out", &fleet.path(out)]);
            assert_eq!(outcome.code, 0, "{}", outcome.err);
            let files = fleet.files("out/us-west/stores");
            files.into_iter().map(|(_, bytes)| bytes).collect::<Vec<_>>()
        };
        assert_eq!(template(&shown, "out"), template(&read(store), "out"), "{store}");
    }
}

#[test]
fn a_store_that_is_not_there_is_named_with_those_that_are() {
    let outcome = arm(&["check", "--stores", &example_stores(), "--show", "seatle-001"]);
    assert_eq!((outcome.out.as_str(), outcome.code), ("", 1));
    assert_snapshot!(outcome.err, @"
    error: there is no store `seatle-001` that can be read
      help: did you mean `seattle-001`? known: `bellevue-100`, `seattle-001`, `tacoma-012`
    ");
}

#[test]
fn a_store_whose_file_cannot_be_read_is_told_so() {
    let fleet = Fleet::new(&[("kent-008.yaml", "store: [\n")]);
    let told = ["kent-008", "kent-009"].map(|store| fleet.arm("check", &["--show", store]).err);
    assert_snapshot!(told.join("\n"), @"
    error[syntax]: the `[` here is not closed
     --> stores/kent-008.yaml:1:8
      |
    1 | store: [
      |        ^
      |
      = help: write the `]` that belongs to it

    error: cannot show `kent-008`: stores/kent-008.yaml cannot be read
      help: mend what is said of the file above

    error[syntax]: the `[` here is not closed
     --> stores/kent-008.yaml:1:8
      |
    1 | store: [
      |        ^
      |
      = help: write the `]` that belongs to it

    error: there is no store `kent-009` that can be read
      help: name a store whose file can be read; `arm new` makes one like another
    ");
}

#[test]
fn a_store_without_labels_is_shown_so_and_inherits_none() {
    let fleet_text = "cells: { us-west: { account: \"123456789012\", region: us-west-2 } }
model: { endpoint: shelf }
audiences: []
defaults: { cell: us-west, timezone: America/Los_Angeles, labels: [urban] }
";
    let text = "store: renton-007\nname: Renton\nlabels: []\naisles: []\ncameras: []\n";
    let fleet = Fleet::new(&[("renton-007.yaml", text)]);
    fleet.write("fleet.yaml", fleet_text.as_bytes());
    let shown = fleet.arm("check", &["--show", "renton-007"]).out;
    let labels =
        |shown: &str| shown.lines().find(|it| it.starts_with("labels")).unwrap().to_owned();
    assert_eq!(labels(&shown), format!("{:<56} # stores/renton-007.yaml:3", "labels: []"));
    fleet.write("renton-007.yaml", text.replace("labels: []\n", "").as_bytes());
    let inherited = fleet.arm("check", &["--show", "renton-007"]).out;
    assert!(inherited.contains("\nlabels: [urban] "), "{inherited}");
    fleet.write("fleet.yaml", fleet_text.replace(", labels: [urban]", "").as_bytes());
    let nowhere = fleet.arm("check", &["--show", "renton-007"]).out;
    assert_eq!(labels(&nowhere), format!("{:<56} # built in", "labels: []"));
}

#[test]
fn an_empty_list_of_audiences_is_shown_with_its_own_line() {
    let text = "store: renton-007
name: Renton
aisles: [{ id: aisle-5 }]
cameras: [{ id: aisle-5-a, aisle: aisle-5 }]
rules:
  - name: sweep
    when: { event_type: shelf_sweep }
    priority: high
    notify: []
";
    let fleet = Fleet::new(&[("renton-007.yaml", text)]);
    let shown = fleet.arm("check", &["--show", "renton-007"]).out;
    let line = shown.lines().find(|it| it.contains("notify: []")).unwrap();
    assert!(line.ends_with("# stores/renton-007.yaml:9"), "{line}");
}

#[test]
fn a_warning_fails_only_where_that_is_asked_for() {
    let text = "store: renton-007\nname: Renton\naisles: [{ id: aisle-5 }]\ncameras: []\n";
    let fleet = Fleet::new(&[("renton-007.yaml", text)]);
    assert_eq!(fleet.arm("check", &[]).code, 0);
    let denied = fleet.arm("check", &["--deny-warnings"]);
    assert_eq!((denied.code, denied.out.as_str()), (1, ""));
    let show = |more: &[&str]| fleet.arm("check", &[&["--show", "renton-007"], more].concat());
    let (passed, denied) = (show(&[]), show(&["--deny-warnings"]));
    assert_eq!((passed.code, denied.code), (0, 1));
    assert_eq!(passed.out, denied.out);
}

#[test]
fn a_camera_s_password_is_printed_by_no_command() {
    let text = "store: renton-007
name: Renton
aisles: [{ id: aisle-5 }]
cameras: [{ id: aisle-5-a, aisle: aisle-5, rtsp: \"rtsp://viewer:orchid9@10.0.5.11/1\" }]
";
    let broken = [
        ("", ""),
        ("aisle: aisle-5", "aisle: asile-5"),
        ("11/1", "x y/1"),
        ("rtsp://", "rtsp:/"),
        ("rtsp://", ""),
        ("rtsp://", "http://"),
        ("orchid9", "it's/orchid9"),
        ("rtsp: \"rtsp", "rtps: \"rtsp"),
        ("viewer:orchid9@10.0.5.11/1", "10.0.5.11/1?user=v&password=orchid9"),
        ("}]", "]"),
        ("aisle: aisle-5, rtsp: ", "aisle: "),
    ];
    for (from, to) in broken {
        let fleet = Fleet::new(&[("renton-007.yaml", &text.replacen(from, to, 1))]);
        for args in [
            &["check"][..],
            &["check", "--format", "json"],
            &["check", "--format", "sarif"],
            &["check", "--format", "github"],
            &["check", "--show", "renton-007"],
            &["check", "--show", "renton-007", "--format", "json"],
            &["quotas"],
            &["fmt", "--check"],
            &["new", "--like", "renton-007"],
            &["generate", "--out", &fleet.path("out")],
        ] {
            let outcome = fleet.arm(args[0], &args[1..]);
            let all = format!("{}{}", outcome.out, outcome.err);
            assert!(!all.contains("orchid9"), "{args:?}: {all}");
        }
        for (path, bytes) in fleet.files("out") {
            assert!(!String::from_utf8(bytes).unwrap().contains("orchid9"), "{}", path.display());
        }
    }
}
