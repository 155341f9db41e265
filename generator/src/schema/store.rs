//! The keys of a store, and of what stands in its format and in the fleet's defaults. Each key that
//! may stand in several places is one constant, so that it means the same everywhere.

use crate::model::{Camera, Store};

use super::alerts::ALERTS_KEY;
use super::rule::{ALLOW, COOLDOWN, RULES, SUBSCRIBER};
use super::{ID, Key, Kind, Noun, Presence, Unit};

const CELL: Key = Key {
    name: "cell",
    about: "the account and region that the store lives in, by its id in fleet.yaml",
    presence: Presence::Inherited(None),
    kind: Kind::Reference("a cell of fleet.yaml"),
    example: "us-west",
};
const TIMEZONE: Key = Key {
    name: "timezone",
    about: "IANA name of the time zone that opening hours and alerts are in",
    presence: Presence::Inherited(None),
    kind: Kind::Text {
        form: "a place such as `America/Los_Angeles`",
        pattern: "^[A-Za-z0-9_+/-]+$",
    },
    example: "America/Los_Angeles",
};
const LABELS: Key = Key {
    name: "labels",
    about: "words to choose stores by",
    presence: Presence::Inherited(Some("none")),
    kind: Kind::List(&ID),
    example: "[canary]",
};
const HOURS: Key = Key {
    name: "hours",
    about: "when customers may be in the store: a day (`mon`), a range of days (`mon-sat`) or a date (`2026-12-25`) and its opening times; days that are not named are closed, and a span such as `18:00-02:00` runs past midnight",
    presence: Presence::Inherited(Some("always open")),
    kind: Kind::Map {
        key: "a day, a range of days or a date",
        pattern: "^((mon|tue|wed|thu|fri|sat|sun)(-(mon|tue|wed|thu|fri|sat|sun))?|[0-9]{4}-[0-9]{2}-[0-9]{2})$",
        value: &Kind::DayHours,
    },
    example: "{ mon-sat: 07:00-23:00, sun: 09:00-21:00, 2026-12-25: closed }",
};
const UPLINK: Key = Key {
    name: "uplink",
    about: "what the store's line sends to the internet; compared with what its cameras send together",
    presence: Presence::Inherited(Some("not compared")),
    kind: Kind::Rate { min: 64, max: 10_000_000 },
    example: "100Mbps",
};
const CAMERA_DEFAULTS: Key = Key {
    name: "camera",
    about: "what all cameras have that do not say otherwise",
    presence: Presence::Inherited(Some("see each key")),
    kind: Kind::Mapping(&CAMERA_SETTINGS),
    example: "{ retention: 24h, bitrate: 1Mbps }",
};
const SUBSCRIBERS: Key = Key {
    name: "subscribers",
    about: "who is told, and by what; the nearest list counts whole",
    presence: Presence::Inherited(Some("none")),
    kind: Kind::List(&Kind::Mapping(&SUBSCRIBER)),
    example: "[{ audience: floor, email: floor@example.com }]",
};
const EVIDENCE_KEY: Key = Key {
    name: "evidence",
    about: "what is kept of an incident's video",
    presence: Presence::Inherited(Some("see each key")),
    kind: Kind::Mapping(&EVIDENCE),
    example: "{ before: 15s, after: 15s, keep: 90d, lock: governance }",
};
const ALLOWED: Key = Key {
    name: "allow",
    about: "warnings about this store that are accepted for a time",
    presence: Presence::Optional("none"),
    kind: Kind::List(&Kind::Mapping(&ALLOW)),
    example: "[{ code: aisle-without-camera, reason: cameras come in March, until: 2027-03-31 }]",
};

