//! Whether a record is a result of the study as its files are today.

use kindling_formats::{
    BURN_VERSION, Error, Layout, Protocol, Record, Result, RunConfig, RunDir, RunStatus, Selection,
    Study, Tree,
};

/// The study as its files are today, for the runs of one tree.
pub(super) struct CurrentStudy<'a> {
    study: &'a Study,
    tree: Tree,
    selection: Selection,
}

impl<'a> CurrentStudy<'a> {
    /// The study for the tree of `layout`.
    ///
    /// # Errors
    ///
    /// If `tree.json` or the choices of a tuned tree cannot be read, or a setting in
    /// `tree.json` is not valid.
    pub(super) fn new(study: &'a Study, layout: &Layout) -> Result<Self> {
        let tree = Tree::read(layout)?;
        let selection = tree.variant.selection(layout.size());
        let mut selection = selection.map_err(|problem| Error::File {
            file: layout.tree(),
            problem,
        })?;
        if layout.protocol() == Protocol::Tuned {
            selection.choices = Some(study.choices(layout)?);
        }
        Ok(Self {
            study,
            tree,
            selection,
        })
    }

    /// Whether the runs of the tree learn from other images than the study's.
    pub(super) fn has_other_data(&self) -> bool {
        self.tree.variant.data.is_some()
    }

    /// The config that the study gives to the cell and the seed of `record`, if the
    /// record in `dir` is a result of that config.
    ///
    /// # Errors
    ///
    /// If the record is not a result of that config. The error says how it differs.
    pub(super) fn config_of(
        &self,
        record: &Record,
        dir: &RunDir,
    ) -> std::result::Result<RunConfig, String> {
        let Ok(cell) = self.study.cell(&record.cell) else {
            return Err(format!("the study has no cell {}", record.cell));
        };
        let config = self
            .study
            .resolve(cell, record.seed, &self.selection)
            .map_err(|error| error.to_string())?;
        if record.config_hash != config.hash() {
            let trained = dir.read_config().ok();
            let changes = trained.map(|trained| trained.changes(&config));
            let changes = changes.filter(|changes| !changes.is_empty());
            return Err(changes.unwrap_or_else(|| "it has another config".into()));
        }
        // The record of a run that failed early may have no fingerprint of its data.
        if record.status != RunStatus::Complete {
            return Ok(config);
        }
        match self.tree.fingerprint(&config) {
            None => {
                return Err(
                    "the fingerprint of its data is unknown: run `cargo xtask experiments`".into(),
                );
            }
            Some(fingerprint) if fingerprint != record.data_fingerprint => {
                return Err(format!(
                    "it has other data ({:.8})",
                    record.data_fingerprint
                ));
            }
            Some(_) => {}
        }
        if let Some(choices) = &self.selection.choices
            && let Some(choice) = choices.of(&record.cell)
        {
            choice
                .check_data(&record.data_fingerprint, choices.file())
                .map_err(|error| error.to_string())?;
        }
        if record.burn_version != BURN_VERSION {
            return Err(format!("it was trained with Burn {}", record.burn_version));
        }
        Ok(config)
    }

    /// Why the record in `dir` is certainly no result of the study; `None` if it is one, or
    /// may be one: if the study's config or the data are not known.
    pub(super) fn certain_difference(&self, record: &Record, dir: &RunDir) -> Option<String> {
        let cell = self.study.cell(&record.cell).ok()?;
        let config = self
            .study
            .resolve(cell, record.seed, &self.selection)
            .ok()?;
        self.tree.fingerprint(&config)?;
        self.config_of(record, dir).err()
    }

    /// Whether the stopped training in `dir` has certainly another config than the study.
    pub(super) fn has_other_config(&self, dir: &RunDir) -> bool {
        let differs = || {
            let config = dir.read_config().ok()?;
            let cell = self.study.cell(&config.cell).ok()?;
            let own = self
                .study
                .resolve(cell, config.seed, &self.selection)
                .ok()?;
            Some(config.hash() != own.hash())
        };
        differs().unwrap_or(false)
    }
}
