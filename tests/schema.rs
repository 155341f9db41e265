//! What editors and people are told of the keys is what `arm` reads: the committed schemas and the
//! committed reference are made from its tables. `tests/json_schema.py` and
//! `tests/language_server.py` try the schemas with programs that we did not write.

use std::fs;

use arm_tests::{Fleet, Outcome, arm, root};

/// Holds that a committed file is what a command prints, or says how to refresh it.
fn is_current(file: &str, what: &str) {
    let committed = fs::read_to_string(root().join(file)).unwrap_or_default();
    let Outcome { out, err, code } = arm(&["schema", what]);
    assert_eq!((err.as_str(), code), ("", 0));
    assert!(committed == out, "refresh it: cargo run -- schema {what} > {file}");
}

#[test]
fn the_committed_schemas_are_current() {
    is_current("stores/schema/store.json", "store");
    is_current("stores/schema/fleet.json", "fleet");
    is_current("stores/schema/scenarios.json", "scenarios");
}

#[test]
fn the_schema_of_a_webhook_s_alert_is_printed() {
    is_current("runtime/contract/schema/alert.json", "alert");
}

#[test]
fn the_schema_of_a_deployment_s_events_is_printed() {
    is_current("generator/src/commands/deploy/deploy.schema.json", "deploy");
}

#[test]
fn the_committed_reference_is_current() {
    is_current("stores/README.md", "reference");
}

#[test]
fn schemas_are_written_beside_the_stores() {
    let folder = tempfile::tempdir().unwrap();
    let stores = folder.path().display().to_string();
    let right = Outcome {
        out: ["store", "fleet", "scenarios"]
            .map(|name| format!("{stores}/schema/{name}.json\n"))
            .concat(),
        err: String::new(),
        code: 0,
    };
    assert_eq!(arm(&["schema", "--write", "--stores", &stores]), right);
    for name in ["store.json", "fleet.json", "scenarios.json"] {
        let committed = fs::read(root().join("stores/schema").join(name)).unwrap();
        assert_eq!(fs::read(folder.path().join("schema").join(name)).unwrap(), committed);
    }
}

#[test]
fn files_that_do_not_name_their_schema_are_told_and_left() {
    let fleet = Fleet::new(&[
        ("kent-008.yaml", "store: kent-008\n"),
        (
            "renton-007.yaml",
            "\u{feff}# yaml-language-server: $schema=elsewhere.json\r\nstore: renton-007\r\n",
        ),
        ("tacoma.yml", ""),
    ]);
    fleet.write("fleet.yaml", b"# ours\ncells: {}\n");
    fleet.write("tests/renton-007.yaml", b"store: renton-007\n");
    let before = fleet.files("stores");
    let outcome = fleet.arm("schema", &["--write"]);
    insta::assert_snapshot!(format!("{}{}exit code {}", outcome.out, outcome.err, outcome.code), @"
    stores/schema/store.json
    stores/schema/fleet.json
    stores/schema/scenarios.json
    note: editors use a schema where the first line of the file names it; write there:
      stores/fleet.yaml: # yaml-language-server: $schema=schema/fleet.json
      stores/kent-008.yaml: # yaml-language-server: $schema=schema/store.json
      stores/tests/renton-007.yaml: # yaml-language-server: $schema=../schema/scenarios.json
    exit code 0
    ");
    let after = fleet.files("stores");
    assert!(before.iter().all(|file| after.contains(file)));
}

#[test]
fn the_first_line_of_every_example_points_editors_to_its_schema() {
    for name in ["fleet", "bellevue-100", "seattle-001", "tacoma-012"] {
        let text = fs::read_to_string(root().join(format!("stores/{name}.yaml"))).unwrap();
        let schema = if name == "fleet" { "fleet" } else { "store" };
        let line = format!("# yaml-language-server: $schema=schema/{schema}.json");
        assert_eq!(text.lines().next(), Some(line.as_str()));
    }
    for name in ["seattle-001", "tacoma-012"] {
        let text = fs::read_to_string(root().join(format!("stores/tests/{name}.yaml"))).unwrap();
        let line = "# yaml-language-server: $schema=../schema/scenarios.json";
        assert_eq!(text.lines().next(), Some(line));
    }
}
