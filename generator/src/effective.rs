//! The effective store: every value that holds, with where it comes from. `arm check --show`.
//!
//! What is shown is a store file again: read in place of the store's own, it means the same, which
//! a test holds. To show a new key, add its line in the order of `schema`.

use crate::config::{ConditionConfig, HoursConfig, RuleConfig, SubscriberConfig};
use crate::diagnostic::{At, Place, cover};
use crate::inherit::{Inherited, InheritedCamera, Setting};
use crate::model::Aisle;
use crate::scalar::written;
use crate::schema::Unit;
use crate::validate::rtsp;

/// One line of the effective store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Names from the outermost to this one, such as `cameras`, `aisle-5-a`, `retention`.
    pub path: Vec<String>,
    /// As the file has it; empty where more lines follow below.
    pub value: String,
    pub origin: Origin,
    /// How deep it is indented.
    depth: usize,
    /// Whether it begins an entry of a list.
    begins_entry: bool,
    /// Its key in the file.
    key: String,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    Written(Place),
    BuiltIn,
    /// It only holds others together.
    None,
}

/// Returns every value of a store, in the order of the file.
pub fn values(store: &Inherited<'_>) -> Vec<Shown> {
    let config = store.config;
    let mut page = Page::default();
    page.text("store", config.store.as_ref());
    page.text("name", config.name.as_ref());
    page.text("cell", store.cell);
    page.text("format", config.format.as_ref());
    page.text("timezone", store.timezone);
    match store.labels {
        // An empty list in the store hides what it would inherit.
        [] => page.line("labels", "[]".to_owned(), origin(store.labels_place)),
        labels => page.texts("labels", labels),
    }
    if let Some(hours) = store.hours {
        page.hours(hours);
    }
    if let Some(uplink) = store.uplink_kbps {
        page.line("uplink", rate(uplink.value), Origin::Written(uplink.place.clone()));
    }
    page.aisles(store);
    page.within("cameras", |page| {
        for camera in &store.cameras {
            page.camera(camera);
        }
    });
    page.within("rules", |page| {
        for (_, rule) in &store.rules {
            page.rule(rule);
        }
    });
    page.setting("cooldown", store.cooldown_s, |value| Unit::Seconds.shown(value));
    page.within("subscribers", |page| {
        for subscriber in store.subscribers {
            page.subscriber(subscriber);
        }
    });
    page.within("alerts", |page| {
        for (key, text) in &store.wording {
            match text {
                Some(_) => page.text(key.as_str(), *text),
                None => page.line(key.as_str(), written(key.built_in()), Origin::BuiltIn),
            }
        }
    });
    page.within("evidence", |page| {
        page.setting("before", store.before_s, |value| Unit::Seconds.shown(value));
        page.setting("after", store.after_s, |value| Unit::Seconds.shown(value));
        page.setting("keep", store.keep_days, |value| Unit::Days.shown(value));
        page.setting("lock", store.lock, |lock| lock.as_str().to_owned());
    });
    page.allow(store);
    page.lines
}

/// Draws the values as a store file; `origin` puts an origin into words.
pub fn page(values: &[Shown], origin: impl Fn(&Origin) -> Option<String>) -> String {
    /// Column of the origins. Our choice: most values end before it, and lines stay below 100.
    const ORIGIN_COLUMN: usize = 56;
    let lines = values.iter().map(|it| {
        let indent = "  ".repeat(it.depth.saturating_sub(usize::from(it.begins_entry)));
        let dash = if it.begins_entry { "- " } else { "" };
        let space = if it.value.is_empty() { "" } else { " " };
        let text = format!("{indent}{dash}{}:{space}{}", it.key, it.value);
        match origin(&it.origin) {
            Some(origin) => format!("{text:<ORIGIN_COLUMN$} # {origin}\n"),
            None => format!("{text}\n"),
        }
    });
    lines.collect()
}

/// Collects lines while the depth rises and falls.
#[derive(Default)]
struct Page {
    lines: Vec<Shown>,
    path: Vec<String>,
    depth: usize,
    begins_entry: bool,
}

