//! The keys of rules, subscribers and accepted warnings, wherever they stand.

use super::{ID, Key, Kind, Noun, Presence, Unit};

/// Longest cooldown, in seconds: a day. Our choice: a case that stays open longer is no incident.
const COOLDOWN_SECONDS_MAX: u32 = 86_400;
const COOLDOWN_RANGE: Kind =
    Kind::Duration { unit: Unit::Seconds, min: 1, max: COOLDOWN_SECONDS_MAX };

pub(super) const COOLDOWN: Key = Key {
    name: "cooldown",
    about: "detections of one camera and event type that are this close together are one incident; for rules that do not say otherwise",
    presence: Presence::Inherited(Some("`60s`")),
    kind: COOLDOWN_RANGE,
    example: "60s",
};
pub(super) const RULES: Key = Key {
    name: "rules",
    about: "tried from top to bottom, the first that matches wins; the store's own come first, then its format's, then the fleet's, and a nearer rule replaces an inherited one of the same name",
    presence: Presence::Inherited(Some(
        "only `unrouted`: every detection is logged, nobody is told",
    )),
    kind: Kind::List(&Kind::Mapping(&RULE)),
    example: "[{ name: shelf-sweep, when: { event_type: shelf_sweep }, priority: high, notify: [floor] }]",
};

/// What must hold for a priority.
pub static RULE: Noun = Noun {
    what: "a rule",
    about: "What must hold for a priority, and who is told then.",
    keys: &[
        Key {
            name: "name",
            about: "its id, unique among the rules of its file; not `unrouted`",
            presence: Presence::Required,
            kind: ID,
            example: "shelf-sweep",
        },
        Key {
            name: "when",
            about: "what must hold; `{}` matches every detection",
            presence: Presence::Required,
            kind: Kind::Mapping(&WHEN),
            example: "{ event_type: shelf_sweep }",
        },
        Key {
            name: "priority",
            about: "how soon people must look",
            presence: Presence::Required,
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
            about: "audiences that are told; `[]` only logs",
            presence: Presence::Required,
            kind: Kind::OneOrMany { of: &Kind::Reference("an audience"), may_be_empty: true },
            example: "[loss-prevention]",
        },
        Key {
            name: "cooldown",
            about: "detections of one camera and event type that are this close together are one incident",
            presence: Presence::Optional("`cooldown` of the store"),
            kind: COOLDOWN_RANGE,
            example: "2m",
        },
        Key {
            name: "shadow",
            about: "log, never alert: for trying a rule out; it takes its detections from the rules below it, which then tell nobody of them",
            presence: Presence::Optional("`false`"),
            kind: Kind::Flag,
            example: "true",
        },
    ],
    one_of: &[],
};

pub(super) const EVENT_TYPE: Kind = Kind::Text {
    form: "lower-case letters, digits and `_`, at most 48 characters",
    pattern: "^[a-z0-9_]{1,48}$",
};

/// Conditions of a rule.
pub static WHEN: Noun = Noun {
    what: "`when`",
    about: "Conditions of a rule: every key must hold; of a list, one.",
    keys: &[
        Key {
            name: "event_type",
            about: "what was seen, as the model says it",
            presence: Presence::Optional("any"),
            kind: Kind::OneOrMany { of: &EVENT_TYPE, may_be_empty: false },
            example: "shelf_sweep",
        },
        Key {
            name: "aisle",
            about: "where it was seen",
            presence: Presence::Optional("any"),
            kind: Kind::OneOrMany {
                of: &Kind::Reference("an aisle of the store"),
                may_be_empty: false,
            },
            example: "aisle-5",
        },
        Key {
            name: "aisle_kind",
            about: "the kind of aisle where it was seen",
            presence: Presence::Optional("any"),
            kind: Kind::OneOrMany {
                of: &Kind::Reference("a kind of aisle of the store"),
                may_be_empty: false,
            },
            example: "high-value",
        },
        Key {
            name: "camera",
            about: "the camera that saw it",
            presence: Presence::Optional("any"),
            kind: Kind::OneOrMany {
                of: &Kind::Reference("a camera of the store"),
                may_be_empty: false,
            },
            example: "aisle-5-a",
        },
        Key {
            name: "zone",
            about: "the zone of the picture where it was seen",
            presence: Presence::Optional("any"),
            kind: Kind::OneOrMany {
                of: &Kind::Reference("a zone of a camera"),
                may_be_empty: false,
            },
            example: "top-shelf",
        },
        Key {
            name: "min_confidence",
            about: "how sure the model must be, with at most four decimals; a detection without confidence never passes",
            presence: Presence::Optional("any"),
            kind: Kind::Fraction,
            example: "0.7",
        },
        Key {
            name: "period",
            about: "by the store's hours",
            presence: Presence::Optional("any"),
            kind: Kind::Choice(&[
                ("open", "customers may be in the store"),
                ("closed", "nobody should be"),
            ]),
            example: "closed",
        },
    ],
    one_of: &[],
};

