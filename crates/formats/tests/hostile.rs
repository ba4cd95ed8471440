//! Fuzz targets. Reading any bytes, as a file or as `--set`, gives a value or an error and
//! never a panic, and the memory that it takes is limited by the number of bytes.
//!
//! `cargo test` tries some random inputs and the inputs in `__fuzz__`. Every input that once
//! failed is kept there. These commands search for more:
//!
//! ```text
//! cargo install --locked cargo-bolero
//! cargo bolero test -p kindling-formats --rustc-bootstrap --sanitizer NONE configs
//! ```

use std::path::{Component, Path};

use bolero::check;
use kindling_formats::{
    Checkpoint, CheckpointState, Choices, History, Layout, Looks, Record, RunConfig, RunDir,
    RunIdentity, Selection, Setting, Size, Study, TimingRow, Tree, read_csv, read_numbers,
};
use sha2::{Digest, Sha256};

/// The maximum number of bytes of memory for each byte of a file. The TOML parser keeps an
/// error of about a kilobyte for each wrong byte.
const FACTOR: usize = 2000;
/// The number of bytes of memory that reading may take for an empty file.
const BASE: usize = 100_000;
/// The maximum number of cells that the sweeps of one file can make.
const CELLS: usize = 1000;

/// Runs `read`, and checks that it held at most `limit` bytes of memory at any time.
fn within(limit: usize, mut read: impl FnMut()) {
    let used = allocation_counter::measure(&mut read).bytes_max;
    assert!(
        used <= limit as u64,
        "{used} bytes where {limit} are enough"
    );
}

/// The text of a file. Bytes that are not UTF-8 become an empty text, since reading a file
/// refuses them.
fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

/// Checks that `config` is read back as it was written, and that the folder of its run lies
/// below `--out`.
fn check_config(config: &RunConfig) {
    let table = config.to_toml().parse().expect("TOML");
    let again = RunConfig::from_table(table, "again").expect("valid");
    assert_eq!(*config, again);
    assert_eq!(config.hash(), again.hash());
    for size in [Size::Full, Size::Quick, Size::Smoke] {
        let layout = Layout::new(Path::new("out"), size);
        let run = layout.partial(&config.cell, config.seed);
        let below = run.path().strip_prefix(layout.runs()).expect("below");
        let parts: Vec<Component> = below.components().collect();
        assert!(matches!(
            parts[..],
            [Component::Normal(_), Component::Normal(_)]
        ));
    }
}

#[test]
fn configs() {
    check!().for_each(|bytes| {
        within(FACTOR * bytes.len() + BASE, || {
            if let Ok(table) = text(bytes).parse()
                && let Ok(config) = RunConfig::from_table(table, "config.toml")
            {
                check_config(&config);
            }
        });
    });
}

/// Makes a folder `configs/` with these files.
fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, bytes) in files {
        std::fs::write(folder.path().join(name), bytes).expect("writes");
    }
    folder
}

const STUDY: &[u8] = include_bytes!("samples/study.toml");
const MLP: &[u8] = include_bytes!("samples/mlp.toml");

fn selection(size: Size, set: Vec<Setting>) -> Selection {
    Selection {
        set,
        ..Selection::own(size)
    }
}

#[test]
fn studies() {
    let folder = folder(&[("cell.toml", MLP)]);
    let path = folder.path().join("study.toml");
    check!().for_each(|bytes| {
        std::fs::write(&path, bytes).expect("writes");
        within(FACTOR * (bytes.len() + MLP.len()) + BASE, || {
            let _ = Study::read(folder.path());
        });
    });
}

#[test]
fn cells() {
    let folder = folder(&[("study.toml", STUDY)]);
    let path = folder.path().join("cell.toml");
    check!().for_each(|bytes| {
        std::fs::write(&path, bytes).expect("writes");
        within(CELLS * FACTOR * bytes.len() + BASE, || {
            let Ok(study) = Study::read(folder.path()) else {
                return;
            };
            for size in [Size::Full, Size::Quick, Size::Smoke] {
                if let Ok(configs) = study.expand(&selection(size, Vec::new())) {
                    configs.iter().for_each(check_config);
                }
            }
        });
    });
}

#[test]
fn claims() {
    let folder = folder(&[("study.toml", STUDY), ("cell.toml", MLP)]);
    let path = folder.path().join("claims.toml");
    check!().for_each(|bytes| {
        std::fs::write(&path, bytes).expect("writes");
        within(FACTOR * bytes.len() + BASE, || {
            if let Ok(study) = Study::read(folder.path()) {
                for claim in study.claims() {
                    assert!(claim.bounds().is_some() && !claim.cells().is_empty());
                }
            }
        });
    });
}

/// A study whose `tuning.toml` is the input. Trials have at most 1,000 candidates with ten seeds.
#[test]
fn tunings() {
    let folder = folder(&[("study.toml", STUDY), ("cell.toml", MLP)]);
    let path = folder.path().join("tuning.toml");
    check!().for_each(|bytes| {
        std::fs::write(&path, bytes).expect("writes");
        within(CELLS * FACTOR * (bytes.len() + MLP.len()) + BASE, || {
            let Ok(study) = Study::read(folder.path()) else {
                return;
            };
            let selection = selection(Size::Quick, Vec::new());
            if let Ok(trials) = study.selected_trials(&selection)
                && let Ok(configs) = study.trial_configs(&trials, &selection)
            {
                configs.iter().for_each(check_config);
            }
        });
    });
}

