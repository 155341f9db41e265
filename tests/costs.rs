//! What the example stores cost in a month, reckoned by hand, and `prices` as people write them.

use std::fmt::Write as _;
use std::path::Path;

use generator::cost::{self, Estimate, in_dollars};
use generator::load;
use insta::assert_snapshot;

use arm_tests::{Fleet, STORE, example_stores};

/// The estimates of the example stores, by id, and of their platform.
fn estimates() -> (Vec<(String, Estimate)>, Estimate, Vec<String>) {
    let today = "2026-11-22".parse().unwrap();
    let input = load::load(Path::new(&example_stores()), today).unwrap();
    let fleet = &input.fleet.as_ref().unwrap().fleet;
    let cell = &fleet.cells[0];
    let prices = cost::prices(&input.fleet_config, cell);
    let stores: Vec<_> = fleet.stores_of(cell).collect();
    let of_store = |store: &&_| {
        let store: &generator::model::Store = store;
        (store.id.to_string(), cost::of_store(store, cell, &prices))
    };
    let each = stores.iter().map(of_store).collect();
    (each, cost::of_platform(cell, &stores, &prices), cost::assumptions([&prices]))
}

fn table(estimate: &Estimate) -> String {
    let mut text = String::new();
    for line in &estimate.lines {
        let cents = in_dollars(line.cents());
        writeln!(text, "{cents:>10}  {:<34} {}", line.what(), line.quantity()).unwrap();
    }
    writeln!(text, "{:>10}", in_dollars(estimate.cents_per_month)).unwrap();
    text + &estimate.notes.join("\n")
}

#[test]
fn the_example_stores_cost_what_they_do_by_hand() {
    let (stores, platform, _) = estimates();
    let cents = |store: &str, key: &str| {
        let (_, estimate) = stores.iter().find(|(id, _)| id == store).unwrap();
        estimate.lines.iter().find(|line| line.name.key == key).unwrap().cents()
    };
    // tacoma-012: six cameras of 1 Mbit/s, 328.5 GB each: 1,971 GB at 0.0085 a GB.
    assert_eq!(cents("tacoma-012", "kinesis_video_ingest"), 1_675);
    // Two of them keep 72 hours, four 24: 240 camera-hours of 0.45 GB, 108 GB at 0.023.
    assert_eq!(cents("tacoma-012", "kinesis_video_storage"), 248);
    // One is never watched; the store is always open. Five times 328.5 GB at 0.016.
    assert_eq!(cents("tacoma-012", "sagemaker_data"), 2_628);
    // seattle-001: 42 cameras, four of 2 Mbit/s: 46 Mbit/s are 15,111 GB at 0.0085.
    assert_eq!(cents("seattle-001", "kinesis_video_ingest"), 12_844);
    // 39 cameras of 24 hours, four of these with 2 Mbit/s, and three of 72: 43 * 10.8 + 3 * 32.4 GB.
    assert_eq!(cents("seattle-001", "kinesis_video_storage"), 1_292);
    // Two are never watched, and one while the store is closed. It is open 6 * 16 + 12 = 108 of 168
    // hours, so closed for 60: 43 + 60 / 168 Mbit/s of 328.5 GB at 0.016 are 227.8851.
    assert_eq!(cents("seattle-001", "sagemaker_data"), 22_789);
    // Four keys, and 15 + 2 * 6 + 1 alarms.
    let of_platform =
        |key: &str| platform.lines.iter().find(|line| line.name.key == key).unwrap().cents();
    assert_eq!((of_platform("kms_keys"), of_platform("cloudwatch_alarms")), (400, 280));
}

#[test]
fn the_estimate_of_a_supermarket_shows_what_its_money_is_for() {
    let (stores, _, _) = estimates();
    let (_, seattle) = stores.iter().find(|(id, _)| id == "seattle-001").unwrap();
    assert_snapshot!(table(seattle));
}

#[test]
fn the_estimate_of_a_platform_says_how_many_instances_it_counts() {
    assert_snapshot!(table(&estimates().1));
}

#[test]
fn what_the_estimates_rest_on_is_said_in_sentences() {
    assert_snapshot!(estimates().2.join("\n"));
}

/// A fleet with these `prices`, checked.
fn checked(prices: &str) -> String {
    let fleet = Fleet::new(&[("renton-007.yaml", STORE)]);
    let text = format!(
        "model: {{ endpoint: shelf-model }}\ncells:\n  us-west: {{ account: \"123456789012\", region: us-west-2 }}\nprices: {prices}\ndefaults: {{ cell: us-west, timezone: UTC }}\n"
    );
    fleet.write("fleet.yaml", text.as_bytes());
    let outcome = fleet.arm("check", &[]);
    format!("{}{}exit code {}", outcome.out, outcome.err, outcome.code)
}

#[test]
fn prices_are_dollars_by_known_keys() {
    let right = checked(
        "{ kinesis_video_ingest: 0.0068, sagemaker_instances: { ml.g4dn.xlarge: 0.59 }, incidents_per_day: 5, s3_puts: 0 }",
    );
    assert!(right.ends_with("exit code 0"), "{right}");
    for (wrong, remedy) in [
        ("{ kinesis_video_ingestion: 0.0068 }", "did you mean `kinesis_video_ingest`?"),
        ("{ sns_sms: $0.02 }", "did you mean `0.02`?"),
        ("{ sns_sms: \"0,02\" }", "did you mean `0.02`?"),
        ("{ sns_sms: 0.00000001 }", "at most six decimals"),
        ("{ sns_sms: -1 }", "at most six decimals"),
        ("{ sagemaker_instances: { g4dn.xlarge: 1 } }", "`ml.g4dn.xlarge`"),
        ("{ sagemaker_instances: 1 }", "{ ml.g4dn.xlarge: 0.59 }"),
        ("{ incidents_per_day: 1.5 }", "a whole number from 0 to 10000"),
    ] {
        let told = checked(wrong);
        assert!(told.contains(remedy) && told.ends_with("exit code 1"), "{wrong}: {told}");
    }
}
