//! Makes up a day of detections of one store, to try `arm simulate` before there are any.
//!
//! `cargo run --example day -- seattle-001 2026-11-21 > stores/tests/seattle-001.ndjson` made the day
//! that is in this repository; a third argument is the number of detections. The same arguments give
//! the same bytes. What happens is invented: most of it in busy hours and where goods are dear, each
//! incident seen more than once, some of it hardly, and a few events come from elsewhere.
//!
//! To change what happens in the store, start with `BEHAVIOURS` and `BUSY`.

use std::error::Error;
use std::io::Write;
use std::path::Path;

use contract::hours::Period;
use contract::watch::WatchWhen;
use generator::load;
use generator::model::{Camera, Id, Store};
use generator::trial::{Event, Sighting, parse_at};
use serde_json::{Value, json};

/// What is seen, how often in a hundred incidents, and in which kind of aisle alone. The example
/// stores have no rule for the last four while they are open.
const BEHAVIOURS: [(&str, u64, Option<&str>); 6] = [
    ("concealment", 52, None),
    ("shelf_sweep", 30, None),
    ("loitering", 7, None),
    ("ticket_switching", 5, Some("checkout")),
    ("spill", 4, None),
    ("person_down", 2, None),
];
/// How busy each hour is while the store is open, where a closed one is 3: people shop at noon and
/// after work.
const BUSY: [u64; 24] =
    [4, 3, 2, 2, 2, 3, 5, 8, 12, 16, 20, 28, 36, 28, 24, 24, 32, 48, 44, 32, 20, 16, 12, 8];
