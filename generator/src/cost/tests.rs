//! Estimates reckoned by hand, and what must hold for any store.

use contract::priority::Priority;
use contract::watch::WatchWhen;
use proptest::prelude::*;

use crate::model::{Condition, Rule, Store};
use crate::price::INSTANCES;
use crate::stack::fixture::{cell, hosting_cell, id, large_store, store};

use super::store::{MEMORY_MB, PRESERVE_MEMORY_MB};
use super::*;

fn list(region: &str) -> Prices {
    Prices::new(region, BTreeMap::new(), None)
}

fn line<'a>(estimate: &'a Estimate, key: &str) -> &'a Line {
    estimate.lines.iter().find(|it| it.name.key == key).unwrap()
}

/// The store with a rule that tells loss prevention.
fn telling(store: Store) -> Store {
    let rule = Rule {
        name: id("any"),
        when: Condition::default(),
        priority: Priority::High,
        notify: vec![id("loss-prevention")],
        cooldown_s: 60,
        shadow: false,
    };
    Store { rules: vec![rule], ..store }
}

#[test]
fn a_store_of_one_camera_costs_what_it_does_by_hand() {
    let estimate = of_store(&store(), &cell(), &list("us-west-2"));
    // 1 Mbit/s is 125,000 bytes a second; a month has 730 * 3,600 = 2,628,000 seconds.
    // 328.5 GB are sent; 24 hours are 10.8 GB; 262,800 windows of 10 seconds; 43,800 ticks; three
    // incidents a day are 91 in 730 hours, each of a clip of 15 + 15 + 10 seconds or 5 MB.
    let micros = [
        ("kinesis_video_ingest", 2_792_250), // 328.5 * 0.0085
        ("kinesis_video_storage", 248_400),  // 10.8 * 0.023
        ("kinesis_video_read", 2_796_117),   // (328.5 + 91 * 0.005) * 0.0085
        ("sagemaker_data", 5_256_000),       // 328.5 * 0.016
        ("lambda_requests", 61_502),         // (262,800 + 43,800 + 91 * 10) * 0.2 / 10^6
        // (2 s * 262,800 + 43,800 s) * 0.25 GB + 91 * 7.25 GB-s = 143,009.75 GB-s at 13.3334 / 10^6
        ("lambda_compute_arm64", 1_906_806),
        // A send for ten windows, a receive and a delete each; 18 requests of an incident:
        // (26,280 + 525,600 + 91 * 18) * 0.4 / 10^6
        ("sqs_requests", 221_407),
        ("scheduler_invocations", 43_800), // 43,800 * 1 / 10^6
        ("eventbridge_events", 455),       // 91 * 5 * 1 / 10^6
        ("dynamodb_writes", 31_356),       // (43,800 + 91 * 5 * 14) * 0.625 / 10^6
        ("dynamodb_reads", 11_405),        // (2 * 43,800 + 91 * 40) * 0.125 / 10^6
        ("s3_storage", 10_350),            // 3 * 30 clips * 0.005 GB * 0.023
        ("s3_archive", 3_600),             // 3 * 60 clips * 0.005 GB * 0.004
        ("s3_puts", 2_275),                // 91 * 5 * 0.005 / 1,000
        ("kms_requests", 137_145),         // (48 * 730 / 24 + 43,800 + 455) * 0.03 / 10^4
        ("cloudwatch_alarms", 100_000),
        ("cloudwatch_metrics", 300_000),
        ("logs_ingest", 92_253), // 307,510 * 600 bytes * 0.5
        ("logs_storage", 818),   // 0.184506 GB * 30 * 24 / 730 * 15 % * 0.03
    ];
    let found: Vec<_> = estimate.lines.iter().map(|line| (line.name.key, line.micros())).collect();
    let mut expected = micros.to_vec();
    expected.sort_by_key(|(key, _)| price::PRICES.iter().position(|it| it.key == *key));
    assert_eq!(found, expected);
    // The sum is 14.015939.
    assert_eq!(estimate.cents_per_month, 1_402);
    assert_eq!(line(&estimate, "kinesis_video_ingest").quantity(), "329 GB (1 camera)");
    assert_eq!(line(&estimate, "kinesis_video_storage").quantity(), "11 GB-months (1 camera)");
}

