//! The keys of `fleet.yaml`: cells, models, and what stores inherit.

use super::rule::ALLOW;
use super::store::LAYER;
use super::wave::WAVE;
use super::{ID, Key, Kind, Noun, Presence, Unit};
use crate::model::Cell;

const ID_PATTERN: &str = "^[a-z0-9]+(-[a-z0-9]+)*$";

const MODEL_KEY: Key = Key {
    name: "model",
    about: "what watches the video: an endpoint that exists, or an image to host",
    presence: Presence::Optional("the fleet's"),
    kind: Kind::Mapping(&MODEL),
    example: "{ endpoint: shelf-behaviour }",
};
const QUOTAS: Key = Key {
    name: "quotas",
    about: "what AWS grants in the account, where it differs from AWS's default; a cell's own come first, key by key",
    presence: Presence::Optional("AWS's defaults"),
    kind: Kind::Quotas,
    example: "{ kinesis_video_streams: 12000, sagemaker_instances: { ml.g4dn.xlarge: 8 } }",
};

const PRICES: Key = Key {
    name: "prices",
    about: "what AWS charges you, where it differs from its list, and how many incidents a store has; a cell's own come first, key by key",
    presence: Presence::Optional("AWS's list prices"),
    kind: Kind::Prices,
    example: "{ kinesis_video_ingest: 0.0068, sagemaker_instances: { ml.g4dn.xlarge: 0.59 } }",
};

/// `stores/fleet.yaml`.
pub static FLEET: Noun = Noun {
    what: "the fleet",
    about: "What all stores share.",
    keys: &[
        Key {
            name: "cells",
            about: "accounts and regions, each with up to 200 stores",
            presence: Presence::Required,
            kind: Kind::Map {
                key: "a cell's id, at most 16 characters",
                pattern: ID_PATTERN,
                value: &Kind::Mapping(&CELL),
            },
            example: "{ us-west: { account: \"123456789012\", region: us-west-2 } }",
        },
        Key { presence: Presence::Optional("every cell has its own"), ..MODEL_KEY },
        QUOTAS,
        PRICES,
        Key {
            name: "waves",
            about: "the order in which stores are deployed: a store is in the first wave that takes it, and those that none takes form a last wave, `rest`",
            presence: Presence::Optional("one wave, `all`"),
            kind: Kind::List(&Kind::Mapping(&WAVE)),
            example: "[{ name: canary, labels: [canary], bake: 30m }, { name: first, stores: 10% }]",
        },
        Key {
            name: "audiences",
            about: "the audiences that exist, beside `ops`; a name that is not here is then an error",
            presence: Presence::Optional("those with a subscriber"),
            kind: Kind::List(&ID),
            example: "[loss-prevention, floor]",
        },
        Key {
            name: "defaults",
            about: "what every store inherits",
            presence: Presence::Optional("nothing"),
            kind: Kind::Mapping(&LAYER),
            example: "{ timezone: America/Los_Angeles }",
        },
        Key {
            name: "formats",
            about: "store formats: what stores of one kind inherit, before the defaults",
            presence: Presence::Optional("none"),
            kind: Kind::Map {
                key: "a format's id",
                pattern: ID_PATTERN,
                value: &Kind::Mapping(&LAYER),
            },
            example: "{ supermarket: { hours: { mon-sun: 07:00-23:00 } } }",
        },
        Key {
            name: "allow",
            about: "warnings that are accepted for a time in every file",
            presence: Presence::Optional("none"),
            kind: Kind::List(&Kind::Mapping(&ALLOW)),
            example: "[{ code: quota-near, reason: the raise is asked for, until: 2027-01-31 }]",
        },
    ],
    one_of: &[],
};

