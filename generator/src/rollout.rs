//! Which stores are deployed, and in which waves. Pure.
//!
//! Waves are cut from the whole fleet, and only then are the stores that were not chosen left out: a store
//! is in the same wave whether all are deployed or it alone. Of so many stores, those come first whose
//! ids have the smallest digests: spread over cells and formats, and hardly changed by a new store.
//! To let a wave take stores in another way, start in [`taken`].

use std::collections::BTreeSet;
use std::time::Duration;

use crate::config::FleetConfig;
use crate::diagnostic::{Diagnostic, suggest};
use crate::digest::sha256;
use crate::model::{self, Fleet, Id, Portion, Store, Takes};

/// Stores that are deployed together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wave {
    pub name: String,
    /// Sorted by id; never empty.
    pub stores: Vec<Id>,
    /// For which the alarms of its stores are watched before the next wave begins.
    pub bake: Duration,
    /// Failed stores above which no later wave begins.
    pub failures_max: usize,
}

/// The waves in which the chosen stores are deployed, each store in one; waves without any are left out.
/// `failures_max` counts in place of what each wave says.
pub fn waves(fleet: &Fleet, chosen: &[&Store], failures_max: Option<Portion>) -> Vec<Wave> {
    let chosen: BTreeSet<&Id> = chosen.iter().map(|store| &store.id).collect();
    let waves = fleet.waves.iter().zip(taken(fleet)).map(|(wave, stores)| {
        let stores: Vec<_> =
            stores.into_iter().map(|it| &it.id).filter(|id| chosen.contains(id)).cloned().collect();
        let failures_max = failures_max.unwrap_or(wave.failures_max).rounded_down(stores.len());
        let bake = Duration::from_secs(wave.bake_s.into());
        Wave { name: wave.name.to_string(), stores, bake, failures_max }
    });
    waves.filter(|wave| !wave.stores.is_empty()).collect()
}

/// What each wave of the fleet takes, sorted by id.
fn taken(fleet: &Fleet) -> Vec<Vec<&Store>> {
    let mut left: Vec<(String, &Store)> =
        fleet.stores.iter().map(|store| (sha256(store.id.as_str().as_bytes()), store)).collect();
    left.sort_by(|a, b| a.0.cmp(&b.0));
    let waves = fleet.waves.iter().map(|wave| {
        let number = match &wave.takes {
            Takes::Labels(labels) => {
                let is_of = |(_, store): &(String, &Store)| {
                    store.labels.iter().any(|label| labels.contains(label))
                };
                left.sort_by_key(|it| !is_of(it));
                left.partition_point(is_of)
            }
            Takes::Portion(portion) => portion.rounded_up(fleet.stores.len()).min(left.len()),
            Takes::Rest => left.len(),
        };
        let mut stores: Vec<_> = left.drain(..number).map(|(_, store)| store).collect();
        stores.sort_by_key(|store| &store.id);
        stores
    });
    waves.collect()
}

/// Warns of waves that take no store, as earlier ones took them all: nothing is watched where somebody
/// meant to watch. A fleet without stores has none to take.
pub fn problems(fleet: &Fleet, config: &FleetConfig) -> Vec<Diagnostic> {
    if fleet.stores.is_empty() {
        return Vec::new();
    }
    let empty = fleet.waves.iter().zip(taken(fleet)).zip(&config.waves);
    let empty = empty.filter(|((wave, stores), _)| stores.is_empty() && wave.takes != Takes::Rest);
    let problems = empty.map(|((wave, _), config)| {
        let message =
            format!("earlier waves take every store that the wave `{}` asks for", wave.name);
        let help = "move it above them, let them take fewer, or delete it";
        let place = config.name.as_ref().map_or(&config.place, |name| &name.place);
        let mut problem = Diagnostic::warning("empty-wave", place, message).help(help);
        problem.of = wave.name.to_string();
        problem
    });
    problems.collect()
}

