//! Who hears what at which hour of the store's own day.
//!
//! A message is one alert at one address; an address in two audiences gets an alert once, as SNS
//! sends it. Every subscriber of the store has a row, also who hears nothing: that is worth seeing.
//! Pure. To change what is counted for an alert, start in [`Hearing::put`].

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::model::{Address, Channel, Endpoint, Store};
use crate::quota::plural;
use crate::trial::Sent;

/// Hours of a day.
pub const HOURS: usize = 24;

/// Every channel, the one that costs most for a message first.
pub const CHANNELS: [Channel; 4] = [Channel::Sms, Channel::Email, Channel::Https, Channel::Push];

/// What everybody hears.
#[derive(Clone, Debug, PartialEq)]
pub struct Hearing<'a> {
    zone: TimeZone,
    /// In the order in which the store names them first.
    pub rows: Vec<Row<'a>>,
    /// Alerts for each audience in one hour of one day, where somebody is in it.
    by_audience: BTreeMap<(&'a str, Date, usize), u64>,
    /// Alerts that reached no address.
    pub unheard: u64,
}

/// One address, and its messages by the hour of the store's day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row<'a> {
    pub audiences: BTreeSet<&'a str>,
    pub channel: Channel,
    pub endpoint: &'a Endpoint,
    pub hours: [u64; HOURS],
}

/// The hour in which one audience is told most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busiest<'a> {
    pub audience: &'a str,
    pub alerts: u64,
    pub day: Date,
    /// 0 to 23, by the store's clock.
    pub hour: usize,
}

impl Busiest<'_> {
    /// `floor gets 14 alerts between 17:00 and 18:00`.
    pub fn text(&self) -> String {
        let (from, to) = (self.hour, self.hour + 1);
        let alerts = plural(self.alerts, "alert");
        format!("{} gets {alerts} between {from:02}:00 and {to:02}:00", self.audience)
    }
}

impl Row<'_> {
    /// Messages of all hours.
    pub fn total(&self) -> u64 {
        self.hours.iter().sum()
    }

    /// The audiences, as people read them.
    pub fn audiences(&self) -> String {
        self.audiences.iter().copied().collect::<Vec<_>>().join(", ")
    }
}

impl<'a> Hearing<'a> {
    /// A store whose subscribers have heard nothing yet.
    pub fn new(store: &'a Store) -> Self {
        let row = |Address { channel, endpoint, audiences }| Row {
            audiences,
            channel,
            endpoint,
            hours: [0; HOURS],
        };
        let rows = store.addresses().into_iter().map(row).collect();
        // `validate` lets no store name a zone that is not known.
        let zone = TimeZone::get(&store.hours.timezone).unwrap_or(TimeZone::UTC);
        Self { zone, rows, by_audience: BTreeMap::new(), unheard: 0 }
    }

    /// Counts one alert; true when somebody hears it.
    pub fn put(&mut self, sent: &Sent<'a>, at_ms: i64) -> bool {
        let (day, hour) = self.hour_of(at_ms);
        for told in &sent.told {
            let is_row =
                |row: &&mut Row<'a>| (row.channel, row.endpoint) == (told.channel, told.endpoint);
            let row = self.rows.iter_mut().find(is_row);
            if let Some(slot) = row.and_then(|row| row.hours.get_mut(hour)) {
                *slot += 1;
            }
        }
        let audiences: BTreeSet<&str> =
            sent.told.iter().flat_map(|told| told.audiences.iter().copied()).collect();
        for audience in &audiences {
            *self.by_audience.entry((audience, day, hour)).or_default() += 1;
        }
        self.unheard += u64::from(audiences.is_empty());
        !audiences.is_empty()
    }

    /// The store's day and hour of a moment in milliseconds since the epoch.
    fn hour_of(&self, at_ms: i64) -> (Date, usize) {
        let at = Timestamp::from_millisecond(at_ms).unwrap_or_default();
        let local = at.to_zoned(self.zone.clone());
        (local.date(), usize::try_from(local.hour()).unwrap_or_default())
    }

    /// The hour in which an audience is told most; the first of equals. `None` without any alert.
    pub fn busiest(&self) -> Option<Busiest<'a>> {
        let alerts = self.by_audience.iter().map(|(&(audience, day, hour), &alerts)| Busiest {
            audience,
            alerts,
            day,
            hour,
        });
        alerts.max_by(|a, b| {
            // Of equals the last is taken, so the earlier one counts as more.
            let key = |it: &Busiest<'a>| (it.day, it.hour, it.audience);
            a.alerts.cmp(&b.alerts).then_with(|| key(b).cmp(&key(a)))
        })
    }

    /// Alerts by audience, where somebody is in it and was told.
    pub fn alerts(&self) -> BTreeMap<&'a str, u64> {
        let mut audiences = BTreeMap::new();
        for ((audience, ..), alerts) in &self.by_audience {
            *audiences.entry(*audience).or_default() += alerts;
        }
        audiences
    }

    /// Messages by channel.
    pub fn by_channel(&self) -> BTreeMap<Channel, u64> {
        let mut channels = BTreeMap::new();
        for row in &self.rows {
            *channels.entry(row.channel).or_default() += row.total();
        }
        channels
    }

    /// Messages by audiences and channel.
    pub fn by_audiences(&self) -> BTreeMap<(String, Channel), u64> {
        let mut audiences = BTreeMap::new();
        for row in &self.rows {
            *audiences.entry((row.audiences(), row.channel)).or_default() += row.total();
        }
        audiences
    }

    /// All messages.
    pub fn messages(&self) -> u64 {
        self.rows.iter().map(Row::total).sum()
    }
}
