//! A cell that is scripted: its stacks, alarms and subscriptions, and what the board makes of them.

use std::cell::RefCell;

use contract::health::Ailment;

use super::judge::{Cameras, Fault, State, state, words};
use super::subscribers::Why;
use super::*;
use crate::input;
use crate::load::input_file;
use crate::model::{Architecture, Channel, Detector};

#[derive(Default)]
struct Script {
    stacks: Vec<Found>,
    alarms: Vec<Alarm>,
    subscriptions: Vec<Subscription>,
    ailments: Vec<AilmentItem>,
    is_denied: bool,
    calls: RefCell<Vec<String>>,
}

impl StatusServices for Script {
    async fn stacks(&self) -> Result<Vec<Found>, CloudError> {
        self.calls.borrow_mut().push("stacks".to_owned());
        Ok(self.stacks.clone())
    }

    async fn alarms(&self, prefix: &str) -> Result<Vec<Alarm>, CloudError> {
        self.calls.borrow_mut().push(format!("alarms {prefix}"));
        if self.is_denied {
            let denied = CloudError::other("list the alarms", "denied");
            return Err(CloudError { trouble: Trouble::Denied, ..denied });
        }
        Ok(self.alarms.clone())
    }

    async fn subscriptions(&self, topic: &str) -> Result<Option<Vec<Subscription>>, CloudError> {
        self.calls.borrow_mut().push(format!("subscriptions {topic}"));
        Ok(Some(self.subscriptions.clone()))
    }

    async fn ailments(&self, store: &str) -> Result<Vec<AilmentItem>, CloudError> {
        self.calls.borrow_mut().push(format!("ailments {store}"));
        Ok(self.ailments.clone())
    }

    async fn pause(&self, time: Duration) {
        self.calls.borrow_mut().push(format!("pause {} ms", time.as_millis()));
    }

    fn calls(&self) -> BTreeMap<&'static str, u32> {
        BTreeMap::new()
    }
}

fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

fn cell() -> Cell {
    Cell {
        id: id("us"),
        account: "123456789012".to_owned(),
        role: None,
        region: "us-west-2".to_owned(),
        architecture: Architecture::Arm64,
        detector: Detector::Existing { endpoint: "model".to_owned() },
        ops_email: vec![],
        log_days: 30,
    }
}

/// The example fleet's store, with two people more.
fn store() -> Store {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../stores");
    let files = ["seattle-001.yaml"].map(|it| input_file(&folder.join(it)).unwrap());
    let fleet = input_file(&folder.join("fleet.yaml")).unwrap();
    let today = jiff::civil::date(2026, 11, 22);
    let mut fleet = input::read(fleet, files.into(), today).fleet.unwrap();
    let mut store = fleet.fleet.stores.remove(0);
    store.cell = id("us");
    store.subscribers.truncate(0);
    let literal = |it: &str| crate::model::Endpoint::Literal(it.to_owned());
    let stored = |it: &str| crate::model::Endpoint::Ssm(it.to_owned());
    for (audience, channel, endpoint) in [
        ("lp", Channel::Email, literal("lp@example.com")),
        ("manager", Channel::Email, literal("lp@example.com")),
        ("manager", Channel::Https, literal("https://me:secret@example.com/hook")),
        ("lp", Channel::Sms, stored("/arm/a")),
        ("manager", Channel::Sms, stored("/arm/b")),
    ] {
        let audience = id(audience);
        store.subscribers.push(crate::model::Subscriber { audience, channel, endpoint });
    }
    store
}

fn found(store: &str, status: &str, digest: &str) -> Found {
    let tags = [(CELL_TAG, "us"), (STORE_TAG, store)];
    Found {
        name: format!("arm-us-store-{store}"),
        status: status.to_owned(),
        digest: Some(digest.to_owned()),
        deployed_ms: Some(0),
        tags: tags.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
        ..Found::default()
    }
}

fn alarm(name: &str, state: AlarmState, reason: &str) -> Alarm {
    Alarm { name: name.to_owned(), state, since_ms: Some(5), reason: reason.to_owned() }
}

fn wanted<'a>(store: &'a str, of: Option<&'a Store>) -> Wanted<'a> {
    Wanted { of: Of::Store(id(store)), shall: Shall::Digest("new".to_owned()), store: of }
}

fn look(script: &Script, request: &Request<'_>) -> Board {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(read(script, request)).unwrap()
}

/// What is wrong with each stack, in the board's order.
fn faults(board: &Board) -> Vec<(&str, Vec<&str>)> {
    let lines = board.lines.iter();
    lines
        .map(|it| {
            (it.store().unwrap_or("shared"), it.faults.iter().map(|it| it.as_str()).collect())
        })
        .collect()
}

