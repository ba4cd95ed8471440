//! Estimates how long runs will take, and how much disk, from runs that were recorded before.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use kindling_formats::{
    DataInfo, Layout, Record, ResultRow, RunConfig, RunDir, RunStatus, Selection, Size, Study,
    TreeKind, read_csv,
};

use crate::cost::cost;
use crate::slot::RunSlot;

/// What runs take, judged by earlier runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// The seconds until all runs have ended.
    pub seconds: f64,
    /// The bytes that the results of all runs take; `None` if nothing is known about the size of
    /// their networks.
    pub bytes: Option<f64>,
    /// Which runs the estimate is judged by.
    pub basis: Basis,
}

/// Which runs an estimate is judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Basis {
    /// Runs of the same cells, recorded below this output folder.
    SameCells,
    /// Also runs of other cells, recorded below this output folder.
    OtherCells,
    /// Also the published runs, which another machine trained.
    Published,
}

/// What earlier runs of a cell, or of several cells, took.
#[derive(Debug, Clone, Copy, Default)]
struct Measured {
    seconds: f64,
    cost: f64,
    /// The largest number of parameters.
    parameters: usize,
    /// The largest size of a folder in bytes; 0 if it is not known.
    bytes: f64,
}

impl Measured {
    fn add(&mut self, other: &Measured) {
        self.seconds += other.seconds;
        self.cost += other.cost;
        self.parameters = self.parameters.max(other.parameters);
        self.bytes = self.bytes.max(other.bytes);
    }

    fn seconds_per_cost(&self) -> Option<f64> {
        (self.cost > 0.0 && self.seconds > 0.0).then(|| self.seconds / self.cost)
    }

    /// The bytes of a run: those of an earlier one, or else those of its weights. The weights
    /// are in two files, with four bytes for each parameter.
    fn bytes_of_run(&self) -> Option<f64> {
        if self.bytes > 0.0 {
            return Some(self.bytes);
        }
        (self.parameters > 0).then_some(8.0 * self.parameters as f64 + OTHER_FILES)
    }
}

/// The bytes of all files of a run except its weights, roughly.
const OTHER_FILES: f64 = 300_000.0;

/// Measured runs by cell.
type ByCell = BTreeMap<String, Measured>;

/// The complete runs that are recorded below an output folder, by which others are judged.
#[derive(Debug)]
pub struct EarlierRuns(ByCell);

impl EarlierRuns {
    /// Reads the runs in all trees of the size of `layout` beside it.
    pub fn read(layout: &Layout) -> Self {
        Self(recorded(layout))
    }
}

/// Estimates what `runs` take if `jobs` of them train at a time, in their order. The runs
/// `earlier` are the measure. `published` is a `results.csv` of full runs, for cells without an
/// earlier run. `None` if there is nothing to judge by.
///
/// The seconds of a recorded run are scaled by [`cost`].
pub fn estimate(
    runs: &[RunSlot],
    jobs: usize,
    study: &Study,
    earlier: &EarlierRuns,
    published: &Path,
) -> Option<Estimate> {
    let EarlierRuns(recorded) = earlier;
    let mut published_runs: Option<ByCell> = None;
    let mut basis = Basis::SameCells;
    let mut ends: Vec<f64> = vec![0.0; jobs.max(1)];
    let mut bytes = Some(0.0);
    // The published runs learned from the images in the repository.
    let is_published = |run: &&RunSlot| {
        let images = run.config.images();
        images.is_none_or(|images| images.dir.is_none())
    };
    let mut of_repository = runs.iter().filter(is_published);
    let images = of_repository.find_map(|run| run.data.info.as_ref());
    for run in runs {
        let cell = run.config.study_cell();
        let (measured, of) = match recorded.get(cell) {
            Some(measured) => (*measured, Basis::SameCells),
            None => {
                let published =
                    published_runs.get_or_insert_with(|| of_published(published, study, images));
                match published.get(cell).filter(|_| is_published(&run)) {
                    Some(measured) => (*measured, Basis::Published),
                    None if !recorded.is_empty() => (without_size(recorded), Basis::OtherCells),
                    None if is_published(&run) => (without_size(published), Basis::Published),
                    None => return None,
                }
            }
        };
        basis = basis.max(of);
        let seconds = measured.seconds_per_cost()? * cost(&run.config, run.data.info.as_ref());
        // The next run starts where a job is free first.
        let free = ends.iter_mut().min_by(|a, b| (**a).total_cmp(b))?;
        *free += seconds;
        bytes = bytes
            .zip(measured.bytes_of_run())
            .map(|(sum, one)| sum + one);
    }
    Some(Estimate {
        seconds: ends.into_iter().fold(0.0, f64::max),
        bytes,
        basis,
    })
}

