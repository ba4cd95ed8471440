//! `cargo xtask bench`: compares the time of an epoch with the time that its arithmetic alone would
//! take (the floor), and on MNIST with that of other libraries (the peers).
//!
//! The speed of a shared machine varies. So each round trains a cell in Kindling and then in
//! each peer, and the result is the ratio of the two times. The floor is the number of operations
//! of an epoch, divided by the rate of a matrix product that is measured in the same round. A
//! convolution can be faster than its floor: its backward pass skips gradients that a max-pool
//! makes zero.

mod medians;
mod programs;
mod whole_study;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use kindling_formats::{
    Backend, Cell, Host, ImageData, RunConfig, RunData, Selection, Setting, Size, write_csv,
};
use kindling_runner::{TrainingProgram, cost, epoch_operations};

use crate::cli::{Bench, Changes, Peer};
use crate::error::{CommandError, CommandResult};
use crate::steps::{Build, build_program, cells_or, data_of, workspace};
use crate::ui::{self, output};
use medians::{Row, Turn, estimates, medians, table};
use programs::{Installed, Trained, build_rate, rate_of_product, train_ours};

/// The cells that are compared if the user names none.
const CELLS: [&str; 4] = ["linear", "mlp", "ae", "convnet"];

/// The peers that are compared with if the user names none. PyTorch is large.
const PEERS: [Peer; 2] = [Peer::Keras, Peer::Jax];

/// The epochs of a training if the user does not say it. The first one warms up.
const EPOCHS: u64 = 2;

/// A cell to compare.
struct Compared {
    /// Its config, with the epochs that are trained.
    config: RunConfig,
    /// The number of epochs that the cell has in the study.
    epochs: usize,
}

/// Trains every cell in Kindling and in the peers, and writes `bench/peers.csv` or
/// `bench/study.csv`.
pub fn bench(flags: &Bench) -> CommandResult {
    let threads = threads(&flags.threads, Host::cores())?;
    let cells = cells(flags)?;
    let peers = peers(flags, &cells)?;
    let program = build_program(&Build::with(&[Backend::Flex], &[]))?;
    let configs: Vec<RunConfig> = cells.iter().map(|cell| cell.config.clone()).collect();
    let data = data_of(&program, &configs)?;
    let installed: Vec<Installed> = peers
        .iter()
        .map(|&peer| Installed::new(peer, &flags.python))
        .collect::<anyhow::Result<_>>()?;
    let folder = workspace::out(&flags.folders)?.join("bench");
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make {}", folder.display()))?;
    let path = if flags.study {
        let path = folder.join("study.csv");
        whole_study::compare(&longest_first(configs, &data), &program, &installed, &path)?;
        path
    } else {
        let path = folder.join("peers.csv");
        let rows = rounds(flags, &cells, &data, &threads, &program, &installed, &path)?;
        print_medians(flags, &rows, &peers, &cells);
        path
    };
    output::print(format_args!("\n{}", ui::path(&path)));
    Ok(ExitCode::SUCCESS)
}

/// Trains each cell in each round with each number of threads. Writes and returns the rows.
fn rounds(
    flags: &Bench,
    cells: &[Compared],
    data: &[RunData],
    threads: &[usize],
    program: &TrainingProgram,
    peers: &[Installed],
    path: &Path,
) -> anyhow::Result<Vec<Row>> {
    let rate = build_rate()?;
    let mut rows: Vec<Row> = Vec::new();
    for round in 1..=flags.rounds {
        for (Compared { config, .. }, data) in cells.iter().zip(data) {
            let operations = data.info.as_ref();
            let operations = operations.and_then(|data| epoch_operations(config, data));
            for &threads in threads {
                let product = 1e9 * rate_of_product(&rate, threads)?;
                let turn = Turn {
                    round,
                    cell: config.cell.clone(),
                    threads,
                    floor_seconds: operations.unwrap_or(f64::NAN) / product,
                };
                let of_turn = train(&turn, config, program, peers)
                    .with_context(|| format!("{} in round {round}", config.cell))?;
                rows.extend(of_turn);
                write_csv(path, &rows)?;
            }
        }
    }
    Ok(rows)
}

/// Trains one cell in Kindling and in each peer. Prints and returns the rows.
fn train(
    turn: &Turn,
    config: &RunConfig,
    program: &TrainingProgram,
    peers: &[Installed],
) -> anyhow::Result<Vec<Row>> {
    let ours = train_ours(program, config, turn.threads)?;
    let theirs = peers
        .iter()
        .map(|peer| Ok((peer.peer, peer.train(config, turn.threads)?)))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let of_peer = |(peer, theirs): &(Peer, Trained)| {
        let (title, seconds) = (peer.title(), theirs.seconds);
        format!(
            "  {title} {seconds:>7.2} s  ratio {:.2}",
            ours.seconds / seconds
        )
    };
    let of_peers: String = theirs.iter().map(of_peer).collect();
    output::print(format_args!(
        "{:<14} round {}  {}  {:>7.2} s  floor {:.2}{of_peers}",
        turn.cell,
        turn.round,
        ui::count(turn.threads, "thread"),
        ours.seconds,
        ours.seconds / turn.floor_seconds
    ));
    Ok(turn.rows(&ours, &theirs))
}