/// One AWS account and region.
pub static CELL: Noun = Noun {
    what: "a cell",
    about: "One AWS account and region, with up to 200 stores.",
    keys: &[
        Key {
            name: "account",
            about: "the account's twelve digits, in quotes; checked before a deploy touches anything",
            presence: Presence::Required,
            kind: Kind::Text { form: "twelve digits", pattern: "^[0-9]{12}$" },
            example: "\"123456789012\"",
        },
        Key {
            name: "region",
            about: "a region that has every service that is used",
            presence: Presence::Required,
            kind: Kind::Text { form: "such as `us-west-2`", pattern: "^[a-z]{2}(-[a-z]+)+-[0-9]$" },
            example: "us-west-2",
        },
        Key {
            name: "role",
            about: "ARN of the IAM role in the cell's account that `arm` assumes for everything that it asks of AWS there",
            presence: Presence::Optional("none: the caller's own credentials"),
            kind: Kind::Text {
                form: "`arn:aws:iam::ACCOUNT:role/NAME`",
                pattern: "^arn:aws:iam::[0-9]{12}:role/.+$",
            },
            example: "arn:aws:iam::123456789012:role/arm-deploy",
        },
        Key {
            name: "external_id",
            about: "what the trust policy of `role` asks for as `sts:ExternalId`; no secret",
            presence: Presence::Optional("none"),
            kind: Kind::Text {
                form: "2 to 1,224 letters, digits and `_+=,.@:/-`",
                pattern: "^[A-Za-z0-9_+=,.@:/-]{2,1224}$",
            },
            example: "arm-us-west",
        },
        Key {
            name: "architecture",
            about: "CPU of the functions",
            presence: Presence::Optional("`x86_64`"),
            kind: Kind::Choice(&[("x86_64", "Intel and AMD"), ("arm64", "AWS Graviton")]),
            example: "x86_64",
        },
        MODEL_KEY,
        Key {
            name: "ops_email",
            about: "who is told of dead letters, errors and silent cameras: an e-mail address, `ssm:/path` or `secret:name`; one or a list",
            presence: Presence::Optional("nobody"),
            kind: Kind::OneOrMany {
                of: &Kind::Text {
                    form: "an e-mail address, `ssm:/path` or `secret:name`",
                    pattern: "^([^@ ]+@[^@ ]+\\.[^@ ]+|ssm:/.+|secret:.+)$",
                },
                may_be_empty: true,
            },
            example: "retail-platform@example.com",
        },
        Key {
            name: "log_retention",
            about: "how long logs are kept; one of the lengths that CloudWatch Logs offers",
            presence: Presence::Optional("`90d`"),
            kind: Kind::Duration { unit: Unit::Days, min: 1, max: 3_653 },
            example: "90d",
        },
        QUOTAS,
        PRICES,
    ],
    one_of: &[],
};

/// What watches the video.
pub static MODEL: Noun = Noun {
    what: "`model`",
    about: "What watches the video: an endpoint that exists, or an image to host.",
    keys: &[
        Key {
            name: "endpoint",
            about: "name of a SageMaker endpoint that exists",
            presence: Presence::Optional("`image`"),
            kind: Kind::Text {
                form: "letters, digits and hyphens, at most 63 characters",
                pattern: "^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$",
            },
            example: "shelf-behaviour",
        },
        Key {
            name: "image",
            about: "container image in Amazon ECR, in the cell's region, with tag or digest",
            presence: Presence::Optional("`endpoint`"),
            kind: Kind::Text {
                form: "`ACCOUNT.dkr.ecr.REGION.amazonaws.com/REPOSITORY:TAG`",
                pattern: "^[0-9]{12}\\.dkr\\.ecr\\.[a-z0-9-]+\\.amazonaws\\.com/.+[:@].+$",
            },
            example: "123456789012.dkr.ecr.us-west-2.amazonaws.com/shelf-behaviour:2026.11.1",
        },
        Key {
            name: "data",
            about: "the model's weights",
            presence: Presence::Optional("in the image"),
            kind: Kind::Text {
                form: "`s3://BUCKET/PATH/model.tar.gz`",
                pattern: "^s3://.+/.+\\.tar\\.gz$",
            },
            example: "s3://example-models/shelf-behaviour/model.tar.gz",
        },
        Key {
            name: "instance",
            about: "type of the instances; must be given with `image`",
            presence: Presence::Optional("none"),
            kind: Kind::Text {
                form: "a SageMaker type such as `ml.g4dn.xlarge`",
                pattern: "^ml\\.[a-z0-9-]+\\.[a-z0-9-]+$",
            },
            example: "ml.g4dn.xlarge",
        },
        Key {
            name: "instances",
            about: "how many: a number, or a range to scale between",
            presence: Presence::Optional("`1`"),
            kind: Kind::WholeOrRange { min: 1, max: 1_000 },
            example: "1-8",
        },
        Key {
            name: "concurrency",
            about: "windows at once per instance that scaling aims at",
            presence: Presence::Optional("`4`"),
            kind: Kind::Whole { min: 1, max: 100 },
            example: "4",
        },
    ],
    one_of: &["endpoint", "image"],
};

/// Longest id of a cell, as the table says it in words.
const _: () = assert!(Cell::ID_MAX == 16 && Cell::STORES_MAX == 200);
