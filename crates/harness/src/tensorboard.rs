//! `tensorboard/` of a run: what TensorBoard shows of it.
//!
//! An event file with a scalar an epoch for each figure of the history, and the
//! config's numbers as hyper-parameters; for what has codes, the tables that its
//! projector reads. It is a log, written while a run trains, and no result.

use std::collections::BTreeMap;
use std::fs::File;
use std::time::{SystemTime, UNIX_EPOCH};

use kindling_formats::{
    Error, HistoryRow, RunConfig, RunDir, read_csv, read_numbers, write_atomic,
};
use prost::Message;
use toml::Value as Key;

use crate::RunError;
use crate::event::{
    Dimension, Event, Hyperparameter, Hyperparameters, Kind, Metadata, Number, Plugin, Shape,
    Start, Summary, Tensor, Value, What,
};

/// The event file; TensorBoard knows it by a part of this name.
const FILE: &str = "events.out.tfevents.1.kindling";
/// `DT_FLOAT` of TensorFlow's types.
const FLOAT: i32 = 1;

/// The event file of a run, being written.
pub(crate) struct Events {
    file: File,
}

impl Events {
    /// Begins it anew, with what has been trained so far.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub(crate) fn begin(
        dir: &RunDir,
        config: &RunConfig,
        history: &[HistoryRow],
    ) -> Result<Self, RunError> {
        let folder = dir.tensorboard();
        std::fs::create_dir_all(&folder).map_err(Error::io("create the folder", &folder))?;
        let path = folder.join(FILE);
        let file = File::create(&path).map_err(Error::io("write", &path))?;
        let mut events = Self { file };
        let begin = |events: &mut Self| {
            // What every event file begins with.
            events.write(0, What::FileVersion("brain.Event:2".into()))?;
            events.write(0, hyperparameters(config))?;
            history.iter().try_for_each(|row| events.epoch(row))
        };
        begin(&mut events).map_err(Error::io("write", &path))?;
        Ok(events)
    }

    /// Adds the figures of an epoch, or an iteration.
    pub(crate) fn epoch(&mut self, row: &HistoryRow) -> std::io::Result<()> {
        let figures = [
            ("loss/train", Some(row.train_loss)),
            ("loss/test", Some(row.test_loss)),
            ("accuracy/train", row.train_accuracy),
            ("accuracy/test", row.test_accuracy),
            ("learning_rate", Some(row.learning_rate)),
        ];
        let values = figures.into_iter().filter_map(|(tag, figure)| {
            Some(Value {
                tag: tag.into(),
                metadata: None,
                number: Some(Number::Simple(figure? as f32)),
            })
        });
        let summary = Summary {
            values: values.collect(),
        };
        self.write(row.epoch, What::Summary(summary))
    }

    fn write(&mut self, step: usize, what: What) -> std::io::Result<()> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        Event {
            wall_time: now.unwrap_or_default().as_secs_f64(),
            step: step as i64,
            what: Some(what),
        }
        .write(&self.file)
    }
}

/// The config's numbers, words and switches by their dotted paths.
fn hyperparameters(config: &RunConfig) -> What {
    let mut values = BTreeMap::new();
    flatten("", Key::Table(config.to_table()), &mut values);
    values.remove("about");
    let content = Hyperparameters {
        start: Some(Start {
            values,
            group: config.cell.clone(), // seeds of a cell belong together
        }),
    };
    let plugin = Plugin {
        name: "hparams".into(),
        content: content.encode_to_vec(),
    };
    What::Summary(Summary {
        values: vec![Value {
            tag: "_hparams_/session_start_info".into(),
            metadata: Some(Metadata {
                plugin: Some(plugin),
            }),
            number: Some(Number::Tensor(Tensor {
                dtype: FLOAT,
                shape: Some(Shape {
                    dimensions: vec![Dimension { size: 1 }],
                }),
                values: vec![0.0],
            })),
        }],
    })
}

fn flatten(path: &str, value: Key, into: &mut BTreeMap<String, Hyperparameter>) {
    let kind = match value {
        Key::Table(table) => {
            for (key, value) in table {
                let path = if path.is_empty() {
                    key
                } else {
                    format!("{path}.{key}")
                };
                flatten(&path, value, into);
            }
            return;
        }
        Key::Integer(number) => Kind::Number(number as f64),
        Key::Float(number) => Kind::Number(number),
        Key::Boolean(truth) => Kind::Truth(truth),
        Key::String(text) => Kind::Text(text),
        other => Kind::Text(other.to_string()),
    };
    into.insert(path.to_string(), Hyperparameter { kind: Some(kind) });
}

/// Adds what is known at the end of a run: the history, where nobody has followed it,
/// and the codes.
///
/// # Errors
///
/// If a file cannot be read or written.
pub(crate) fn finish(dir: &RunDir, config: &RunConfig) -> Result<(), RunError> {
    let folder = dir.tensorboard();
    if dir.history().exists() && !folder.join(FILE).exists() {
        Events::begin(dir, config, &read_csv(&dir.history())?)?;
    }
    let codes = dir.file("codes.csv");
    if !codes.exists() {
        return Ok(());
    }
    let (_, rows) = read_numbers(&codes)?;
    let classes = dir.read_classes()?;
    let (mut points, mut labels) = (String::new(), String::new());
    for row in &rows {
        let code: Vec<String> = row[1..].iter().map(f64::to_string).collect();
        points += &(code.join("\t") + "\n");
        labels += classes.get(row[0] as usize).map_or("", String::as_str);
        labels += "\n";
    }
    let config = "embeddings {\n  tensor_name: \"codes\"\n  tensor_path: \"codes.tsv\"\n  \
                  metadata_path: \"labels.tsv\"\n}\n";
    for (name, text) in [
        ("codes.tsv", points.as_str()),
        ("labels.tsv", &labels),
        ("projector_config.pbtxt", config),
    ] {
        write_atomic(&folder.join(name), text.as_bytes())?;
    }
    Ok(())
}