/// Prints the medians over the rounds, and how long all epochs would take.
fn print_medians(flags: &Bench, rows: &[Row], peers: &[Peer], cells: &[Compared]) {
    let medians = medians(rows, peers);
    output::print(format_args!(
        "\nMedians of {}, {} each",
        ui::count(flags.rounds as usize, "round"),
        ui::count(flags.epochs.unwrap_or(EPOCHS) as usize, "epoch"),
    ));
    output::print(table(&medians, peers).trim_end());
    output::print("\nEstimate for all epochs of these cells, one seed");
    let epochs: Vec<(&str, usize)> = cells
        .iter()
        .map(|cell| (cell.config.cell.as_str(), cell.epochs))
        .collect();
    for line in estimates(&medians, peers, &epochs) {
        output::print(line);
    }
}

/// The numbers of threads to compare, each once. Without any, it is the number of `cores`.
fn threads(named: &[u64], cores: usize) -> Result<Vec<usize>, CommandError> {
    let mut threads = Vec::new();
    for &count in named {
        let count = count as usize;
        if count > cores {
            return Err(CommandError::bad_input(format!(
                "--threads {count}: this machine has {}; name at most so many threads",
                ui::count(cores, "core")
            )));
        }
        if !threads.contains(&count) {
            threads.push(count);
        }
    }
    if threads.is_empty() {
        threads.push(cores);
    }
    Ok(threads)
}

/// The peers to compare with, each once. They train on all of MNIST, so there are none if a cell
/// has other images.
fn peers(flags: &Bench, cells: &[Compared]) -> Result<Vec<Peer>, CommandError> {
    if flags.no_peers {
        return Ok(Vec::new());
    }
    let mnist = ImageData::all(None);
    let other = cells
        .iter()
        .find(|cell| cell.config.images() != Some(&mnist));
    match (other, flags.peer.as_slice()) {
        (Some(_), []) => Ok(Vec::new()),
        (Some(cell), [peer, ..]) => Err(CommandError::bad_input(format!(
            "--peer {}: it trains on all of MNIST, and {} has other images; leave --peer out to \
             compare with the floor only",
            peer.name(),
            cell.config.cell
        ))),
        (None, []) => Ok(PEERS.to_vec()),
        (None, named) => Ok(Peer::ALL
            .into_iter()
            .filter(|peer| named.contains(peer))
            .collect()),
    }
}

/// The cells to compare. Without names, these are a few cells, or for `--study` all that learn from
/// images.
fn cells(flags: &Bench) -> Result<Vec<Compared>, CommandError> {
    let study = workspace::study(&flags.folders)?;
    let epochs = match (flags.epochs, flags.study) {
        (None, true) => None,
        (epochs, _) => Some(epochs.unwrap_or(EPOCHS)),
    };
    let epochs = epochs.map(|epochs| format!("train.epochs={epochs}").parse());
    let epochs = epochs.transpose().map_err(CommandError::bad_input)?;
    let whole = selection(flags, None)?;
    let short = selection(flags, epochs)?;
    let compared = |cell: &Cell| {
        let resolve = |selection| {
            let resolved = study.resolve(cell, 0, selection);
            resolved.map_err(CommandError::input)
        };
        let epochs = resolve(&whole)?.task.epochs();
        let learns = epochs > 0 && resolve(&whole)?.images().is_some();
        let compared = || {
            let config = resolve(&short)?;
            Ok(Compared { config, epochs })
        };
        learns.then(compared).transpose()
    };
    if flags.study && flags.cells.is_empty() {
        let all = study.cells().iter().map(compared);
        return all.filter_map(Result::transpose).collect();
    }
    cells_or(&flags.cells, &CELLS)
        .into_iter()
        .map(|name| {
            let cell = study.cell(&name).map_err(CommandError::input)?;
            compared(cell)?.ok_or_else(|| {
                CommandError::input(anyhow!(
                    "{name} cannot be compared: name a cell that trains for epochs on images"
                ))
            })
        })
        .collect()
}

/// The study's runs of full size, with the user's changes and then the setting `more`.
fn selection(flags: &Bench, more: Option<Setting>) -> Result<Selection, CommandError> {
    let Changes { set, data } = &flags.changes;
    Ok(Selection {
        set: set.iter().cloned().chain(more).collect(),
        data: workspace::data("--data", data.as_deref())?,
        ..Selection::own(Size::Full)
    })
}

/// The configs, that of the longest training first, so that no process waits long for the last
/// one. The order is the same for all peers.
fn longest_first(configs: Vec<RunConfig>, data: &[RunData]) -> Vec<RunConfig> {
    let mut configs: Vec<(f64, RunConfig)> = configs
        .into_iter()
        .zip(data)
        .map(|(config, data)| (cost(&config, data.info.as_ref()), config))
        .collect();
    configs.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    configs.into_iter().map(|(_, config)| config).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_are_at_most_one_per_core() {
        let of = |named: &[u64]| threads(named, 4).map_err(|error| error.text());
        assert_eq!(of(&[]), Ok(vec![4]));
        assert_eq!(of(&[2, 1, 2]), Ok(vec![2, 1]));
        let error = of(&[1, 5]).expect_err("an error");
        assert!(
            error.contains("--threads 5: this machine has 4 cores"),
            "{error}"
        );
    }
}
