//! What the cameras of a store can see: which detections really happen, and one as an example.
//!
//! The rule to keep: a detection is possible here if one watched camera of the store can make it, with
//! its own aisle, kind and zones, in a time that comes and in which it is watched. Event type and
//! confidence are the model's, so any is possible. To change what is possible, start at [`View::new`].

use contract::hours::Period;
use contract::watch::WatchWhen;

use crate::model::{Camera, Id, Store};

use super::space::{
    AISLE, AISLE_KIND, CAMERA, CONFIDENCE, EVENT_TYPE, PERIOD, Region, Space, ZONE,
};

/// What the watched cameras of a store can see.
pub(super) struct Sight<'s> {
    space: &'s Space,
    views: Vec<View<'s>>,
}

/// What one camera can see, in the atoms of the space.
struct View<'s> {
    camera: &'s Camera,
    aisle_name: &'s str,
    kind: Option<&'s str>,
    /// Each field with the one atom that it has here.
    here: [(usize, usize); 3],
    /// Last the rest of the picture.
    zones: Vec<(Option<&'s str>, usize)>,
    periods: Vec<(Period, usize)>,
}

impl<'s> View<'s> {
    fn new(store: &'s Store, space: &Space, camera: &'s Camera) -> Self {
        let aisle = store.aisle(&camera.aisle);
        let kind = aisle.kind.as_ref().map(Id::as_str);
        let at = |field, name| (field, space.atom_of(field, name));
        let zones = camera.zones.iter().map(|zone| Some(zone.id.as_str())).chain([None]);
        let hours = &store.hours;
        let never_open = !hours.is_always_open()
            && hours.week.iter().all(Vec::is_empty)
            && hours.dates.values().all(Vec::is_empty);
        let comes = |period: &Period| match period {
            Period::Open => !never_open && camera.when != WatchWhen::Closed,
            Period::Closed => !hours.is_always_open() && camera.when != WatchWhen::Open,
        };
        let periods = [Period::Open, Period::Closed].into_iter().filter(comes);
        Self {
            camera,
            aisle_name: &aisle.name,
            kind,
            here: [
                at(CAMERA, Some(camera.id.as_str())),
                at(AISLE, Some(aisle.id.as_str())),
                at(AISLE_KIND, kind),
            ],
            zones: zones.map(|zone| (zone, space.atom_of(ZONE, zone))).collect(),
            periods: periods
                .map(|period| (period, space.atom_of(PERIOD, Some(period.as_str()))))
                .collect(),
        }
    }

    /// The zone and the period of a detection of this box.
    fn meets(&self, space: &Space, region: &Region) -> Option<(Option<&'s str>, Period)> {
        if !self.here.iter().all(|(field, atom)| space.has(region, *field, *atom)) {
            return None;
        }
        let (zone, _) = self.zones.iter().find(|(_, atom)| space.has(region, ZONE, *atom))?;
        let (period, _) = self.periods.iter().find(|(_, atom)| space.has(region, PERIOD, *atom))?;
        Some((*zone, *period))
    }
}

impl<'s> Sight<'s> {
    pub(super) fn new(store: &'s Store, space: &'s Space) -> Self {
        let watched = store.cameras.iter().filter(|it| it.when != WatchWhen::Never);
        Self { space, views: watched.map(|camera| View::new(store, space, camera)).collect() }
    }

    /// Whether no camera is watched, of which other warnings tell.
    pub(super) fn is_blind(&self) -> bool {
        self.views.is_empty()
    }

    /// Whether a camera can make a detection of this box.
    pub(super) fn sees(&self, region: &Region) -> bool {
        self.views.iter().any(|view| view.meets(self.space, region).is_some())
    }

    /// A detection of this box that a camera can make, in words that say what the box limits.
    pub(super) fn example(&self, region: &Region) -> Option<String> {
        let event_type = self.event_type(region)?;
        let confidence = self.confidence(region)?;
        let mut seen = self.views.iter().filter_map(|view| {
            let (zone, period) = view.meets(self.space, region)?;
            Some((self.place(region, view, zone), self.period(region, period)))
        });
        let (place, period) = seen.next()?;
        Some(format!("{event_type}{confidence}{place}{period}"))
    }

    /// An event type that some rule names; of rules that name none, any.
    fn event_type(&self, region: &Region) -> Option<String> {
        if self.space.names(self.space.all(), EVENT_TYPE).is_empty() {
            return Some("a detection".to_owned());
        }
        let name = *self.space.names(region, EVENT_TYPE).first()?;
        let article = if name.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
        Some(format!("{article} {name}"))
    }

    /// The surest that the box has, as far as rules tell confidences apart.
    fn confidence(&self, region: &Region) -> Option<String> {
        if self.space.is_any(region, CONFIDENCE) {
            return Some(String::new());
        }
        match *self.space.stretches(region).last()? {
            (Some(low), _) => Some(format!(" with confidence {low}")),
            // No confidence is below zero.
            (None, high) => {
                high.filter(|high| *high > 0.0).map(|high| format!(" with confidence below {high}"))
            }
        }
    }

    fn place(&self, region: &Region, view: &View<'_>, zone: Option<&str>) -> String {
        let space = self.space;
        let zone = match zone.filter(|_| !space.is_any(region, ZONE)) {
            Some(zone) => format!(" in the zone `{zone}`"),
            None => String::new(),
        };
        let place = if !space.is_any(region, CAMERA) {
            format!(" before the camera `{}`", view.camera.id)
        } else if !space.is_any(region, AISLE) {
            format!(" in {}", view.aisle_name)
        } else {
            match view.kind.filter(|_| !space.is_any(region, AISLE_KIND)) {
                Some(kind) => format!(" in an aisle of kind `{kind}`"),
                None => String::new(),
            }
        };
        place + &zone
    }

    fn period(&self, region: &Region, period: Period) -> String {
        let said = !self.space.is_any(region, PERIOD);
        if said { format!(" while {}", period.as_str()) } else { String::new() }
    }
}
