//! What a camera can see on both sides of a comparison, and what the store calls it on each.
//!
//! A detection brings the aisle, the kind, the zone and the period that the store's watch gave it, so
//! that it is treated otherwise also where the rules stay and these change: a [`Shift`]. Only what the
//! model watches on both sides is a view; what it watches on one side alone is told by `watching`.
//! Pure. To add a field that the watch gives, start at [`Sight`].

use std::collections::BTreeSet;

use contract::hours::{Hours, Period};
use contract::watch::{WatchCamera, WatchInput, WatchWhen};

use super::space::{
    AISLE, AISLE_KIND, CAMERA, CONFIDENCE, EVENT_TYPE, PERIOD, Region, Space, ZONE,
};
use crate::review::path;

/// Minutes of a day.
const DAY_MINUTES: usize = 24 * 60;

/// What a detection's fields are on one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sight<'w> {
    pub(super) camera: &'w str,
    pub(super) aisle: &'w str,
    pub(super) kind: Option<&'w str>,
    pub(super) zone: Option<&'w str>,
    pub(super) period: &'static str,
}

/// One and the same place and time, before and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct View<'w> {
    pub(super) before: Sight<'w>,
    pub(super) after: Sight<'w>,
}

/// What of a place or time is called otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Shift {
    /// Sentences' parts, such as "at `aisle-5`, now of kind `high-value`".
    pub(super) words: Vec<String>,
    /// The fields that are not compared.
    pub(super) fields: Vec<usize>,
    pub(super) about: Vec<Vec<String>>,
}

impl View<'_> {
    pub(super) fn shift(&self) -> Shift {
        let (before, after) = (&self.before, &self.after);
        let mut shift = Shift::default();
        if before.aisle != after.aisle {
            let camera = after.camera;
            shift.words.push(format!("before camera `{camera}`, now of `{}`", after.aisle));
            shift.about.push(path(&["cameras", camera, "aisle"]));
        } else if before.kind != after.kind {
            let kind = after.kind.map_or("no kind".to_owned(), |it| format!("kind `{it}`"));
            shift.words.push(format!("at `{}`, now of {kind}", after.aisle));
            shift.about.push(path(&["aisles", after.aisle, "kind"]));
        }
        if !shift.words.is_empty() {
            shift.fields.extend([AISLE_KIND, AISLE, CAMERA]);
        }
        if before.zone != after.zone {
            let camera = after.camera;
            let zone = before.zone.or(after.zone).unwrap_or_default();
            let is = if after.zone.is_some() { "the new" } else { "what was the" };
            shift.words.push(format!("in {is} zone `{zone}` of camera `{camera}`"));
            shift.about.push(path(&["cameras", camera, "zones"]));
            shift.fields.extend([CAMERA, ZONE]);
        }
        if before.period != after.period {
            shift.words.push(format!("at times that are now {}", after.period));
            shift.about.extend([path(&["hours"]), path(&["timezone"])]);
            shift.fields.push(PERIOD);
        }
        shift
    }
}

impl Sight<'_> {
    /// The atoms that its place and time have.
    pub(super) fn atoms(&self, space: &Space<'_>) -> [(usize, usize); 5] {
        let fixed = [
            (CAMERA, Some(self.camera)),
            (AISLE, Some(self.aisle)),
            (AISLE_KIND, self.kind),
            (ZONE, self.zone),
            (PERIOD, Some(self.period)),
        ];
        fixed.map(|(field, text)| (field, space.atom_of(field, text)))
    }

    /// The box of all that the model can say it saw here.
    pub(super) fn region(&self, space: &Space<'_>) -> Region {
        let mut region = space.nothing();
        for (field, atom) in self.atoms(space) {
            space.put(&mut region, field, [atom]);
        }
        let names = space.names(EVENT_TYPE).iter().map(|it| Some(it.as_str()));
        // Also a type that no rule names.
        let types = names.chain([Some(" ")]).map(|it| space.atom_of(EVENT_TYPE, it));
        space.put(&mut region, EVENT_TYPE, types);
        let numbers = space.bounds().iter().copied().filter(|it| (0.0..=1.0).contains(it));
        let numbers = numbers.chain([0.0]).map(|it| space.atom_of_number(it));
        space.put(&mut region, CONFIDENCE, numbers);
        region
    }
}

/// Everything that is watched on both sides.
pub(super) fn views<'w>(before: &'w WatchInput, after: &'w WatchInput) -> Vec<View<'w>> {
    let periods = periods(&before.hours, &after.hours);
    let mut views = Vec::new();
    for camera in &after.cameras {
        let Some(was) = before.cameras.iter().find(|it| it.id == camera.id) else { continue };
        for (zone_before, zone_after) in zones(was, camera) {
            for (period_before, period_after) in &periods {
                if !watches(was.when, *period_before) || !watches(camera.when, *period_after) {
                    continue;
                }
                views.push(View {
                    before: sight(before, was, zone_before, *period_before),
                    after: sight(after, camera, zone_after, *period_after),
                });
            }
        }
    }
    views
}

