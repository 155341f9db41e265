//! A day of detections, beforehand: what people will live through, and what a change of rules does.

use std::path::Path;
use std::process::Command;

use generator::load;
use insta::assert_snapshot;
use serde_json::Value;

use arm_tests::{FLEET, Fleet, Outcome, STORE, arm, arm_answered, example_stores, root};

/// A repository in a folder of its own, which knows nothing of the machine's git.
struct Repository {
    folder: tempfile::TempDir,
}

impl Repository {
    /// Makes one whose first commit holds these files.
    fn new(files: &[(&str, &str)]) -> Self {
        let repository = Self { folder: tempfile::tempdir().unwrap() };
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository.commit(files);
        repository
    }

    fn path(&self, below: &str) -> String {
        self.folder.path().join(below).display().to_string()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn commit(&self, files: &[(&str, &str)]) {
        for (name, text) in files {
            self.write(name, text);
        }
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "one"]);
    }

    fn git(&self, args: &[&str]) -> String {
        let output = Command::new("git")
            .args(["-c", "user.name=Jo", "-c", "user.email=jo@example.com"])
            .args(args)
            .current_dir(self.folder.path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .env_remove("GIT_DIR")
            .env_remove("GIT_INDEX_FILE")
            .output()
            .unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs `arm simulate` on the store `renton-007`; paths and hashes are taken out of what it says.
    fn simulate(&self, events: &str, args: &[&str]) -> String {
        self.write("events.ndjson", events);
        let (stores, events) = (self.path("stores"), self.path("events.ndjson"));
        let all = ["simulate", "renton-007", &events, "--stores", &stores, "--today", "2026-11-22"];
        self.plain(&shown(&arm(&[&all, args].concat())))
    }

    /// The fleet in a folder as a commit has it: its problems, or how many stores it has.
    fn load_at(&self, reference: &str, folder: &str) -> String {
        let today = "2026-11-22".parse().unwrap();
        let loaded = load::load_at(reference, Path::new(&self.path(folder)), today);
        let text = match loaded {
            Err(error) => error.to_string(),
            Ok(input) => {
                let plain = generator::diagnostic::Colour::Plain;
                let problems =
                    generator::diagnostic::render(&input.sources, &input.problems, plain);
                let names = input.store_configs.iter().map(|(stem, _)| stem.as_str());
                format!("{}\n{problems}", names.collect::<Vec<_>>().join(" "))
            }
        };
        self.plain(&text)
    }

    fn plain(&self, text: &str) -> String {
        let hashes = self.git(&["rev-list", "--all"]);
        let root = self.folder.path().canonicalize().unwrap();
        let text = text.replace(&format!("{}/", root.display()), "");
        hashes.lines().fold(text, |text, hash| text.replace(&hash[..10], "HASH"))
    }
}

#[test]
fn a_commit_gives_its_files_whatever_the_folder_holds_now() {
    let files = [("deep/stores/fleet.yaml", FLEET), ("deep/stores/renton-007.yaml", STORE)];
    let repository = Repository::new(&files);
    repository.git(&["tag", "first"]);
    let second = STORE.replace("renton-007", "kent-008");
    repository.commit(&[("deep/stores/kent-008.yaml", &second)]);
    repository.write("deep/stores/renton-007.yaml", "not: [committed");
    repository.write("deep/stores/.hidden.yaml", "nobody's");
    repository.write("deep/stores/more/deeper.yaml", "nobody's");
    let before = repository.git(&["status", "--porcelain"]);
    assert_eq!(repository.load_at("first", "deep/stores"), "renton-007\n");
    assert_eq!(repository.load_at("HEAD~1", "deep/stores"), "renton-007\n");
    assert_eq!(repository.load_at("main", "deep/stores"), "kent-008 renton-007\n");
    assert_eq!(repository.git(&["status", "--porcelain"]), before);
}

#[test]
#[cfg(unix)]
fn a_link_of_a_commit_is_followed_and_what_is_no_file_is_told() {
    let files = [("stores/fleet.yaml", FLEET), ("shared/renton.yaml", STORE)];
    let repository = Repository::new(&files);
    let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, repository.path(name));
    link("../shared/renton.yaml", "stores/renton-007.yaml").unwrap();
    link("../shared/gone.yaml", "stores/gone.yaml").unwrap();
    repository.write("stores/folder.yaml/x", "");
    repository.write("stores/wrong.yml", STORE);
    repository.commit(&[]);
    assert_snapshot!(repository.load_at("main", "stores"), @"
    renton-007
    error[not-a-file]: this is no file that can be read
    --> stores/folder.yaml@main
     = note: in the store `folder`
     = help: delete the folder, link or pipe, or rename it

    error[not-a-file]: this is no file that can be read
    --> stores/gone.yaml@main
     = note: in the store `gone`
     = help: delete the folder, link or pipe, or rename it

    error[not-yaml-suffix]: a store's file ends in `.yaml`, in these letters
    --> stores/wrong.yml@main
     = help: rename it, or delete it if the store has a `.yaml`
    ");
}

#[test]
fn a_mistake_of_a_commit_names_the_commit_beside_the_file() {
    let wrong = STORE.replace("aisle: aisle-5", "aisle: aisle-6");
    let files = [("stores/fleet.yaml", FLEET), ("stores/renton-007.yaml", wrong.as_str())];
    assert_snapshot!(Repository::new(&files).load_at("main", "stores"), @"
    renton-007
    error[unknown-aisle]: the camera `aisle-5-a` names the aisle `aisle-6`, which this store lacks
     --> stores/renton-007.yaml@main:4:35
      |
    4 | cameras: [{ id: aisle-5-a, aisle: aisle-6 }]
      |                                   ^^^^^^^ not known here
      |
      = note: in the store `renton-007`
      = help: did you mean `aisle-5`?
    ");
}

#[test]
fn a_file_that_is_too_large_is_told_and_those_after_it_are_read() {
    let large = format!("{STORE}# {}", "x".repeat(5 << 20));
    let second = STORE.replace("renton-007", "zillah-009");
    let repository = Repository::new(&[
        ("stores/fleet.yaml", FLEET),
        ("stores/renton-007.yaml", &large),
        ("stores/zillah-009.yaml", &second),
    ]);
    assert_snapshot!(repository.load_at("main", "stores"), @"
    zillah-009
    error[file-too-large]: the file is over the 4194304 bytes that are read
    --> stores/renton-007.yaml@main
     = note: in the store `renton-007`
     = help: split the store, or look what made the file so large
    ");
}

#[test]
fn a_commit_that_is_not_there_is_told_with_what_to_do() {
    let repository = Repository::new(&[("stores/fleet.yaml", FLEET)]);
    repository.commit(&[("stores/renton-007.yaml", STORE), ("later/x.yaml", "")]);
    assert_snapshot!(repository.load_at("mian", "stores"), @"
    there is no commit `mian` in this repository
      help: name a branch, a tag or a commit that `git log` shows; `git fetch` brings new ones
    ");
    assert_snapshot!(repository.load_at("--all", "stores"), @"
    there is no commit `--all` in this repository
      help: name a branch, a tag or a commit that `git log` shows; `git fetch` brings new ones
    ");
    assert_snapshot!(repository.load_at("HEAD~1", "later"), @"
    there is no later in the commit `HEAD~1` (HASH)
      help: name a later commit, or with `--stores DIR` the folder as that commit has it
    ");
    assert_snapshot!(repository.load_at("HEAD", "later"), @"
    there is no later/fleet.yaml in the commit `HEAD` (HASH)
      help: name a later commit, or with `--stores DIR` the folder as that commit has it
    ");
    repository.git(&["update-ref", "refs/remotes/origin/release", "HEAD"]);
    assert_snapshot!(repository.load_at("release", "stores"), @"
    there is no commit `release` in this repository
      help: did you mean `origin/release`? The branch is not checked out here
    ");

    let shallow = Repository { folder: tempfile::tempdir().unwrap() };
    let address = format!("file://{}", repository.folder.path().display());
    shallow.git(&["clone", "--quiet", "--depth", "1", &address, "."]);
    assert_eq!(shallow.load_at("main", "stores"), "renton-007\n");
    assert_snapshot!(shallow.load_at("HEAD~1", "stores"), @"
    this checkout is shallow and lacks the commit `HEAD~1`
      help: fetch it with `git fetch --unshallow`; in GitHub Actions give `actions/checkout` a `fetch-depth: 0`
    ");
}

/// What git says of it is the one help there is.
#[test]
fn a_commit_whose_objects_are_broken_is_told_in_the_words_of_git() {
    let repository =
        Repository::new(&[("stores/fleet.yaml", FLEET), ("stores/renton-007.yaml", STORE)]);
    let hash = repository.git(&["rev-parse", "main:stores/renton-007.yaml"]);
    let object = repository.path(&format!(".git/objects/{}/{}", &hash[..2], hash[2..].trim()));
    std::fs::remove_file(&object).unwrap();
    let today = "2026-11-22".parse().unwrap();
    let load = || {
        let loaded = load::load_at("main", Path::new(&repository.path("stores")), today);
        let error = loaded.unwrap_err();
        let source = std::error::Error::source(&error).unwrap().to_string();
        format!("{error}: {source}").replace(hash.trim(), "OBJECT")
    };
    assert_snapshot!(load(), @"cannot talk to git: an object is not there: OBJECT missing");
    std::fs::write(&object, "no object").unwrap();
    let text = load();
    assert!(text.starts_with("git cannot read the files of the commit `main`: "), "{text}");
    assert!(text.contains("OBJECT") || text.contains("header"), "{text}");
}

#[test]
fn a_repository_that_git_does_not_read_is_not_said_to_be_none() {
    let repository = Repository::new(&[("stores/fleet.yaml", FLEET)]);
    repository.write(".git/config", "[broken");
    let loaded =
        load::load_at("main", Path::new(&repository.path("stores")), "2026-11-22".parse().unwrap());
    let error = loaded.unwrap_err();
    assert!(error.to_string().starts_with("git does not read the repository of "), "{error}");
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("bad config line"), "{source}");
}

#[test]
fn a_folder_outside_of_any_repository_is_told_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let loaded = load::load_at("main", folder.path(), "2026-11-22".parse().unwrap());
    let text = loaded.unwrap_err().to_string();
    let root = folder.path().canonicalize().unwrap().display().to_string();
    assert_snapshot!(text.replace(&root, "FOLDER"), @"
    FOLDER is in no git repository
      help: name the folder of a checkout with `--stores DIR`
    ");
}

fn shown(outcome: &Outcome) -> String {
    format!("{}{}exit code {}", outcome.out, outcome.err, outcome.code)
}

/// A detection of the store `renton-007`, so many seconds after five on a Sunday afternoon there.
fn seen(second: i64, event_type: &str, more: &str) -> String {
    let at_ms = 1_795_395_600_000 + second * 1_000;
    format!(
        r#"{{"event_type":"{event_type}","camera":"aisle-5-a","aisle":"aisle-5","aisle_name":"Aisle 5","start_ms":{at_ms}{more}}}"#
    ) + "\n"
}

/// Two rules, and people who hear of them.
const HEARD: &str = r#"store: renton-007
name: Renton
aisles: [{ id: aisle-5 }]
cameras: [{ id: aisle-5-a, aisle: aisle-5 }]
rules:
  - { name: sweep, when: { event_type: shelf_sweep }, priority: high, notify: [floor, guards] }
  - { name: try-out, when: { event_type: loitering }, priority: medium, notify: [floor], shadow: true }
  - { name: log, when: { event_type: spill }, priority: low, notify: [] }
  - { name: nobody, when: { event_type: person_down }, priority: medium, notify: [empty] }
subscribers:
  - { audience: floor, email: floor@example.com }
  - { audience: guards, email: floor@example.com }
  - { audience: guards, sms: "+12065550100" }
"#;

fn heard_fleet() -> String {
    format!("{FLEET}audiences: [floor, guards, empty]\n")
}

fn heard(events: &str, args: &[&str]) -> String {
    let fleet = heard_fleet();
    let files = [("stores/fleet.yaml", fleet.as_str()), ("stores/renton-007.yaml", HEARD)];
    Repository::new(&files).simulate(events, args)
}

fn some_events() -> String {
    [
        seen(0, "shelf_sweep", ""),
        seen(20, "shelf_sweep", ""),
        seen(20, "shelf_sweep", ""),
        seen(4_000, "shelf_sweep", r#","store":"kent-008""#),
        seen(30, "loitering", ""),
        seen(31, "spill", ""),
        seen(32, "person_down", ""),
        seen(33, "ticket_switching", ""),
        seen(33, "ticket_switching", ""),
        seen(34, "", ""),
        "\n".to_owned(),
    ]
    .concat()
}

fn is_within_110_columns(text: &str) -> bool {
    text.lines().all(|line| line.chars().count() <= 110)
}

#[test]
fn the_example_day_shows_who_is_told_how_often_and_when() {
    let events = root().join("stores/tests/seattle-001.ndjson").display().to_string();
    let stores = example_stores();
    let args = ["simulate", "seattle-001", &events, "--stores", &stores, "--today", "2026-11-22"];
    let outcome = arm(&args);
    assert!(is_within_110_columns(&outcome.out), "{}", outcome.out);
    assert_snapshot!(shown(&outcome));
}

#[test]
fn what_tells_nobody_is_told_with_the_reason_and_nobody_is_counted_twice() {
    assert_snapshot!(heard(&some_events(), &[]), @"
    Renton (renton-007), 2026-11-22 17:00 to 18:06, America/Los_Angeles

      detections    7, which became 6 cases; cooldowns merged 14 % of them
      cases         2 high, 2 medium, 2 low
      alerts        3, in 4 messages: 2 SMS, 2 e-mails
      busiest hour  floor gets 1 alert between 17:00 and 18:00
      told nobody   4 cases: 1 unrouted, 1 of a shadow rule, 1 of a rule with `notify: []`, 1 for an audience
                    without subscriber
      unrouted      1 detection: ticket_switching 1
      note          2 detections came again and did nothing
      note          1 detection of another store; the bus they are on decides, so they count here
      note          1 event without `event_type`, which the function refuses
      note          1 alert had nobody to go to

      rule              priority  detections  cases  joined  alerts
      sweep             high               3      2       1       2
      try-out (shadow)  medium             1      1       .       .
      log               low                1      1       .       .
      nobody            medium             1      1       .       1
      unrouted          low                1      1       .       .

      messages by hour                        17 18  all
      floor, guards  email  floor@example.com  1  1    2
      guards         sms    +12065550100       1  1    2
    1 warning about renton-007; see `arm check`
    exit code 0
    ");
}

#[test]
fn the_order_of_the_lines_and_how_they_are_read_change_nothing() {
    let fleet = heard_fleet();
    let files = [("stores/fleet.yaml", fleet.as_str()), ("stores/renton-007.yaml", HEARD)];
    let repository = Repository::new(&files);
    let events = some_events();
    let expected = repository.simulate(&events, &[]);
    let backwards: Vec<_> = events.lines().rev().collect();
    assert_eq!(repository.simulate(&backwards.join("\r\n"), &[]), expected);
    assert_eq!(repository.simulate(&format!("\u{feff}{events}\n\n"), &[]), expected);
    let stores = repository.path("stores");
    let args = ["simulate", "renton-007", "-", "--stores", &stores, "--today", "2026-11-22"];
    assert_eq!(repository.plain(&shown(&arm_answered(&args, &events))), expected);
}

#[test]
fn a_whole_event_and_its_bare_detail_come_to_the_same() {
    let bare = seen(0, "shelf_sweep", "");
    let whole = format!(
        r#"{{"id":"1","source":"arm.detector","detail-type":"BehaviourDetected","time":"2026-11-23T01:00:00Z","resources":[],"detail":{}}}"#,
        bare.trim()
    );
    assert_eq!(heard(&whole, &[]), heard(&bare, &[]));
}

#[test]
fn programs_get_the_same_as_people() {
    let answer = heard(&some_events(), &["--format", "json"]);
    let json = answer.lines().next().unwrap();
    assert_snapshot!(format!("{:#}", serde_json::from_str::<Value>(json).unwrap()));
}

#[test]
fn every_bad_line_is_told_with_its_number_and_stops_nothing() {
    let long = format!("{{\"event_type\":\"{}\"}}\n", "x".repeat(1 << 20));
    let lines = [
        seen(0, "shelf_sweep", ""),
        "{\"event_type\": \"shelf_sweep\"}\n".to_owned(),
        "{\"event_type\": \n".to_owned(),
        "[]\n".to_owned(),
        "{\"time\": \"noon\", \"detail\": {\"event_type\": \"spill\"}}\n".to_owned(),
        long,
        "{\"event_type\": \"spill\", \"start_ms\": 9223372036854775807}\n".to_owned(),
        "{\"event_type\": \"spill\", \"start_ms\": [-9223372036854775808], \"end_ms\": 1}\n"
            .to_owned(),
        seen(4_000, "shelf_sweep", ""),
        "none\n".repeat(16),
        seen(8_000, "shelf_sweep", "").trim().to_owned(),
    ];
    assert_snapshot!(heard(&lines.concat(), &[]), @r#"
    Renton (renton-007), 2026-11-22 17:00 to 19:13, America/Los_Angeles

      detections    3, which became 3 cases; cooldowns merged 0 % of them
      cases         3 high
      alerts        3, in 6 messages: 3 SMS, 3 e-mails
      busiest hour  floor gets 1 alert between 17:00 and 18:00

      rule              priority  detections  cases  joined  alerts
      sweep             high               3      3       .       3
      try-out (shadow)  medium             .      .       .       .
      log               low                .      .       .       .
      nobody            medium             .      .       .       .
      unrouted          low                .      .       .       .

      messages by hour                        17 18 19  all
      floor, guards  email  floor@example.com  1  1  1    3
      guards         sms    +12065550100       1  1  1    3
    1 warning about renton-007; see `arm check`
    line 2: it says not when: a whole event has `time`, a bare detail `start_ms` (milliseconds)
    line 3: not JSON: EOF while parsing a value at column 14
    line 4: an event is a JSON object: a whole event, or only its `detail`
    line 5: `time` is no moment such as `2026-11-22T14:03:03Z`: "noon"
    line 6: longer than the 1048576 bytes that an event may have
    line 7: its moment is not within the years 1970 to 9998
    line 8: its time is in no year from -9999 to 9999; it counts in milliseconds since 1970
    line 10: not JSON: expected ident at column 2
    line 11: not JSON: expected ident at column 2
    line 12: not JSON: expected ident at column 2
    line 13: not JSON: expected ident at column 2
    line 14: not JSON: expected ident at column 2
    line 15: not JSON: expected ident at column 2
    line 16: not JSON: expected ident at column 2
    line 17: not JSON: expected ident at column 2
    line 18: not JSON: expected ident at column 2
    line 19: not JSON: expected ident at column 2
    line 20: not JSON: expected ident at column 2
    line 21: not JSON: expected ident at column 2
    line 22: not JSON: expected ident at column 2
    and 3 lines more
    error: 23 of 26 lines are no events
      help: write one JSON object a line; `jq -c '.[]'` makes that of a list
    exit code 1
    "#);
}

#[test]
fn a_store_that_is_awake_all_day_and_a_long_address_still_fit_the_width() {
    let long = format!("https://hooks.example.com/{}/floor", "renton/".repeat(12));
    let store = HEARD.replace(
        "email: floor@example.com }\n  - { audience: guards, sms",
        &format!("https: \"{long}\" }}\n  - {{ audience: guards, sms"),
    );
    let fleet = heard_fleet();
    let files = [("stores/fleet.yaml", fleet.as_str()), ("stores/renton-007.yaml", store.as_str())];
    let repository = Repository::new(&files);
    let events: Vec<_> = (0..48).map(|half| seen(1_800 * half, "shelf_sweep", "")).collect();
    let text = repository.simulate(&events.concat(), &[]);
    assert!(is_within_110_columns(&text), "{text}");
    assert_snapshot!(text, @"
    Renton (renton-007), 2026-11-22 17:00 to 2026-11-23 16:30, America/Los_Angeles

      detections    48, which became 48 cases; cooldowns merged 0 % of them
      cases         48 high
      alerts        48, in 144 messages: 48 SMS, 48 e-mails, 48 webhook calls
      busiest hour  floor gets 2 alerts between 17:00 and 18:00 on 2026-11-22

      rule              priority  detections  cases  joined  alerts
      sweep             high              48     48       .      48
      try-out (shadow)  medium             .      .       .       .
      log               low                .      .       .       .
      nobody            medium             .      .       .       .
      unrouted          low                .      .       .       .

      messages by hour                                                 00 01 02 03 04 05 06 07 08 09 10 11
      floor   email  floor@example.com                                  2  2  2  2  2  2  2  2  2  2  2  2
      guards  https  hooks.example.com/rento...on/renton/renton//floor  2  2  2  2  2  2  2  2  2  2  2  2
      guards  sms    +12065550100                                       2  2  2  2  2  2  2  2  2  2  2  2

      messages by hour                                                 12 13 14 15 16 17 18 19 20 21 22 23  all
      floor   email  floor@example.com                                  2  2  2  2  2  2  2  2  2  2  2  2   48
      guards  https  hooks.example.com/rento...on/renton/renton//floor  2  2  2  2  2  2  2  2  2  2  2  2   48
      guards  sms    +12065550100                                       2  2  2  2  2  2  2  2  2  2  2  2   48
    1 warning about renton-007; see `arm check`
    exit code 0
    ");
}

#[test]
fn a_day_without_events_is_shown_as_one() {
    assert_snapshot!(heard("", &[]), @"
    Renton (renton-007), no events, America/Los_Angeles

      there is no detection among the events
    1 warning about renton-007; see `arm check`
    exit code 0
    ");
}

/// The same store with other rules, an audience's address changed.
fn changed() -> String {
    HEARD
        .replace(
            "event_type: loitering }, priority: medium",
            "event_type: theft }, priority: medium",
        )
        .replace("event_type: spill }, priority: low", "event_type: spill }, priority: critical")
        .replace(
            "priority: high, notify: [floor, guards]",
            "priority: high, notify: [guards], cooldown: 10s",
        )
        .replace("floor@example.com", "night@example.com")
}

#[test]
fn two_rule_sets_are_told_apart_the_weightiest_first() {
    let fleet = heard_fleet();
    let files = [("stores/fleet.yaml", fleet.as_str()), ("stores/renton-007.yaml", HEARD)];
    let repository = Repository::new(&files);
    repository.write("stores/renton-007.yaml", &changed());
    let events = some_events();
    let text = repository.simulate(&events, &["--rules-from", "main"]);
    assert!(is_within_110_columns(&text), "{text}");
    assert_snapshot!(text);
    let json = repository.simulate(&events, &["--rules-from", "main", "--format", "json"]);
    let json: Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert_eq!(json["then"]["commit"], "main");
    assert_snapshot!(format!("{:#}", json["differences"]), @r#"
    [
      {
        "about": "unrouted",
        "text": "1 detection falls to unrouted now: loitering at Aisle 5 (1)"
      },
      {
        "about": "nobody-told",
        "text": "floor is told nothing now, 2 alerts before"
      },
      {
        "about": "address",
        "text": "floor@example.com (floor, guards) is no longer told, 2 messages before"
      },
      {
        "about": "critical-cases",
        "text": "1 more critical case (1 instead of 0)"
      },
      {
        "about": "priority",
        "text": "spill at Aisle 5: critical instead of low (1 detection)"
      },
      {
        "about": "sms",
        "text": "1 more SMS to guards (3 instead of 2)"
      },
      {
        "about": "cases",
        "text": "1 more high case (3 instead of 2)"
      },
      {
        "about": "cases",
        "text": "1 fewer medium case (1 instead of 2)"
      },
      {
        "about": "messages",
        "text": "1 more e-mail to floor, guards (3 instead of 2)"
      },
      {
        "about": "address",
        "text": "night@example.com (floor, guards) is a new address, 3 messages"
      },
      {
        "about": "busiest-hour",
        "text": "busiest hour: guards gets 2 alerts between 17:00 and 18:00; before, floor gets 1 alert between 17:00 and 18:00"
      },
      {
        "about": "merged",
        "text": "cooldowns merge 0 % of the detections instead of 14 %"
      }
    ]
    "#);
}

/// What a changed store differs in from `HEARD`, as the sentences say it.
fn differences(events: &str, changed: &str) -> String {
    let fleet = heard_fleet();
    let files = [("stores/fleet.yaml", fleet.as_str()), ("stores/renton-007.yaml", HEARD)];
    let repository = Repository::new(&files);
    repository.write("stores/renton-007.yaml", changed);
    let json = repository.simulate(events, &["--rules-from", "main", "--format", "json"]);
    let json: Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    let all = json["differences"].as_array().unwrap().iter();
    let all = all
        .map(|it| format!("{}: {}\n", it["about"].as_str().unwrap(), it["text"].as_str().unwrap()));
    all.collect()
}

#[test]
fn what_may_be_missed_comes_before_what_there_is_more_of() {
    let changed = HEARD
        .replace(
            "event_type: shelf_sweep }, priority: high",
            "event_type: shelf_sweep }, priority: medium",
        )
        .replace(
            "event_type: loitering }, priority: medium",
            "event_type: theft }, priority: medium",
        )
        .replace("event_type: spill }, priority: low", "event_type: spill }, priority: critical");
    assert_snapshot!(differences(&some_events(), &changed), @"
    unrouted: 1 detection falls to unrouted now: loitering at Aisle 5 (1)
    priority: shelf_sweep at Aisle 5: medium instead of high (3 detections)
    critical-cases: 1 more critical case (1 instead of 0)
    priority: spill at Aisle 5: critical instead of low (1 detection)
    cases: 2 fewer high cases (0 instead of 2)
    cases: 1 more medium case (3 instead of 2)
    ");
}

#[test]
fn an_audience_that_nobody_tells_any_more_is_said_once() {
    let less = HEARD.replace("notify: [floor, guards]", "notify: [guards]");
    let gone = less.replace("  - { audience: guards, email: floor@example.com }\n", "");
    assert_snapshot!(differences(&some_events(), &gone), @"
    nobody-told: floor is told nothing now, 2 alerts before
    messages: 2 fewer e-mails to floor, guards (0 instead of 2)
    busiest-hour: busiest hour: guards gets 1 alert between 17:00 and 18:00; before, floor gets 1 alert between 17:00 and 18:00
    ");
    // Who is in two audiences is still told.
    let joined = HEARD.replace("  - { audience: guards, email: floor@example.com }\n", "");
    assert_snapshot!(differences(&some_events(), &joined), @"
    messages: 2 fewer e-mails to floor, guards (0 instead of 2)
    messages: 2 more e-mails to floor (2 instead of 0)
    ");
}

#[test]
fn a_rule_that_becomes_a_shadow_or_is_none_any_more_is_said() {
    let changed = HEARD
        .replace("notify: [floor, guards] }", "notify: [floor, guards], shadow: true }")
        .replace("notify: [floor], shadow: true }", "notify: [floor] }");
    assert_snapshot!(differences(&some_events(), &changed), @"
    nobody-told: guards is told nothing now, 2 alerts before
    shadow: `sweep` is a shadow now and tells nobody (3 detections)
    shadow: `try-out` is no longer a shadow (1 detection)
    messages: 1 fewer e-mail to floor, guards (1 instead of 2)
    ");
}

/// These change no number, and people notice them all the same.
#[test]
fn other_words_and_another_evidence_clip_are_a_change() {
    let changed = HEARD.replace("name: Renton", "name: Renton East")
        + "alerts: { sms: \"{{ headline }}\" }\nevidence: { before: 20s, keep: 30d }\n";
    assert_snapshot!(differences(&seen(0, "spill", ""), &changed), @"
    words: alerts have other words now (store name, sms)
    evidence: evidence clips show 20 s before the behaviour instead of 15 s, are kept 30 days instead of 90
    ");
}

#[test]
fn without_detections_there_is_nothing_to_compare() {
    let fleet = heard_fleet();
    let files = [("stores/fleet.yaml", fleet.as_str()), ("stores/renton-007.yaml", HEARD)];
    let repository = Repository::new(&files);
    let gone = HEARD.split("  - { audience: guards, sms").next().unwrap();
    repository.write("stores/renton-007.yaml", gone);
    assert_snapshot!(repository.simulate("\n", &["--rules-from", "main"]), @"
    Renton (renton-007), no events, America/Los_Angeles

      = nothing to compare: there is no detection among the events
    1 warning about renton-007; see `arm check`
    exit code 0
    ");
}

#[test]
fn detections_of_cameras_that_the_store_lacks_are_counted_with_their_names() {
    let events = [some_events(), some_events().replace("aisle-5-a", "aisle-6-a")].concat();
    let text = heard(&events, &[]);
    let notes = text.lines().filter(|line| line.contains("note "));
    assert_snapshot!(notes.collect::<Vec<_>>().join("\n"), @"
    note          4 detections came again and did nothing
    note          2 detections of another store; the bus they are on decides, so they count here
    note          2 events without `event_type`, which the function refuses
    note          2 alerts had nobody to go to
    note          7 detections of cameras that the store does not have: aisle-6-a 7
    ");
}

/// A number of more digits than a double holds is none to EventBridge, where a rule asks for numbers.
#[test]
fn events_that_no_pattern_matches_are_counted_on_a_line_of_their_own() {
    let sure = HEARD.replace("{ event_type: spill }", "{ event_type: spill, min_confidence: 0.5 }");
    let fleet = heard_fleet();
    let files = [("stores/fleet.yaml", fleet.as_str()), ("stores/renton-007.yaml", sure.as_str())];
    let events =
        seen(0, "spill", r#","confidence":9007199254740993"#) + &seen(9, "shelf_sweep", "");
    assert!(
        differences(&events, &sure).starts_with("dropped: EventBridge drops 1 event instead of 0")
    );
    let text = Repository::new(&files).simulate(&events, &[]);
    let lines = text.lines().filter(|line| line.contains("note ") || line.contains("detections "));
    assert_snapshot!(lines.take(2).collect::<Vec<_>>().join("\n"), @"
    detections    1, which became 1 case; cooldowns merged 0 % of them
    note          1 event that no pattern matches, which EventBridge drops
    ");
}

#[test]
fn rules_that_do_the_same_are_said_to_do_the_same() {
    let fleet = heard_fleet();
    let files = [("stores/fleet.yaml", fleet.as_str()), ("stores/renton-007.yaml", HEARD)];
    let repository = Repository::new(&files);
    let other = HEARD.replace("  - { name: log,", "  - { name: theft, when: { event_type: theft }, priority: high, notify: [] }\n  - { name: log,");
    repository.write("stores/renton-007.yaml", &other);
    let text = repository.simulate(&seen(0, "spill", ""), &["--rules-from", "HEAD"]);
    assert_snapshot!(text, @"
    Renton (renton-007), 2026-11-22 17:00 to 17:00, America/Los_Angeles

      = nothing changes: the rules of `HEAD` give these events the same cases and alerts

      detections   1, which became 1 case; cooldowns merged 0 % of them
      cases        1 low
      alerts       0
      told nobody  1 case, of a rule with `notify: []`

      rule              priority  detections  cases  joined  alerts
      sweep             high               .      .       .       .
      try-out (shadow)  medium             .      .       .       .
      theft             high               .      .       .       .
      log               low                1      1       .       .
      nobody            medium             .      .       .       .
      unrouted          low                .      .       .       .
    1 warning about renton-007; see `arm check`
    exit code 0
    ");
}

#[test]
fn a_comparison_that_cannot_be_made_is_told_with_what_to_do() {
    let fleet = heard_fleet();
    let wrong = HEARD.replace("aisle: aisle-5 }", "aisle: aisle-6 }");
    let first = [("stores/fleet.yaml", fleet.as_str()), ("stores/kent-008.yaml", "")];
    let repository = Repository::new(&first);
    repository.commit(&[("stores/kent-008.yaml", &HEARD.replace("renton-007", "kent-008"))]);
    repository.git(&["tag", "without"]);
    repository.commit(&[("stores/renton-007.yaml", &wrong)]);
    repository.git(&["tag", "wrong"]);
    repository.commit(&[("stores/renton-007.yaml", HEARD)]);
    let check = |reference| repository.simulate("", &["--rules-from", reference]);
    assert_snapshot!(check("nowhere"), @"
    1 warning about renton-007; see `arm check`
    error: there is no commit `nowhere` in this repository
      help: name a branch, a tag or a commit that `git log` shows; `git fetch` brings new ones
    exit code 2
    ");
    assert_snapshot!(check("without"), @"
    1 warning about renton-007; see `arm check`
    error: there is no store `renton-007` in the commit `without`; it has `kent-008`
      help: name a commit in which the store has its file, by this id
    exit code 1
    ");
    assert_snapshot!(check("wrong"), @"
    1 warning about renton-007; see `arm check`
    error[unknown-aisle]: the camera `aisle-5-a` names the aisle `aisle-6`, which this store lacks
     --> stores/renton-007.yaml@wrong:4:35
      |
    4 | cameras: [{ id: aisle-5-a, aisle: aisle-6 }]
      |                                   ^^^^^^^ not known here
      |
      = note: in the store `renton-007`
      = help: did you mean `aisle-5`?

    error: 1 error and 1 warning in 2 stores
    exit code 1
    ");
}

#[test]
fn a_store_or_a_file_that_is_not_there_is_told() {
    let fleet = Fleet::new(&[]);
    fleet.write("fleet.yaml", heard_fleet().as_bytes());
    fleet.write("renton-007.yaml", HEARD.as_bytes());
    fleet.write("events.ndjson", b"");
    let events = fleet.path("stores/events.ndjson");
    assert_snapshot!(shown(&fleet.arm("simulate", &["renton-07", &events])), @"
    error: there is no store `renton-07`
      help: did you mean `renton-007`?
    exit code 1
    ");
    let nowhere = fleet.path("stores/nowhere.ndjson");
    assert_snapshot!(shown(&fleet.arm("simulate", &["renton-007", &nowhere])), @"
    1 warning about renton-007; see `arm check`
    error: cannot read stores/nowhere.ndjson
      caused by: No such file or directory (os error 2)
    exit code 3
    ");
}