/// All measured runs together, without what concerns the size of a network.
fn without_size(runs: &ByCell) -> Measured {
    let mut all = Measured::default();
    runs.values().for_each(|one| all.add(one));
    Measured {
        parameters: 0,
        bytes: 0.0,
        ..all
    }
}

/// The complete runs in all trees of the size of `layout` beside it.
fn recorded(layout: &Layout) -> ByCell {
    let mut by_cell = ByCell::new();
    for kind in [TreeKind::Written, TreeKind::Tuned, TreeKind::Trials] {
        for cell in folders(&layout.with_kind(kind).runs()) {
            for run in folders(&cell) {
                let dir = RunDir::new(run);
                if let Some((config, record)) = complete(&dir) {
                    let measured = Measured {
                        seconds: record.seconds,
                        cost: cost(&config, record.data.as_ref()),
                        parameters: record.parameters,
                        bytes: folder_size(dir.path()) as f64,
                    };
                    let name = config.study_cell().to_string();
                    by_cell.entry(name).or_default().add(&measured);
                }
            }
        }
    }
    by_cell
}

fn complete(dir: &RunDir) -> Option<(RunConfig, Record)> {
    let record = dir.read_record().ok()??;
    let config = dir.read_config().ok()?;
    let has_cost = config.images().is_none() || record.data.is_some();
    (record.status == RunStatus::Complete && has_cost).then_some((config, record))
}

/// The published runs, whose configs are taken to be those of the study. `images` is what the
/// images are that they learned from.
fn of_published(file: &Path, study: &Study, images: Option<&DataInfo>) -> ByCell {
    let rows: Vec<ResultRow> = read_csv(file).unwrap_or_default();
    let mut by_cell = ByCell::new();
    for row in rows.iter().filter(|row| row.status == RunStatus::Complete) {
        let cell = study.cell(&row.cell).ok();
        let config = cell.and_then(|cell| {
            let own = Selection::own(Size::Full);
            study.resolve(cell, row.seed, &own).ok()
        });
        // Without the images, the cost of such a run is not known.
        let has_cost = |config: &RunConfig| config.images().is_none() || images.is_some();
        if let Some(config) = config.filter(has_cost) {
            let measured = Measured {
                seconds: row.seconds,
                cost: cost(&config, images),
                parameters: row.parameters,
                bytes: 0.0,
            };
            by_cell.entry(row.cell.clone()).or_default().add(&measured);
        }
    }
    by_cell
}

/// The folders in a folder; none if it cannot be read.
fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    paths.filter(|path| path.is_dir()).collect()
}

