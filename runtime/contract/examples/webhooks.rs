//! Webhook texts of many alerts, one on each line: every field present and absent, odd names, own words.
//!
//! `tests/json_schema.py` holds them against `schema/alert.json` with a validator that we did not
//! write. To try another alert, add it to [`stores`] or [`wordings`].
#![expect(clippy::print_stdout, reason = "what it prints is what it is for")]

use contract::alert::{AlertFacts, texts};
use contract::priority::Priority;
use contract::store::StoreRef;
use contract::wording::{Wording, WordingKey};

fn main() {
    for store in stores() {
        for wording in wordings() {
            for facts in alerts(&store) {
                println!("{}", texts(&facts, &wording).webhook);
            }
        }
    }
}

fn stores() -> [StoreRef; 3] {
    let all = [
        ("seattle-001", "Pike Place", "America/Los_Angeles"),
        ("bern-7", "Bäckerei \"Süd\" <日本> 🛒\u{2028}", "Europe/Zurich"),
        ("utc", "", "Nowhere/Unknown"),
    ];
    all.map(|(id, name, timezone)| StoreRef {
        id: id.to_owned(),
        name: name.to_owned(),
        cell: "west".to_owned(),
        timezone: timezone.to_owned(),
    })
}

fn wordings() -> [Wording; 3] {
    let headline = |text| Wording::default().with(WordingKey::Headline, text);
    let long = "{aisle} {camera} {place} ".repeat(5);
    [Wording::default(), headline("{confidence}"), headline(&long)]
}

/// Alerts of one store: all priorities, and each value that may be absent there and not there.
fn alerts(store: &StoreRef) -> Vec<AlertFacts> {
    let mut all = Vec::new();
    for priority in Priority::ALL {
        for aisle_name in [None, Some("Aisle 5".to_owned()), Some("酒 \\ \" ".repeat(18))] {
            for camera in [None, Some("aisle-5-a".to_owned())] {
                for confidence in [None, Some(0.0), Some(0.93), Some(1.0)] {
                    all.push(AlertFacts {
                        priority,
                        event_type: "shelf_sweep".to_owned(),
                        store: store.clone(),
                        aisle_name: aisle_name.clone(),
                        camera: camera.clone(),
                        start_ms: 1_795_370_583_200,
                        case_id: "K7Q2M4XB9TZC0H5R".to_owned(),
                        confidence,
                        rule: "shelf-sweep".to_owned(),
                    });
                }
            }
        }
    }
    all
}
