//! The findings in the README: some sentences of the study with their verdicts.

use kindling_formats::Study;

use super::tree::{PublishedTree, name_of};

/// The lines that replace `block`, which names claims in comments such as `<!-- mlp-beats-linear
/// -->`: each becomes a line with its sentence and its verdicts by `trees`. `None` if it names a
/// claim that the study does not have.
pub(super) fn findings(study: &Study, trees: &[PublishedTree], block: &str) -> Option<String> {
    let ids = block.split("<!-- ").skip(1);
    let ids = ids.filter_map(|rest| rest.split(" -->").next());
    let mut text = String::from("\n");
    for id in ids {
        let place = study.claims().iter().position(|claim| claim.id == id)?;
        let verdicts: Vec<String> = trees
            .iter()
            .filter_map(|tree| {
                let judgement = tree.judgements.get(place)?;
                let is_judged = judgement.missing.is_empty();
                is_judged.then(|| format!("{}: **{}**", tree.name, name_of(judgement)))
            })
            .collect();
        let says = &study.claims()[place].says;
        text += &format!("- {says} ({}) <!-- {id} -->\n", verdicts.join(", "));
    }
    Some(text)
}
