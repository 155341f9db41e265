//! What stores inherit, checked where it stands: a mistake in a format or in the defaults is told
//! before the first store meets it. What is told here and again through a store is the same
//! problem at the same place, and is shown once.

use crate::config::Layer;

use super::{Context, hours, rule, subscriber, wording};

pub(super) fn validate(context: &mut Context<'_>, layer: &Layer) {
    let timezone = layer.timezone.as_ref().and_then(|name| hours::timezone(context, name));
    hours::validate(context, timezone.unwrap_or_default(), layer.hours.as_ref());
    for label in layer.labels.iter().flatten() {
        context.id(label, "a label");
    }
    if let Some(cell) = &layer.cell {
        context.check_cell(cell);
    }
    rule::check_names(context, layer);
    for rule in &layer.rules {
        rule::check_alone(context, rule);
    }
    for (key, text) in &layer.wording {
        wording::validate(context, *key, text);
    }
    for subscriber in layer.subscribers.iter().flatten() {
        // The cell is the store's, so a push endpoint's home is looked at there.
        subscriber::validate(context, None, subscriber);
    }
}
