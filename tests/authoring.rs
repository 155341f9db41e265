//! Writing stores with `arm fmt`, `arm init` and `arm new`: what people wrote is never lost, and
//! what is written for them passes every check.

use std::path::Path;

use insta::assert_snapshot;

use arm_tests::{Fleet, Outcome, arm, arm_answered, example_stores};

fn shown(outcome: &Outcome) -> String {
    format!("{}{}exit code {}", outcome.out, outcome.err, outcome.code)
}

fn read(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(path).unwrap()
}

const RENTON: &str = "# Ours since 2019.
name: Renton   # Landing
store: renton-007
cameras: [{aisle: aisle-5, id: aisle-5-a}]
aisles:
- {id: aisle-5}
rules: [{ name: sweep, when: { event_type: shelf_sweep }, priority: high, notify: [floor] }]
subscribers: [{ audience: floor, email: floor@example.com }]
";

#[test]
fn the_example_stores_are_laid_out() {
    let outcome = arm(&["fmt", "--check", "--stores", &example_stores()]);
    let right =
        Outcome { out: String::new(), err: "nothing to change in 6 files\n".to_owned(), code: 0 };
    assert_eq!(outcome, right);
}

#[test]
fn a_file_is_laid_out_once_and_still_means_the_same() {
    let fleet = Fleet::new(&[("renton-007.yaml", RENTON)]);
    let before = fleet.arm("generate", &["--out", &fleet.path("before")]);
    let first = shown(&fleet.arm("fmt", &[]));
    let second = shown(&fleet.arm("fmt", &[]));
    let after = fleet.arm("generate", &["--out", &fleet.path("after")]);
    assert_eq!((before.code, after.code), (0, 0));
    let bytes = |folder: &str| fleet.files(folder).into_iter().map(|it| it.1).collect::<Vec<_>>();
    assert_eq!(bytes("before"), bytes("after"));
    let text = read(fleet.path("stores/renton-007.yaml"));
    assert_snapshot!(format!("{first}\n\n{second}\n\n{text}"));
}

#[test]
fn a_check_names_the_files_and_changes_nothing() {
    let windows = RENTON.replace('\n', "\r\n");
    let fleet =
        Fleet::new(&[("kent-008.yaml", "store: kent-008 \n"), ("renton-007.yaml", &windows)]);
    let before = fleet.files("stores");
    assert_snapshot!(shown(&fleet.arm("fmt", &["--check"])));
    assert_eq!(fleet.files("stores"), before);
}

#[test]
fn what_cannot_be_read_is_told_and_the_others_are_laid_out() {
    let fleet = Fleet::new(&[
        (
            "kent-008.yaml",
            "store: kent-008\ncamras: [{ rtsp: \"rtsp://admin:s3cret@10.0.0.1\" }]\n",
        ),
        ("renton-007.yaml", RENTON),
        ("tacoma.yaml", "store: [\n"),
        ("kent.yml", "store: kent\n"),
    ]);
    assert_snapshot!(shown(&fleet.arm("fmt", &[])));
    assert_eq!(fleet.arm("fmt", &["--check"]).code, 1);
}

#[test]
fn files_can_be_named_and_a_folder_not_beside_them() {
    let fleet = Fleet::new(&[("renton-007.yaml", RENTON), ("kent-008.yaml", RENTON)]);
    let renton = fleet.path("stores/renton-007.yaml");
    assert_eq!(arm(&["fmt", &renton]).out, format!("changed {renton}\n"));
    assert_eq!(read(fleet.path("stores/kent-008.yaml")), RENTON);
    assert_eq!(fleet.arm("fmt", &[&renton]).code, 2);
    assert_eq!(arm(&["fmt", &fleet.path("stores/none.yaml")]).code, 3);
}