/// `stores/<store-id>.yaml`.
pub static STORE: Noun = Noun {
    what: "the store",
    about: "One store: what it has, what is watched for, and who is told.",
    keys: &[
        Key {
            name: "store",
            about: "its id; equals the file's name, and has no part `gw`",
            presence: Presence::Required,
            kind: Kind::Id { min: Store::ID_MIN, max: Store::ID_MAX },
            example: "seattle-001",
        },
        Key {
            name: "name",
            about: "its name as people say it",
            presence: Presence::Required,
            kind: Kind::Name,
            example: "Pike Place",
        },
        CELL,
        Key {
            name: "format",
            about: "the store format that it inherits from, by its id in fleet.yaml",
            presence: Presence::Optional("none"),
            kind: Kind::Reference("a format of fleet.yaml"),
            example: "supermarket",
        },
        TIMEZONE,
        LABELS,
        HOURS,
        UPLINK,
        Key {
            name: "aisles",
            about: "its aisles, as staff call them",
            presence: Presence::Required,
            kind: Kind::List(&Kind::Mapping(&AISLE)),
            example: "[{ id: aisle-5, name: Aisle 5 }]",
        },
        CAMERA_DEFAULTS,
        Key {
            name: "cameras",
            about: "its cameras; at most 400",
            presence: Presence::Required,
            kind: Kind::List(&Kind::Mapping(&CAMERA)),
            example: "[{ id: aisle-5-a, aisle: aisle-5 }]",
        },
        RULES,
        COOLDOWN,
        SUBSCRIBERS,
        ALERTS_KEY,
        EVIDENCE_KEY,
        ALLOWED,
    ],
    one_of: &[],
};

/// What may stand in the fleet's defaults and in a format.
pub static LAYER: Noun = Noun {
    what: "what stores inherit",
    about: "What stores inherit: the fleet's defaults, or a format.",
    keys: &[
        CELL,
        TIMEZONE,
        LABELS,
        HOURS,
        UPLINK,
        CAMERA_DEFAULTS,
        RULES,
        COOLDOWN,
        SUBSCRIBERS,
        ALERTS_KEY,
        EVIDENCE_KEY,
    ],
    one_of: &[],
};

/// A run of shelves, as staff call it.
pub static AISLE: Noun = Noun {
    what: "an aisle",
    about: "A run of shelves, as staff call it.",
    keys: &[
        Key {
            name: "id",
            about: "its id, unique in the store",
            presence: Presence::Required,
            kind: ID,
            example: "aisle-5",
        },
        Key {
            name: "name",
            about: "its name as alerts say it",
            presence: Presence::Optional("made from the id: `Aisle 5`"),
            kind: Kind::Name,
            example: "Aisle 5",
        },
        Key {
            name: "kind",
            about: "what rules group aisles by",
            presence: Presence::Optional("none"),
            kind: ID,
            example: "high-value",
        },
    ],
    one_of: &[],
};

const RETENTION: Key = Key {
    name: "retention",
    about: "how long the video stream keeps video",
    presence: Presence::Inherited(Some("`24h`")),
    kind: Kind::Duration { unit: Unit::Hours, min: 1, max: Camera::RETENTION_HOURS_MAX },
    example: "24h",
};
const BITRATE: Key = Key {
    name: "bitrate",
    about: "what the camera sends; budgets for clips, windows and the uplink follow from it",
    presence: Presence::Inherited(Some("`1Mbps`")),
    kind: Kind::Rate { min: 64, max: 20_000 },
    example: "1Mbps",
};
const WATCH_KEY: Key = Key {
    name: "watch",
    about: "when the model watches the camera, and in what steps",
    presence: Presence::Inherited(Some("see each key")),
    kind: Kind::Mapping(&WATCH),
    example: "{ window: 10s, when: always }",
};

