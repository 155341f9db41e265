//! `arm diff` from its arguments to its exit code: what each base, gate and format makes of a change.
//!
//! The fleet and the changes are those of `tests/changes`, in a repository of their own: what a review
//! must find in each is held there, and here what becomes of it.

use arm_tests::kinds::{self, Kind};
use arm_tests::repository::Repository;
use arm_tests::{Outcome, arm, shown};
use generator::review::{COMMENT_MAX, MARKER};
use insta::assert_snapshot;
use serde_json::Value;

const FORMATS: [&str; 5] = ["human", "markdown", "json", "sarif", "github"];

fn kind(name: &str) -> Kind {
    let found = kinds::all().into_iter().find(|it| it.name == name);
    found.unwrap_or_else(|| panic!("there is no kind `{name}`"))
}

/// The fleet committed.
fn committed() -> Repository {
    let files = kinds::fleet();
    let files: Vec<_> =
        files.iter().map(|(name, text)| (format!("stores/{name}"), text.as_str())).collect();
    let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    Repository::new(&files)
}

/// The fleet committed, and changed in the folder.
fn changed(name: &str) -> Repository {
    let repository = committed();
    let before = kinds::fleet();
    let after = kind(name).made(&before).unwrap();
    for (file, text) in &after {
        repository.write(&format!("stores/{file}"), text);
    }
    for file in before.keys().filter(|it| !after.contains_key(*it)) {
        repository.delete(&format!("stores/{file}"));
    }
    repository
}

fn diff(repository: &Repository, args: &[&str]) -> Outcome {
    repository.arm("diff", args)
}

/// The templates of the commit `main` in a folder, whatever the work tree holds.
fn generated(repository: &Repository) -> String {
    let (worktree, out) = (repository.path("committed"), repository.path("templates"));
    repository.git(&["worktree", "add", "--quiet", "--detach", &worktree, "main"]);
    let stores = format!("{worktree}/stores");
    let args = ["generate", "--stores", &stores, "--today", "2026-11-22", "--out", &out];
    let outcome = arm(&args);
    assert_eq!(outcome.code, 0, "{}", outcome.err);
    out
}

/// A change of each class that a gate knows, and of the cost.
const CHANGES: [(&str, &str); 7] = [
    ("data-loss", "A camera is removed"),
    ("replacement", "A cell hosts another image"),
    ("access", "A cell asks another endpoint"),
    ("people", "Nobody is told of a cell's alarms"),
    ("rules", "A rule has a lower priority"),
    ("quota", "A cell has more instances than its quota"),
    ("cost>0", "A camera sends more"),
];

#[test]
fn the_gate_of_a_class_says_no_to_its_change_and_to_no_other_beside_every_base() {
    let before = committed();
    let templates = generated(&before);
    let mut told = String::new();
    for (gate, name) in CHANGES {
        let repository = changed(name);
        let plain = diff(&repository, &[]);
        assert_eq!((plain.code, plain.err.as_str()), (0, ""), "{name}");
        let all = "data-loss,replacement,access,people,rules,quota,other,cost>0";
        let beside_commit = diff(&repository, &["--base", "main", "--fail-on", all]);
        assert_eq!((beside_commit.code, beside_commit.out), (1, plain.out.replace("HEAD", "main")));
        let known = "data-loss,replacement,access,people,rules,other";
        let beside_templates = diff(&repository, &["--against", &templates, "--fail-on", known]);
        let is_known = known.split(',').any(|it| it == gate);
        assert_eq!(beside_templates.code, u8::from(is_known), "{name}: {}", beside_templates.err);
        told.extend([format!("# {name}\n"), beside_commit.err, beside_templates.err]);
    }
    assert_snapshot!(told);
}

#[test]
fn a_cost_gate_says_no_only_above_its_limit() {
    let repository = changed("A camera sends more");
    assert_eq!(diff(&repository, &["--fail-on", "cost>1000000"]).code, 0);
    assert_eq!(diff(&repository, &["--fail-on", "cost>0"]).code, 1);
}

#[test]
fn without_a_change_every_base_says_so_and_no_gate_says_no() {
    let repository = committed();
    let templates = generated(&repository);
    let gates = "data-loss,replacement,access,people,rules,other";
    for args in [&["--base", "main"][..], &["--against", &templates]] {
        let outcome = diff(&repository, &[args, &["--fail-on", gates]].concat());
        assert_eq!(shown(&outcome), "no change\nexit code 0", "{args:?}");
    }
}