impl Page {
    fn line(&mut self, key: &str, value: String, origin: Origin) {
        let path = self.path.iter().cloned().chain([key.to_owned()]).collect();
        let begins_entry = std::mem::take(&mut self.begins_entry);
        let (depth, key) = (self.depth, key.to_owned());
        self.lines.push(Shown { path, value, origin, depth, begins_entry, key });
    }

    fn text(&mut self, key: &str, text: Option<&At<String>>) {
        if let Some(text) = text {
            self.line(key, written(&cover(&text.value)), Origin::Written(text.place.clone()));
        }
    }

    fn texts(&mut self, key: &str, texts: &[At<String>]) {
        if let Some(first) = texts.first() {
            let all: Vec<_> = texts.iter().map(|text| written(&cover(&text.value))).collect();
            let value = format!("[{}]", all.join(", "));
            self.line(key, value, Origin::Written(first.place.clone()));
        }
    }

    fn setting<T: Copy>(&mut self, key: &str, setting: Setting<'_, T>, show: impl Fn(T) -> String) {
        self.line(key, show(setting.value), origin(setting.place));
    }

    /// Lines below a key; none of them: an empty list.
    fn within(&mut self, key: &str, lines: impl FnOnce(&mut Self)) {
        let before = self.lines.len();
        self.line(key, String::new(), Origin::None);
        self.path.push(key.to_owned());
        self.depth += 1;
        lines(self);
        self.depth -= 1;
        self.path.pop();
        if self.lines.len() == before + 1
            && let Some(line) = self.lines.last_mut()
        {
            "[]".clone_into(&mut line.value);
        }
    }

    /// Lines of one entry of a list.
    fn entry(&mut self, id: &str, lines: impl FnOnce(&mut Self)) {
        self.path.push(id.to_owned());
        self.depth += 1;
        self.begins_entry = true;
        lines(self);
        self.depth -= 1;
        self.path.pop();
    }

    fn hours(&mut self, hours: &At<HoursConfig>) {
        if hours.value.days.is_empty() {
            return self.line("hours", "{}".to_owned(), Origin::Written(hours.place.clone()));
        }
        self.within("hours", |page| {
            for (day, spans) in &hours.value.days {
                let all: Vec<_> = spans.iter().map(|span| written(&span.value)).collect();
                let value = match &all[..] {
                    [only] => only.clone(),
                    all => format!("[{}]", all.join(", ")),
                };
                page.line(&day.value, value, Origin::Written(day.place.clone()));
            }
        });
    }

    fn aisles(&mut self, store: &Inherited<'_>) {
        self.within("aisles", |page| {
            for aisle in &store.config.aisles {
                page.entry(&aisle.id.value, |page| {
                    page.text("id", Some(&aisle.id));
                    match &aisle.name {
                        Some(name) => page.text("name", Some(name)),
                        None => page.line(
                            "name",
                            written(&Aisle::name_from(&aisle.id.value)),
                            Origin::BuiltIn,
                        ),
                    }
                    page.text("kind", aisle.kind.as_ref());
                });
            }
        });
    }

    fn camera(&mut self, camera: &InheritedCamera<'_>) {
        let config = camera.config;
        self.entry(&config.id.value, |page| {
            page.text("id", Some(&config.id));
            page.text("aisle", config.aisle.as_ref());
            if let Some(source) = &config.rtsp {
                let value = written(&rtsp::shown(&source.value));
                page.line("rtsp", value, Origin::Written(source.place.clone()));
            }
            page.setting("retention", camera.retention_hours, |it| Unit::Hours.shown(it));
            page.setting("bitrate", camera.bitrate_kbps, rate);
            page.within("watch", |page| {
                page.setting("window", camera.window_s, |it| Unit::Seconds.shown(it));
                page.setting("when", camera.when, |when| when.as_str().to_owned());
            });
            if config.zones.is_empty() {
                return;
            }
            page.within("zones", |page| {
                for zone in &config.zones {
                    page.entry(&zone.id.value, |page| {
                        page.text("id", Some(&zone.id));
                        let area = format!("{:?}", zone.area.value);
                        page.line("area", area, Origin::Written(zone.area.place.clone()));
                    });
                }
            });
        });
    }