/// Which stores are meant. What is left empty leaves none out; a store must fit all that is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// Ids of stores.
    pub only: Vec<String>,
    /// A store has any of them.
    pub labels: Vec<String>,
    pub cell: Option<String>,
    pub wave: Option<String>,
}

/// Why a choice cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChoiceError {
    #[error("there is no {what} `{name}`\n  help: {help}")]
    Unknown { what: &'static str, name: String, help: String },
    #[error("no store is {}\n  help: leave out what need not hold", .0.join(" and "))]
    Nothing(Vec<String>),
}

/// The stores that are meant, sorted by id. A cell or a fleet may have none; words that fit no store are
/// an error.
pub fn choose<'a>(fleet: &'a Fleet, choice: &Choice) -> Result<Vec<&'a Store>, ChoiceError> {
    let Choice { only, labels, cell, wave } = choice;
    known("store", only, fleet.stores.iter().map(|it| it.id.as_str()))?;
    let all = fleet.stores.iter().flat_map(|it| &it.labels).map(Id::as_str);
    known("label", labels, all.collect::<BTreeSet<_>>())?;
    known("cell", cell, fleet.cells.iter().map(|it| it.id.as_str()))?;
    known("wave", wave, fleet.waves.iter().map(|it| it.name.as_str()))?;
    let of_wave: Option<BTreeSet<&Id>> = wave.as_ref().map(|name| members(fleet, name));
    let has_any = |all: &[String], id: &Id| all.iter().any(|it| it == id.as_str());
    let is_meant = |store: &&Store| {
        (only.is_empty() || has_any(only, &store.id))
            && (labels.is_empty() || store.labels.iter().any(|label| has_any(labels, label)))
            && cell.as_deref().is_none_or(|cell| cell == store.cell.as_str())
            && of_wave.as_ref().is_none_or(|of_wave| of_wave.contains(&store.id))
    };
    let chosen: Vec<_> = fleet.stores.iter().filter(is_meant).collect();
    let is_narrow = !only.is_empty() || !labels.is_empty() || wave.is_some();
    if chosen.is_empty() && is_narrow {
        return Err(ChoiceError::Nothing(words(choice)));
    }
    Ok(chosen)
}

/// The stores of the wave of this name.
fn members<'a>(fleet: &'a Fleet, name: &str) -> BTreeSet<&'a Id> {
    let is_named = |(wave, _): &(&model::Wave, Vec<&Store>)| wave.name.as_str() == name;
    let waves = fleet.waves.iter().zip(taken(fleet)).filter(is_named);
    waves.flat_map(|(_, stores)| stores).map(|store| &store.id).collect()
}

/// Refuses the first name that is unknown.
fn known<'n>(
    what: &'static str,
    names: impl IntoIterator<Item = &'n String>,
    all: impl IntoIterator<Item = &'n str> + Clone,
) -> Result<(), ChoiceError> {
    for name in names {
        if !all.clone().into_iter().any(|it| it == name) {
            let help = match suggest(name, all) {
                help if help.is_empty() => format!("look into the fleet: no store has any {what}"),
                help => help,
            };
            return Err(ChoiceError::Unknown { what, name: name.clone(), help });
        }
    }
    Ok(())
}

/// What was asked for, as it ends "no store is ...".
fn words(choice: &Choice) -> Vec<String> {
    let Choice { only, labels, cell, wave } = choice;
    let list =
        |names: &[String]| names.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ");
    let mut words = Vec::new();
    words.extend((!only.is_empty()).then(|| format!("one of {}", list(only))));
    words.extend((!labels.is_empty()).then(|| format!("labelled {}", list(labels))));
    words.extend(cell.as_ref().map(|cell| format!("of the cell `{cell}`")));
    words.extend(wave.as_ref().map(|wave| format!("in the wave `{wave}`")));
    words
}

#[cfg(test)]
mod tests;
