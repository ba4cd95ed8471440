//! How two configs differ.

use std::collections::{BTreeMap, BTreeSet};

use super::keys::{leaves, value_at};
use super::run_config::RunConfig;

/// How many changed keys the text names. It counts the others.
const SHOWN: usize = 3;

impl RunConfig {
    /// Describes how this config of a trained run differs from the config in the `study`, as
    /// in `train.epochs was 5, and the study says 20`. The text is empty if both configs
    /// describe the same training.
    pub fn changes(&self, study: &Self) -> String {
        let (trained, study) = (values(self), values(study));
        let keys: BTreeSet<&String> = trained.keys().chain(study.keys()).collect();
        let shown = |value: Option<&String>| value.cloned().unwrap_or_else(|| "absent".into());
        let changes: Vec<String> = keys
            .into_iter()
            .filter(|key| trained.get(*key) != study.get(*key))
            .map(|key| {
                let (was, is) = (shown(trained.get(key)), shown(study.get(key)));
                format!("{key} was {was}, and the study says {is}")
            })
            .collect();
        let more = changes.len().saturating_sub(SHOWN);
        let mut text = changes[..changes.len().min(SHOWN)].join("; ");
        if more > 0 {
            text += &format!("; and {more} more");
        }
        text
    }
}

/// The values of a config by their dotted paths. Values that do not change a training are
/// left out.
fn values(config: &RunConfig) -> BTreeMap<String, String> {
    let table = config.to_table();
    let mut paths = Vec::new();
    leaves(&table, "", &mut |path| paths.push(path.to_string()));
    paths.retain(|path| !["about", "section", "data.dir"].contains(&path.as_str()));
    let values = paths
        .iter()
        .filter_map(|path| Some((path.clone(), value_at(&table, path)?.to_string())));
    values.collect()
}
