//! The small study that the tests of this crate share. Its files are in `tests/samples/`. The
//! fuzz targets read them, too.

use crate::configs::{RunConfig, Study};
use crate::error::Result;

pub(crate) const STUDY: &str = include_str!("../tests/samples/study.toml");
pub(crate) const MLP: &str = include_str!("../tests/samples/mlp.toml");
pub(crate) const DROPOUT: &str = include_str!("../tests/samples/dropout.toml");
pub(crate) const PCA: &str = include_str!("../tests/samples/pca.toml");
pub(crate) const AUTOENCODER: &str = include_str!("../tests/samples/autoencoder.toml");

/// Reads a study whose folder holds these files.
pub(crate) fn study(files: &[(&str, &str)]) -> Result<Study> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).expect("writes");
    }
    Study::read(folder.path())
}

/// The config of a full run with seed 1 on flex. `cell` is the text of the cell's file; its
/// keys override those of the run. Errors name the file `test.toml`.
pub(crate) fn run_config(cell: &str) -> Result<RunConfig> {
    let mut table: toml::Table = "seed = 1\nbackend = \"flex\"\nprecision = \"full\"\n\
         size = \"full\""
        .parse()
        .expect("TOML");
    table.extend(cell.parse::<toml::Table>().expect("TOML"));
    table.remove("seeds");
    RunConfig::from_table(table, "test.toml")
}
