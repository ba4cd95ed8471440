//! How the hyper-parameters of a cell came about.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How the hyper-parameters of a cell came about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// They are the values that the cell's file gives.
    #[default]
    Written,
    /// Those that `tuning.toml` names were chosen by trials. The others are those of the
    /// cell's file.
    Tuned,
}

impl Protocol {
    /// The name of the protocol in files, and as the value of a flag.
    pub fn name(self) -> &'static str {
        match self {
            Protocol::Written => "written",
            Protocol::Tuned => "tuned",
        }
    }
}

impl FromStr for Protocol {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Written, Self::Tuned]
            .into_iter()
            .find(|protocol| protocol.name() == text)
            .ok_or_else(|| format!("there is no protocol `{text}`; use written or tuned"))
    }
}