#[test]
fn what_could_do_nothing_beside_the_other_arguments_is_wrong_usage() {
    let repository = changed("A camera is removed");
    let url = "https://example.com/a";
    let of = |args: &[&str]| {
        let outcome = diff(&repository, args);
        assert_eq!((outcome.code, outcome.out.as_str()), (2, ""), "{args:?}");
        outcome.err.lines().take(2).collect::<Vec<_>>().join("\n") + "\n"
    };
    let wrong: [&[&str]; 11] = [
        &["--live", "--fail-on", "data-loss,cost>200"],
        &["--live", "--fail-on", "quota"],
        &["--against", "nowhere", "--fail-on", "cost>0"],
        &["--links", url],
        &["--links", url, "--base-links", url, "--format", "json"],
        &["--base-links", url, "--format", "markdown"],
        &["--all", "--format", "markdown"],
        &["--all", "--format", "json"],
        &["--change-sets"],
        &["--fail-on", "loss"],
        &["--fail-on", "cost"],
    ];
    let told: String = wrong.into_iter().map(of).collect();
    assert_snapshot!(told);
}

#[test]
fn a_store_or_cell_that_is_not_there_or_elsewhere_is_told() {
    let repository = changed("A store is removed");
    let templates = generated(&repository);
    let mut told = String::new();
    let wrong: [&[&str]; 6] = [
        &["fremnt"],
        &["--cell", "us-wst"],
        &["--cell", "us-east", "fremont"],
        &["--base", "nowhere"],
        &["--against", "nowhere"],
        &["--against", &repository.path("stores")],
    ];
    for args in wrong {
        let outcome = diff(&repository, args);
        assert_eq!(outcome.out, "", "{args:?}");
        told += &shown(&outcome);
        told.push('\n');
    }
    // A store that only the base has, in another cell than the one that is named.
    let gone = kinds::fleet().into_keys().find(|file| {
        let path = repository.path(&format!("stores/{file}"));
        !std::path::Path::new(&path).exists()
    });
    let gone = gone.unwrap().trim_end_matches(".yaml").to_owned();
    for base in [&["--base", "main"], &["--against", templates.as_str()]] {
        let outcome = diff(&repository, &[&base[..], &["--cell", "us-west", &gone]].concat());
        let east = diff(&repository, &[&base[..], &["--cell", "us-east", &gone]].concat());
        let codes = [outcome.code, east.code];
        assert!(codes == [0, 1] || codes == [1, 0], "{}{}", outcome.err, east.err);
        told.extend([outcome.err, east.err]);
    }
    assert_snapshot!(told);
}

#[test]
fn a_store_that_moves_is_told_whichever_of_its_cells_is_looked_at() {
    let repository = changed("A store moves to another cell");
    let moves = |args: &[&str]| {
        let args = [args, &["--format", "json"]].concat();
        let outcome = diff(&repository, &args);
        assert_eq!(outcome.code, 0, "{}", outcome.err);
        let review: Value = serde_json::from_str(&outcome.out).unwrap();
        let findings = review["findings"].as_array().unwrap().iter();
        let texts = findings.filter(|it| it["class"] == "data-loss" && it["weight"] == "loud");
        let texts: Vec<_> = texts.map(|it| it["text"].as_str().unwrap().to_owned()).collect();
        texts
    };
    let all = moves(&[]);
    assert!(all[0].starts_with("the store moves from the cell "), "{all:?}");
    for cell in ["us-west", "us-east"] {
        assert_eq!(moves(&["--cell", cell]), all, "{cell}");
        assert_eq!(diff(&repository, &["--cell", cell, "--fail-on", "data-loss"]).code, 1);
    }
}

#[test]
fn one_cell_or_store_is_looked_at_alone() {
    let repository = changed("Every camera of the fleet keeps video for less long");
    let subjects = |args: &[&str]| {
        let outcome = diff(&repository, &[args, &["--format", "json"]].concat());
        let review: Value = serde_json::from_str(&outcome.out).unwrap();
        let changes = review["changes"].as_array().unwrap().iter();
        let all = changes.flat_map(|it| it["subjects"].as_array().unwrap());
        let mut ids: Vec<_> = all.map(|it| it["id"].as_str().unwrap().to_owned()).collect();
        ids.sort_unstable();
        ids.dedup();
        ids.join(" ")
    };
    let found = [&[][..], &["--cell", "us-west"], &["--cell", "us-east"], &["fremont"]];
    let found = found.map(|args| format!("{args:?}: {}", subjects(args)));
    assert_snapshot!(found.join("\n"));
}

