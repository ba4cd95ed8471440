//! JSON Schemas of the config files, by which editors complete and check them.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::check::LONGEST_NAME;
use crate::claim::ClaimsFile;
use crate::matrix::StudyFile;
use crate::sweep::Sweep;
use crate::{AutoencoderTask, ClassifierTask, GradientsTask, PcaTask, RegressionTask};

/// The schemas of a cell's file, of `study.toml` and of `claims.toml`, by name.
pub fn schemas() -> [(&'static str, Value); 3] {
    [
        ("cell", cell()),
        ("study", whole::<StudyFile>()),
        ("claims", whole::<ClaimsFile>()),
    ]
}

/// What editors of TOML know of JSON Schema is draft 7.
fn generator() -> SchemaGenerator {
    SchemaSettings::draft07().into_generator()
}

fn whole<T: JsonSchema>() -> Value {
    generator().into_root_schema_for::<T>().to_value()
}

/// A file of a cell: the keys that all have, and those of one of the families.
fn cell() -> Value {
    let mut generator = generator();
    let sweep = generator.subschema_for::<Sweep>().to_value();
    let families = [
        family::<GradientsTask>("gradients", &sweep, &mut generator),
        family::<RegressionTask>("regression", &sweep, &mut generator),
        family::<ClassifierTask>("classifier", &sweep, &mut generator),
        family::<AutoencoderTask>("autoencoder", &sweep, &mut generator),
        family::<PcaTask>("pca", &sweep, &mut generator),
    ];
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A cell of the study",
        "oneOf": families,
        "definitions": generator.take_definitions(true),
    })
}

fn family<T: JsonSchema>(name: &str, sweep: &Value, generator: &mut SchemaGenerator) -> Value {
    let mut schema = T::json_schema(generator).to_value();
    let text = |about: &str| json!({ "type": "string", "description": about });
    let common = json!({
        "cell": {
            "type": "string",
            "maxLength": LONGEST_NAME,
            "description": "Name of the cell, unique in the study; with {key} where a sweep \
                            over that key fills it in",
        },
        "section": text("Id of a [[section]] in study.toml"),
        "about": text("One line on what the cell shows"),
        "family": { "const": name },
        "seeds": {
            "type": "integer",
            "minimum": 1,
            "description": "Seeds of this cell, whatever the study says: 1 where nothing in it \
                            is random",
        },
        "sweep": {
            "type": "array",
            "items": sweep,
            "description": "Keys that vary; several make a grid",
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
