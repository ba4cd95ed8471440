//! The commands that train the study and show its results.

mod claims;
mod clean;
mod compare;
mod experiments;
mod http;
mod judging;
mod list;
mod new;
mod plan;
mod publish;
mod report;
mod serve;
mod task;
mod train;
mod tune;
mod until_decided;
mod watch;

pub use claims::claims;
pub use clean::clean;
pub use compare::compare;
pub use experiments::experiments;
pub use new::new;
pub use report::report;
pub use serve::serve;
pub use task::task;
pub use train::train;
pub use tune::tune;
pub use watch::watch;