#[test]
fn a_platform_counts_the_instances_that_the_windows_need() {
    let (cell, prices) = (hosting_cell("ml.g4dn.xlarge"), list("us-west-2"));
    let large = large_store(45);
    let instances =
        |stores: &[&Store]| line(&of_platform(&cell, stores, &prices), INSTANCES).things.unwrap().0;
    // 45 cameras are 4.5 windows a second, 9 at once, of which an instance takes 4.
    assert_eq!((instances(&[]), instances(&[&large]), instances(&[&large, &large])), (1, 3, 5));
    assert_eq!(instances(&[&large; 5]), 8);
    let estimate = of_platform(&cell, &[&large], &prices);
    assert_eq!(line(&estimate, INSTANCES).cents(), 161_272); // 3 * 730 * 0.7364 = 1,612.716
    assert_eq!(line(&estimate, "kms_keys").cents(), 400);
    assert_eq!(line(&estimate, "cloudwatch_alarms").cents(), 280); // 15 + 2 * 6 + 1
    assert_eq!(
        estimate.notes,
        [
            "Of 1 to 8 instances of `ml.g4dn.xlarge`, 3 are counted: on average the windows of 1 store need 3; each costs $537.57 a month."
        ]
    );
}

#[test]
fn what_has_no_price_is_said_to_be_left_out() {
    let cell_of = |instance: &str| hosting_cell(instance);
    let prices = list("us-west-2");
    let estimate = of_platform(&cell_of("ml.p6e-gb200.36xlarge"), &[], &prices);
    assert!(estimate.lines.iter().all(|it| it.name.key != INSTANCES));
    assert!(estimate.notes[0].contains("no price of `ml.p6e-gb200.36xlarge` is known"));
    let estimate = of_platform(&cell(), &[], &prices);
    assert!(estimate.notes[0].contains("endpoint `Shelf-Model` are left out"));
}

#[test]
fn opening_hours_and_audiences_decide_what_is_paid() {
    let prices = list("us-west-2");
    let mut store = telling(large_store(2));
    // Monday to Sunday 18:00 to 02:00: 56 of 168 hours, a third.
    let span = contract::hours::Span::new(18 * 60, 2 * 60).unwrap();
    store.hours.week = vec![vec![span]; 7];
    let read = |store: &Store| {
        of_store(store, &cell(), &prices)
            .lines
            .iter()
            .find(|it| it.name.key == "sagemaker_data")
            .map_or(0, |it| it.amount)
    };
    let mut reads =
        [WatchWhen::Always, WatchWhen::Open, WatchWhen::Closed, WatchWhen::Never].map(|when| {
            for camera in &mut store.cameras {
                camera.when = when;
            }
            read(&store)
        });
    assert_eq!(reads, [657, 219, 438, 0].map(|gb: u128| gb * 1_000_000_000));
    reads.sort_unstable();
    // Loss prevention has a phone, an address and an app; the floor's phone and web hook are not told.
    let estimate = of_store(&store, &cell(), &prices);
    let told = |key: &str| estimate.lines.iter().find(|it| it.name.key == key).map(|it| it.amount);
    assert_eq!(
        ["sns_sms", "sns_emails", "sns_push", "sns_https"].map(told),
        [Some(91), Some(91), Some(91), None]
    );
}

#[test]
fn a_cell_s_own_price_counts_before_the_fleet_s_and_the_list() {
    let yaml = "model: { endpoint: shelf-model }
cells:
  us-west: { account: \"123456789012\", region: us-west-2, prices: { kinesis_video_ingest: 0.0060 } }
prices:
  kinesis_video_ingest: 0.0068
  kinesis_video_read: 0.0070
  sagemaker_instances: { ml.g4dn.xlarge: 0.59 }
  incidents_per_day: 10
";
    let mut sources = crate::diagnostic::Sources::default();
    let mut decoder = crate::decode::Decoder::default();
    let node = parsed(yaml, &mut sources);
    let config = crate::config::fleet(&mut decoder, &node).unwrap();
    assert!(decoder.problems.is_empty(), "{:?}", decoder.problems);
    let prices = prices(&config, &hosting_cell("ml.g4dn.xlarge"));
    assert_eq!(prices.incidents_per_day, 10);
    let micros = |key, instance: Option<&str>| {
        let known = prices.of(&PriceName { key, instance: instance.map(str::to_owned) }).unwrap();
        (known.micros, known.origin)
    };
    assert_eq!(micros("kinesis_video_ingest", None), (6_000, Origin::Stated));
    assert_eq!(micros("kinesis_video_read", None), (7_000, Origin::Stated));
    assert_eq!(micros("kinesis_video_storage", None), (23_000, Origin::Estimated));
    assert_eq!(micros(INSTANCES, Some("ml.g4dn.xlarge")), (590_000, Origin::Stated));
}

#[test]
fn a_difference_says_what_is_more_and_of_what() {
    let prices = list("us-west-2");
    let of = |cameras| of_store(&large_store(cameras), &cell(), &prices);
    let texts: Vec<_> = differences(&of(40), &of(50)).into_iter().map(|it| it.text).collect();
    assert_eq!(
        texts[..4],
        [
            "video given to the model +$52.56: 3,285 GB more (10 cameras more)",
            "video sent to streams +$27.92: 3,285 GB more (10 cameras more)",
            "video read from streams +$27.92: 3,285 GB more (10 cameras more)",
            "time of functions on arm64 +$17.52: 1,314,000 GB-seconds more (2,628,000 windows more)",
        ]
    );
    let stated =
        BTreeMap::from([(PriceName { key: "kinesis_video_ingest", instance: None }, 6_800)]);
    let cheaper = of_store(&large_store(40), &cell(), &Prices::new("us-west-2", stated, None));
    let changes = differences(&of(40), &cheaper);
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].text, "video sent to streams -$22.34: $0.0085 -> $0.0068 for a GB");
    assert_eq!(differences(&cheaper, &cheaper), []);
}