    fn rule(&mut self, rule: &RuleConfig) {
        let name = rule.name.as_ref().map_or("", |name| name.value.as_str());
        self.entry(name, |page| {
            page.text("name", rule.name.as_ref());
            page.condition(rule);
            if let Some(priority) = &rule.priority {
                let place = priority.place.clone();
                page.line("priority", priority.value.to_string(), Origin::Written(place));
            }
            match rule.notify.as_deref() {
                Some([]) | None => {
                    page.line("notify", "[]".to_owned(), origin(rule.notify_place.as_ref()));
                }
                Some(audiences) => page.texts("notify", audiences),
            }
            if let Some(cooldown) = &rule.cooldown {
                let value = Unit::Seconds.shown(cooldown.value);
                page.line("cooldown", value, Origin::Written(cooldown.place.clone()));
            }
            if let Some(shadow) = &rule.shadow {
                let place = shadow.place.clone();
                page.line("shadow", shadow.value.to_string(), Origin::Written(place));
            }
        });
    }

    fn condition(&mut self, rule: &RuleConfig) {
        let ConditionConfig { event_type, aisle, aisle_kind, camera, zone, .. } = &rule.when;
        let before = self.lines.len();
        self.within("when", |page| {
            page.texts("event_type", event_type.as_deref().unwrap_or_default());
            page.texts("aisle", aisle.as_deref().unwrap_or_default());
            page.texts("aisle_kind", aisle_kind.as_deref().unwrap_or_default());
            page.texts("camera", camera.as_deref().unwrap_or_default());
            page.texts("zone", zone.as_deref().unwrap_or_default());
            if let Some(least) = &rule.when.min_confidence {
                let place = least.place.clone();
                page.line("min_confidence", least.value.to_string(), Origin::Written(place));
            }
            if let Some(period) = &rule.when.period {
                let place = period.place.clone();
                page.line("period", period.value.as_str().to_owned(), Origin::Written(place));
            }
        });
        if self.lines.len() == before + 1
            && let Some(line) = self.lines.last_mut()
        {
            "{}".clone_into(&mut line.value);
            line.origin = Origin::Written(rule.place.clone());
        }
    }

    fn subscriber(&mut self, subscriber: &SubscriberConfig) {
        self.entry(&subscriber.audience.value, |page| {
            page.text("audience", Some(&subscriber.audience));
            page.text(subscriber.channel.as_str(), Some(&subscriber.endpoint));
        });
    }

    fn allow(&mut self, store: &Inherited<'_>) {
        if store.config.allow.is_empty() {
            return;
        }
        self.within("allow", |page| {
            for allow in &store.config.allow {
                page.entry(&allow.code.value, |page| {
                    page.text("code", Some(&allow.code));
                    page.text("of", allow.of.as_ref());
                    page.text("reason", allow.reason.as_ref());
                    if let Some(until) = &allow.until {
                        let place = until.place.clone();
                        page.line("until", until.value.to_string(), Origin::Written(place));
                    }
                });
            }
        });
    }
}

fn origin(place: Option<&Place>) -> Origin {
    place.map_or(Origin::BuiltIn, |place| Origin::Written(place.clone()))
}

fn rate(kbps: u32) -> String {
    if kbps.is_multiple_of(1_000) { format!("{}Mbps", kbps / 1_000) } else { format!("{kbps}kbps") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_rates_are_as_short_as_they_are_exact() {
        assert_eq!(Unit::Seconds.shown(90), "90s");
        assert_eq!(Unit::Seconds.shown(120), "2m");
        assert_eq!(Unit::Seconds.shown(86_400), "1d");
        assert_eq!(Unit::Hours.shown(72), "3d");
        assert_eq!((rate(1_500), rate(2_000)), ("1500kbps".to_owned(), "2Mbps".to_owned()));
    }
}