fn sight<'w>(
    watch: &'w WatchInput,
    camera: &'w WatchCamera,
    zone: Option<&'w str>,
    period: Period,
) -> Sight<'w> {
    let aisle = watch.aisles.iter().find(|it| it.id == camera.aisle);
    Sight {
        camera: &camera.id,
        aisle: &camera.aisle,
        kind: aisle.and_then(|it| it.kind.as_deref()),
        zone,
        period: period.as_str(),
    }
}

/// What each part of a camera's picture is called, outside of all zones last.
fn zones<'w>(
    before: &'w WatchCamera,
    after: &'w WatchCamera,
) -> Vec<(Option<&'w str>, Option<&'w str>)> {
    let names = |camera: &'w WatchCamera| camera.zones.iter().map(|it| it.id.as_str());
    let all: BTreeSet<&str> = names(before).chain(names(after)).collect();
    let on = |camera: &'w WatchCamera, zone: &str| names(camera).find(|it| *it == zone);
    let pairs = all.into_iter().map(|zone| (on(before, zone), on(after, zone)));
    pairs.chain([(None, None)]).collect()
}

fn watches(when: WatchWhen, period: Period) -> bool {
    match when {
        WatchWhen::Always => true,
        WatchWhen::Open => period == Period::Open,
        WatchWhen::Closed => period == Period::Closed,
        WatchWhen::Never => false,
    }
}

/// What any moment is on each side.
fn periods(before: &Hours, after: &Hours) -> Vec<(Period, Period)> {
    let all = [
        (Period::Open, Period::Open),
        (Period::Closed, Period::Closed),
        (Period::Open, Period::Closed),
        (Period::Closed, Period::Open),
    ];
    let comes = |hours: &Hours, period: Period| match period {
        Period::Open => {
            hours.is_always_open()
                || hours.week.iter().chain(hours.dates.values()).any(|day| !day.is_empty())
        }
        Period::Closed => !hours.is_always_open(),
    };
    let possible = all.into_iter().filter(|(a, b)| comes(before, *a) && comes(after, *b));
    // Times of two zones are not compared: by winter and summer they meet in any way.
    if before.timezone != after.timezone && !(before.is_always_open() && after.is_always_open()) {
        return possible.collect();
    }
    let shifts = shifts(before, after);
    possible.filter(|(a, b)| a == b || shifts.contains(&(*a, *b))).collect()
}

/// How some minute of the week, or of a single date, shifts.
fn shifts(before: &Hours, after: &Hours) -> Vec<(Period, Period)> {
    let week = |hours: &Hours| {
        let days = (0..7).map(|day| hours.week.get(day).map_or(&[][..], Vec::as_slice));
        minutes(days.collect::<Vec<_>>().as_slice(), hours.is_always_open())
    };
    let date = |hours: &Hours, date: &String| {
        let spans = hours.dates.get(date).map(|spans| [spans.as_slice(), &[]]);
        spans.map(|days| minutes(&days, false))
    };
    let mut pairs = vec![(week(before), week(after))];
    for name in before.dates.keys().chain(after.dates.keys()) {
        match (date(before, name), date(after, name)) {
            (Some(a), Some(b)) => pairs.push((a, b)),
            // What its weekday is on the other side can be anything that a day there is.
            (Some(one), None) => {
                pairs.extend(any_day(after).into_iter().map(|day| (one.clone(), day)));
            }
            (None, Some(one)) => {
                pairs.extend(any_day(before).into_iter().map(|day| (day, one.clone())));
            }
            (None, None) => {}
        }
    }
    let found = |is_before: bool, is_after: bool| {
        let mut minutes = pairs.iter().flat_map(|(a, b)| a.iter().zip(b));
        minutes.any(|(a, b)| (*a, *b) == (is_before, is_after))
    };
    let mut shifts = Vec::new();
    if found(true, false) {
        shifts.push((Period::Open, Period::Closed));
    }
    if found(false, true) {
        shifts.push((Period::Closed, Period::Open));
    }
    shifts
}

/// The minutes of each weekday, as of a single date.
fn any_day(hours: &Hours) -> Vec<Vec<bool>> {
    let days = (0..7).map(|day| hours.week.get(day).map_or(&[][..], Vec::as_slice));
    days.map(|spans| minutes(&[spans, &[]], hours.is_always_open())).collect()
}

/// Whether each minute of these days is open; what lasts past the last day is open on the first.
fn minutes(days: &[&[contract::hours::Span]], is_always_open: bool) -> Vec<bool> {
    let mut minutes = vec![is_always_open; days.len() * DAY_MINUTES];
    let total = minutes.len().max(1);
    for (day, spans) in days.iter().enumerate() {
        for (from, to) in spans.iter().map(|span| span.minutes()) {
            for minute in from..to {
                let at = (day * DAY_MINUTES + usize::from(minute)) % total;
                minutes.get_mut(at).into_iter().for_each(|it| *it = true);
            }
        }
    }
    minutes
}
