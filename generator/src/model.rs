//! The fleet as the generator sees it: valid by construction.
//!
//! `validate` makes these from what people wrote; everything after it trusts them. Inheritance has
//! been resolved: a store here has all its values, wherever they were written. Pure, and never
//! serialized: what others read is in `config` (YAML) and `contract` (messages).

mod wave;

pub use wave::{NoPortion, Portion, Takes, Wave};

use std::collections::BTreeSet;
use std::fmt;

use contract::evidence::LockMode;
use contract::hours::{Hours, Period};
use contract::priority::Priority;
use contract::store::Zone;
use contract::watch::WatchWhen;
use contract::wording::Wording;

/// An id as people choose it: `[a-z0-9]` with single hyphens inside, 1 to [`Id::MAX`] characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(String);

impl Id {
    /// Longest id. Our choice: with the longest cell and store, every name that we derive stays
    /// under its service's limit, the tightest being 64 for an EventBridge schedule.
    pub const MAX: usize = 32;

    /// Returns `None` for anything that is no id.
    pub fn new(text: &str) -> Option<Self> {
        let allowed =
            text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        let hyphens = text.starts_with('-') || text.ends_with('-') || text.contains("--");
        let fits = !text.is_empty() && text.len() <= Self::MAX;
        (allowed && !hyphens && fits).then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// How sure the model is of a detection, from 0 to 1 inclusive.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Confidence(f64);

impl Confidence {
    /// Returns `None` outside 0..=1, and for NaN.
    pub fn new(value: f64) -> Option<Self> {
        (0.0..=1.0).contains(&value).then_some(Self(value))
    }

    pub fn value(self) -> f64 {
        self.0
    }
}

/// Everything that was configured.
#[derive(Clone, Debug, PartialEq)]
pub struct Fleet {
    /// Sorted by id.
    pub cells: Vec<Cell>,
    /// Sorted by id.
    pub stores: Vec<Store>,
    /// In their order; the last, and no other, takes what is left.
    pub waves: Vec<Wave>,
}

impl Fleet {
    /// The cell of a store.
    pub fn cell_of(&self, store: &Store) -> &Cell {
        let cell = self.cells.iter().find(|cell| cell.id == store.cell);
        cell.expect("validate checked that every store names a cell")
    }

    /// The stores of one cell, sorted by id.
    pub fn stores_of<'a>(&'a self, cell: &'a Cell) -> impl Iterator<Item = &'a Store> {
        self.stores.iter().filter(|store| store.cell == cell.id)
    }
}

/// One AWS account and region, with up to 200 stores.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// At most [`Cell::ID_MAX`] characters.
    pub id: Id,
    /// Twelve digits.
    pub account: String,
    /// Such as `us-west-2`.
    pub region: String,
    pub architecture: Architecture,
    pub detector: Detector,
    /// E-mail addresses that are told when a queue's dead letters or a function's errors ask for a
    /// person; the cell's ops topic.
    pub ops_email: Vec<Endpoint>,
    /// Days that log groups keep their events.
    pub log_days: u32,
    /// As whom `arm` works in the cell; `None`: as whoever calls it.
    pub role: Option<Role>,
}

/// A role of IAM that is assumed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Its account is the cell's.
    pub arn: String,
    /// What the role's trust policy asks for beside the caller.
    pub external_id: Option<String>,
}

impl Cell {
    /// Longest id of a cell. Our choice: the longest bucket name, with account and region, must
    /// stay within S3's 63 characters.
    pub const ID_MAX: usize = 16;
    /// Most stores. Our choice: 200 stores of 40 cameras are 8,000 of the 10,000 video streams
    /// that an account has by default, and 200 buses need one quota raised.
    pub const STORES_MAX: usize = 200;
}

/// The CPU of the Lambda functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    X86_64,
    Arm64,
}

impl Architecture {
    /// The word as YAML and Lambda have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Arm64 => "arm64",
        }
    }
}

/// What watches the video.
#[derive(Clone, Debug, PartialEq)]
pub enum Detector {
    /// An endpoint that somebody else deploys, by name.
    Existing { endpoint: String },
    /// A model that we host.
    Hosted(HostedModel),
}

/// A model that the platform stack hosts on a real-time endpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct HostedModel {
    /// Container image in ECR.
    pub image: String,
    /// `s3://bucket/key.tar.gz` of the model's weights; `None` when the image holds them.
    pub data: Option<String>,
    /// Such as `ml.g4dn.xlarge`.
    pub instance: String,
    /// Fewest and most instances, 1 or more.
    pub instances: (u32, u32),
    /// Invocations in flight per instance that scaling aims at.
    pub concurrency: u32,
}

/// One shop.
#[derive(Clone, Debug, PartialEq)]
pub struct Store {
    /// At most [`Store::ID_MAX`] characters.
    pub id: Id,
    pub name: String,
    pub cell: Id,
    pub format: Option<Id>,
    pub labels: Vec<Id>,
    /// Carries the time zone.
    pub hours: Hours,
    pub aisles: Vec<Aisle>,
    pub cameras: Vec<Camera>,
    /// In the order in which they are tried; the first that matches wins.
    pub rules: Vec<Rule>,
    pub subscribers: Vec<Subscriber>,
    /// The words of its alerts.
    pub wording: Wording,
    pub evidence: EvidenceSettings,
}

impl Store {
    /// Longest id of a store; see [`Id::MAX`].
    pub const ID_MAX: usize = 24;
    /// Shortest.
    pub const ID_MIN: usize = 3;

    /// The aisle with this id.
    pub fn aisle(&self, id: &Id) -> &Aisle {
        let aisle = self.aisles.iter().find(|aisle| &aisle.id == id);
        aisle.expect("validate checked that every camera names an aisle")
    }

