//! Times the rule compiler: `cargo run --release -p arm --example compile -- [RULES] [TIMES]`.
//!
//! Makes a store of so many rules, the same at every run, over 8 event types, 25 aisles of 6 kinds,
//! 60 cameras, 4 zones, thresholds and periods; compiles it so many times, and prints what came out
//! and how long one took. A measurement, no promise: machines are noisy.
#![expect(clippy::print_stdout, reason = "the answer of an example")]
#![expect(clippy::disallowed_methods, reason = "takes the time, and its arguments")]

use std::cmp::Reverse;
use std::time::Instant;

use contract::evidence::LockMode;
use contract::hours::{Hours, Period};
use contract::priority::Priority;
use contract::wording::Wording;
use generator::model::{Condition, Confidence, EvidenceSettings, Id, Rule, Store};
use generator::rules;

/// Xorshift: the same numbers on every machine.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end
    }

    /// So often out of a hundred, one to `most` names of a kind of which there are `all`.
    fn names(&mut self, percent: u64, name: &str, all: u64, most: u64) -> Option<Vec<String>> {
        let number = 1 + self.below(most);
        let names = (0..number).map(|_| format!("{name}-{}", self.below(all))).collect();
        (self.below(100) < percent).then_some(names)
    }

    fn ids(&mut self, percent: u64, name: &str, all: u64, most: u64) -> Option<Vec<Id>> {
        let names = self.names(percent, name, all, most)?;
        Some(names.iter().map(|name| Id::new(name).expect("a name and a number")).collect())
    }
}

fn rule(numbers: &mut Numbers, at: usize) -> Rule {
    /// As people write them.
    const THRESHOLDS: [f64; 5] = [0.5, 0.6, 0.7, 0.8, 0.9];
    let threshold = THRESHOLDS.into_iter().nth(usize::try_from(numbers.below(5)).unwrap_or(0));
    let when = Condition {
        event_types: numbers.names(95, "type", 8, 2),
        aisles: numbers.ids(25, "aisle", 25, 3),
        aisle_kinds: numbers.ids(25, "kind", 6, 2),
        cameras: numbers.ids(10, "aisle-camera", 60, 3),
        zones: numbers.names(10, "zone", 4, 1),
        min_confidence: threshold.and_then(Confidence::new).filter(|_| numbers.below(2) == 0),
        period: [None, None, None, None, None, None, Some(Period::Open), Some(Period::Closed)]
            .into_iter()
            .nth(usize::try_from(numbers.below(8)).unwrap_or(0))
            .flatten(),
    };
    Rule {
        name: Id::new(&format!("rule-{at}")).expect("a name and a number"),
        when,
        priority: Priority::High,
        notify: Vec::new(),
        cooldown_s: 60,
        shadow: false,
    }
}

/// How many fields a condition limits.
fn limits(when: &Condition) -> usize {
    let limits = [
        when.event_types.is_some(),
        when.aisles.is_some(),
        when.aisle_kinds.is_some(),
        when.cameras.is_some(),
        when.zones.is_some(),
        when.min_confidence.is_some(),
        when.period.is_some(),
    ];
    limits.into_iter().filter(|it| *it).count()
}

fn store(rules: usize) -> Store {
    let mut numbers = Numbers(88_172_645_463_325_252);
    let id = |text| Id::new(text).expect("an id");
    let mut rules: Vec<_> = (0..rules).map(|at| rule(&mut numbers, at)).collect();
    // As people order them: what is special before what is general.
    rules.sort_by_key(|rule| Reverse(limits(&rule.when)));
    Store {
        id: id("store"),
        name: "Store".to_owned(),
        cell: id("cell"),
        format: None,
        labels: Vec::new(),
        hours: Hours::default(),
        aisles: Vec::new(),
        cameras: Vec::new(),
        rules,
        subscribers: Vec::new(),
        wording: Wording::default(),
        evidence: EvidenceSettings {
            before_s: 15,
            after_s: 15,
            keep_days: 90,
            lock: LockMode::Governance,
        },
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter_map(|it| it.parse::<u32>().ok());
    let rules = arguments.next().unwrap_or(60);
    let times = arguments.next().unwrap_or(1_000).max(1);
    let store = store(usize::try_from(rules).unwrap_or(0));
    let start = Instant::now();
    for _ in 1..times {
        // What comes out of the last one is shown.
        drop(std::hint::black_box(rules::compile(&store)));
    }
    let compiled = rules::compile(&store);
    let microseconds = start.elapsed().as_micros() / u128::from(times);
    match compiled {
        Ok(set) => {
            let lengths = set.rules.iter().map(|rule| rule.pattern.to_string().chars().count());
            let longest = lengths.max().unwrap_or_default();
            println!(
                "{rules} rules, {} unreachable: {} patterns, the longest of {longest} characters, {microseconds} us",
                set.unreachable.len(),
                set.rules.len(),
            );
        }
        Err(error) => println!("{rules} rules: {error}, {microseconds} us"),
    }
}
