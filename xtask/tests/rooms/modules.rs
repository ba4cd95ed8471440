//! Reads the source files of a crate and finds which file uses which.
//!
//! A path such as `crate::ui::count` counts for the file that defines `count`, not for the
//! `mod.rs` that re-exports it. Code for tests is left out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// The words of a path, such as `crate`, `ui`, `count`.
type Words = Vec<String>;

/// One source file.
#[derive(Debug, Default)]
struct Module {
    file: PathBuf,
    /// The names that the file itself defines.
    defined: BTreeSet<String>,
    /// The imports: the name that `use` gives, and its path. A glob import has the name `*`.
    imported: Vec<(String, Words)>,
    /// The imports that are re-exported with `pub use`.
    exported: Vec<(String, Words)>,
    /// All paths in the code of the file.
    paths: Vec<Words>,
}

/// The source files of a crate, each by the words of its module path.
#[derive(Debug)]
pub struct Crate {
    modules: BTreeMap<Words, Module>,
}

impl Crate {
    /// Reads all files below the folder `src`.
    pub fn read(src: &Path) -> Self {
        let mut modules = BTreeMap::new();
        read_folder(src, &mut Vec::new(), &mut modules);
        assert!(!modules.is_empty(), "there is no source in {src:?}");
        Self { modules }
    }

    /// The files that each file uses.
    pub fn uses(&self) -> BTreeMap<PathBuf, BTreeSet<PathBuf>> {
        let mut uses = BTreeMap::new();
        for (place, module) in &self.modules {
            let imported = module.imported.iter().map(|(_, path)| path);
            let is_exported = |path: &Words| module.exported.iter().any(|(_, it)| it == path);
            let paths = imported.filter(|path| !is_exported(path));
            let files = paths
                .chain(&module.paths)
                .filter_map(|path| self.file_of(place, path, 0))
                .filter(|file| **file != module.file);
            uses.insert(module.file.clone(), files.cloned().collect());
        }
        uses
    }

    /// The file that defines the item at `path`, as seen from the module `place`. `None` for a
    /// path of another crate or of the standard library.
    fn file_of(&self, place: &[String], path: &[String], depth: usize) -> Option<&PathBuf> {
        let (first, mut rest) = path.split_first()?;
        if depth > 20 {
            return None; // Two glob imports import each other.
        }
        let mut base = place.to_vec();
        match first.as_str() {
            "crate" => base.clear(),
            "self" => {}
            "super" => {
                base.pop()?;
                while rest.first().is_some_and(|word| word == "super") {
                    base.pop()?;
                    rest = &rest[1..];
                }
            }
            first => {
                base.push(first.to_string());
                if !self.modules.contains_key(&base) {
                    base.pop();
                    return self.file_of_import(&base, path, depth);
                }
            }
        }
        while let Some((word, more)) = rest.split_first() {
            base.push(word.clone());
            if !self.modules.contains_key(&base) {
                base.pop();
                break;
            }
            rest = more;
        }
        match rest {
            [] => Some(&self.modules.get(&base)?.file),
            [name, ..] => self
                .file_of_name(&base, name, depth)
                .or_else(|| Some(&self.modules.get(&base)?.file)),
        }
    }

    /// The file of a path whose first word was imported.
    fn file_of_import(&self, place: &[String], path: &[String], depth: usize) -> Option<&PathBuf> {
        let module = self.modules.get(place)?;
        let (first, rest) = path.split_first()?;
        let mut imports = module.imported.iter();
        let (_, target) = imports.find(|(name, _)| name == first)?;
        let whole: Words = target.iter().chain(rest).cloned().collect();
        // If the path of an import begins with the imported name, it is the path of another
        // crate.
        (target.first() != Some(first)).then_some(())?;
        self.file_of(place, &whole, depth + 1)
    }

    /// The file that defines `name`, which the module `place` defines or re-exports.
    fn file_of_name(&self, place: &[String], name: &str, depth: usize) -> Option<&PathBuf> {
        let module = self.modules.get(place)?;
        if module.defined.contains(name) {
            return Some(&module.file);
        }
        let mut exports = module.exported.iter();
        if let Some((_, path)) = exports.find(|(exported, _)| exported == name) {
            return self.file_of(place, path, depth + 1);
        }
        let globs = module.exported.iter().filter(|(name, _)| name == "*");
        let mut files = globs.filter_map(|(_, path)| {
            let words = path.iter().filter(|word| *word != "self");
            let inner: Words = place.iter().chain(words).cloned().collect();
            self.file_of_name(&inner, name, depth + 1)
        });
        files.next()
    }
}

fn read_folder(folder: &Path, place: &mut Words, modules: &mut BTreeMap<Words, Module>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap().to_string();
        if path.is_dir() {
            place.push(stem);
            read_folder(&path, place, modules);
            place.pop();
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let mut name = place.clone();
            if !["lib", "main", "mod"].contains(&stem.as_str()) {
                name.push(stem);
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let tokens: TokenStream = text.parse().unwrap();
            let mut module = Module {
                file: path,
                ..Module::default()
            };
            module.add(&tokens.into_iter().collect::<Vec<_>>(), true);
            modules.insert(name, module);
        }
    }
}

