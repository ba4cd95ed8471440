//! The report contains no names of cells. If the cells of the repository's study get other
//! names, the report has the same figures. Without `[figures]` in `study.toml`, it still has
//! figures of every cell.

#[path = "../src/fake.rs"]
mod fake;
mod whole_runs;

use std::fs;
use std::path::{Path, PathBuf};

use kindling_formats::{Layout, Size, Study};

/// The text files of a study: names and texts.
type Files = Vec<(String, String)>;

/// The files of the repository's study.
fn repository() -> Files {
    let configs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs");
    let mut files = Vec::new();
    let mut folders = vec![configs.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("lists") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|extension| extension == "toml")
            {
                let name = path.strip_prefix(&configs).expect("below").display();
                let text = fs::read_to_string(&path).expect("reads");
                files.push((name.to_string(), text));
            }
        }
    }
    files.sort();
    assert!(files.len() > 10, "{files:?}");
    files
}

fn read_study(folder: &Path, files: &Files) -> kindling_formats::Result<Study> {
    let configs = folder.join("configs");
    for (name, text) in files {
        let path = configs.join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("makes a folder");
        fs::write(path, text).expect("writes");
    }
    Study::read(&configs)
}

/// The same files with other names of cells: `c01`, `c02v0.3` and so on. These names do not
/// show what a cell is, or which cells are similar.
fn renamed(files: &Files) -> Files {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let old = read_study(folder.path(), files).expect("a study");
    let mut number = 0;
    let mut files = files.clone();
    for (_, text) in &mut files {
        let Some((_, rest)) = text.split_once("cell = \"") else {
            continue;
        };
        number += 1;
        let name = rest.split_once('"').expect("a quoted name").0.to_string();
        let new = match name.find('{') {
            Some(sweep) => format!("c{number:02}v{}", &name[sweep..]),
            None => format!("c{number:02}"),
        };
        let (from, to) = (format!("cell = \"{name}\""), format!("cell = \"{new}\""));
        *text = text.replacen(&from, &to, 1);
    }
    let others = ["study.toml", "claims.toml", "original.toml"];
    let is_cell = |name: &str| !others.contains(&name);
    let cells = files.iter().filter(|(name, _)| is_cell(name)).cloned();
    let study = files.iter().find(|(name, _)| name == "study.toml");
    let study = without_figures(&study.expect("study.toml").1);
    let cells: Files = cells.chain([("study.toml".into(), study)]).collect();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let new = read_study(folder.path(), &cells).expect("a study");
    // In the other files the names of cells are in quotes.
    for (_, text) in files.iter_mut().filter(|(name, _)| !is_cell(name)) {
        for (old, new) in old.cells().iter().zip(new.cells()) {
            let (from, to) = (format!("\"{}\"", old.name), format!("\"{}\"", new.name));
            *text = text.replace(&from, &to);
        }
    }
    files
}

/// `study.toml` without its keys `figures`, which are the last ones.
fn without_figures(study: &str) -> String {
    let (before, _) = study.split_once("[[figures.").expect("keys of figures");
    before.to_string()
}

/// A report of made-up runs of a study.
struct Report {
    names: Vec<String>,
    markdown: String,
    page: String,
}

impl Report {
    fn of(files: &Files) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let study = read_study(folder.path(), files).expect("a study");
        let layout = Layout::new(&folder.path().join("out"), Size::Full);
        whole_runs::write(&study, &layout);
        let runs = kindling_report::read(&study, &layout);
        assert_eq!(runs.unreadable, [""; 0]);
        let page: PathBuf = kindling_report::write(&study, &layout, runs).expect("reports");
        let read = |path: &Path| fs::read_to_string(path).expect("reads");
        Self {
            names: study.cells().iter().map(|cell| cell.name.clone()).collect(),
            markdown: read(&page.with_file_name("report.md")),
            page: read(&page),
        }
    }

    /// The titles and files of all figures, in the report's order.
    fn figures(&self) -> Vec<String> {
        let lines = self.markdown.lines();
        let figures = lines.filter(|line| line.starts_with("!["));
        figures.map(str::to_string).collect()
    }

    /// The data of the explorer.
    fn explorer(&self) -> Option<&str> {
        let (_, rest) = self.page.split_once("id=\"explorer-data\">")?;
        Some(rest.split_once("</script>")?.0)
    }
}

#[test]
fn a_study_with_other_names_of_cells_has_the_same_figures() {
    let files = repository();
    let (old, new) = (Report::of(&files), Report::of(&renamed(&files)));
    let back = |text: &str| {
        let names = new.names.iter().zip(&old.names);
        names.fold(text.to_string(), |text, (new, old)| text.replace(new, old))
    };
    for (new, old) in new.names.iter().zip(&old.names) {
        assert_ne!(new, old);
    }
    let figures: Vec<String> = new.figures().iter().map(|figure| back(figure)).collect();
    assert_eq!(figures, old.figures());
    assert!(figures.len() > 90, "{} figures", figures.len());
    let explorer = new.explorer().map(back);
    assert!(explorer.is_some());
    assert!(
        explorer.as_deref() == old.explorer(),
        "the explorer differs"
    );
}

#[test]
fn a_study_that_groups_no_cells_has_figures_of_every_cell() {
    let mut files = repository();
    let with = Report::of(&files);
    for (_, text) in files.iter_mut().filter(|(name, _)| name == "study.toml") {
        *text = without_figures(text);
    }
    let without = Report::of(&files);
    assert_eq!(without.explorer(), None);
    let curves = |report: &Report, cell: &str| {
        let lines = report.markdown.lines();
        let of_curves = lines.filter(|line| line.contains(": loss by ") && !line.starts_with('!'));
        let name = format!(" --cell {cell}");
        let shows =
            |line: &str| line.contains(&format!("{name} ")) || line.contains(&format!("{name}`"));
        of_curves.filter(|line| shows(line)).count()
    };
    for cell in &with.names {
        let has_curves = curves(&with, cell) > 0;
        assert_eq!(curves(&without, cell) > 0, has_curves, "{cell}");
        let own = format!("figures/1-{cell}-|figures/2.4-|figures/2.5-{cell}-|figures/2.6-{cell}-");
        let has_own = own.split('|').any(|file| without.markdown.contains(file));
        assert!(has_own, "{cell}");
    }
}

#[test]
fn an_unknown_cell_in_study_toml_is_named_with_its_file_its_key_and_a_remedy() {
    let mut files = repository();
    for (_, text) in files.iter_mut().filter(|(name, _)| name == "study.toml") {
        *text = text.replace("reference = \"mlp\"", "reference = \"mpl\"");
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let error = read_study(folder.path(), &files).expect_err("an unknown cell");
    let error = error.to_string();
    for words in ["study.toml", "figures.sweep dropout", "did you mean `mlp`?"] {
        assert!(error.contains(words), "`{words}` in: {error}");
    }
}
