//! Reads `fleet.yaml`: cells, models, what stores inherit. Each reader takes one mapping and
//! reports what is wrong in it; nothing is checked against anything else here. To add a key: its
//! name in the list, its line in the reader, its field in `config.rs`.

use crate::decode::{Decoder, Fields, Unit};
use crate::diagnostic::At;
use crate::yaml::Node;

use super::{CellConfig, FleetConfig, ModelConfig, inherited, texts};

const FLEET_KEYS: &[&str] = &["cells", "model", "audiences", "defaults", "formats"];
const CELL_KEYS: &[&str] =
    &["account", "region", "architecture", "model", "ops_email", "log_retention"];
const MODEL_KEYS: &[&str] = &["endpoint", "image", "data", "instance", "instances", "concurrency"];

/// Reads `fleet.yaml`.
pub fn fleet(decoder: &mut Decoder, node: &Node) -> Option<FleetConfig> {
    let fields = decoder.fields(node, "the fleet", FLEET_KEYS)?;
    let mut fleet = FleetConfig::default();
    if let Some(node) = decoder.require(
        &fields,
        "cells",
        "{ us-west: { account: \"123456789012\", region: us-west-2 } }",
    ) {
        let cells = decoder.open_fields(node, "`cells`");
        fleet.cells = cells
            .iter()
            .flat_map(Fields::entries)
            .filter_map(|(id, node)| cell(decoder, id, node))
            .collect();
    }
    fleet.model = fields.find("model").and_then(|node| model(decoder, node));
    fleet.audiences = texts(decoder, fields.find("audiences"), "`audiences`").unwrap_or_default();
    if let Some(node) = fields.find("defaults") {
        fleet.defaults = inherited(decoder, node, "`defaults`");
    }
    if let Some(formats) =
        fields.find("formats").and_then(|node| decoder.open_fields(node, "`formats`"))
    {
        for (id, node) in formats.entries() {
            let layer = inherited(decoder, node, "a format");
            fleet.formats.extend(decoder.text(id, "a format's id").map(|id| (id, layer)));
        }
    }
    Some(fleet)
}

fn cell(decoder: &mut Decoder, id: &Node, node: &Node) -> Option<CellConfig> {
    let id = decoder.text(id, "a cell's id")?;
    let fields = decoder.fields(node, "a cell", CELL_KEYS)?;
    let account = decoder.require(&fields, "account", "\"123456789012\"");
    let region = decoder.require(&fields, "region", "us-west-2");
    Some(CellConfig {
        id,
        account: account.and_then(|node| decoder.text(node, "`account`")),
        region: region.and_then(|node| decoder.text(node, "`region`")),
        architecture: fields
            .find("architecture")
            .and_then(|node| decoder.text(node, "`architecture`")),
        model: fields.find("model").and_then(|node| model(decoder, node)),
        ops_email: fields
            .find("ops_email")
            .map(|node| decoder.one_or_many(node, "`ops_email`"))
            .unwrap_or_default(),
        log_days: fields
            .find("log_retention")
            .and_then(|node| decoder.duration(node, "`log_retention`", Unit::Days, 1..=3_653)),
    })
}

fn model(decoder: &mut Decoder, node: &Node) -> Option<At<ModelConfig>> {
    let fields = decoder.fields(node, "`model`", MODEL_KEYS)?;
    let mut text = |key, what| fields.find(key).and_then(|node| decoder.text(node, what));
    let mut model = ModelConfig {
        endpoint: text("endpoint", "`endpoint`"),
        image: text("image", "`image`"),
        data: text("data", "`data`"),
        instance: text("instance", "`instance`"),
        ..ModelConfig::default()
    };
    model.instances = fields.find("instances").and_then(|node| instances(decoder, node));
    model.concurrency =
        fields.find("concurrency").and_then(|node| decoder.integer(node, "`concurrency`", 1..=100));
    Some(At { place: node.place.clone(), value: model })
}

/// `2`, or `1-8` for scaling between.
fn instances(decoder: &mut Decoder, node: &Node) -> Option<At<(u32, u32)>> {
    let text = node.text().unwrap_or_default();
    let (least, most) = text.split_once('-').unwrap_or((text, text));
    let range = least.trim().parse::<u32>().ok().zip(most.trim().parse::<u32>().ok());
    let range = range.filter(|(least, most)| (1..=*most).contains(least) && *most <= 1_000);
    if range.is_none() {
        decoder.wrong_value(
            node,
            "`instances`",
            "write a number such as `2`, or a range such as `1-8`",
        );
    }
    range.map(|value| At { place: node.place.clone(), value })
}
