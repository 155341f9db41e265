//! The keys of a scenario file: what a camera sees, and what must become of it.
//!
//! Such files stand in `tests/` beside the stores and are read by `arm test` alone; nothing in them
//! changes a template. An expectation is a key of [`EXPECT`]; to add one, add it here, to
//! `config/scenario.rs`, and to what `scenario` compares.

use super::rule::EVENT_TYPE;
use super::{Key, Kind, Noun, Presence};

/// `stores/tests/*.yaml`.
pub static SCENARIOS: Noun = Noun {
    what: "the scenario file",
    about: "What must become of detections, tried by `arm test` on the store's patterns and on the code that will run.",
    keys: &[
        Key {
            name: "store",
            about: "the store that the scenarios are tried on; of a list, each of them",
            presence: Presence::Required,
            kind: Kind::OneOrMany {
                of: &Kind::Reference("a store of the fleet"),
                may_be_empty: false,
            },
            example: "seattle-001",
        },
        Key {
            name: "scenarios",
            about: "each tried for itself, with an empty case log",
            presence: Presence::Required,
            kind: Kind::List(&Kind::Mapping(&SCENARIO)),
            example: "[{ name: a sweep is told, given: { event_type: shelf_sweep, camera: aisle-5-a, at: 2026-11-22 14:03 }, expect: { rule: shelf-sweep } }]",
        },
    ],
    one_of: &[],
};

/// One scenario.
pub static SCENARIO: Noun = Noun {
    what: "a scenario",
    about: "Given these detections, this must become of them.",
    keys: &[
        Key {
            name: "name",
            about: "what it promises, as a sentence; unique in its file",
            presence: Presence::Required,
            kind: Kind::Text {
                form: "a sentence of at most 120 characters",
                pattern: "^[^\\r\\n]{1,120}$",
            },
            example: "a sweep in a high-value aisle tells the floor",
        },
        Key {
            name: "given",
            about: "what is seen; of a list, one after the other into the same case log",
            presence: Presence::Required,
            kind: Kind::OneOrMany { of: &Kind::Mapping(&GIVEN), may_be_empty: false },
            example: "{ event_type: shelf_sweep, camera: aisle-5-a, confidence: 0.93, at: 2026-11-22 14:03 }",
        },
        Key {
            name: "expect",
            about: "what must become of it",
            presence: Presence::Required,
            kind: Kind::Mapping(&EXPECT),
            example: "{ rule: shelf-sweep, priority: high, notify: [loss-prevention, floor] }",
        },
    ],
    one_of: &[],
};

/// One detection.
pub static GIVEN: Noun = Noun {
    what: "`given`",
    about: "What a camera sees, in a few words: aisle, kind of aisle and period are filled in as the running system would. Or a whole `event`, for the odd ones.",
    keys: &[
        Key {
            name: "event_type",
            about: "what is seen, as the model says it",
            presence: Presence::Optional("`event` says all"),
            kind: EVENT_TYPE,
            example: "shelf_sweep",
        },
        Key {
            name: "camera",
            about: "the camera that sees it",
            presence: Presence::Optional("none: the event comes from elsewhere"),
            kind: Kind::Reference("a camera of the store"),
            example: "aisle-5-a",
        },
        Key {
            name: "zone",
            about: "the zone of the camera's picture",
            presence: Presence::Optional("none"),
            kind: Kind::Reference("a zone of the camera"),
            example: "top-shelf",
        },
        Key {
            name: "confidence",
            about: "how sure the model is",
            presence: Presence::Optional("the model does not say"),
            kind: Kind::Fraction,
            example: "0.93",
        },
        Key {
            name: "at",
            about: "when it begins, by the store's clock, or with an offset from universal time; must be given beside `event_type`; beside `event` it is the moment of one that names none",
            presence: Presence::Optional("as `event` says"),
            kind: Kind::Text {
                form: "`2026-11-22 14:03`, `2026-11-22 14:03:05` or `2026-11-22T22:03:05Z`",
                pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}[ Tt][0-9]{2}:[0-9]{2}",
            },
            example: "2026-11-22 14:03",
        },
        Key {
            name: "event",
            about: "instead of the keys above but `at`: an event as it arrives, whole or its `detail` alone, with lists, missing fields and odd values; numbers, `true`, `false` and `null` as in JSON",
            presence: Presence::Optional("made from the other keys"),
            kind: Kind::Json,
            example: "{ event_type: [shelf_sweep, concealment], camera: aisle-5-a, confidence: 0.9 }",
        },
    ],
    one_of: &["event_type", "event"],
};

/// What must become of it.
pub static EXPECT: Noun = Noun {
    what: "`expect`",
    about: "What must become of the detections; at least one key, and what is not named may be anything.",
    keys: &[
        Key {
            name: "rule",
            about: "the rule that matches the last detection, or `unrouted`; a list where the event holds lists and several match",
            presence: Presence::Optional("any"),
            kind: Kind::OneOrMany {
                of: &Kind::Reference("a rule of the store"),
                may_be_empty: false,
            },
            example: "shelf-sweep",
        },
        Key {
            name: "priority",
            about: "the priority of the last detection's case in the end",
            presence: Presence::Optional("any"),
            kind: Kind::Choice(&[
                ("low", "in the course of a review"),
                ("medium", "today"),
                ("high", "now"),
                ("critical", "now, and before anything else"),
            ]),
            example: "high",
        },
        Key {
            name: "notify",
            about: "the audiences that alerts went to, in any order, whether or not anybody is in them: who is reached is `told`; `[]` is nobody",
            presence: Presence::Optional("any"),
            kind: Kind::OneOrMany { of: &Kind::Reference("an audience"), may_be_empty: true },
            example: "[loss-prevention, floor]",
        },
        Key {
            name: "told",
            about: "who is reached: the subscribers that alerts went to, as audience and channel, in any order; `[]` is nobody",
            presence: Presence::Optional("any"),
            kind: Kind::OneOrMany { of: &TOLD, may_be_empty: true },
            example: "[loss-prevention/sms, floor/email]",
        },
        Key {
            name: "alert",
            about: "the headline of the last alert",
            presence: Presence::Optional("any"),
            kind: LINE,
            example: "\"High-Priority Alert: Shelf Sweep at Aisle 5\"",
        },
        Key {
            name: "sms",
            about: "its text message, to the letter",
            presence: Presence::Optional("any"),
            kind: LINE,
            example: "\"High-Priority Alert: Shelf Sweep at Aisle 5. Pike Place 14:03. Case QGJWZ418Y05XC8TQ\"",
        },
        Key {
            name: "email_subject",
            about: "the subject of its e-mail",
            presence: Presence::Optional("any"),
            kind: LINE,
            example: "\"High-Priority Alert: Shelf Sweep at Aisle 5 (Pike Place)\"",
        },
        Key {
            name: "cases",
            about: "how many cases there are in the end",
            presence: Presence::Optional("any"),
            kind: COUNT,
            example: "1",
        },
        Key {
            name: "alerts",
            about: "how many alerts were sent; one alert may reach many people",
            presence: Presence::Optional("any"),
            kind: COUNT,
            example: "1",
        },
    ],
    one_of: &[],
};

const LINE: Kind = Kind::Text { form: "one line of text", pattern: "^[^\\r\\n]+$" };
const TOLD: Kind = Kind::Text {
    form: "an audience and its channel: `floor/email`, with `email`, `sms`, `https` or `push`",
    pattern: "^[a-z0-9-]+/(email|sms|https|push)$",
};
/// Our choice: a scenario with more detections is one for `arm simulate`.
const COUNT: Kind = Kind::Whole { min: 0, max: 1_000 };
