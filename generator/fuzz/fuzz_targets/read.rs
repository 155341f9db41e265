//! Any two files, as `fleet.yaml` and a store: no crash, no hang, and what is accepted gives a
//! template that reads back. The files are the two parts of the input around its first NUL.
#![no_main]

use generator::input::{self, Content, InputFile};
use generator::{diagnostic, effective, inherit, stack};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut parts = data.splitn(2, |byte| *byte == 0);
    let fleet = parts.next().unwrap_or_default();
    let store = parts.next().unwrap_or_default();
    let file = |stem: &str, bytes: &[u8]| InputFile {
        name: format!("stores/{stem}.yaml"),
        stem: stem.to_owned(),
        content: Content::Bytes(bytes.to_vec()),
    };
    let today = jiff::civil::date(2026, 11, 22);
    let read = input::read(file("fleet", fleet), vec![file("renton-007", store)], today);
    // What is shown must be drawn without a panic whatever the places are.
    let _ = diagnostic::render(&read.sources, &read.problems, diagnostic::Colour::Ansi);
    let _ = diagnostic::to_json(&read.sources, &read.problems);
    for (_, config) in &read.store_configs {
        let values = effective::values(&inherit::resolve(&read.fleet_config, config));
        let _ = effective::page(&values, |_| None);
    }
    let Some(fleet) = read.fleet else { return };
    for store in &fleet.fleet.stores {
        let rules = &fleet.rules_of(store).rules;
        let Ok(template) = stack::store(fleet.fleet.cell_of(store), store, rules) else { continue };
        let json: serde_json::Value = serde_json::from_str(&template.to_json()).unwrap();
        let schedule = json["Resources"]["Watch"]["Properties"]["Target"]["Input"].as_str().unwrap();
        let watch: serde_json::Value = serde_json::from_str(schedule).unwrap();
        assert_eq!(watch["store"]["name"].as_str(), Some(store.name.as_str()));
        let yaml: serde_json::Value = serde_yaml::from_str(&template.to_yaml()).unwrap();
        assert_eq!(yaml, json);
    }
});
