//! JSON Schema (draft-07, which editors know best) of a store's file, the fleet's and scenarios, from the
//! tables of `schema`: completion, hover texts and marks under mistakes while a file is written.
//!
//! What `arm check` accepts, the schema accepts. YAML readers make numbers and booleans of texts
//! such as `0421` and `true`, so where `arm` takes any text, those are accepted too; only a name
//! written `NULL` without quotes is text to `arm` and nothing to a schema. What needs a look at
//! other places (does this aisle exist?) is for `arm check`. To change a hover text, change the
//! key's `about` in `schema/`; to add a kind of value, add it in `json_schema/value.rs`.

mod number;
mod value;

use serde_json::{Map, Value, json};

use crate::schema::{self, FLEET, Key, Kind, Noun, Presence, SCENARIOS, STORE};

/// The schema of a store's file.
pub fn store() -> Value {
    document(&STORE)
}

/// The schema of `fleet.yaml`.
pub fn fleet() -> Value {
    document(&FLEET)
}

/// The schema of a scenario file.
pub fn scenarios() -> Value {
    document(&SCENARIOS)
}

/// The first line of a scenario file, which stands in a folder beside `schema`.
pub fn scenarios_modeline() -> String {
    format!("{MODELINE}../schema/scenarios.json")
}

/// The first line of a file, which points editors to its schema; `stem` is the file's name without
/// `.yaml`.
pub fn modeline(stem: &str) -> String {
    format!("{MODELINE}schema/{}.json", if stem == "fleet" { "fleet" } else { "store" })
}

/// How a line begins that points editors to a schema. Source: README of yaml-language-server,
/// "Using inlined schema".
pub const MODELINE: &str = "# yaml-language-server: $schema=";

fn document(file: &'static Noun) -> Value {
    let mut schema = json!({ "$schema": "http://json-schema.org/draft-07/schema#" });
    let definitions: Map<_, _> = schema::nouns_of(file)
        .into_iter()
        .skip(1)
        .map(|noun| (definition(noun), mapping(noun)))
        .collect();
    if let (Value::Object(all), Value::Object(own)) = (&mut schema, mapping(file)) {
        all.extend(own);
        all.insert("definitions".to_owned(), Value::Object(definitions));
    }
    schema
}

/// The name of a kind of mapping among the definitions: `camera`, `value-of-camera`.
fn definition(noun: &Noun) -> String {
    noun.title().replace(' ', "-")
}

/// A reference to the definition of a kind of mapping.
fn reference(noun: &Noun) -> Value {
    json!({ "$ref": format!("#/definitions/{}", definition(noun)) })
}

/// One kind of mapping: its keys and no others.
fn mapping(noun: &'static Noun) -> Value {
    let properties: Map<_, _> =
        noun.keys.iter().map(|key| (key.name.to_owned(), property(key))).collect();
    let required = noun.keys.iter().filter(|key| key.presence == Presence::Required);
    let required: Vec<_> = required.map(|key| key.name).collect();
    let title = noun.title();
    let title = title.strip_prefix("value of ").unwrap_or(&title);
    let mut schema = json!({
        "title": title, "description": noun.about, "type": "object",
        "properties": properties, "additionalProperties": false,
    });
    if !required.is_empty() {
        insert(&mut schema, "required", json!(required));
    }
    if !noun.one_of.is_empty() {
        insert(&mut schema, "allOf", json!(exactly_one(noun)));
    }
    schema
}

/// At least one of some keys, and each without those that follow it. `oneOf` would say the same,
/// and editors would then mark the whole mapping instead of the key that is too much.
fn exactly_one(noun: &Noun) -> Vec<Value> {
    let each: Vec<_> = noun.one_of.iter().map(|name| json!({ "required": [name] })).collect();
    let mut all = vec![json!({ "anyOf": each })];
    for (index, name) in noun.one_of.iter().enumerate() {
        let others: Map<_, _> =
            noun.one_of.iter().skip(index + 1).map(|it| ((*it).to_owned(), json!(false))).collect();
        if !others.is_empty() {
            let message = format!("{} has one of: {}", noun.what, noun.one_of.join(", "));
            all.push(json!({
                "if": { "required": [name] },
                "then": { "properties": others, "errorMessage": message },
            }));
        }
    }
    all
}

/// What stands under a key.
fn property(key: &'static Key) -> Value {
    let mut schema = value::of(&key.kind, key.example);
    let (sentence, value, default) = (key.sentence(), key.kind.in_words(), key.default_in_words());
    let mut lines = vec![format!("- default: {default}")];
    // Editors list the words of a choice by themselves, and an example that is a value.
    if !matches!(key.kind, Kind::Choice(_)) {
        lines.insert(0, format!("- value: {value}"));
        if key.kind.noun().is_none() {
            insert(&mut schema, "examples", json!([value::example(key.example)]));
        } else {
            lines.push(format!("- example: `{}: {}`", key.name, key.example));
        }
    }
    insert(
        &mut schema,
        "description",
        json!(format!("{sentence} Value: {value}. Default: {default}.")),
    );
    insert(
        &mut schema,
        "markdownDescription",
        json!(format!("{sentence}\n\n{}", lines.join("\n"))),
    );
    schema
}

fn insert(schema: &mut Value, keyword: &str, value: Value) {
    if let Value::Object(schema) = schema {
        schema.insert(keyword.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_have_names_of_their_own() {
        for (file, schema) in [(&STORE, store()), (&FLEET, fleet()), (&SCENARIOS, scenarios())] {
            let definitions = schema["definitions"].as_object().unwrap();
            assert_eq!(definitions.len() + 1, schema::nouns_of(file).len());
        }
    }

    #[test]
    fn a_zone_is_two_keys_and_no_other() {
        insta::assert_snapshot!(format!("{:#}", store()["definitions"]["zone"]), @r#"
        {
          "title": "zone",
          "description": "An area of one camera's picture.",
          "type": "object",
          "properties": {
            "id": {
              "if": {
                "type": "string"
              },
              "else": {
                "type": [
                  "string",
                  "number",
                  "boolean"
                ],
                "errorMessage": "lower-case letters, digits and single hyphens: id of at most 32 characters, such as `top-shelf`"
              },
              "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$",
              "patternErrorMessage": "lower-case letters, digits and single hyphens: id of at most 32 characters, such as `top-shelf`",
              "minLength": 1,
              "maxLength": 32,
              "examples": [
                "top-shelf"
              ],
              "description": "Its id, unique in the camera; cameras may share it. Value: id of at most 32 characters. Default: must be given.",
              "markdownDescription": "Its id, unique in the camera; cameras may share it.\n\n- value: id of at most 32 characters\n- default: must be given"
            },
            "area": {
              "type": "array",
              "items": {
                "type": [
                  "number",
                  "string"
                ],
                "pattern": "^(0*\\.[0-9]+|0+\\.?[0-9]*|0*1\\.?0*)$",
                "patternErrorMessage": "number from 0 to 1",
                "errorMessage": "number from 0 to 1",
                "minimum": 0,
                "maximum": 1
              },
              "minItems": 4,
              "maxItems": 4,
              "examples": [
                [
                  0.1,
                  0.2,
                  0.5,
                  0.4
                ]
              ],
              "description": "Left, top, width and height as fractions of the picture. Value: list of 4: number from 0 to 1. Default: must be given.",
              "markdownDescription": "Left, top, width and height as fractions of the picture.\n\n- value: list of 4: number from 0 to 1\n- default: must be given"
            }
          },
          "additionalProperties": false,
          "required": [
            "id",
            "area"
          ]
        }
        "#);
    }
}
