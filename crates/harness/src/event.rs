//! TensorBoard's event files, as far as we write them: records of TensorFlow's, each a
//! protocol-buffer message between checksums. The numbers of fields are those of its
//! `event.proto`, `summary.proto`, `tensor.proto` and, for hyper-parameters, of
//! `tensorboard/plugins/hparams/plugin_data.proto`.

use std::collections::BTreeMap;
use std::io::Write;

use prost::{Message, Oneof};

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Event {
    /// Seconds since 1970.
    #[prost(double, tag = "1")]
    pub wall_time: f64,
    #[prost(int64, tag = "2")]
    pub step: i64,
    #[prost(oneof = "What", tags = "3, 5")]
    pub what: Option<What>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum What {
    #[prost(string, tag = "3")]
    FileVersion(String),
    #[prost(message, tag = "5")]
    Summary(Summary),
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Summary {
    #[prost(message, repeated, tag = "1")]
    pub values: Vec<Value>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Value {
    #[prost(string, tag = "1")]
    pub tag: String,
    #[prost(message, optional, tag = "9")]
    pub metadata: Option<Metadata>,
    #[prost(oneof = "Number", tags = "2, 8")]
    pub number: Option<Number>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum Number {
    #[prost(float, tag = "2")]
    Simple(f32),
    #[prost(message, tag = "8")]
    Tensor(Tensor),
}

/// A tensor of one number, which a summary of a plugin must have and nobody reads.
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

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Plugin {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(bytes = "vec", tag = "2")]
    pub content: Vec<u8>,
}

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
    #[prost(oneof = "Kind", tags = "2, 3, 4")]
    pub kind: Option<Kind>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum Kind {
    #[prost(double, tag = "2")]
    Number(f64),
    #[prost(string, tag = "3")]
    Text(String),
    #[prost(bool, tag = "4")]
    Truth(bool),
}

impl Event {
    /// Writes it as a record: its length, that checked, it, and it checked.
    pub(crate) fn write(&self, mut to: impl Write) -> std::io::Result<()> {
        let message = self.encode_to_vec();
        let length = (message.len() as u64).to_le_bytes();
        let mut record = length.to_vec();
        record.extend(masked(&length).to_le_bytes());
        record.extend(&message);
        record.extend(masked(&message).to_le_bytes());
        to.write_all(&record)
    }
}

/// A checksum of bytes, disguised as TensorFlow's records want it.
fn masked(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes)
        .rotate_right(15)
        .wrapping_add(0xa282_ead8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_the_one_that_tensorboard_writes() {
        // By tensorboard 2.21.0's RecordWriter, of Event(wall_time=1.5, step=3,
        // summary=Summary(value=[Summary.Value(tag="loss", simple_value=0.25)])).
        let expected =
            "1a00000000000000129bd82d09000000000000f83f10032a0d0a0b0a046c6f7373150000803ed054b255";
        let event = Event {
            wall_time: 1.5,
            step: 3,
            what: Some(What::Summary(Summary {
                values: vec![Value {
                    tag: "loss".into(),
                    metadata: None,
                    number: Some(Number::Simple(0.25)),
                }],
            })),
        };
        let mut bytes = Vec::new();
        event.write(&mut bytes).expect("writes");
        assert_eq!(kindling_formats::hex(&bytes), expected);
    }
}