/// A study for which the input is `choices.toml`.
#[test]
fn choices() {
    let folder = folder(&[("study.toml", STUDY), ("cell.toml", MLP)]);
    let study = Study::read(folder.path()).expect("a valid study");
    let cell = study.cell("mlp").expect("a cell");
    let path = folder.path().join("choices.toml");
    check!().for_each(|bytes| {
        std::fs::write(&path, bytes).expect("writes");
        within(FACTOR * (bytes.len() + MLP.len()) + BASE, || {
            let Ok(choices) = Choices::read(&path) else {
                return;
            };
            choices.write(&path).expect("writes");
            assert!(Choices::read(&path).is_ok());
            let tuned = Selection {
                choices: Some(choices),
                ..selection(Size::Full, Vec::new())
            };
            if let Ok(config) = study.resolve(cell, 0, &tuned) {
                check_config(&config);
            }
        });
    });
}

/// The input is `looks.json`, the ledger of looks at the claims.
#[test]
fn looks() {
    let folder = folder(&[]);
    let layout = Layout::new(folder.path(), Size::Full);
    std::fs::create_dir_all(layout.root()).expect("a folder");
    check!().for_each(|bytes| {
        std::fs::write(layout.looks(), bytes).expect("writes");
        within(FACTOR * bytes.len() + BASE, || {
            let _ = Looks::read(&layout);
        });
    });
}

/// Several `--set` options for one cell. Each line of the input is one option.
#[test]
fn settings() {
    let folder = folder(&[("study.toml", STUDY), ("cell.toml", MLP)]);
    let study = Study::read(folder.path()).expect("a valid study");
    let cell = study.cell("mlp").expect("a cell");
    check!().for_each(|bytes| {
        within(FACTOR * bytes.len() + BASE, || {
            let set: Result<Vec<Setting>, _> = text(bytes).lines().map(str::parse).collect();
            if let Ok(set) = set
                && let Ok(config) = study.resolve(cell, 0, &selection(Size::Quick, set))
            {
                check_config(&config);
                assert_eq!((config.cell.as_str(), config.seed), ("mlp", 0));
            }
        });
    });
}

#[test]
fn records() {
    check!().for_each(|bytes| {
        within(FACTOR * bytes.len() + BASE, || {
            if let Ok(record) = Record::from_json(bytes) {
                let text = record.to_json().expect("text");
                assert_eq!(Record::from_json(text.as_bytes()), Ok(record));
            }
        });
    });
}

#[test]
fn checkpoints() {
    check!().for_each(|bytes| {
        within(FACTOR * bytes.len() + BASE, || {
            // Once the bytes alone, and once the bytes after their digest.
            for bytes in [bytes, &sealed(bytes)] {
                if let Ok(checkpoint) = Checkpoint::from_bytes(bytes) {
                    let bytes = checkpoint.to_bytes().expect("bytes");
                    assert_eq!(Checkpoint::from_bytes(&bytes), Ok(checkpoint));
                }
            }
        });
    });
}

/// The bytes of a checkpoint: the first line, the digest of `rest`, and `rest`.
fn sealed(rest: &[u8]) -> Vec<u8> {
    let state = CheckpointState {
        identity: RunIdentity {
            config_hash: String::new(),
            data_fingerprint: String::new(),
            program: String::new(),
        },
        epoch: 0,
        seconds: 0.0,
        history: Vec::new(),
        timing: Vec::new(),
    };
    let none = Checkpoint {
        state,
        parts: Default::default(),
    };
    let whole = none.to_bytes().expect("bytes");
    let first = whole.split_inclusive(|&byte| byte == b'\n').next();
    let digest = kindling_formats::hex(&Sha256::digest(rest));
    [first.expect("a line"), digest.as_bytes(), b"\n", rest].concat()
}

#[test]
fn trees() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let layout = Layout::new(folder.path(), Size::Full);
    check!().for_each(|bytes| {
        std::fs::write(layout.tree(), bytes).expect("writes");
        within(FACTOR * bytes.len() + BASE, || {
            let Ok(tree) = Tree::read(&layout) else {
                return;
            };
            let Some(name) = tree.variant.name() else {
                return;
            };
            // For any variant, the folder with its name lies below the tree.
            let variant = layout.variant(&name);
            let below = variant.root().strip_prefix(layout.root()).expect("below");
            let mut parts = below.components();
            assert!(parts.all(|part| matches!(part, Component::Normal(_))));
            let _ = tree.variant.selection(Size::Full);
        });
    });
}

#[test]
fn tables() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = RunDir::new(folder.path()).history();
    check!().for_each(|bytes| {
        std::fs::write(&path, bytes).expect("writes");
        within(FACTOR * bytes.len() + BASE, || {
            let _ = History::read(&path);
            let _ = read_csv::<TimingRow>(&path);
            let _ = read_numbers(&path);
        });
    });
}
