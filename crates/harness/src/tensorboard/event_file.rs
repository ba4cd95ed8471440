//! Writes the event file, which holds the figures of each epoch and the hyper-parameters.

use std::collections::BTreeMap;
use std::fs::File;
use std::time::{SystemTime, UNIX_EPOCH};

use kindling_formats::{DataInfo, Error, History, HistoryRow, RunConfig, RunDir, Split};
use prost::Message;
use toml::Value as Toml;

use super::messages::{
    Content, Dimension, Event, Figure, Hyperparameter, Hyperparameters, Metadata, Plugin, Setting,
    Shape, Start, Summary, Tensor, Value,
};
use crate::RunError;

/// The name of the event file. TensorBoard reads files with `tfevents` in their names.
const FILE: &str = "events.out.tfevents.1.kindling";
/// The number of the type `DT_FLOAT` in TensorFlow's `types.proto`.
const DT_FLOAT: i32 = 1;

/// Writes the event file of a run.
pub(crate) struct EventWriter {
    file: File,
    /// The split on which the run is evaluated.
    evaluated: Split,
}

impl EventWriter {
    /// Creates or replaces the event file. It writes the hyper-parameters and the epochs so
    /// far.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub(crate) fn create(
        dir: &RunDir,
        config: &RunConfig,
        data: Option<&DataInfo>,
        history: &[HistoryRow],
    ) -> Result<Self, RunError> {
        let folder = dir.tensorboard();
        std::fs::create_dir_all(&folder).map_err(Error::io("create the folder", &folder))?;
        let path = folder.join(FILE);
        let file = File::create(&path).map_err(Error::io("write", &path))?;
        let evaluated = config.evaluated_split();
        let mut writer = Self { file, evaluated };
        writer
            .write_head(config, data, history)
            .map_err(Error::io("write", &path))?;
        Ok(writer)
    }

    fn write_head(
        &mut self,
        config: &RunConfig,
        data: Option<&DataInfo>,
        history: &[HistoryRow],
    ) -> std::io::Result<()> {
        // Every event file begins with this version of the format.
        self.write(0, Content::FileVersion("brain.Event:2".into()))?;
        self.write(0, hyperparameters(config, data))?;
        history.iter().try_for_each(|row| self.write_epoch(row))
    }

    /// Adds the figures of an epoch, or of an iteration of a toy function.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub(crate) fn write_epoch(&mut self, row: &HistoryRow) -> std::io::Result<()> {
        let evaluated = self.evaluated;
        let figures: [(String, Option<f64>); 5] = [
            ("loss/train".into(), Some(row.train_loss)),
            (format!("loss/{evaluated}"), Some(row.evaluated_loss)),
            ("accuracy/train".into(), row.train_accuracy),
            (format!("accuracy/{evaluated}"), row.evaluated_accuracy),
            ("learning_rate".into(), Some(row.learning_rate)),
        ];
        let values = figures.into_iter().filter_map(|(tag, figure)| {
            Some(Value {
                tag,
                metadata: None,
                figure: Some(Figure::Scalar(figure? as f32)),
            })
        });
        let summary = Summary {
            values: values.collect(),
        };
        self.write(row.epoch, Content::Summary(summary))
    }

    fn write(&mut self, step: usize, content: Content) -> std::io::Result<()> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        Event {
            wall_time: now.unwrap_or_default().as_secs_f64(),
            step: step as i64,
            content: Some(content),
        }
        .write(&self.file)
    }
}

/// Writes the event file of a finished run if it has a history and no event file yet.
///
/// # Errors
///
/// If a file cannot be read or written.
pub(crate) fn ensure_event_file(
    dir: &RunDir,
    config: &RunConfig,
    data: Option<&DataInfo>,
) -> Result<(), RunError> {
    if dir.history().exists() && !dir.tensorboard().join(FILE).exists() {
        EventWriter::create(dir, config, data, &History::read(&dir.history())?.rows)?;
    }
    Ok(())
}

/// The event that holds all values of the config by their dotted paths, as `train.epochs`, and
/// the shape of the images and the number of classes.
fn hyperparameters(config: &RunConfig, data: Option<&DataInfo>) -> Content {
    let mut values = BTreeMap::new();
    flatten("", Toml::Table(config.to_table()), &mut values);
    values.remove("about");
    if let Some(data) = data {
        let shape = Toml::String(data.shape.to_string());
        let classes = Toml::Integer(data.classes.len() as i64);
        flatten("images.shape", shape, &mut values);
        flatten("images.classes", classes, &mut values);
    }
    let content = Hyperparameters {
        start: Some(Start {
            values,
            group: config.cell.clone(), // TensorBoard groups the seeds of a cell
        }),
    };
    let plugin = Plugin {
        name: "hparams".into(),
        content: content.encode_to_vec(),
    };
    Content::Summary(Summary {
        values: vec![Value {
            tag: "_hparams_/session_start_info".into(),
            metadata: Some(Metadata {
                plugin: Some(plugin),
            }),
            figure: Some(Figure::Tensor(Tensor {
                dtype: DT_FLOAT,
                shape: Some(Shape {
                    dimensions: vec![Dimension { size: 1 }],
                }),
                values: vec![0.0],
            })),
        }],
    })
}

/// Adds `value`, or the values of the table `value`, to `into` by their dotted paths.
fn flatten(path: &str, value: Toml, into: &mut BTreeMap<String, Hyperparameter>) {
    let setting = match value {
        Toml::Table(table) => {
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
        Toml::Integer(number) => Setting::Number(number as f64),
        Toml::Float(number) => Setting::Number(number),
        Toml::Boolean(switch) => Setting::Switch(switch),
        Toml::String(text) => Setting::Text(text),
        other => Setting::Text(other.to_string()),
    };
    let setting = Some(setting);
    into.insert(path.to_string(), Hyperparameter { setting });
}
