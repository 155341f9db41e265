//! Reads a wave of `waves` in fleet.yaml. Whether it takes any store is for `validate` and `rollout`.
//! To add a key: its place in `schema/wave.rs`, its line and its field here.

use crate::decode::{Decoder, Fields};
use crate::diagnostic::{At, Place};
use crate::model::Portion;
use crate::yaml::Value;

/// One wave as it is written.
#[derive(Clone, Debug)]
pub struct WaveConfig {
    pub place: Place,
    pub name: Option<At<String>>,
    /// `None` also where it is no list.
    pub labels: Option<Vec<At<String>>>,
    /// Where `labels` stands: an empty list has no entry that would say.
    pub labels_place: Option<Place>,
    pub stores: Option<At<Portion>>,
    /// Where `stores` stands, also where it cannot be read.
    pub stores_place: Option<Place>,
    pub bake_s: Option<At<u32>>,
    pub failures_max: Option<At<Portion>>,
}

/// Reads one wave, also one without a name: the rest of it is checked all the same.
#[expect(clippy::unnecessary_wraps, reason = "one shape for every reader of a list's entries")]
pub(super) fn wave(
    decoder: &mut Decoder,
    fields: &Fields<'_>,
    place: &Place,
) -> Option<WaveConfig> {
    let is_list = fields.find("labels").is_some_and(|it| matches!(it.value, Value::Sequence(_)));
    Some(WaveConfig {
        place: place.clone(),
        name: decoder.text(fields, "name"),
        labels: decoder.texts(fields, "labels").filter(|_| is_list),
        labels_place: fields.key_place("labels").cloned(),
        stores: decoder.whole_or_percent(fields, "stores"),
        stores_place: fields.key_place("stores").cloned(),
        bake_s: decoder.duration(fields, "bake"),
        failures_max: decoder.whole_or_percent(fields, "max_failures"),
    })
}
