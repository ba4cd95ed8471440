//! `[quick]` of `study.toml`: what `--quick` changes.

use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, json};
use toml::Value;

use super::families::Task;

/// `[quick]` of `study.toml`: what `--quick` changes.
#[derive(Debug)]
pub(crate) struct Quick {
    /// The number of seeds of each cell.
    pub seeds: u64,
    /// For each family, the keys that change in its cells: dotted paths with their new values.
    pub changes: BTreeMap<String, BTreeMap<String, Value>>,
}

impl<'de> Deserialize<'de> for Quick {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(QuickVisitor)
    }
}

/// Reads [`Quick`]. Its keys come from the list of families, so they cannot be the fields of
/// a struct.
struct QuickVisitor;

impl<'de> Visitor<'de> for QuickVisitor {
    type Value = Quick;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("the table [quick]")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Quick, A::Error> {
        let mut seeds = None;
        let mut changes = BTreeMap::new();
        while let Some(key) = map.next_key::<String>()? {
            if key == "seeds" {
                seeds = Some(map.next_value()?);
            } else if Task::FAMILIES.contains(&key.as_str()) {
                changes.insert(key, map.next_value()?);
            } else {
                return Err(A::Error::unknown_field(&key, Task::QUICK_KEYS));
            }
        }
        let seeds = seeds.ok_or_else(|| A::Error::missing_field("seeds"))?;
        Ok(Quick { seeds, changes })
    }
}

impl JsonSchema for Quick {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Quick".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let seeds = json!({
            "type": "integer",
            "minimum": 1,
            "description": "The number of seeds of each cell.",
        });
        let changes = |family: &str| {
            json!({
                "type": "object",
                "additionalProperties": true,
                "description": format!(
                    "The keys that change in cells of the family `{family}`, by their dotted paths."
                ),
            })
        };
        let families = Task::FAMILIES.iter();
        let mut properties: Map<_, _> = families
            .map(|family| (family.to_string(), changes(family)))
            .collect();
        properties.insert("seeds".into(), seeds);
        json_schema!({
            "type": "object",
            "description": "What `--quick` changes.",
            "properties": properties,
            "required": ["seeds"],
            "additionalProperties": false,
        })
    }
}
