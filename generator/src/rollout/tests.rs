//! Every store is in one wave, and in the same one whatever is chosen.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::model::{Cell, Wave as Written};
use crate::stack::fixture;

fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

fn wave(name: &str, takes: Takes) -> Written {
    Written { name: id(name), takes, bake_s: 0, failures_max: Portion::Count(0) }
}

fn labelled(name: &str, labels: &[&str]) -> Written {
    wave(name, Takes::Labels(labels.iter().map(|it| id(it)).collect()))
}

fn portion(name: &str, portion: &str) -> Written {
    wave(name, Takes::Portion(portion.parse().unwrap()))
}

/// Stores with their labels, and the waves before `rest`.
fn fleet(
    stores: impl IntoIterator<Item = (usize, Vec<&'static str>)>,
    waves: Vec<Written>,
) -> Fleet {
    let store = |(number, labels): (usize, Vec<&str>)| Store {
        id: id(&format!("store-{number:04}")),
        cell: id(if number.is_multiple_of(2) { "us-west" } else { "us-east" }),
        labels: labels.into_iter().map(id).collect(),
        ..fixture::store()
    };
    let cells = ["us-east", "us-west"].map(|it| Cell { id: id(it), ..fixture::cell() }).to_vec();
    let waves = waves.into_iter().chain([wave("rest", Takes::Rest)]).collect();
    Fleet { cells, stores: stores.into_iter().map(store).collect(), waves }
}

fn plain(number: usize) -> impl Iterator<Item = (usize, Vec<&'static str>)> {
    (0..number).map(|it| (it, Vec::new()))
}

/// The waves of all stores, as name and stores.
fn all(fleet: &Fleet) -> Vec<(String, Vec<Id>)> {
    let stores: Vec<_> = fleet.stores.iter().collect();
    waves(fleet, &stores, None).into_iter().map(|it| (it.name, it.stores)).collect()
}

fn sizes(fleet: &Fleet) -> Vec<(String, usize)> {
    all(fleet).into_iter().map(|(name, stores)| (name, stores.len())).collect()
}

#[test]
fn labels_go_first_then_a_tenth_then_the_rest() {
    let mut stores: Vec<_> = plain(101).collect();
    stores[7].1 = vec!["canary"];
    stores[9].1 = vec!["urban", "canary"];
    let fleet = fleet(stores, vec![labelled("canary", &["canary"]), portion("first", "10%")]);
    let right = [("canary", 2), ("first", 11), ("rest", 88)];
    assert_eq!(sizes(&fleet), right.map(|(name, size)| (name.to_owned(), size)));
    assert_eq!(all(&fleet)[0].1, [id("store-0007"), id("store-0009")]);
}

#[test]
fn a_number_of_stores_is_spread_over_the_fleet() {
    let fleet = fleet(plain(1_000), vec![portion("first", "10%")]);
    let first = &all(&fleet)[0].1;
    let mut hundreds: BTreeMap<String, usize> = BTreeMap::new();
    for store in first {
        *hundreds.entry(store.as_str()[..8].to_owned()).or_default() += 1;
    }
    assert_eq!((first.len(), hundreds.len()), (100, 10));
    assert!(hundreds.values().all(|it| (3..=20).contains(it)), "{hundreds:?}");
}

#[test]
fn a_new_store_takes_the_place_of_one_at_most() {
    let before = fleet(plain(300), vec![portion("first", "20")]);
    for more in 301..320 {
        let after = fleet(plain(more), vec![portion("first", "20")]);
        let gone = more - 300;
        let (before, after) = (&all(&before)[0].1, &all(&after)[0].1);
        let left = before.iter().filter(|it| !after.contains(it)).count();
        assert!(left <= gone, "{left} of 20 left for {gone} new stores");
    }
}

#[test]
fn a_percentage_is_of_the_fleet_and_failures_are_of_the_stores_that_are_deployed() {
    let mut fleet = fleet(plain(100), vec![portion("first", "50%")]);
    fleet.waves[0].failures_max = Portion::Percent(10);
    fleet.waves[0].bake_s = 90;
    let chosen: Vec<_> = fleet.stores.iter().take(40).collect();
    let found = waves(&fleet, &chosen, None);
    let number: usize = found.iter().map(|it| it.stores.len()).sum();
    assert_eq!((found.len(), number, found[0].bake), (2, 40, Duration::from_secs(90)));
    assert_eq!(found[0].failures_max, found[0].stores.len() / 10);
    assert_eq!(found[1].failures_max, 0);
    let overridden = waves(&fleet, &chosen, Some(Portion::Count(3)));
    assert!(overridden.iter().all(|it| it.failures_max == 3));
    assert_eq!(waves(&fleet, &[], None), []);
}

#[test]
fn names_that_are_unknown_are_refused_with_what_was_meant() {
    let stores = plain(3).chain([(3, vec!["canary"])]);
    let fleet = fleet(stores, vec![labelled("canary", &["canary"])]);
    let one = |text: &str| vec![text.to_owned()];
    let refused = [
        Choice { only: one("store-00001"), ..Choice::default() },
        Choice { labels: one("canery"), ..Choice::default() },
        Choice { cell: Some("us-wets".to_owned()), ..Choice::default() },
        Choice { wave: Some("last".to_owned()), ..Choice::default() },
        Choice { only: one("store-0001"), cell: Some("us-west".to_owned()), ..Choice::default() },
        Choice { labels: one("canary"), wave: Some("rest".to_owned()), ..Choice::default() },
    ];
    let told = refused.map(|it| choose(&fleet, &it).unwrap_err().to_string());
    insta::assert_snapshot!(told.join("\n"), @"
    there is no store `store-00001`
      help: did you mean `store-0000`? known: `store-0000`, `store-0001`, `store-0002`, `store-0003`
    there is no label `canery`
      help: did you mean `canary`?
    there is no cell `us-wets`
      help: did you mean `us-west`? known: `us-east`, `us-west`
    there is no wave `last`
      help: use one of: `canary`, `rest`
    no store is one of `store-0001` and of the cell `us-west`
      help: leave out what need not hold
    no store is labelled `canary` and in the wave `rest`
      help: leave out what need not hold
    ");
}

#[test]
fn a_store_is_chosen_when_it_fits_all_that_is_given() {
    let stores = plain(4).chain([(4, vec!["canary"]), (5, vec!["canary"])]);
    let fleet = fleet(stores, vec![labelled("canary", &["canary"])]);
    let chosen = |choice: Choice| -> Vec<String> {
        let stores = choose(&fleet, &choice).unwrap();
        stores.into_iter().map(|it| it.id.to_string()).collect()
    };
    assert_eq!(chosen(Choice::default()).len(), 6);
    let of_wave = Choice { wave: Some("canary".to_owned()), ..Choice::default() };
    assert_eq!(chosen(of_wave.clone()), ["store-0004", "store-0005"]);
    let cell = Some("us-east".to_owned());
    assert_eq!(chosen(Choice { cell: cell.clone(), ..of_wave }), ["store-0005"]);
    let only = vec!["store-0003".to_owned(), "store-0001".to_owned()];
    assert_eq!(chosen(Choice { only, cell, ..Choice::default() }), ["store-0001", "store-0003"]);
}

#[test]
fn a_cell_without_stores_can_be_meant() {
    let fleet = fleet([], vec![]);
    let choice = Choice { cell: Some("us-west".to_owned()), ..Choice::default() };
    assert_eq!(choose(&fleet, &choice), Ok(vec![]));
}

fn any_wave() -> impl Strategy<Value = Takes> {
    let labels = proptest::sample::subsequence(vec!["a", "b", "c"], 1..=2);
    prop_oneof![
        labels.prop_map(|it| Takes::Labels(it.into_iter().map(id).collect())),
        (1..30_usize).prop_map(|it| Takes::Portion(Portion::Count(it))),
        (1..=100_u8).prop_map(|it| Takes::Portion(Portion::Percent(it))),
    ]
}

proptest! {
    #[test]
    fn every_chosen_store_is_in_one_wave_and_in_the_same_whatever_else_is_chosen(
        labels in proptest::collection::vec(
            proptest::sample::subsequence(vec!["a", "b", "c"], 0..=3), 1..60),
        takes in proptest::collection::vec(any_wave(), 0..5),
        step in 1..5_usize,
    ) {
        let written = takes.into_iter().enumerate().map(|(at, it)| wave(&format!("w-{at}"), it));
        let fleet = fleet(labels.into_iter().enumerate(), written.collect());
        let whole = all(&fleet);
        let mut members: Vec<_> = whole.iter().flat_map(|(_, stores)| stores).cloned().collect();
        members.sort();
        let ids: Vec<_> = fleet.stores.iter().map(|it| it.id.clone()).collect();
        prop_assert_eq!(members, ids);
        let chosen: Vec<_> = fleet.stores.iter().step_by(step).collect();
        let part = waves(&fleet, &chosen, None);
        prop_assert_eq!(part.iter().map(|it| it.stores.len()).sum::<usize>(), chosen.len());
        for wave in part {
            let (_, of_whole) = whole.iter().find(|(name, _)| *name == wave.name).unwrap();
            prop_assert!(wave.stores.iter().all(|it| of_whole.contains(it)));
            let choice = Choice { wave: Some(wave.name.clone()), ..Choice::default() };
            prop_assert_eq!(choose(&fleet, &choice).unwrap().len(), of_whole.len());
        }
    }
}