fn request<'a>(cell: &'a Cell, stores: &[&'a str]) -> Request<'a> {
    Request {
        cell,
        wanted: stores.iter().map(|it| wanted(it, None)).collect(),
        only: &[],
        cells: ["us", "us-west"].into(),
        stores: stores.iter().copied().chain(["moved-1"]).collect(),
        depth: Depth::Cell,
    }
}

#[test]
fn every_store_has_its_faults_and_the_worst_stands_first() {
    let cell = cell();
    let stores = ["well-1", "behind-1", "broken-1", "moving-1", "absent-1", "shell-1", "drift-1"];
    let drifted =
        Found { drift: Drift::Drifted(None), ..found("drift-1", "CREATE_COMPLETE", "new") };
    let script = Script {
        stacks: vec![
            found("well-1", "UPDATE_COMPLETE", "new"),
            found("behind-1", "UPDATE_ROLLBACK_COMPLETE", "old"),
            found("broken-1", "UPDATE_ROLLBACK_FAILED", "new"),
            found("moving-1", "UPDATE_IN_PROGRESS", "old"),
            found("shell-1", "REVIEW_IN_PROGRESS", "new"),
            drifted,
            found("gone-1", "CREATE_COMPLETE", "old"),
            found("moved-1", "CREATE_COMPLETE", "old"),
            Found { tags: BTreeMap::new(), ..found("foreign", "CREATE_COMPLETE", "old") },
        ],
        alarms: vec![
            alarm("arm-us-behind-1-cameras-offline", AlarmState::Alarm, "Threshold Crossed"),
            alarm("arm-us-well-1-cameras-offline", AlarmState::Ok, ""),
        ],
        ..Script::default()
    };
    let board = look(&script, &request(&cell, &stores));
    let expected = [
        ("broken-1", vec!["broken"]),
        ("behind-1", vec!["cameras", "behind"]),
        ("absent-1", vec!["absent"]),
        ("shell-1", vec!["absent"]),
        ("moving-1", vec!["moving"]),
        ("drift-1", vec!["drifted"]),
        ("gone-1", vec!["orphan"]),
        ("moved-1", vec!["orphan"]),
        ("well-1", vec![]),
    ];
    assert_eq!(faults(&board), expected.map(|(store, faults)| (store, faults)));
    assert_eq!(board.lines.last().unwrap().cameras, Cameras::Well);
    assert_eq!(script.calls.into_inner(), ["stacks", "alarms arm-us-"], "two lists serve a cell");
}

#[test]
fn an_alarm_for_want_of_counts_says_that_nobody_watches() {
    let cell = cell();
    let reason = "Threshold Crossed: no datapoints were received for 5 periods and 5 missing \
                  datapoints were treated as [Breaching].";
    let script = Script {
        stacks: vec![found("a-1", "CREATE_COMPLETE", "new")],
        alarms: vec![alarm("arm-us-a-1-cameras-offline", AlarmState::Alarm, reason)],
        ..Script::default()
    };
    let board = look(&script, &request(&cell, &["a-1"]));
    assert_eq!(board.lines[0].cameras, Cameras::Unwatched(Some(5)));
    assert_eq!(board.lines[0].faults, [Fault::Cameras]);
}

#[test]
fn alarms_of_a_cell_whose_name_begins_alike_are_not_this_cell_s() {
    let cell = cell();
    let names = ["arm-us-windows-age", "arm-us-west-windows-age", "arm-us-a-1-cameras-offline"];
    let alarms = names.map(|it| alarm(it, AlarmState::Alarm, "")).into();
    let quiet = alarm("arm-us-sweep-errors", AlarmState::Unknown, "");
    let script = Script { alarms, ..Script::default() };
    let script = Script { alarms: [script.alarms, vec![quiet]].concat(), ..Script::default() };
    let board = look(&script, &request(&cell, &["a-1"]));
    let raised: Vec<_> = board.alarms.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(raised, ["arm-us-windows-age"]);
}

#[test]
fn without_the_right_to_see_alarms_the_rest_is_told_and_that_is_said() {
    let cell = cell();
    let stacks = vec![found("a-1", "CREATE_COMPLETE", "new")];
    let script = Script { stacks, is_denied: true, ..Script::default() };
    let board = look(&script, &request(&cell, &["a-1"]));
    assert_eq!((board.lines[0].cameras, board.lines[0].faults.len()), (Cameras::Unknown, 0));
    assert_eq!(board.omissions.len(), 1);
}

#[test]
fn of_a_named_store_it_is_said_who_is_not_reached_and_which_cameras_ail() {
    let (cell, store) = (cell(), store());
    let subscription = |protocol: &str, endpoint: &str, is_confirmed| Subscription {
        protocol: protocol.to_owned(),
        endpoint: endpoint.to_owned(),
        is_confirmed,
    };
    let ailment = |camera: &str, well_ms| AilmentItem {
        pk: String::new(),
        sk: String::new(),
        camera: camera.to_owned(),
        ailment: Ailment::Offline,
        since_ms: 10,
        seen_ms: 50,
        well_ms,
        delay_ms: None,
        is_late: false,
        told_since_ms: None,
        expires_at: 0,
    };
    let script = Script {
        stacks: vec![found("seattle-001", "CREATE_COMPLETE", "new")],
        subscriptions: vec![
            subscription("email", "LP@example.com", false),
            subscription("sms", "+12065550100", true),
        ],
        ailments: vec![ailment("a-1", Some(20)), ailment("a-2", Some(60)), ailment("a-3", None)],
        ..Script::default()
    };
    let only = ["seattle-001".to_owned()];
    let request = Request {
        wanted: vec![wanted("seattle-001", Some(&store))],
        only: &only,
        depth: Depth::Stores,
        ..request(&cell, &["seattle-001"])
    };
    let board = look(&script, &request);
    let line = &board.lines[0];
    assert_eq!(line.faults, [Fault::Unreached]);
    let told = line.unreached.iter().flatten().map(|it| {
        (it.channel.as_str(), it.why, it.number, it.addresses.join(" "), it.audiences.len())
    });
    let told: Vec<_> = told.collect();
    assert_eq!(
        told,
        [
            ("email", Why::Unconfirmed, 1, "lp@example.com".to_owned(), 2),
            ("https", Why::Unsubscribed, 1, "https://*********@example.com/hook".to_owned(), 1),
            ("sms", Why::Unsubscribed, 1, "ssm:/arm/a ssm:/arm/b".to_owned(), 2),
        ]
    );
    let ailing: Vec<_> =
        line.ailments.iter().flatten().map(|it| (it.camera.as_str(), it.since_ms)).collect();
    assert_eq!(ailing, [("a-1", 20), ("a-3", 10)]);
    let calls = script.calls.into_inner();
    assert_eq!(
        calls,
        [
            "stacks",
            "alarms arm-us-",
            "pause 250 ms",
            "subscriptions arm-us-seattle-001-alerts",
            "pause 250 ms",
            "ailments seattle-001",
        ]
    );
}

#[test]
fn every_status_of_a_stack_has_words_and_a_meaning() {
    let table = [
        ("CREATE_IN_PROGRESS", State::Moving),
        ("CREATE_FAILED", State::Broken),
        ("CREATE_COMPLETE", State::Settled),
        ("ROLLBACK_IN_PROGRESS", State::Moving),
        ("ROLLBACK_FAILED", State::Broken),
        ("ROLLBACK_COMPLETE", State::Broken),
        ("DELETE_IN_PROGRESS", State::Moving),
        ("DELETE_FAILED", State::Broken),
        ("DELETE_COMPLETE", State::Absent),
        ("UPDATE_IN_PROGRESS", State::Moving),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", State::Moving),
        ("UPDATE_COMPLETE", State::Settled),
        ("UPDATE_FAILED", State::Broken),
        ("UPDATE_ROLLBACK_IN_PROGRESS", State::Moving),
        ("UPDATE_ROLLBACK_FAILED", State::Broken),
        ("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", State::Moving),
        ("UPDATE_ROLLBACK_COMPLETE", State::Settled),
        ("REVIEW_IN_PROGRESS", State::Absent),
        ("IMPORT_IN_PROGRESS", State::Moving),
        ("IMPORT_COMPLETE", State::Settled),
        ("IMPORT_ROLLBACK_IN_PROGRESS", State::Moving),
        ("IMPORT_ROLLBACK_FAILED", State::Broken),
        ("IMPORT_ROLLBACK_COMPLETE", State::Settled),
    ];
    for (status, expected) in table {
        assert_eq!(state(status), expected, "{status}");
        assert_ne!(words(status), status);
    }
    assert_eq!(state("A_WORD_OF_TOMORROW"), State::Broken);
}

#[test]
fn the_next_command_names_few_stores_and_else_the_cell() {
    let line = |store: &str| judge::orphan(&found(store, "CREATE_COMPLETE", ""), id(store), false);
    let lines: Vec<_> = ["a-1", "a-2", "a-3", "a-4", "a-5"].map(line).into();
    let all: Vec<_> = lines.iter().collect();
    assert_eq!(Fault::Behind.next("us", &all[..2]), "arm deploy a-1 a-2");
    assert_eq!(Fault::Behind.next("us", &all), "arm deploy --cell us");
    assert_eq!(Fault::Broken.next("us", &all[..1]), "arm recover a-1");
    assert_eq!(Fault::Broken.next("us", &all), "arm recover STORE");
    assert_eq!(Fault::Orphan.next("us", &all[..1]), "arm destroy a-1 --cell us");
}
