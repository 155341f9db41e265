//! The keys of a wave: which stores are deployed together, and what must hold before the next begin.

use super::{ID, Key, Kind, Noun, Presence, Unit};
use crate::model::Portion;

/// Longest bake. Our choice: what shall take longer is two runs, the first with `--wave`.
const BAKE_SECONDS_MAX: u32 = 86_400;

/// One step of a rollout.
pub static WAVE: Noun = Noun {
    what: "a wave",
    about: "Stores that are deployed together, before those of the next wave begin.",
    keys: &[
        Key {
            name: "name",
            about: "its id, unique in the fleet; `rest` takes the stores that no other wave takes, comes last, and need only be written for its `bake` and `max_failures`",
            presence: Presence::Required,
            kind: ID,
            example: "canary",
        },
        Key {
            name: "labels",
            about: "the wave takes stores with any of these labels; it has this or `stores`",
            presence: Presence::Optional("`stores`"),
            kind: Kind::List(&ID),
            example: "[canary]",
        },
        Key {
            name: "stores",
            about: "the wave takes so many stores; a percentage is of all stores of the fleet, rounded up; which, a digest of their ids decides, so that they are spread and stay the same",
            presence: Presence::Optional("`labels`"),
            kind: Kind::WholeOrPercent { min: 1, max: Portion::COUNT_MAX },
            example: "10%",
        },
        Key {
            name: "bake",
            about: "how long the alarms of its stores are watched before the next wave begins",
            presence: Presence::Optional("`0s`"),
            kind: Kind::Duration { unit: Unit::Seconds, min: 0, max: BAKE_SECONDS_MAX },
            example: "30m",
        },
        Key {
            name: "max_failures",
            about: "so many of its stores may fail; with one more, no later wave begins; a percentage is of the wave's stores that are deployed",
            presence: Presence::Optional("`0`"),
            kind: Kind::WholeOrPercent { min: 0, max: Portion::COUNT_MAX },
            example: "2%",
        },
    ],
    one_of: &[],
};