impl Module {
    /// Adds the items that a list of tokens defines and uses. `is_top` is whether the tokens are
    /// at the top level of the file.
    fn add(&mut self, tokens: &[TokenTree], is_top: bool) {
        let mut at = 0;
        let mut is_public = false;
        while at < tokens.len() {
            if is_punct(tokens.get(at), '#') && is_for_tests(tokens.get(at + 1)) {
                at = end_of_item(tokens, at + 2);
                continue;
            }
            match &tokens[at] {
                TokenTree::Ident(word) if word == "use" => {
                    let end = end_of_item(tokens, at);
                    self.add_use(&tokens[at + 1..end], is_public);
                    is_public = false;
                    at = end;
                    continue;
                }
                TokenTree::Ident(word) if word == "pub" => {
                    is_public = true;
                    if group(tokens.get(at + 1), Delimiter::Parenthesis).is_some() {
                        at += 1;
                    }
                }
                TokenTree::Ident(word) => {
                    let names = [
                        "fn", "struct", "enum", "trait", "type", "const", "static", "mod",
                    ];
                    let is_macro = word == "macro_rules";
                    let name = if is_macro { at + 2 } else { at + 1 };
                    if let Some(TokenTree::Ident(name)) = tokens.get(name)
                        && is_top
                        && (is_macro || names.iter().any(|kind| word == kind))
                    {
                        self.defined.insert(name.to_string());
                        is_public = false;
                    }
                    let (path, next) = path_at(tokens, at);
                    if path.len() > 1 {
                        self.paths.push(path);
                        at = next;
                        continue;
                    }
                }
                TokenTree::Group(group) => {
                    let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                    self.add(&inner, false);
                }
                _ => {}
            }
            at += 1;
        }
    }

    /// Adds the tree of a `use`, without the word itself and the semicolon.
    fn add_use(&mut self, tokens: &[TokenTree], is_public: bool) {
        let mut leaves = Vec::new();
        use_leaves(tokens, &[], &mut leaves);
        for leaf in leaves {
            if is_public {
                self.exported.push(leaf.clone());
            }
            self.imported.push(leaf);
        }
    }
}

/// Adds the leaves of the tree of a `use` to `leaves`, each with the name that it is given.
fn use_leaves(tokens: &[TokenTree], before: &[String], leaves: &mut Vec<(String, Words)>) {
    let mut path = before.to_vec();
    let mut name = None;
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at] {
            TokenTree::Ident(word) if word == "as" => {
                name = tokens.get(at + 1).map(ToString::to_string);
                at += 1;
            }
            TokenTree::Ident(word) if word == "self" && !path.is_empty() => {}
            TokenTree::Ident(word) => path.push(word.to_string()),
            TokenTree::Punct(sign) if sign.as_char() == '*' => name = Some("*".into()),
            TokenTree::Group(group) => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                for branch in inner.split(|token| is_punct(Some(token), ',')) {
                    use_leaves(branch, &path, leaves);
                }
                return;
            }
            _ => {}
        }
        at += 1;
    }
    if let Some(last) = path.last().cloned() {
        leaves.push((name.unwrap_or(last), path));
    }
}

/// The path that begins at a token, and the index of the token after it.
fn path_at(tokens: &[TokenTree], mut at: usize) -> (Words, usize) {
    let mut path = Vec::new();
    while let Some(TokenTree::Ident(word)) = tokens.get(at) {
        path.push(word.to_string());
        at += 1;
        if !is_punct(tokens.get(at), ':') || !is_punct(tokens.get(at + 1), ':') {
            break;
        }
        at += 2;
    }
    (path, at)
}

/// The index of the token after an item: after its semicolon or its braces.
fn end_of_item(tokens: &[TokenTree], mut at: usize) -> usize {
    let is_use = tokens
        .get(at)
        .is_some_and(|token| token.to_string() == "use");
    while at < tokens.len() {
        let is_end = is_punct(tokens.get(at), ';')
            || !is_use && group(tokens.get(at), Delimiter::Brace).is_some();
        at += 1;
        if is_end {
            break;
        }
    }
    at
}

/// Whether the group after a `#` is `[cfg(test)]`, or another `cfg` that contains `test`.
fn is_for_tests(token: Option<&TokenTree>) -> bool {
    group(token, Delimiter::Bracket).is_some_and(|text| {
        let words: Vec<&str> = text
            .split(|letter: char| !letter.is_alphanumeric())
            .collect();
        words.first() == Some(&"cfg") && words.contains(&"test")
    })
}

/// The text of a token that is a group with these delimiters; `None` for any other token.
fn group(token: Option<&TokenTree>, delimiter: Delimiter) -> Option<String> {
    match token {
        Some(TokenTree::Group(group)) if group.delimiter() == delimiter => {
            Some(group.stream().to_string())
        }
        _ => None,
    }
}

fn is_punct(token: Option<&TokenTree>, sign: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == sign)
}