#[test]
fn every_format_has_the_finding_and_its_line() {
    let repository = changed("A cell hosts another image");
    let of = |format| {
        let outcome = diff(&repository, &["--format", format, "--fail-on", "replacement"]);
        assert_eq!(outcome.code, 1, "{format}");
        assert!(outcome.err.starts_with("error: this change makes resources anew"), "{format}");
        outcome.out
    };
    for format in FORMATS {
        let text = of(format);
        let words = "`DetectorModel` is deleted and made anew";
        let words = if format == "markdown" { "DetectorModel" } else { words };
        assert!(text.contains(words), "{format}: {text}");
        assert!(text.contains("fleet.yaml"), "{format}: {text}");
    }
    let comment = of("markdown");
    assert!(comment.starts_with(MARKER) && comment.len() <= COMMENT_MAX);
    let review: Value = serde_json::from_str(&of("json")).unwrap();
    assert_eq!(review["schema"], "arm.diff/1");
    let log: Value = serde_json::from_str(&of("sarif")).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let result = &log["runs"][0]["results"][0];
    assert_eq!(
        (&result["level"], &result["ruleId"]),
        (&"error".into(), &"diff-replacement".into())
    );
    assert!(of("github").starts_with("::error file="));
    assert_snapshot!(of("human"));
}

/// The picture's edges: who refers to what is made anew.
#[test]
fn the_picture_shows_what_refers_to_what_is_made_anew() {
    let repository = changed("A cell hosts another image");
    let comment = diff(&repository, &["--format", "markdown"]).out;
    let (_, picture) = comment.split_once("```mermaid\n").unwrap();
    let (picture, _) = picture.split_once("```").unwrap();
    assert!(picture.contains("-.->|refers to|"), "{picture}");
    assert_snapshot!(picture);
}

#[test]
fn links_lead_to_the_lines_of_both_sides() {
    let repository = changed("A camera is renamed");
    let (head, base) = ("https://example.com/head", "https://example.com/base");
    let up = "../".repeat(std::env::current_dir().unwrap().components().count() - 1);
    // Only files by a relative path have a place below an address.
    let stores = format!("{up}{}", repository.path("stores").trim_start_matches('/'));
    let today = ["--today", "2026-11-22"];
    let links = ["--format", "markdown", "--links", head, "--base-links", base];
    let comment = arm(&[&["diff", "--stores", &stores][..], &today, &links].concat()).out;
    for address in [head, base] {
        let is_link = |it: &str| {
            it.starts_with(&format!("{address}/")) && it.contains("/stores/ballard.yaml#L12)")
        };
        assert!(comment.split("](").any(is_link), "{address}: {comment}");
    }
}

#[test]
fn errors_of_either_side_are_told_in_every_format_and_nothing_is_compared() {
    let wrong = kinds::fleet()["fremont.yaml"].replace("aisle: bread }", "aisle: breda }");
    let right = kinds::fleet()["fremont.yaml"].clone();
    let mut told = String::new();
    for (side, first, second) in [("head", &right, &wrong), ("base", &wrong, &right)] {
        let repository = committed();
        repository.commit(&[("stores/fremont.yaml", &format!("{first}# one\n"))]);
        repository.write("stores/fremont.yaml", second);
        for format in FORMATS {
            let outcome = diff(&repository, &["--format", format, "--fail-on", "data-loss"]);
            assert_eq!(outcome.code, 1, "{side} {format}");
            assert!(outcome.err.contains("error: nothing can be compared: "), "{}", outcome.err);
            assert!(outcome.err.contains("unknown-aisle"), "{}", outcome.err);
            let answer: Option<Value> = serde_json::from_str(&outcome.out).ok();
            let has = match (format, answer) {
                ("human" | "markdown", _) => outcome.out.is_empty(),
                ("json", Some(it)) => it.to_string().contains("unknown-aisle"),
                ("sarif", Some(it)) => it["runs"][0]["results"][0]["ruleId"] == "unknown-aisle",
                ("github", _) => outcome.out.starts_with("::error file="),
                _ => false,
            };
            assert!(has, "{side} {format}: {}", outcome.out);
            if format == "human" {
                told.extend([format!("# {side}\n"), outcome.err]);
            }
        }
    }
    assert_snapshot!(told);
}