const EMAIL: &str = "an e-mail address; `ssm:/path` for an SSM parameter of type String and `secret:name` for a secret that is the bare address keep it out of git; a value that changes there is read at the stack's next change";

/// One endpoint of an audience.
pub static SUBSCRIBER: Noun = Noun {
    what: "a subscriber",
    about: "One endpoint that an audience is told at: `audience`, and exactly one channel.",
    keys: &[
        Key {
            name: "audience",
            about: "the audience that it belongs to; `ops`, which needs no rule and no declaration, is told of cameras that send nothing, a frozen picture or wrong times, and when that is over",
            presence: Presence::Required,
            kind: Kind::Reference("an audience"),
            example: "loss-prevention",
        },
        Key {
            name: "email",
            about: EMAIL,
            presence: Presence::Optional("another channel"),
            kind: Kind::Text {
                form: "an e-mail address, `ssm:/path` or `secret:name`",
                pattern: "^([^@ ]+@[^@ ]+\\.[^@ ]+|ssm:/.+|secret:.+)$",
            },
            example: "lp-seattle@example.com",
        },
        Key {
            name: "sms",
            about: "a phone number, in quotes, or a reference as for `email`",
            presence: Presence::Optional("another channel"),
            kind: Kind::Text {
                form: "E.164: `+`, country code and number; or `ssm:/path`, `secret:name`",
                pattern: "^(\\+[1-9][0-9]{7,14}|ssm:/.+|secret:.+)$",
            },
            example: "\"+12065550100\"",
        },
        Key {
            name: "https",
            about: "a webhook that gets JSON, or a reference as for `email`",
            presence: Presence::Optional("another channel"),
            kind: Kind::Text {
                form: "an `https://` address, `ssm:/path` or `secret:name`",
                pattern: "^(https://.+|ssm:/.+|secret:.+)$",
            },
            example: "https://hooks.example.com/floor",
        },
        Key {
            name: "push",
            about: "an endpoint of SNS mobile push in the cell's account and region, or a reference as for `email`",
            presence: Presence::Optional("another channel"),
            kind: Kind::Text {
                form: "the endpoint's ARN, `ssm:/path` or `secret:name`",
                pattern: "^(arn:aws[a-z-]*:sns:.+:endpoint/.+|ssm:/.+|secret:.+)$",
            },
            example: "arn:aws:sns:us-west-2:123456789012:endpoint/GCM/arm-staff/0f6f3c1e",
        },
    ],
    one_of: &["email", "sms", "https", "push"],
};

/// A warning that is accepted for a time.
pub static ALLOW: Noun = Noun {
    what: "an entry of `allow`",
    about: "A warning that is accepted for a time: until then it is not shown.",
    keys: &[
        Key {
            name: "code",
            about: "the warning's code, as in its brackets",
            presence: Presence::Required,
            kind: Kind::Text { form: "a warning's code", pattern: "^[a-z0-9]+(-[a-z0-9]+)*$" },
            example: "aisle-without-camera",
        },
        Key {
            name: "of",
            about: "only warnings about the aisle, camera, rule, audience, quota or other thing of this name",
            presence: Presence::Optional("all of that code"),
            kind: Kind::Text {
                form: "an id, a quota's key or an instance type",
                pattern: "^[A-Za-z0-9._-]{1,64}$",
            },
            example: "bakery",
        },
        Key {
            name: "reason",
            about: "why it is right here, for whoever reviews it",
            presence: Presence::Required,
            kind: Kind::Text {
                form: "a sentence of at most 200 characters",
                pattern: "^[^\\r\\n]{1,200}$",
            },
            example: "cameras come in March",
        },
        Key {
            name: "until",
            about: "the last day on which it is accepted",
            presence: Presence::Required,
            kind: Kind::Date,
            example: "2027-03-31",
        },
    ],
    one_of: &[],
};
