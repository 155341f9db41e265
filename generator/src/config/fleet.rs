//! Reads `fleet.yaml`: cells, models, what stores inherit. Each reader takes one mapping and
//! reports what is wrong in it; nothing is checked against anything else here. To add a key: its
//! place in `schema`, its line in the reader, its field in `config.rs`.

use crate::decode::{Decoder, Fields};
use crate::diagnostic::At;
use crate::model::Architecture;
use crate::schema;
use crate::yaml::Node;

use super::price::prices;
use super::quota::quotas;
use super::wave::wave;
use super::{CellConfig, FleetConfig, Layer, ModelConfig, layer, rule};

/// Reads `fleet.yaml`.
pub fn fleet(decoder: &mut Decoder, node: &Node) -> Option<FleetConfig> {
    let fields = decoder.fields(node, &schema::FLEET)?;
    let mut fleet = FleetConfig::default();
    for (id, node) in decoder.filled_entries(&fields, "cells") {
        fleet.cells.extend(cell(decoder, id, node));
    }
    fleet.model = model(decoder, &fields);
    fleet.quotas = quotas(decoder, &fields);
    fleet.prices = prices(decoder, &fields);
    fleet.waves = decoder.each(&fields, "waves", wave);
    fleet.audiences = decoder.texts(&fields, "audiences").unwrap_or_default();
    if let Some(defaults) = decoder.mapping(&fields, "defaults") {
        fleet.defaults = layer(decoder, &defaults);
    }
    for (id, node) in decoder.entries(&fields, "formats") {
        let format = decoder.fields(node, &schema::LAYER);
        let format = format.map_or_else(Layer::default, |fields| layer(decoder, &fields));
        fleet.formats.extend(decoder.plain_text(id, "formats").map(|id| (id, format)));
    }
    fleet.allow = decoder.each(&fields, "allow", rule::allow);
    Some(fleet)
}

fn cell(decoder: &mut Decoder, id: &Node, node: &Node) -> Option<CellConfig> {
    let id = decoder.plain_text(id, "cells")?;
    let fields = decoder.fields(node, &schema::CELL)?;
    let architecture = |word: &str| {
        [Architecture::X86_64, Architecture::Arm64].into_iter().find(|it| it.as_str() == word)
    };
    Some(CellConfig {
        id,
        account: decoder.text(&fields, "account"),
        region: decoder.text(&fields, "region"),
        role: decoder.text(&fields, "role"),
        external_id: decoder.text(&fields, "external_id"),
        architecture: decoder.choice(&fields, "architecture", architecture),
        model: model(decoder, &fields),
        ops_email: decoder.one_or_many(&fields, "ops_email").unwrap_or_default(),
        log_days: decoder.duration(&fields, "log_retention"),
        quotas: quotas(decoder, &fields),
        prices: prices(decoder, &fields),
    })
}

fn model(decoder: &mut Decoder, fields: &Fields<'_>) -> Option<At<ModelConfig>> {
    let fields = decoder.mapping(fields, "model")?;
    let value = ModelConfig {
        endpoint: decoder.text(&fields, "endpoint"),
        image: decoder.text(&fields, "image"),
        data: decoder.text(&fields, "data"),
        instance: decoder.text(&fields, "instance"),
        instances: decoder.whole_or_range(&fields, "instances"),
        concurrency: decoder.whole(&fields, "concurrency"),
    };
    Some(At { place: fields.place.clone(), value })
}
