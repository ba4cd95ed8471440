//! The text of a section, in which the ids of claims are in braces.

/// A part of a paragraph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoryPart<'a> {
    /// Words.
    Text(&'a str),
    /// The id of a claim. The claim's sentence takes its place.
    Claim(&'a str),
}

/// The paragraphs of a text, which are separated by empty lines. A brace that is not closed in
/// its paragraph is an ordinary character.
pub fn story(text: &str) -> Vec<Vec<StoryPart<'_>>> {
    let paragraphs = text.split("\n\n").map(str::trim);
    let paragraphs = paragraphs.filter(|paragraph| !paragraph.is_empty());
    paragraphs.map(parts).collect()
}

fn parts(paragraph: &str) -> Vec<StoryPart<'_>> {
    let (mut parts, mut rest) = (Vec::new(), paragraph);
    while let Some((before, after)) = rest.split_once('{')
        && let Some((id, behind)) = after.split_once('}')
    {
        if !before.is_empty() {
            parts.push(StoryPart::Text(before));
        }
        parts.push(StoryPart::Claim(id.trim()));
        rest = behind;
    }
    if !rest.is_empty() {
        parts.push(StoryPart::Text(rest));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use StoryPart::{Claim, Text};

    #[test]
    fn paragraphs_consist_of_words_and_claims() {
        assert_eq!(story(" \n\n \n"), [[]; 0]);
        assert_eq!(
            story("One.\nStill one: {a}\n\n\n{ b }{c} d"),
            [
                vec![Text("One.\nStill one: "), Claim("a")],
                vec![Claim("b"), Claim("c"), Text(" d")],
            ]
        );
        for text in ["a { b", "a } b", "a {b\n\nc} d"] {
            let found = story(text);
            let parts: Vec<_> = found.into_iter().flatten().collect();
            assert!(
                parts.iter().all(|part| matches!(part, Text(_))),
                "{parts:?}"
            );
        }
    }
}