    /// Every address once, with all audiences that it is in; in the order of the subscribers.
    pub fn addresses(&self) -> Vec<Address<'_>> {
        let mut addresses: Vec<Address<'_>> = Vec::new();
        for subscriber in &self.subscribers {
            let (channel, endpoint) = (subscriber.channel, &subscriber.endpoint);
            let audience = subscriber.audience.as_str();
            let is_same = |it: &&mut Address<'_>| (it.channel, it.endpoint) == (channel, endpoint);
            match addresses.iter_mut().find(is_same) {
                Some(known) => drop(known.audiences.insert(audience)),
                None => addresses.push(Address {
                    channel,
                    endpoint,
                    audiences: BTreeSet::from([audience]),
                }),
            }
        }
        addresses
    }
}

/// A run of shelves, as staff call it.
#[derive(Clone, Debug, PartialEq)]
pub struct Aisle {
    pub id: Id,
    pub name: String,
    pub kind: Option<Id>,
}

impl Aisle {
    /// The name of an aisle that has none, from its id: `aisle-5` gives `Aisle 5`.
    pub fn name_from(id: &str) -> String {
        let capital = |word: &str| {
            let mut letters = word.chars();
            let first = letters.next().into_iter().flat_map(char::to_uppercase);
            first.chain(letters).collect::<String>()
        };
        id.split('-').map(capital).collect::<Vec<_>>().join(" ")
    }
}

/// One video source: one Kinesis video stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Camera {
    pub id: Id,
    pub aisle: Id,
    /// Where the gateway gets the video: an RTSP address, or where it is kept.
    pub source: Option<Endpoint>,
    /// How long the stream keeps video, 1 to 87,600 hours.
    pub retention_hours: u32,
    /// What the camera sends, in kbit/s.
    pub bitrate_kbps: u32,
    /// Length of a window in seconds.
    pub window_s: u32,
    pub when: WatchWhen,
    pub zones: Vec<Zone>,
}

impl Camera {
    /// Longest retention, in hours: ten years. Source: Kinesis Video Streams API reference,
    /// `CreateStream`, `DataRetentionInHours`.
    pub const RETENTION_HOURS_MAX: u32 = 87_600;
}

/// What must hold for a priority.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Unique in the store.
    pub name: Id,
    pub when: Condition,
    pub priority: Priority,
    /// Audiences, each with at least the right to exist; empty: log only.
    pub notify: Vec<Id>,
    pub cooldown_s: u32,
    pub shadow: bool,
}

/// All parts must hold; an absent part always does; of a list one must match.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Condition {
    pub event_types: Option<Vec<String>>,
    pub aisles: Option<Vec<Id>>,
    pub aisle_kinds: Option<Vec<Id>>,
    pub cameras: Option<Vec<Id>>,
    pub zones: Option<Vec<String>>,
    pub min_confidence: Option<Confidence>,
    pub period: Option<Period>,
}

impl Condition {
    /// What is asked of each text field, by its name in YAML and in events; fields of which nothing is
    /// asked are left out.
    pub fn texts(&self) -> Vec<(&'static str, Vec<&str>)> {
        fn ids(ids: Option<&Vec<Id>>) -> Option<Vec<&str>> {
            Some(ids?.iter().map(Id::as_str).collect())
        }
        fn words(words: Option<&Vec<String>>) -> Option<Vec<&str>> {
            Some(words?.iter().map(String::as_str).collect())
        }
        let texts = [
            ("event_type", words(self.event_types.as_ref())),
            ("aisle", ids(self.aisles.as_ref())),
            ("aisle_kind", ids(self.aisle_kinds.as_ref())),
            ("camera", ids(self.cameras.as_ref())),
            ("zone", words(self.zones.as_ref())),
            ("period", self.period.map(|period| vec![period.as_str()])),
        ];
        texts.into_iter().filter_map(|(field, texts)| Some((field, texts?))).collect()
    }
}

/// One endpoint that an audience is told at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscriber {
    pub audience: Id,
    pub channel: Channel,
    pub endpoint: Endpoint,
}

/// What SNS knows of a subscriber: one subscription, whose filter lets its audiences through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address<'a> {
    pub channel: Channel,
    pub endpoint: &'a Endpoint,
    pub audiences: BTreeSet<&'a str>,
}

/// By what a subscriber is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Channel {
    Email,
    Sms,
    Https,
    /// An SNS mobile push endpoint, by its ARN.
    Push,
}

impl Channel {
    /// The word as YAML has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms => "sms",
            Self::Https => "https",
            Self::Push => "push",
        }
    }

    /// SNS's word for it.
    pub fn protocol(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms => "sms",
            Self::Https => "https",
            Self::Push => "application",
        }
    }
}

/// An address, or where it is kept, so that no personal data need stand in git.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Endpoint {
    /// The address itself.
    Literal(String),
    /// Name of an SSM parameter of type String, with its leading slash.
    Ssm(String),
    /// Name of a Secrets Manager secret.
    Secret(String),
}

impl fmt::Display for Endpoint {
    /// As YAML has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(address) => f.write_str(address),
            Self::Ssm(path) => write!(f, "ssm:{path}"),
            Self::Secret(name) => write!(f, "secret:{name}"),
        }
    }
}

/// What is kept of an incident's video.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EvidenceSettings {
    /// Seconds before the behaviour began.
    pub before_s: u32,
    /// Seconds after it ended.
    pub after_s: u32,
    /// Days that the clip is locked.
    pub keep_days: u32,
    pub lock: LockMode,
}