#[test]
fn an_argument_that_is_no_store_s_file_is_told_what_to_name() {
    let fleet = Fleet::new(&[("renton-007.yaml", RENTON)]);
    let (folder, other) = (fleet.path("stores"), fleet.path("stores/h.py"));
    fleet.write("h.py", b"print()\n");
    let outcome = arm(&["fmt", &folder, &other]);
    assert_snapshot!(shown(&outcome).replace(&folder, "stores"), @"
    error[not-a-file]: this is no file that can be read
    --> stores
     = help: name files of stores, or a folder with `--stores DIR`

    error[not-yaml-suffix]: a store's file ends in `.yaml`, in these letters
    --> stores/h.py
     = help: name files of stores, or a folder with `--stores DIR`

    error: cannot lay out 2 of 2 files
    exit code 1
    ");
    // The day means nothing to the layout.
    assert_eq!(arm(&["fmt", "--today", "2026-11-22"]).code, 2);
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link_and_its_file_keeps_its_rights() {
    use std::os::unix::fs::PermissionsExt;
    let fleet = Fleet::new(&[("renton-007.yaml", RENTON)]);
    let (link, file) = (fleet.path("stores/renton-007.yaml"), fleet.path("renton.txt"));
    std::fs::rename(&link, &file).unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    assert_eq!(fleet.arm("fmt", &[]).code, 0);
    assert!(Path::new(&link).is_symlink());
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    assert!(read(&file).starts_with("# Ours since 2019.\nstore: renton-007\n"));
}

/// Every answer as options, but those about the model.
const SEATTLE: [&str; 14] = [
    "--cell",
    "us-west",
    "--account",
    "123456789012",
    "--region",
    "us-west-2",
    "--timezone",
    "America/Los_Angeles",
    "--store",
    "seattle-001",
    "--name",
    "Pike Place",
    "--email",
    "lp@example.com",
];

/// Runs a command about a folder, which is taken out of what it says.
fn init(folder: &tempfile::TempDir, args: &[&str], lines: Option<&str>) -> Outcome {
    let path = folder.path().display().to_string();
    let args = [&["init", &path], args].concat();
    let outcome = lines.map_or_else(|| arm(&args), |lines| arm_answered(&args, lines));
    let clean = |text: &str| text.replace(&path, "DIR");
    Outcome { out: clean(&outcome.out), err: clean(&outcome.err), code: outcome.code }
}

/// Everything that was made, if it passes `check` without a word, and is laid out.
fn made(folder: &tempfile::TempDir, store: &str) -> String {
    let stores = folder.path().join("stores");
    let path = stores.display().to_string();
    let check = arm(&["check", "--stores", &path]);
    // A GPU must be asked for: nothing that we write could promise it.
    let codes: Vec<_> = check.err.lines().filter_map(|line| line.split(": ").next()).collect();
    let codes = codes.iter().filter(|it| it.starts_with("warning[") || it.starts_with("error"));
    assert!(codes.clone().all(|it| *it == "warning[quota-near]"), "{}", shown(&check));
    assert!(codes.count() == 0 || read(stores.join("fleet.yaml")).contains("instance: "));
    assert_eq!(check.code, 0);
    assert_eq!(arm(&["fmt", "--check", "--stores", &path]).code, 0);
    format!("{}\n========\n{}", read(stores.join("fleet.yaml")), read(stores.join(store)))
}

#[test]
fn a_fleet_is_made_from_options_and_passes_every_check() {
    let folder = tempfile::tempdir().unwrap();
    let args = [&SEATTLE[..], &["--endpoint", "shelf-behaviour", "--ops-email", "ops@example.com"]];
    let outcome = shown(&init(&folder, &args.concat(), None));
    assert_snapshot!(format!("{outcome}\n\n{}", made(&folder, "seattle-001.yaml")));
}

#[test]
fn what_the_options_leave_open_is_asked_until_the_answer_is_good() {
    let folder = tempfile::tempdir().unwrap();
    let lines = "12\n123456789012\neu-west-1\n\n\n123456789012.dkr.ecr.us-west-2.amazonaws.com/shelf:1\n\
        123456789012.dkr.ecr.eu-west-1.amazonaws.com/shelf:1\n\n\n\nDublin 1\ndublin-001\n\n\nlp@example.com\n";
    let outcome = shown(&init(&folder, &[], Some(lines)));
    assert_snapshot!(format!("{outcome}\n\n{}", made(&folder, "dublin-001.yaml")));
}

#[test]
fn quotes_that_people_type_are_taken_off_and_an_image_can_be_given_up_for_an_endpoint() {
    let folder = tempfile::tempdir().unwrap();
    let lines = "\"123456789012\"\neu-central-1\n\n\nshelf:1\n\n'shelf-behaviour'\n\n\nkent-1\n\nlp@example.com\n";
    let outcome = shown(&init(&folder, &[], Some(lines)));
    let text = made(&folder, "kent-1.yaml");
    assert!(text.contains("account: \"123456789012\"\n"), "{text}");
    assert!(text.contains("endpoint: shelf-behaviour\n"), "{text}");
    assert_snapshot!(outcome);
}

#[test]
fn a_fleet_is_made_with_its_schemas_and_leaves_one_that_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let schemas = folder.path().join("stores/schema");
    std::fs::create_dir_all(&schemas).unwrap();
    std::fs::write(schemas.join("fleet.json"), "mine").unwrap();
    let args = [&SEATTLE[..], &["--endpoint", "shelf-behaviour"]].concat();
    assert_eq!(init(&folder, &args, None).code, 0);
    assert_eq!(read(schemas.join("fleet.json")), "mine");
    assert_eq!(read(schemas.join("store.json")), arm(&["schema", "store"]).out);
    let stores = folder.path().join("stores").display().to_string();
    assert_eq!(arm(&["schema", "--write", "--stores", &stores]).err, "");
    assert_eq!(read(schemas.join("fleet.json")), arm(&["schema", "fleet"]).out);
}

#[test]
fn without_anybody_to_ask_the_options_that_are_missing_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let told = [
        init(&folder, &["--cell", "us-west"], None),
        init(&folder, &[&SEATTLE[..], &["--image", "x"]].concat(), None),
        init(&folder, &[&SEATTLE[..], &["--instance", "ml.g4dn.xlarge"]].concat(), None),
        init(&folder, &SEATTLE, Some("shelf-behaviour\n")),
    ];
    assert_snapshot!(told.map(|outcome| shown(&outcome)).join("\n\n"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn nothing_that_is_there_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let args = [&SEATTLE[..], &["--endpoint", "shelf-behaviour"]].concat();
    let stores = folder.path().join("stores");
    std::fs::create_dir(&stores).unwrap();
    std::fs::write(stores.join("seattle-001.yaml"), "mine").unwrap();
    let store = init(&folder, &args, None);
    assert!(!stores.join("fleet.yaml").exists());
    std::fs::write(stores.join("fleet.yaml"), "mine").unwrap();
    let fleet = init(&folder, &args, None);
    assert_eq!(read(stores.join("fleet.yaml")), "mine");
    assert_eq!(read(stores.join("seattle-001.yaml")), "mine");
    assert_snapshot!(format!("{}\n\n{}", shown(&store), shown(&fleet)));
}

const BALLARD: &str = "# A corner store.
store: ballard-009   # equals the file's name
name: Ballard
aisles:
  - { id: aisle-1 }
cameras:
  - { id: a, aisle: aisle-1, rtsp: \"rtsp://10.20.0.15/stream1\" } # by the door
  - id: b
    aisle: aisle-1
    rtsp: ssm:/arm/ballard-009/camera-b
rules:
  - { name: loitering, when: { event_type: loitering }, priority: low, notify: [floor] }
subscribers:
  - { audience: floor, email: floor-ballard@example.com }
  - { audience: loss-prevention, email: \"secret:lp-of-all-stores\" }
  - { audience: floor, sms: \"ssm:/arm/ballard-009/phone\" } # the phone at the counter
";

#[test]
fn a_new_store_is_like_another_and_passes_where_that_does() {
    let fleet = Fleet::new(&[("ballard-009.yaml", BALLARD)]);
    assert_eq!(fleet.arm("check", &[]).code, 0);
    let next = fleet.arm("new", &["--like", "ballard-009"]);
    let named = fleet.arm("new", &["fremont-1", "--like", "ballard-009", "--name", "Fremont: N"]);
    let third = fleet.arm("new", &["--like", "ballard-009"]);
    assert_eq!(shown(&fleet.arm("check", &[])), "no problems in 4 stores\nexit code 0");
    let told = [next, named, third].map(|outcome| shown(&outcome)).join("\n\n");
    let made = read(fleet.path("stores/ballard-010.yaml"));
    assert!(read(fleet.path("stores/fremont-1.yaml")).contains("name: \"Fremont: N\"\n"));
    assert!(read(fleet.path("stores/ballard-011.yaml")).contains("name: Ballard 011\n"));
    assert_snapshot!(format!("{told}\n\n{made}"));
}

#[test]
fn a_new_store_says_what_came_along_wrong_and_what_is_no_longer_accepted() {
    let modeline = "# yaml-language-server: $schema=schema/store.json\n";
    let wrong = modeline.to_owned() + &BALLARD.replace("aisle: aisle-1,", "aisle: asile-1,");
    let accepting = BALLARD
        .replace("store: ballard-009 ", "store: ballard-1 ")
        .replace("{ id: aisle-1 }", "{ id: aisle-1 }\n  - { id: aisle-2 }")
        + "\nallow:\n  - { code: aisle-without-camera, until: 2026-11-22, reason: x }\n";
    let fleet = Fleet::new(&[("ballard-009.yaml", &wrong), ("ballard-1.yaml", &accepting)]);
    let wrong = fleet.arm("new", &["--like", "ballard-009"]);
    assert!(read(fleet.path("stores/ballard-010.yaml")).starts_with(modeline));
    for name in ["stores/ballard-009.yaml", "stores/ballard-010.yaml"] {
        std::fs::remove_file(fleet.path(name)).unwrap();
    }
    let accepted = fleet.arm("new", &["--like", "ballard-1"]);
    assert!(!read(fleet.path("stores/ballard-2.yaml")).contains("allow"));
    assert_snapshot!([wrong, accepted].map(|outcome| shown(&outcome)).join("\n\n"));
}

#[test]
fn a_new_store_is_judged_for_the_day_that_is_named() {
    let text = BALLARD.replace("{ id: aisle-1 }", "{ id: aisle-1 }\n  - { id: aisle-2 }");
    let fleet = Fleet::new(&[("ballard-009.yaml", &text)]);
    let accepted = "\nallow:\n  - { code: aisle-without-camera, until: 2026-11-22, reason: x }\n";
    let shared = read(fleet.path("stores/fleet.yaml")) + accepted;
    fleet.write("fleet.yaml", shared.as_bytes());
    let like = ["--like", "ballard-009", "--today"];
    let told = |day: &str| fleet.arm("new", &[&like[..], &[day]].concat()).err;
    let found = "note: `arm check` finds 1 warning in the new store, as in `ballard-009`\n";
    assert!(!told("2026-11-22").contains("arm check"));
    assert!(told("2026-11-23").ends_with(found));
}

#[test]
fn every_example_store_can_be_followed_by_another() {
    for store in ["seattle-001", "tacoma-012", "bellevue-100"] {
        let text = read(Path::new(&example_stores()).join(format!("{store}.yaml")));
        let fleet = Fleet::new(&[(&format!("{store}.yaml"), &text)]);
        let made = fleet.arm("new", &["--like", store]);
        assert_eq!(made.code, 0, "{}", made.err);
        let check = fleet.arm("check", &[]);
        assert_eq!(shown(&check), "no problems in 2 stores\nexit code 0");
        assert_eq!(fleet.arm("fmt", &["--check"]).code, 0);
    }
}

#[test]
fn an_id_or_name_that_check_would_refuse_is_refused_before_anything_is_written() {
    let fleet = Fleet::new(&[
        ("ballard-009.yaml", BALLARD),
        ("ballard.yaml", &BALLARD.replace("ballard-009 ", "ballard ")),
        ("broken.yaml", "store: [\n"),
        ("nameless.yaml", "store: nameless\n"),
    ]);
    let before = fleet.files("stores");
    let told = [
        &["Kent", "--like", "ballard-009"][..],
        &["../kent", "--like", "ballard-009"],
        &["kent-gw-1", "--like", "ballard-009"],
        &["a-store-with-a-long-id-01", "--like", "ballard-009"],
        &["BALLARD", "--like", "ballard-009"],
        &["fleet", "--like", "ballard-009"],
        &["kent", "--like", "ballard-009", "--name", "<Kent>"],
        &["kent", "--like", "balard-009"],
        &["kent", "--like", "fleet"],
        &["kent", "--like", "broken"],
        &["kent", "--like", "nameless"],
        &["--like", "ballard"],
    ]
    .map(|args| format!("{}\n{}", args.join(" "), shown(&fleet.arm("new", args))));
    assert_snapshot!(told.join("\n\n"));
    assert_eq!(fleet.files("stores"), before);
    fleet.write("fleet.yaml", b"cells: [\n");
    assert_eq!(fleet.arm("new", &["../kent", "--like", "ballard-009"]).code, 1);
    assert!(!Path::new(&fleet.path("kent.yaml")).exists());
}
