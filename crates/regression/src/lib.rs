//! x
use kindling_harness::{Run, RunError};
use kindling_spec::{AutoencoderTask, PcaTask, GradientsTask, RegressionTask, Record};
/// x
pub fn gradients(_: &GradientsTask, _: &Run) -> Result<Record, RunError> { Err(RunError::Other("".into())) }
/// x
pub fn train(_: &RegressionTask, _: &Run) -> Result<Record, RunError> { Err(RunError::Other("".into())) }