/// One video source.
pub static CAMERA: Noun = Noun {
    what: "a camera",
    about: "One video source: one Kinesis video stream.",
    keys: &[
        Key {
            name: "id",
            about: "its id, unique in the store; part of the video stream's name, so that a camera with a new id begins without video",
            presence: Presence::Required,
            kind: ID,
            example: "aisle-5-a",
        },
        Key {
            name: "aisle",
            about: "the aisle that it looks at, by its id",
            presence: Presence::Required,
            kind: Kind::Reference("an aisle of the store"),
            example: "aisle-5",
        },
        Key {
            name: "rtsp",
            about: "where the store's gateway gets the video: an `rtsp://` address without password, or `ssm:/path` or `secret:name` for one with a password; the host of an address becomes the stream's device name",
            presence: Presence::Optional("not told"),
            kind: Kind::Text {
                form: "`rtsp://HOST/...`, `ssm:/path` or `secret:name`",
                pattern: "^(rtsps?://.+|ssm:/.+|secret:.+)$",
            },
            example: "rtsp://10.20.0.15/stream1",
        },
        RETENTION,
        BITRATE,
        WATCH_KEY,
        Key {
            name: "zones",
            about: "areas of the picture that rules can name",
            presence: Presence::Optional("none"),
            kind: Kind::List(&Kind::Mapping(&ZONE)),
            example: "[{ id: top-shelf, area: [0.1, 0.2, 0.5, 0.4] }]",
        },
    ],
    one_of: &[],
};

/// What cameras share.
pub static CAMERA_SETTINGS: Noun = Noun {
    what: "`camera`",
    about: "What all cameras have that do not say otherwise.",
    keys: &[RETENTION, BITRATE, WATCH_KEY],
    one_of: &[],
};

/// When the model watches.
pub static WATCH: Noun = Noun {
    what: "`watch`",
    about: "When the model watches a camera, and in what steps.",
    keys: &[
        Key {
            name: "window",
            about: "the stretch of video that the model gets at once; window times bitrate is at most 4.7 MB",
            presence: Presence::Inherited(Some("`10s`")),
            kind: Kind::Duration { unit: Unit::Seconds, min: 2, max: 60 },
            example: "10s",
        },
        Key {
            name: "when",
            about: "when the model watches",
            presence: Presence::Inherited(Some("`always`")),
            kind: Kind::Choice(&[
                ("always", "at all times"),
                ("open", "while the store is open"),
                ("closed", "while the store is closed"),
                ("never", "at no time: video is kept, and nothing is detected"),
            ]),
            example: "always",
        },
    ],
    one_of: &[],
};

/// An area of one camera's picture.
pub static ZONE: Noun = Noun {
    what: "a zone",
    about: "An area of one camera's picture.",
    keys: &[
        Key {
            name: "id",
            about: "its id, unique in the camera; cameras may share it",
            presence: Presence::Required,
            kind: ID,
            example: "top-shelf",
        },
        Key {
            name: "area",
            about: "left, top, width and height as fractions of the picture",
            presence: Presence::Required,
            kind: Kind::Exactly(4, &Kind::Fraction),
            example: "[0.1, 0.2, 0.5, 0.4]",
        },
    ],
    one_of: &[],
};

const SIDE: Kind = Kind::Duration { unit: Unit::Seconds, min: 0, max: 120 };

/// What is kept of an incident's video.
pub static EVIDENCE: Noun = Noun {
    what: "`evidence`",
    about: "What is kept of an incident's video.",
    keys: &[
        Key {
            name: "before",
            about: "video kept from before the behaviour began",
            presence: Presence::Inherited(Some("`15s`")),
            kind: SIDE,
            example: "15s",
        },
        Key {
            name: "after",
            about: "video kept from after it ended",
            presence: Presence::Inherited(Some("`15s`")),
            kind: SIDE,
            example: "15s",
        },
        Key {
            name: "keep",
            about: "how long the clip is locked",
            presence: Presence::Inherited(Some("`90d`")),
            kind: Kind::Duration { unit: Unit::Days, min: 1, max: 3_650 },
            example: "90d",
        },
        Key {
            name: "lock",
            about: "mode of S3 Object Lock",
            presence: Presence::Inherited(Some("`governance`")),
            kind: Kind::Choice(&[
                ("governance", "people with a special right can delete the clip before its time"),
                ("compliance", "nobody can, not even the account's root; it cannot be shortened"),
            ]),
            example: "governance",
        },
    ],
    one_of: &[],
};
