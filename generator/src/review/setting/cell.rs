//! The settings of a cell: its own keys with the model that it shares with others, and beside them the
//! quotas and prices that are stated for it, which no template holds. Pure.
//!
//! To let a new key of a cell be a cause, add it to [`lines`].

use super::{Lines, Text, Written};
use crate::config::{CellConfig, FleetConfig, ModelConfig, PricesConfig, QuotasConfig};
use crate::diagnostic::{At, cover};
use crate::price;
use crate::schema::Unit;

pub(super) fn lines(text: Text<'_>, fleet: &FleetConfig, cell: &str) -> Lines {
    let mut page = CellPage { text, cell, lines: Lines::default() };
    let Some(config) = fleet.cells.iter().find(|it| it.id.value == cell) else { return page.lines };
    let CellConfig {
        id,
        account,
        region,
        // As whom `arm` calls AWS is in no template.
        role: _,
        external_id: _,
        architecture,
        model,
        ops_email,
        log_days,
        quotas,
        prices,
    } = config;
    page.add("id", Some(id), Clone::clone);
    page.add("account", account.as_ref(), Clone::clone);
    page.add("region", region.as_ref(), Clone::clone);
    page.add("architecture", architecture.as_ref(), |it| it.as_str().to_owned());
    page.add("log_retention", log_days.as_ref(), |days| Unit::Days.shown(*days));
    for email in ops_email {
        page.add("ops_email", Some(email), |it| cover(it).into_owned());
    }
    if let Some(model) = model.as_ref().or(fleet.model.as_ref()) {
        page.model(&model.value);
    }
    for stated in [&fleet.quotas, quotas] {
        page.quotas(stated);
    }
    for stated in [&fleet.prices, prices] {
        page.prices(stated);
    }
    page.lines
}

struct CellPage<'a> {
    text: Text<'a>,
    cell: &'a str,
    lines: Lines,
}

impl CellPage<'_> {
    fn add<T>(&mut self, key: &str, at: Option<&At<T>>, show: impl Fn(&T) -> String) {
        let path = ["cells", self.cell].into_iter().chain(key.split('.'));
        self.add_at(path.collect(), at, show);
    }

    fn add_at<T>(&mut self, path: Vec<&str>, at: Option<&At<T>>, show: impl Fn(&T) -> String) {
        let Some(at) = at else { return };
        let place = Some(self.text.location(&at.place));
        let file = Some(at.place.file);
        let written = Written { value: show(&at.value), place, file, is_inherited: false };
        let path = path.into_iter().map(str::to_owned).collect();
        self.lines.values.entry(path).or_default().push(written);
    }

    /// No template holds these, so they are not below the cell.
    fn quotas(&mut self, stated: &QuotasConfig) {
        for (name, number) in &stated.values {
            let path = ["quotas", name.key].into_iter().chain(name.instance.as_deref());
            self.add_at(path.collect(), Some(number), ToString::to_string);
        }
    }

    /// The same of prices.
    fn prices(&mut self, stated: &PricesConfig) {
        for (name, micros) in &stated.values {
            let path = ["prices", name.key].into_iter().chain(name.instance.as_deref());
            self.add_at(path.collect(), Some(micros), |it| price::dollars(*it));
        }
        let incidents = stated.incidents_per_day.as_ref();
        self.add_at(vec!["prices", price::INCIDENTS], incidents, ToString::to_string);
    }

    fn model(&mut self, model: &ModelConfig) {
        self.add("model.endpoint", model.endpoint.as_ref(), Clone::clone);
        self.add("model.image", model.image.as_ref(), Clone::clone);
        self.add("model.data", model.data.as_ref(), Clone::clone);
        self.add("model.instance", model.instance.as_ref(), Clone::clone);
        self.add("model.instances", model.instances.as_ref(), |(least, most)| {
            format!("{least}-{most}")
        });
        self.add("model.concurrency", model.concurrency.as_ref(), ToString::to_string);
    }
}
