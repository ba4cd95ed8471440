//! The tables from which TensorBoard's projector draws the codes of the test images.

use kindling_formats::{RunDir, read_numbers, write_atomic};

use crate::RunError;

/// The projector's config: which tables hold the points and their labels.
const CONFIG: &str = "embeddings {\n  tensor_name: \"codes\"\n  tensor_path: \"codes.tsv\"\n  \
                      metadata_path: \"labels.tsv\"\n}\n";

/// Writes the projector's files if the run has written a `codes.csv`. `classes` are the names of
/// the classes.
///
/// # Errors
///
/// If a file cannot be read or written.
pub(crate) fn write_projector(dir: &RunDir, classes: &[String]) -> Result<(), RunError> {
    let codes = dir.file("codes.csv");
    if !codes.exists() {
        return Ok(());
    }
    let (_, rows) = read_numbers(&codes)?;
    let (mut points, mut labels) = (String::new(), String::new());
    for row in &rows {
        let code: Vec<String> = row[1..].iter().map(f64::to_string).collect();
        points += &(code.join("\t") + "\n");
        labels += classes.get(row[0] as usize).map_or("", String::as_str);
        labels += "\n";
    }
    let folder = dir.tensorboard();
    for (name, text) in [
        ("codes.tsv", points.as_str()),
        ("labels.tsv", &labels),
        ("projector_config.pbtxt", CONFIG),
    ] {
        write_atomic(&folder.join(name), text.as_bytes())?;
    }
    Ok(())
}