/// The bytes of all files in a folder and below it. Links are not followed.
pub fn folder_size(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(about) if about.is_dir() => folder_size(&entry.path()),
        Ok(about) => about.len(),
        Err(_) => 0,
    });
    sizes.sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kindling_formats::{BURN_VERSION, GENERATED, Host, RunData, VERSION, write_csv};

    /// A study with the cells `a` and `b`, two toy functions that take the same time.
    fn study(folder: &Path) -> Study {
        let cell = |name: &str| {
            format!(
                "cell = \"{name}\"\nsection = \"s\"\nabout = \"\"\nfamily = \"regression\"\n[data]\n\
                 function = \"y0\"\ntrain = 10\ntest = 5\nx_range = 1.0\nw_range = 1.0\n\
                 noise = 0.0\n[model]\nkind = \"linear\"\n[train]\niterations = 10\nl2 = 0.0\n\
                 optimizer.sgd = {{ learning_rate = 0.1, momentum = 0.0, nesterov = false, \
                 weight_decay = 0.0 }}\n"
            )
        };
        let files = [
            (
                "study.toml",
                "title = \"t\"\nseeds = 4\n[[section]]\nid = \"s\"\ntitle = \"s\"\n[quick]\nseeds = 1\n"
                    .to_string(),
            ),
            ("a.toml", cell("a")),
            ("b.toml", cell("b")),
        ];
        for (name, text) in files {
            std::fs::write(folder.join(name), text).expect("writes");
        }
        Study::read(folder).expect("a study")
    }

    fn slots(study: &Study, layout: &Layout, cell: &str) -> Vec<RunSlot> {
        let selection = Selection {
            cells: vec![cell.into()],
            ..Selection::own(Size::Full)
        };
        let configs = study.expand(&selection).expect("configs");
        let data = RunData {
            fingerprint: GENERATED.into(),
            info: None,
        };
        let data = vec![data; configs.len()];
        RunSlot::all(configs, data, layout)
    }

    /// Writes the record of a run that took 30 seconds.
    fn finish(run: &RunSlot) {
        let record = Record {
            version: VERSION.into(),
            section: "s".into(),
            cell: run.config.cell.clone(),
            family: "regression".into(),
            backend: run.config.backend,
            seed: run.config.seed,
            epochs: 10,
            parameters: 1000,
            train_loss: None,
            validation_loss: None,
            test_loss: None,
            train_accuracy: None,
            validation_accuracy: None,
            test_accuracy: None,
            seconds: 30.0,
            status: RunStatus::Complete,
            error: None,
            metrics: Default::default(),
            config_hash: run.config.hash(),
            data_fingerprint: GENERATED.into(),
            data: None,
            scale: None,
            program: "p".into(),
            revision: "r".into(),
            burn_version: BURN_VERSION.into(),
            host: Host::detect(1),
            files: Default::default(),
        };
        run.result.write_record(&record).expect("writes");
        let config = run.config.to_toml();
        std::fs::write(run.result.config(), config).expect("writes");
        std::fs::write(run.result.model(), vec![0; 5000]).expect("writes");
    }

    #[test]
    fn runs_are_judged_by_their_cell_then_by_published_runs_then_by_other_cells() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let study = study(folder.path());
        let layout = Layout::new(&folder.path().join("out"), Size::Full);
        let published = folder.path().join("results.csv");
        let (a, b) = (slots(&study, &layout, "a"), slots(&study, &layout, "b"));
        let of = |runs: &[RunSlot], jobs| {
            let earlier = EarlierRuns::read(&layout);
            estimate(runs, jobs, &study, &earlier, &published)
        };
        assert_eq!(of(&a, 1), None, "nothing is known");

        // A tuned run of `a` took 30 seconds. Four runs take two minutes, or one by two jobs.
        finish(&slots(&study, &layout.tuned(), "a")[0]);
        let found = of(&a, 1).expect("an estimate");
        assert!((found.seconds - 120.0).abs() < 1e-9, "{found:?}");
        assert_eq!(found.basis, Basis::SameCells);
        let size = folder_size(&layout.tuned().runs()) as f64;
        assert!(size > 5000.0);
        assert_eq!(found.bytes, Some(4.0 * size));
        let two = of(&a, 2).expect("an estimate").seconds;
        assert!((two - 60.0).abs() < 1e-9, "{two}");
        let three = of(&a, 3).expect("an estimate").seconds;
        assert!(
            (three - 60.0).abs() < 1e-9,
            "one of three jobs trains two runs: {three}"
        );

        // Runs of another cell say the time, but not the size.
        let found = of(&b, 1).expect("an estimate");
        assert_eq!((found.basis, found.bytes), (Basis::OtherCells, None));
        assert!((found.seconds - 120.0).abs() < 1e-9, "{found:?}");

        // A published run of the cell itself comes first.
        let record = slots(&study, &layout.tuned(), "a")[0].result.read_record();
        let record = record.expect("reads").expect("a record");
        let row = ResultRow {
            cell: "b".into(),
            seconds: 10.0,
            ..ResultRow::from(&record)
        };
        write_csv(&published, &[row]).expect("writes");
        let found = of(&b, 1).expect("an estimate");
        assert_eq!(found.basis, Basis::Published);
        assert!((found.seconds - 40.0).abs() < 1e-9, "{found:?}");
        assert_eq!(found.bytes, Some(4.0 * (8000.0 + OTHER_FILES)));
    }
}
