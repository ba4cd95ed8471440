//! An overview of the runs in a report, and where the report's numbers come from.

use std::collections::{BTreeMap, BTreeSet};

use kindling_formats::{DataInfo, Layout, Protocol, Record, Size, Tree};

use crate::read::RecordedRuns;

/// An overview of the runs in a report.
pub(super) struct Overview {
    /// A warning that the numbers mean nothing, if the runs are quick or smoke runs.
    pub(super) warning: Option<String>,
    pub(super) text: String,
}

/// An overview of the runs in `found`.
pub(super) fn overview(found: &RecordedRuns, layout: &Layout) -> Overview {
    let failed = found
        .records()
        .filter(|record| record.status.is_failure())
        .count();
    let cells: BTreeSet<&str> = found.records().map(|record| record.cell.as_str()).collect();
    let backends: BTreeSet<&str> = found
        .records()
        .map(|record| record.backend.name())
        .collect();
    let seeds: BTreeSet<u64> = found.records().map(|record| record.seed).collect();
    let mut text = format!(
        "Runs: {}, of {} cells; failed: {failed}; backends: {}; seeds: {}.",
        found.runs.len(),
        cells.len(),
        listed(backends),
        listed(seeds),
    );
    text += match layout.protocol() {
        Protocol::Written => {
            " Protocol: written, so every hyper-parameter is that of the cell's config."
        }
        Protocol::Tuned => {
            " Protocol: tuned, so the hyper-parameters that tuning.toml names were chosen by \
             trials, which see no test image."
        }
    };
    if let Some(variant) = Tree::read(layout).ok().and_then(|tree| tree.variant.name()) {
        text += &format!(" This is a variant of the study: {variant}.");
    }
    let variants = layout.variants();
    if !variants.is_empty() {
        text += &format!(
            " Variants that have a report of their own: {}.",
            listed(variants)
        );
    }
    let warning = match layout.size() {
        Size::Full => None,
        Size::Quick => Some("Quick"),
        Size::Smoke => Some("Smoke"),
    };
    let warning = warning.map(|kind| {
        format!("{kind} runs: they only show that everything works; their numbers mean nothing.")
    });
    Overview { warning, text }
}

/// Where the numbers come from: pairs of a name and a value.
pub(super) fn provenance(found: &RecordedRuns, layout: &Layout) -> Vec<(&'static str, String)> {
    let each = |value: &dyn Fn(&Record) -> String| {
        listed(found.records().map(value).collect::<BTreeSet<String>>())
    };
    let machine = each(&|record| {
        let host = &record.host;
        format!("{} ({}, {} cores)", host.cpu, host.platform, host.cores)
    });
    let flag = match layout.protocol() {
        Protocol::Written => "",
        Protocol::Tuned => " --protocol tuned",
    };
    let repeat = format!(
        "cargo xtask experiments{flag}; a single run: cargo xtask train CELL --seed N{flag}; this \
         report: cargo xtask report{flag}"
    );
    let seconds: f64 = found.records().map(|record| record.seconds).sum();
    let data: BTreeMap<&str, &DataInfo> = found
        .records()
        .filter_map(|record| Some((record.data_fingerprint.as_str(), record.data.as_ref()?)))
        .collect();
    let images = data.values().map(|info| images(info));
    let repeated = data.values().flat_map(|info| &info.repeated);
    vec![
        ("machine", machine),
        (
            "threads of a run",
            each(&|record| record.host.threads.to_string()),
        ),
        ("protocol", layout.protocol().name().to_string()),
        ("backend", each(&|record| record.backend.name().to_string())),
        ("Burn", each(&|record| record.burn_version.clone())),
        ("code", each(&|record| record.revision.clone())),
        ("program (SHA-256)", each(&|record| record.program.clone())),
        (
            "seeds",
            listed(
                found
                    .records()
                    .map(|record| record.seed)
                    .collect::<BTreeSet<u64>>(),
            ),
        ),
        ("images", listed(images)),
        ("images in two splits", listed(repeated)),
        (
            "data (SHA-256)",
            each(&|record| record.data_fingerprint.clone()),
        ),
        ("seconds of all runs together", format!("{seconds:.0}")),
        ("repeat it", repeat),
    ]
}

/// What the images of a data set are, in words.
fn images(data: &DataInfo) -> String {
    let validation = match data.validation {
        0 => String::new(),
        count => format!(", {count} validation"),
    };
    format!(
        "{} pixels, {} classes, {} training{validation} and {} test images",
        data.shape,
        data.classes.len(),
        data.train,
        data.test
    )
}

/// The items as `a, b, c`, or `none`.
pub(super) fn listed(items: impl IntoIterator<Item = impl ToString>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    if items.is_empty() {
        "none".to_string()
    } else {
        items.join(", ")
    }
}
