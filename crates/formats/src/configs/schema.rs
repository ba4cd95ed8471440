//! JSON Schemas of the config files. Editors use them to complete and check the files.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::check::LONGEST_NAME;
use super::claims::ClaimsFile;
use super::families::Task;
use super::original::Original;
use super::study::StudyFile;
use super::sweep::Sweep;
use super::tuning::Tuning;

/// The schemas of a cell's file, and of `study.toml`, `claims.toml`, `original.toml` and
/// `tuning.toml`, each with its name.
pub fn schemas() -> [(&'static str, Value); 5] {
    [
        ("cell", cell()),
        ("study", whole::<StudyFile>()),
        ("claims", whole::<ClaimsFile>()),
        ("original", whole::<Original>()),
        ("tuning", whole::<Tuning>()),
    ]
}

/// Makes a generator for draft 7 of JSON Schema, because editors of TOML files support it.
fn generator() -> SchemaGenerator {
    SchemaSettings::draft07().into_generator()
}

fn whole<T: JsonSchema>() -> Value {
    generator().into_root_schema_for::<T>().to_value()
}

/// The schema of a cell's file: the keys that all cells have, and those of one family.
fn cell() -> Value {
    let mut generator = generator();
    let sweep = generator.subschema_for::<Sweep>().to_value();
    let families: Vec<Value> = Task::schemas(&mut generator)
        .into_iter()
        .map(|(name, schema)| family(name, schema, &sweep))
        .collect();
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A cell of the study",
        "oneOf": families,
        "definitions": generator.take_definitions(true),
    })
}

/// Adds the keys that all cells have to the schema of a family's tables.
fn family(name: &str, mut schema: Value, sweep: &Value) -> Value {
    let text = |about: &str| json!({ "type": "string", "description": about });
    let common = json!({
        "cell": {
            "type": "string",
            "maxLength": LONGEST_NAME,
            "description": "The unique name of the cell. In it, {key} stands for the value of a \
                            sweep over that key.",
        },
        "section": text("The id of a [[section]] in study.toml."),
        "about": text("One line on what the cell shows."),
        "family": { "const": name },
        "seeds": {
            "type": "integer",
            "minimum": 1,
            "description": "The number of seeds of this cell, in place of the number in \
                            study.toml. Give 1 if nothing in the cell is random.",
        },
        "sweep": {
            "type": "array",
            "items": sweep,
            "description": "The keys that take several values. Several sweeps make a grid.",
        },
    });
    let empty = Map::new;
    let common = common.as_object().cloned().unwrap_or_else(empty);
    if let Some(properties) = schema["properties"].as_object_mut() {
        properties.extend(common);
    }
    if let Some(required) = schema["required"].as_array_mut() {
        required.extend(["cell", "section", "about", "family"].map(Value::from));
    }
    schema
}
