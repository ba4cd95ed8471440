//! The protocol-buffer messages of TensorBoard's event files, and how an event is written.
//!
//! Only the fields that we write are declared. The tags are those of TensorFlow's
//! `event.proto`, `summary.proto` and `tensor.proto`. For hyper-parameters, they are those of
//! `tensorboard/plugins/hparams/plugin_data.proto`.

use std::collections::BTreeMap;
use std::io::Write;

use prost::{Message, Oneof};

/// One entry of an event file.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Event {
    /// Seconds since 1970.
    #[prost(double, tag = "1")]
    pub wall_time: f64,
    /// The epoch, or the iteration of a toy function.
    #[prost(int64, tag = "2")]
    pub step: i64,
    #[prost(oneof = "Content", tags = "3, 5")]
    pub content: Option<Content>,
}

/// What an [`Event`] holds.
#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum Content {
    #[prost(string, tag = "3")]
    FileVersion(String),
    #[prost(message, tag = "5")]
    Summary(Summary),
}

/// The figures of one step.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Summary {
    #[prost(message, repeated, tag = "1")]
    pub values: Vec<Value>,
}

/// A figure with its name.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Value {
    #[prost(string, tag = "1")]
    pub tag: String,
    #[prost(message, optional, tag = "9")]
    pub metadata: Option<Metadata>,
    #[prost(oneof = "Figure", tags = "2, 8")]
    pub figure: Option<Figure>,
}

/// The figure of a [`Value`].
#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum Figure {
    #[prost(float, tag = "2")]
    Scalar(f32),
    #[prost(message, tag = "8")]
    Tensor(Tensor),
}

/// A tensor of one value. The summary of a plugin must hold a tensor, and TensorBoard ignores
/// the value.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Tensor {
    #[prost(int32, tag = "1")]
    pub dtype: i32,
    #[prost(message, optional, tag = "2")]
    pub shape: Option<Shape>,
    #[prost(float, repeated, tag = "5")]
    pub values: Vec<f32>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Shape {
    #[prost(message, repeated, tag = "2")]
    pub dimensions: Vec<Dimension>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Dimension {
    #[prost(int64, tag = "1")]
    pub size: i64,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Metadata {
    #[prost(message, optional, tag = "1")]
    pub plugin: Option<Plugin>,
}

/// Data for a plugin of TensorBoard.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Plugin {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(bytes = "vec", tag = "2")]
    pub content: Vec<u8>,
}

/// The content for the plugin `hparams`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Hyperparameters {
    #[prost(message, optional, tag = "3")]
    pub start: Option<Start>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Start {
    #[prost(btree_map = "string, message", tag = "1")]
    pub values: BTreeMap<String, Hyperparameter>,
    #[prost(string, tag = "4")]
    pub group: String,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Hyperparameter {
    #[prost(oneof = "Setting", tags = "2, 3, 4")]
    pub setting: Option<Setting>,
}

/// The value of a [`Hyperparameter`].
#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum Setting {
    #[prost(double, tag = "2")]
    Number(f64),
    #[prost(string, tag = "3")]
    Text(String),
    #[prost(bool, tag = "4")]
    Switch(bool),
}

impl Event {
    /// Appends the event to a file, in TensorFlow's format: the length of the message, a
    /// checksum of the length, the message, a checksum of the message.
    pub(crate) fn write(&self, mut to: impl Write) -> std::io::Result<()> {
        let message = self.encode_to_vec();
        let length = (message.len() as u64).to_le_bytes();
        let mut record = length.to_vec();
        record.extend(masked_crc(&length).to_le_bytes());
        record.extend(&message);
        record.extend(masked_crc(&message).to_le_bytes());
        to.write_all(&record)
    }
}

/// The checksum of TensorFlow's record files: a CRC-32C, rotated and shifted.
fn masked_crc(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes)
        .rotate_right(15)
        .wrapping_add(0xa282_ead8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_the_bytes_that_tensorboard_writes() {
        // These bytes are from RecordWriter of tensorboard 2.21.0, for Event(wall_time=1.5, step=3,
        // summary=Summary(value=[Summary.Value(tag="loss", simple_value=0.25)])).
        let expected =
            "1a00000000000000129bd82d09000000000000f83f10032a0d0a0b0a046c6f7373150000803ed054b255";
        let event = Event {
            wall_time: 1.5,
            step: 3,
            content: Some(Content::Summary(Summary {
                values: vec![Value {
                    tag: "loss".into(),
                    metadata: None,
                    figure: Some(Figure::Scalar(0.25)),
                }],
            })),
        };
        let mut bytes = Vec::new();
        event.write(&mut bytes).expect("writes");
        assert_eq!(kindling_formats::hex(&bytes), expected);
    }
}
