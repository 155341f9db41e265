//! Warnings that somebody accepts for a time: `allow` in a store, for its warnings, and in
//! fleet.yaml, for all. An entry that is wrong, past its day or without any use is told in its
//! turn, so that none stays behind. Pure: the day comes in.

use std::collections::HashMap;

use jiff::civil::Date;

use crate::config::{AllowConfig, FleetConfig, StoreConfig};
use crate::diagnostic::{Diagnostic, Severity, suggest};
use crate::explanation;

/// Code of the warning about an entry whose last day is past.
const EXPIRED_CODE: &str = "allow-expired";
/// Code of the warning about an entry that accepts nothing.
const UNUSED_CODE: &str = "allow-unused";
/// Longest reason, in characters. Our choice: a sentence; more belongs in a comment.
const REASON_CHARACTERS_MAX: usize = 200;

/// One entry that counts.
struct Entry<'a> {
    config: &'a AllowConfig,
    /// The store whose warnings it accepts; `None`: all.
    store: Option<&'a str>,
    used: bool,
}

/// Takes out what is accepted on this day, and adds what is wrong with the entries.
pub fn apply(
    problems: Vec<Diagnostic>,
    fleet: &FleetConfig,
    stores: &[(String, StoreConfig)],
    today: Date,
) -> Vec<Diagnostic> {
    let all = fleet.allow.iter().map(|config| (None, config));
    let own = stores
        .iter()
        .flat_map(|(stem, store)| store.allow.iter().map(move |it| (Some(stem.as_str()), it)));
    let mut about_entries = Vec::new();
    let mut entries: HashMap<&str, Vec<Entry<'_>>> = HashMap::new();
    for (store, config) in all.chain(own) {
        let wrong = check(config, today);
        if wrong.is_none() {
            let entry = Entry { config, store, used: false };
            entries.entry(&config.code.value).or_default().push(entry);
        }
        about_entries.extend(wrong);
    }
    let failed = problems.iter().chain(&about_entries).any(Diagnostic::is_error);
    let mut kept: Vec<_> =
        problems.into_iter().filter(|problem| !is_accepted(problem, &mut entries)).collect();
    kept.extend(about_entries);
    // Where something is wrong, warnings may be missing, and an entry idle for that reason.
    if !failed {
        kept.extend(entries.values().flatten().filter(|entry| !entry.used).map(unused));
    }
    kept
}

/// What is wrong with an entry by itself.
fn check(config: &AllowConfig, today: Date) -> Option<Diagnostic> {
    let code = &config.code;
    let Some(explanation) = explanation::find(&code.value) else {
        let warnings = explanation::all().iter().filter(|it| it.severity == Severity::Warning);
        let message = format!("no warning has the code `{}`", code.value);
        let help = suggest(&code.value, warnings.map(|it| it.code));
        return Some(Diagnostic::error("unknown-code", &code.place, message).help(help));
    };
    if explanation.severity == Severity::Error {
        let message = format!("`{}` is an error, and errors cannot be accepted", code.value);
        let help = format!("mend what it is about; `arm check --explain {}` says how", code.value);
        return Some(Diagnostic::error("not-allowable", &code.place, message).help(help));
    }
    if [EXPIRED_CODE, UNUSED_CODE].contains(&code.value.as_str()) {
        let message = format!("`{}` is about `allow` itself", code.value);
        let help = "delete the entry that it warns of, or give that one a later day";
        return Some(Diagnostic::error("not-allowable", &code.place, message).help(help));
    }
    let reason = config.reason.as_ref()?;
    let length = reason.value.chars().count();
    if reason.value.trim().is_empty()
        || length > REASON_CHARACTERS_MAX
        || reason.value.contains('\n')
    {
        let message = match reason.value.lines().count() {
            0 | 1 => format!("the reason has {length} characters"),
            lines => format!("the reason has {lines} lines"),
        };
        let help = format!(
            "say on one line of 1 to {REASON_CHARACTERS_MAX} characters why it is right here"
        );
        return Some(Diagnostic::error("bad-reason", &reason.place, message).help(help));
    }
    let until = config.until.as_ref().filter(|until| until.value < today)?;
    let message = format!("`{}` was accepted until {}, and counts again", code.value, until.value);
    let help = format!(
        "mend what it is about and delete this entry, or set a later day; because: {}",
        reason.value
    );
    Some(Diagnostic::warning(EXPIRED_CODE, &until.place, message).help(help))
}

fn is_accepted(problem: &Diagnostic, entries: &mut HashMap<&str, Vec<Entry<'_>>>) -> bool {
    if problem.is_error() {
        return false;
    }
    let candidates = entries.get_mut(problem.code).map_or(&mut [][..], Vec::as_mut_slice);
    let mut accepted = false;
    for entry in candidates {
        let config = entry.config;
        let of = config.of.as_ref().is_none_or(|of| of.value == problem.of);
        let here = match entry.store {
            None => true,
            Some(stem) => problem.stores.iter().any(|store| store == stem),
        };
        if of && here {
            entry.used = true;
            accepted = true;
        }
    }
    accepted
}

fn unused(entry: &Entry<'_>) -> Diagnostic {
    let code = &entry.config.code;
    let of = entry.config.of.as_ref().map_or(String::new(), |of| format!(" about `{}`", of.value));
    let message = format!("there is no warning `{}`{of} here that could be accepted", code.value);
    Diagnostic::warning(UNUSED_CODE, &code.place, message).help("delete this entry")
}
