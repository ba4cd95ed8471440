//! `cargo xtask bench --study`: the time that all cells take as they would be run, several at a time
//! with one thread each.

use std::path::Path;
use std::sync::Mutex;
use std::time::Instant;

use anyhow::Context;
use kindling_formats::{CsvRow, RunConfig, write_csv};
use kindling_report::{Align, plain_table};
use kindling_runner::TrainingProgram;
use serde::{Deserialize, Serialize};

use super::medians::OURS;
use super::programs::{Installed, Trained, train_ours};
use crate::ui::output;

/// How many cells are trained at a time.
const PROCESSES: usize = 2;

/// A row of `study.csv`: one training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Row {
    /// [`OURS`], or the name of a peer.
    peer: String,
    cell: String,
    /// Seconds of the whole process.
    seconds: f64,
    test_loss: Option<f64>,
    test_accuracy: Option<f64>,
}

impl CsvRow for Row {
    const COLUMNS: &'static [&'static str] =
        &["peer", "cell", "seconds", "test_loss", "test_accuracy"];
}

/// Trains `configs` in Kindling, and then in each peer, in this order. Prints the times, and writes
/// the table `path`.
pub fn compare(
    configs: &[RunConfig],
    program: &TrainingProgram,
    peers: &[Installed],
    path: &Path,
) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    let mut seconds = Vec::new();
    let mut run = |name: &str, train: &(dyn Fn(&RunConfig) -> anyhow::Result<Trained> + Sync)| {
        let start = Instant::now();
        rows.extend(train_all(configs, name, train)?);
        write_csv(path, &rows)?;
        seconds.push(start.elapsed().as_secs_f64());
        anyhow::Ok(())
    };
    run(OURS, &|config| train_ours(program, config, 1))?;
    for peer in peers {
        run(peer.peer.name(), &|config| peer.train(config, 1))?;
    }
    let names = std::iter::once("Kindling").chain(peers.iter().map(|peer| peer.peer.title()));
    output::print(table(names.zip(seconds)).trim_end());
    Ok(())
}

/// Trains the configs in their order, [`PROCESSES`] at a time. Returns their rows in this order.
fn train_all(
    configs: &[RunConfig],
    name: &str,
    train: &(dyn Fn(&RunConfig) -> anyhow::Result<Trained> + Sync),
) -> anyhow::Result<Vec<Row>> {
    let one = |config: &RunConfig| {
        let start = Instant::now();
        let trained = train(config).with_context(|| format!("{} in {name}", config.cell))?;
        let seconds = start.elapsed().as_secs_f64();
        output::print(format_args!(
            "{name:<9} {:<14} {seconds:>7.1} s",
            config.cell
        ));
        Ok(Row {
            peer: name.to_string(),
            cell: config.cell.clone(),
            seconds,
            test_loss: trained.test_loss,
            test_accuracy: trained.test_accuracy,
        })
    };
    in_parallel(configs, &one)
}

/// Calls `work` for each item, on [`PROCESSES`] threads that take the next item until none is left.
/// Returns the results in the order of the items. After an error, no further item is taken.
fn in_parallel<T: Sync, R: Send>(
    items: &[T],
    work: &(dyn Fn(&T) -> anyhow::Result<R> + Sync),
) -> anyhow::Result<Vec<R>> {
    let queue = Mutex::new(items.iter().enumerate());
    // A thread that holds the lock cannot panic.
    let lock = || {
        queue
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    };
    let worker = || {
        let mut done = Vec::new();
        loop {
            let next = lock().next();
            let Some((index, item)) = next else {
                return Ok(done);
            };
            match work(item) {
                Ok(result) => done.push((index, result)),
                Err(error) => {
                    lock().by_ref().for_each(drop);
                    return Err(error);
                }
            }
        }
    };
    let mut all = Vec::with_capacity(items.len());
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..PROCESSES).map(|_| scope.spawn(worker)).collect();
        for worker in workers {
            let done = worker.join();
            all.extend(done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
        }
        anyhow::Ok(())
    })?;
    all.sort_by_key(|(index, _)| *index);
    Ok(all.into_iter().map(|(_, result)| result).collect())
}

/// The table of the whole times. The first one is ours.
fn table<'a>(times: impl Iterator<Item = (&'a str, f64)>) -> String {
    let mut ours = None;
    let rows = times.map(|(name, seconds)| {
        let ratio = ours.map_or(String::new(), |ours: f64| format!("{:.2}", ours / seconds));
        ours = ours.or(Some(seconds));
        [name.to_string(), format!("{seconds:.1}"), ratio]
    });
    let columns = [
        ("", Align::Left),
        ("seconds", Align::Right),
        ("ours/theirs", Align::Right),
    ];
    plain_table(&columns, rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::bail;

    #[test]
    fn results_are_in_the_order_of_the_items() {
        let items: Vec<u64> = (0..50).collect();
        let squares = in_parallel(&items, &|item| Ok(item * item)).expect("no error");
        assert_eq!(
            squares,
            items.iter().map(|item| item * item).collect::<Vec<_>>()
        );
    }

    #[test]
    fn after_an_error_no_item_is_taken() {
        let items: Vec<usize> = (0..1000).collect();
        let taken = Mutex::new(Vec::new());
        let work = |item: &usize| {
            taken.lock().expect("a lock").push(*item);
            bail!("{item} is broken");
            #[expect(unreachable_code, reason = "it gives the type of the result")]
            Ok(())
        };
        let error = in_parallel(&items, &work)
            .expect_err("an error")
            .to_string();
        assert!(error.ends_with("is broken"), "{error}");
        // Each thread takes at most one item.
        assert!(taken.into_inner().expect("a lock").len() <= PROCESSES);
    }

    #[test]
    fn the_ratio_is_ours_divided_by_theirs() {
        let times = [("Kindling", 30.0), ("Keras", 60.0), ("JAX", 20.0)];
        let table = table(times.into_iter());
        let words: Vec<Vec<&str>> = table
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(
            words[1..],
            [
                vec!["Kindling", "30.0"],
                vec!["Keras", "60.0", "0.50"],
                vec!["JAX", "20.0", "1.50"],
            ]
        );
    }
}
