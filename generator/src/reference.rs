//! The reference of every key and every diagnostic, as Markdown: `stores/README.md`.
//!
//! Tables come from `schema` and `explanation`, and what no table can say from `reference.md`,
//! whose one marker they replace; a test holds that the committed page is this one. To say more of
//! a key, change its `about` in `schema/`; to add a section, add it in [`page`].

use contract::wording::Placeholder;

use crate::explanation;
use crate::price;
use crate::quota;
use crate::schema::{ALERTS, FLEET, Key, Kind, Noun, SCENARIOS, STORE, nouns_of};

const PROSE: &str = include_str!("reference.md");
/// What the tables stand in place of.
const MARKER: &str = "<!-- tables -->\n";

/// The whole page.
pub fn page() -> String {
    let sections = [keys(), quotas(), prices(), diagnostics()];
    PROSE.replace(MARKER, &sections.join("\n"))
}

/// Every kind of mapping: a store's, then what the fleet has besides, then those of scenarios.
fn nouns() -> impl Iterator<Item = &'static Noun> {
    [&STORE, &FLEET, &SCENARIOS].into_iter().flat_map(|file| nouns_of(file))
}

/// One table per kind of mapping.
fn keys() -> String {
    let mut shown: Vec<&'static Noun> = Vec::new();
    let mut text = Vec::new();
    for noun in nouns() {
        if !shown.iter().any(|it| it.is(noun)) {
            text.push(section(noun, &shown));
            shown.push(noun);
        }
    }
    text.join("\n")
}

fn section(noun: &'static Noun, shown: &[&'static Noun]) -> String {
    let heading = match noun {
        _ if noun.is(&STORE) => "## Store".to_owned(),
        _ if noun.is(&FLEET) => "## Fleet".to_owned(),
        _ if noun.is(&SCENARIOS) => "## Scenario file".to_owned(),
        _ => format!("### {}", capital(&noun.title())),
    };
    let same = |other: &&&'static Noun| noun.keys.iter().all(|key| is_in(key, other));
    let body = match shown.iter().find(same) {
        Some(other) => {
            let names: Vec<_> = noun.names().map(|name| format!("`{name}`")).collect();
            format!("The keys {} of a {}, which mean the same.\n", names.join(", "), link(other))
        }
        None if noun.is(&ALERTS) => format!("{}\n{}", table(noun), placeholders()),
        None => table(noun),
    };
    format!("{heading}\n\n{}{}\n\n{body}", noun.about, places(noun))
}

/// Whether another kind of mapping has this key, meaning the same.
fn is_in(key: &Key, other: &Noun) -> bool {
    other.key(key.name).is_some_and(|it| it.about == key.about && it.presence == key.presence)
}

/// Where this kind of mapping stands.
fn places(noun: &'static Noun) -> String {
    let mut places: Vec<String> = Vec::new();
    for outer in nouns() {
        for key in outer.keys {
            let stands_here = key.kind.noun().is_some_and(|it| it.is(noun));
            let place = format!("`{}` of {}", key.name, link(outer));
            if stands_here && !places.contains(&place) {
                places.push(place);
            }
        }
    }
    if places.is_empty() { String::new() } else { format!(" In {}.", places.join(", ")) }
}

fn table(noun: &'static Noun) -> String {
    let rows = noun.keys.iter().map(|key| {
        let cells = [
            format!("`{}`", key.name),
            key.about.to_owned(),
            key.default_in_words(),
            value(key),
            format!("`{}`", key.example),
        ];
        let cells = cells.map(|cell| cell.replace('|', "\\|"));
        format!("| {} |\n", cells.join(" | "))
    });
    let head = "| key | what | default | value | example |\n|---|---|---|---|---|\n";
    format!("{head}{}", rows.collect::<String>())
}

/// What may stand in the texts of alerts.
fn placeholders() -> String {
    let rows = Placeholder::ALL.map(|it| format!("| `{{{}}}` | {} |\n", it.as_str(), it.meaning()));
    format!("| placeholder | stands for |\n|---|---|\n{}", rows.concat())
}

/// A key's form and range, with a link to the table of a mapping in it.
fn value(key: &Key) -> String {
    let words = key.kind.in_words();
    match key.kind.noun() {
        Some(noun) => words.replace(&noun.title(), &link(noun)),
        None if matches!(key.kind, Kind::Quotas) => words.replace("quotas", "[quotas](#quotas)"),
        None if matches!(key.kind, Kind::Prices) => words.replace("prices", "[prices](#prices)"),
        None => words,
    }
}

fn link(noun: &Noun) -> String {
    let title = noun.title();
    format!("[{title}](#{})", title.replace(' ', "-"))
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|it| it.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}", letters.as_str())
}

/// The keys of `quotas`, with what holds when a fleet states none.
fn quotas() -> String {
    format!(
        "## Quotas\n\nWhat AWS grants, and what may stand in `quotas`: a whole number, or one for \
         each instance type. `arm quotas` shows what a fleet needs of each.\n\n{}",
        quota::reference()
    )
}

/// The keys of `prices`, with what is reckoned when a fleet states none.
fn prices() -> String {
    format!(
        "## Prices\n\nWhat AWS charges, and what may stand in `prices`: dollars with at most six decimals \
         for one unit, or such for each instance type. The list is of {}. In other regions \"the same\" is \
         reckoned with, or what is estimated from EC2's prices there; state what your contract says.\n\n{}\n{}",
        price::LOOKED_UP,
        price::reference(),
        price::instance_reference(),
    )
}

/// The index of codes, each linked to its explanation.
fn diagnostics() -> String {
    let rows = explanation::all().iter().map(|it| {
        let code = it.code;
        let kind = it.severity.as_str();
        let page = format!("../generator/explanations/{code}.md");
        format!("| [`{code}`]({page}) | {kind} | {} |\n", it.summary().replace('|', "\\|"))
    });
    format!(
        "## Diagnostics\n\n`arm check --explain CODE` tells more of each, with an example that is \
         wrong and the same one mended.\n\n| code | kind | what is wrong |\n|---|---|---|\n{}",
        rows.collect::<String>()
    )
}
