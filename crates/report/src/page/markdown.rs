//! `report.md`: the report as Markdown.

use crate::judge::claims_markdown;
use crate::original;
use crate::page::content::Content;
use crate::page::problems::Problem;

/// The report as Markdown. Figures are links to the files below `figures/`.
pub(super) fn markdown(content: &Content) -> String {
    let kind = match &content.overview.warning {
        Some(warning) => format!("**{warning}**"),
        None => "Full runs.".to_string(),
    };
    let mut text = format!("# {}\n\n{kind} {}\n", content.title, content.overview.text);
    for problem in &content.problems {
        text += &problem_markdown(problem);
    }
    text += &claims_markdown(&content.judgements, &content.original);
    for section in &content.sections {
        text += &format!("\n## {} {}\n", section.id, section.title);
        if section.tables.is_empty() {
            text += "\nNo runs.\n";
        }
        for table in &section.tables {
            text += &format!("\n{}", table.markdown());
        }
        if let Some(table) = &section.original {
            text += &format!("\n{}\n\n{}", original::HOW, table.markdown());
        }
        for figure in &section.figures {
            text += &format!(
                "\n![{}](figures/{}.svg)\n\n{} `{}`\n",
                figure.title,
                figure.file,
                figure.caption,
                figure.command()
            );
        }
    }
    text += "\n## Provenance\n\n";
    for (name, value) in &content.provenance {
        text += &format!("- {name}: {value}\n");
    }
    text
}

/// A problem as a list. Errors are code blocks, since they may hold any text.
fn problem_markdown(problem: &Problem) -> String {
    let mut text = format!("\n## {}\n\n", problem.title);
    for item in &problem.items {
        match &item.error {
            None => text += &format!("- {}\n", item.text),
            Some(error) => {
                let lines = error.lines().map(|line| format!("      {line}\n"));
                text += &format!("- {}:\n\n{}", item.text, lines.collect::<String>());
            }
        }
    }
    text
}
