//! The config of any family as one type, which is made from the list of families.

use schemars::{JsonSchema, SchemaGenerator};
use toml::Table;

use crate::configs::check::Check;
use crate::configs::document::typed;
use crate::data_info::DataInfo;
use crate::error::{Error, Result};

use super::family::{Family, Figures};
use super::images::ImageData;

/// The images that `task` learns from.
fn images<F: Family>(task: &F) -> Option<&ImageData> {
    F::IMAGES.map(|images| images(task))
}

macro_rules! define_task {
    ($(
        $(#[$doc:meta])*
        $variant:ident($module:ident::$task:ident) {
            train: $train:path,
            $(parity: $parity:path,)?
        }
    )*) => {
        /// The part of a run's config that depends on the family.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Task {
            $($(#[$doc])* $variant(super::$module::$task),)*
        }

        impl Task {
            /// The names of all families.
            pub const FAMILIES: &'static [&'static str] =
                &[$(<super::$module::$task as Family>::NAME),*];

            /// The keys of `[quick]` in `study.toml`: `seeds` and the families.
            pub(crate) const QUICK_KEYS: &'static [&'static str] =
                &["seeds", $(<super::$module::$task as Family>::NAME),*];

            /// Reads the config of the family that is called `family`.
            ///
            /// # Errors
            ///
            /// If there is no such family, or if a key is unknown or missing or has a value of
            /// a wrong type.
            pub(crate) fn from_table(family: &str, table: Table, origin: &str) -> Result<Self> {
                $(if family == <super::$module::$task as Family>::NAME {
                    return typed(table, origin).map(Task::$variant);
                })*
                Err(no_family(family, origin))
            }

            /// The config as a table.
            pub(crate) fn to_table(&self) -> Table {
                let table = match self {
                    $(Task::$variant(task) => Table::try_from(task),)*
                };
                table.unwrap_or_default()
            }

            /// Refuses values that have the right type but are not valid.
            pub(crate) fn check(&self) -> Check {
                match self {
                    $(Task::$variant(task) => task.check(),)*
                }
            }

            /// Refuses a config that does not fit the images that it names.
            pub(crate) fn check_data(&self, data: &DataInfo) -> Check {
                if let Some(images) = self.images() {
                    images.check_data(data)?;
                }
                match self {
                    $(Task::$variant(task) => task.check_data(data),)*
                }
            }

            /// The name of the family in configs and records.
            pub fn family(&self) -> &'static str {
                match self {
                    $(Task::$variant(_) => <super::$module::$task as Family>::NAME,)*
                }
            }

            /// The names of the files that a finished run writes, except `record.json`. A
            /// trial does not write those about the test images.
            pub fn files(&self) -> Vec<&'static str> {
                let (all, of_tests) = match self {
                    $(Task::$variant(_) => (
                        <super::$module::$task as Family>::FILES,
                        <super::$module::$task as Family>::TEST_FILES,
                    ),)*
                };
                let of_tests = if self.validation().is_some() { &[] } else { of_tests };
                [all, of_tests].concat()
            }

            /// The number of training images (or rows) that a trial holds out to be evaluated
            /// on; `None` if the run is not a trial.
            pub fn validation(&self) -> Option<usize> {
                match self {
                    $(Task::$variant(task) => task.validation(),)*
                }
            }

            /// The number of epochs that the run trains. It is the number of iterations for
            /// the toy functions, and 0 if the family does not train.
            pub fn epochs(&self) -> usize {
                match self {
                    $(Task::$variant(task) => task.epochs(),)*
                }
            }

            /// The images that the run learns from; `None` if it generates its data.
            pub fn images(&self) -> Option<&ImageData> {
                match self {
                    $(Task::$variant(task) => images(task),)*
                }
            }

            /// Whether the family called `family` learns from images.
            pub(crate) fn learns_from_images(family: &str) -> bool {
                $(family == <super::$module::$task as Family>::NAME
                    && <super::$module::$task as Family>::IMAGES.is_some() ||)*
                false
            }

            /// How the report's figures show the family called `family`.
            pub fn figures(family: &str) -> Figures {
                $(if family == <super::$module::$task as Family>::NAME {
                    return <super::$module::$task as Family>::FIGURES;
                })*
                Figures::PLAIN
            }

            /// Shortens the run to a smoke run.
            pub(crate) fn shorten_to_smoke(&mut self) {
                match self {
                    $(Task::$variant(task) => task.shorten_to_smoke(),)*
                }
            }

            /// The JSON Schema of the tables of each family, by the family's name.
            pub(crate) fn schemas(
                generator: &mut SchemaGenerator,
            ) -> Vec<(&'static str, serde_json::Value)> {
                vec![$((
                    <super::$module::$task as Family>::NAME,
                    <super::$module::$task as JsonSchema>::json_schema(generator).to_value(),
                ),)*]
            }
        }
    };
}

crate::families!(define_task);

fn no_family(family: &str, origin: &str) -> Error {
    let known = match Task::FAMILIES {
        [others @ .., last] => format!("{} or {last}", others.join(", ")),
        [] => String::new(),
    };
    Error::key(
        origin,
        "family",
        format!("there is no family `{family}`; use {known}"),
    )
}