/// How much likelier something happens where goods are dear.
const HIGH_VALUE: u64 = 4;
/// Of a hundred incidents, those that go on for minutes.
const STORMS: u64 = 3;
/// Of a hundred incidents, those of which the last detection is delivered twice.
const TWICE: u64 = 4;
/// Of a hundred incidents, those that something else than a camera tells.
const FROM_ELSEWHERE: u64 = 3;
/// Detections of a day without a third argument: so many lines stay under 80 kB.
const DETECTIONS: usize = 220;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(id), Some(date)) = (args.next(), args.next()) else {
        return Err("give a store and a date, such as `seattle-001 2026-11-21`".into());
    };
    let number = args.next().map_or(Ok(DETECTIONS), |number| number.parse())?;
    let loaded = load::load(Path::new("stores"), date.parse()?)?;
    let fleet = loaded.fleet.ok_or("`arm check` must find no error in stores/")?;
    let store = fleet.fleet.stores.iter().find(|store| store.id.as_str() == id);
    let store = store.ok_or("there is no such store in stores/")?;
    let mut out = std::io::stdout().lock();
    for line in day(store, &date, number)? {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// The events of a day, oldest first.
fn day(store: &Store, date: &str, number: usize) -> Result<Vec<Value>, Box<dyn Error>> {
    let midnight_ms = parse_at(&format!("{date} 00:00"), &store.hours.timezone)?;
    let busy = |(hour, busy): (usize, u64)| {
        let hour_ms = i64::try_from(hour).unwrap_or_default() * 3_600_000;
        let is_open = store.hours.period_at(midnight_ms + hour_ms) == Period::Open;
        (hour, if is_open { busy } else { 3 })
    };
    let mut chance = Chance::new(&format!("{} {date}", store.id));
    let mut events: Vec<(i64, Value)> = Vec::new();
    while events.len() < number {
        let hour = chance.weighted(BUSY.iter().copied().enumerate().map(busy)).unwrap_or_default();
        let second = i64::try_from(hour)? * 3_600 + chance.below_i64(3_600);
        let at_ms = midnight_ms + second * 1_000 + chance.below_i64(1_000);
        if chance.below(100) < FROM_ELSEWHERE {
            events.push((at_ms, from_elsewhere(at_ms, &mut chance)));
        } else {
            events.extend(incident(store, at_ms, &mut chance));
        }
    }
    events.truncate(number);
    events.sort_by_key(|(at_ms, _)| *at_ms);
    Ok(events.into_iter().map(|(_, event)| event).collect())
}

/// What one camera sees of one incident: the same behaviour in a few windows one after the other.
fn incident(store: &Store, mut at_ms: i64, chance: &mut Chance) -> Vec<(i64, Value)> {
    let period = store.hours.period_at(at_ms);
    let watches = |camera: &&Camera| match camera.when {
        WatchWhen::Never => false,
        WatchWhen::Always => true,
        WatchWhen::Open => period == Period::Open,
        WatchWhen::Closed => period == Period::Closed,
    };
    let behaviours = BEHAVIOURS.iter().map(|(event_type, often, of)| ((*event_type, *of), *often));
    let Some((event_type, only)) = chance.weighted(behaviours) else { return Vec::new() };
    let weight = |camera: &Camera| {
        let kind = store.aisle(&camera.aisle).kind.as_ref().map(Id::as_str);
        match kind {
            kind if only.is_some() && kind != only => 0,
            Some("high-value") => HIGH_VALUE,
            _ => 1,
        }
    };
    let cameras = store.cameras.iter().filter(watches).map(|camera| (camera, weight(camera)));
    let Some(camera) = chance.weighted(cameras) else { return Vec::new() };
    let zone = chance.weighted(camera.zones.iter().map(|zone| (zone.id.clone(), 1)));
    let is_storm = chance.below(100) < STORMS;
    let seen = if is_storm { 12 + chance.below(12) } else { 1 + chance.below(4) };
    // One incident is about as clear in each of its windows.
    let clear = 350 + chance.below(550);
    let mut events = Vec::new();
    for _ in 0..seen {
        let thousandths = u32::try_from((clear + chance.below(90)).min(990)).unwrap_or(990);
        let sighting = Sighting {
            event_type: event_type.to_owned(),
            camera: Some(camera.id.to_string()),
            zone: zone.clone(),
            confidence: Some(f64::from(thousandths) / 1_000.0),
            at_ms,
        };
        events.push((at_ms, Event::of_sighting(store, &sighting).detail().clone()));
        at_ms += 8_000 + chance.below_i64(22_000);
    }
    if chance.below(100) < TWICE {
        events.extend(events.last().cloned());
    }
    events
}

/// What a till or a door puts on the bus: no camera, no confidence.
fn from_elsewhere(at_ms: i64, chance: &mut Chance) -> Value {
    if chance.below(2) == 0 {
        return json!({ "event_type": "panic_button", "start_ms": at_ms });
    }
    let time = jiff::Timestamp::from_millisecond(at_ms).unwrap_or_default().to_string();
    json!({
        "source": "example.door-sensor", "detail-type": "BehaviourDetected", "time": time,
        "detail": { "event_type": "door_forced", "aisle": "loading-dock" },
    })
}

/// Numbers that look random and are the same for the same seed. Source: Sebastiano Vigna's
/// `SplitMix64`, <https://prng.di.unimi.it/splitmix64.c>.
struct Chance(u64);

impl Chance {
    fn new(seed: &str) -> Self {
        // FNV-1a, <https://datatracker.ietf.org/doc/draft-eastlake-fnv/>.
        Self(seed.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        }))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to below `end`.
    fn below(&mut self, end: u64) -> u64 {
        self.next().checked_rem(end).unwrap_or_default()
    }

    fn below_i64(&mut self, end: u32) -> i64 {
        i64::try_from(self.below(u64::from(end))).unwrap_or_default()
    }

    /// One of these, as often as its weight says; `None` of nothing.
    fn weighted<T>(&mut self, of: impl Iterator<Item = (T, u64)>) -> Option<T> {
        let all: Vec<(T, u64)> = of.collect();
        let mut left = self.below(all.iter().map(|(_, weight)| weight).sum());
        for (one, weight) in all {
            if left < weight {
                return Some(one);
            }
            left -= weight;
        }
        None
    }
}
