//! The folders that hold the results: the trees below `--out`, each with its `tree.json`, and
//! the folder of each run.

mod chosen;
mod layout;
mod looks;
mod run_dir;
mod tree;

pub use layout::{Layout, TreeKind};
pub use looks::{ClaimLooks, Look, Looks};
pub use run_dir::RunDir;
pub use tree::{GENERATED, MNIST, OtherData, Tree, Variant};
