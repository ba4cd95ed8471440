//! The page of the published trees, as Markdown: each sentence of the study with its verdicts, and
//! each figure beside that of the original study.

use std::collections::BTreeSet;

use kindling_formats::{Layout, Record, Study, TreeKind};

use super::figures::table;
use super::findings::findings as findings_of;
use super::tree::{PublishedTree, name_of};
use crate::judge::{Judgement, Verdict, found, lacks, needs};
use crate::original::reported;
use crate::tables::{Columns, grouped};

/// What is written about the published trees, as Markdown.
pub struct PublishedPage {
    /// The page about all of them.
    pub page: String,
    /// The lines of the README that name some claims, with the verdicts on these; `None` if they
    /// name a claim that the study does not have.
    pub findings: Option<String>,
}

/// The page of the published trees `trees`, each with its name, and the lines that replace
/// `findings` in the README.
pub fn published_page(study: &Study, trees: &[(String, Layout)], findings: &str) -> PublishedPage {
    let trees: Vec<PublishedTree> = trees
        .iter()
        .map(|(name, layout)| PublishedTree::read(study, name, layout))
        .collect();
    PublishedPage {
        page: page(study, &trees),
        findings: findings_of(study, &trees, findings),
    }
}

fn page(study: &Study, trees: &[PublishedTree]) -> String {
    let mut text = String::from(
        "# The published results\n\nThis page and all files beside it were written by `cargo xtask \
         report --publish`. `cargo xtask claims --out artifacts/reference` judges the claims again \
         by what is published: the record of each run (`runs/`), and the mean squares of seeds and \
         test images (`mean-squares.csv`). [docs/verdicts.md](../../docs/verdicts.md) has the \
         formulas.\n",
    );
    for tree in trees {
        text += &format!("\n- {}", provenance(tree));
    }
    text += "\n\n## Sentences\n\n";
    text += SENTENCES;
    text += &format!("\n\n{}", sentences(study, trees).markdown());
    for (of, title, how) in [
        (
            "test_accuracy",
            "Test accuracy",
            "Accuracies lie in [0, 1].",
        ),
        (
            "test_loss",
            "Test loss",
            "Losses of classifiers are mean cross-entropies, in nats. All others are mean squared \
             errors, those of images per pixel, of pixels in [0, 1].",
        ),
    ] {
        if let Some(table) = table(study, trees, of) {
            text += &format!("\n## {title}\n\n{how} {FIGURES}\n\n{}", table.markdown());
        }
    }
    text
}

const SENTENCES: &str = "A sentence that is *supported* or *refuted* without more words is so also \
    together with all others: the probability that any of these verdicts is wrong is at most 5 %. \
    *Alone* means that this verdict by itself is wrong with a probability of at most 5 %, and that \
    more seeds are needed for a verdict together with all others. An *open* sentence says what it \
    needs. The number is the mean of what the sentence measures, with its interval of 95 %.";

const FIGURES: &str = "Each is the mean over the seeds, with the interval of 95 % that counts seeds \
    and test images as random.";

/// What was trained, by which program, on which machine.
fn provenance(tree: &PublishedTree) -> String {
    let each = |value: &dyn Fn(&Record) -> String| {
        let values: BTreeSet<String> = tree.runs.records().map(value).collect();
        values.into_iter().collect::<Vec<_>>().join(", ")
    };
    let cells: BTreeSet<&str> = tree.runs.records().map(|one| one.cell.as_str()).collect();
    let seeds: BTreeSet<u64> = tree.runs.records().map(|one| one.seed).collect();
    let seeds = match (seeds.first(), seeds.last()) {
        (Some(first), Some(last)) if first < last => format!("seeds {first} to {last}"),
        (Some(first), _) => format!("seed {first}"),
        _ => "no seeds".into(),
    };
    format!(
        "**{}**: {} runs of {} cells, {seeds}; Kindling {}, program `{}`, code `{}`, Burn {}; \
         backend {} on {}, {} thread per run. {}",
        tree.name,
        tree.runs.runs.len(),
        cells.len(),
        each(&|one| one.version.clone()),
        each(&|one| one.program.chars().take(12).collect()),
        each(&|one| one.revision.clone()),
        each(&|one| one.burn_version.clone()),
        each(&|one| one.backend.name().into()),
        each(&|one| one.host.cpu.clone()),
        each(&|one| one.host.threads.to_string()),
        images(tree),
    )
}

/// The images that the tree's runs learned from.
fn images(tree: &PublishedTree) -> String {
    let data = tree.runs.records().filter_map(|one| one.data.as_ref());
    let data: BTreeSet<String> = data
        .map(|data| {
            format!(
                "{} images to train, {} to test, of {} classes",
                grouped(data.train),
                grouped(data.test),
                data.classes.len()
            )
        })
        .collect();
    let folder = match tree.kind {
        TreeKind::Tuned => " The learning rates are in `tuned/choices.toml`.",
        _ => "",
    };
    format!(
        "{}.{folder}",
        data.into_iter().collect::<Vec<_>>().join("; ")
    )
}

/// The claims with their verdicts by each tree.
fn sentences(study: &Study, trees: &[PublishedTree]) -> Columns {
    let claims = study.claims();
    let mut columns = Columns::new().text(
        "sentence",
        claims.iter().map(|claim| claim.says.replace('|', "\\|")),
    );
    let reported = claims.iter().map(|claim| reported(claim, study.original()));
    columns = columns.text_if_any("original", reported.collect());
    for tree in trees {
        columns = columns.text(&tree.name, tree.judgements.iter().map(verdict));
    }
    columns
}

/// The verdict and what was found, such as `supported alone; 0.0578 (0.0561 to 0.0595)`.
fn verdict(judgement: &Judgement) -> String {
    if !judgement.missing.is_empty() {
        return "not trained".into();
    }
    let name = name_of(judgement);
    let text = match (judgement.verdict, lacks(judgement)) {
        (Verdict::Undecided, lacks) if lacks.is_empty() => {
            let needs = needs(judgement).replace("; no number of seeds will do", "");
            let needs = match needs.as_str() {
                "alone more test images, together more test images" => "more test images",
                needs => needs,
            };
            format!("{name}: needs {needs}")
        }
        (Verdict::Undecided, lacks) => format!("{name}: {lacks}"),
        _ => name,
    };
    format!("{text}; {}", found(judgement))
}