#[test]
fn every_assumption_is_a_sentence_and_names_each_region_once() {
    let sentences = assumptions([&list("us-east-1"), &list("eu-west-3"), &list("eu-west-3")]);
    assert!(sentences.iter().all(|it| it.ends_with('.')), "{sentences:#?}");
    let paris: Vec<_> = sentences.iter().filter(|it| it.contains("eu-west-3")).collect();
    assert_eq!(paris.len(), 2, "{paris:#?}");
    assert!(paris.iter().any(|it| it.contains("1.167 times")));
}

/// An hour of Lambda is paid by its memory, so this must be that of the templates.
#[test]
fn functions_have_the_memory_that_is_reckoned_with() {
    let template = crate::stack::platform(&cell()).unwrap();
    let mut memory = BTreeMap::new();
    for (id, resource) in template.resources() {
        if resource["Type"] == "AWS::Lambda::Function" {
            memory.insert(id, resource["Properties"]["MemorySize"].as_u64().unwrap());
        }
    }
    let preserve = memory.remove("PreserveFunction");
    assert_eq!((preserve, memory.len()), (Some(PRESERVE_MEMORY_MB), 5));
    assert!(memory.values().all(|it| *it == MEMORY_MB), "{memory:?}");
}

fn parsed(yaml: &str, sources: &mut crate::diagnostic::Sources) -> crate::yaml::Node {
    let file = sources.add("fleet.yaml".to_owned(), yaml.to_owned());
    crate::yaml::parse(file, yaml).0.unwrap()
}

proptest! {
    #[test]
    fn more_of_anything_is_never_cheaper(
        cameras in 1_usize..60, more in 0_usize..20,
        kbps in 64_u32..8_000, more_kbps in 0_u32..4_000,
        hours in 1_u32..2_000, more_hours in 0_u32..2_000,
        incidents in 0_u32..500, region in 0_usize..18,
    ) {
        let region = price::regions().nth(region).unwrap();
        let prices = |incidents| Prices::new(region, BTreeMap::new(), Some(incidents));
        let store = |cameras, kbps, hours| {
            let mut store = telling(large_store(cameras));
            for camera in &mut store.cameras {
                camera.bitrate_kbps = kbps;
                camera.retention_hours = hours;
            }
            store
        };
        let cell = hosting_cell("ml.g5.xlarge");
        let cost = |store: &Store, incidents: u32| {
            let prices = prices(incidents);
            let own = of_store(store, &cell, &prices).cents_per_month;
            own + of_platform(&cell, &[store], &prices).cents_per_month
        };
        let base = cost(&store(cameras, kbps, hours), incidents);
        prop_assert!(base > 0);
        prop_assert!(cost(&store(cameras + more, kbps, hours), incidents) >= base);
        prop_assert!(cost(&store(cameras, kbps + more_kbps, hours), incidents) >= base);
        prop_assert!(cost(&store(cameras, kbps, hours + more_hours), incidents) >= base);
        prop_assert!(cost(&store(cameras, kbps, hours), incidents + 1) >= base);
    }

    #[test]
    fn an_estimate_is_the_sum_of_its_lines_and_what_differs_explains_it(
        cameras in 1_usize..60, others in 1_usize..60,
    ) {
        let prices = list("eu-central-1");
        let of = |cameras| of_store(&telling(large_store(cameras)), &cell(), &prices);
        let (before, after) = (of(cameras), of(others));
        let lines = i64::try_from(after.lines.len()).unwrap();
        let sum: i64 = after.lines.iter().map(Line::cents).sum();
        prop_assert!((sum - after.cents_per_month).abs() <= lines);
        let explained: i64 =
            differences(&before, &after).iter().map(|it| it.cents).sum();
        let whole = after.cents_per_month - before.cents_per_month;
        prop_assert!((explained - whole).abs() <= 2 * lines);
    }
}
