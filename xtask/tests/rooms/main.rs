//! Checks which source files of a crate use each other, and that files are short.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod modules;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use kindling_formats::Study;
use modules::Crate;
use proc_macro2::{TokenStream, TokenTree};

/// The largest number of lines of a source file. This includes files of tests.
const LONGEST: usize = 500;

/// The rooms (folders) of xtask, and the rooms that the files of each room may use. A room with
/// commands also has files that are not commands.
const ROOMS: &[(&str, &[&str])] = &[
    ("cli", &["cli"]),
    ("ui", &["ui"]),
    ("error.rs", &["ui"]),
    ("steps", &["cli", "ui", "error.rs", "steps"]),
    ("study", &["cli", "ui", "error.rs", "steps", "study"]),
    ("backends", &["cli", "ui", "error.rs", "steps", "backends"]),
    ("dev", &["cli", "ui", "error.rs", "steps", "dev"]),
    (
        "main.rs",
        &["cli", "ui", "error.rs", "study", "backends", "dev"],
    ),
];
/// The rooms of xtask that hold commands.
const COMMANDS: [&str; 3] = ["study", "backends", "dev"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .into()
}

/// The folders `src` of all crates.
fn source_folders() -> Vec<PathBuf> {
    let crates = std::fs::read_dir(root().join("crates")).unwrap();
    let mut folders: Vec<PathBuf> = crates
        .map(|entry| entry.unwrap().path().join("src"))
        .filter(|folder| folder.join("lib.rs").exists() || folder.join("main.rs").exists())
        .collect();
    folders.push(root().join("xtask/src"));
    folders.sort();
    assert!(folders.len() > 12, "the crates are elsewhere: {folders:?}");
    folders
}

/// All files with the extension `rs` below a folder.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// A path below the root of the repository.
fn short(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().display().to_string()
}

/// A circle of files, if there is one.
fn circle(uses: &BTreeMap<PathBuf, BTreeSet<PathBuf>>) -> Option<Vec<PathBuf>> {
    let mut left = uses.clone();
    // A file that uses none of the remaining files is not part of a circle.
    loop {
        let ends: Vec<PathBuf> = left
            .iter()
            .filter(|(_, used)| !used.iter().any(|file| left.contains_key(file)))
            .map(|(file, _)| file.clone())
            .collect();
        if ends.is_empty() {
            break;
        }
        left.retain(|file, _| !ends.contains(file));
    }
    let mut walk = vec![left.keys().next()?.clone()];
    loop {
        let used = &left[walk.last().unwrap()];
        let next = used.iter().find(|file| left.contains_key(*file)).unwrap();
        if let Some(start) = walk.iter().position(|file| file == next) {
            return Some(walk.split_off(start));
        }
        walk.push(next.clone());
    }
}

#[test]
fn no_files_of_a_crate_use_each_other_in_a_circle() {
    let mut circles = Vec::new();
    for folder in source_folders() {
        if let Some(files) = circle(&Crate::read(&folder).uses()) {
            let names: Vec<String> = files.iter().map(|file| short(file)).collect();
            circles.push(names.join(" -> "));
        }
    }
    assert!(circles.is_empty(), "circles of files: {circles:#?}");
}

/// The test for circles depends on this: it finds a circle only if it finds all uses.
#[test]
fn uses_are_resolved_to_the_file_that_defines_them() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("lib.rs", "mod a; mod room; mod z; pub use z::Late;");
    write(
        "a.rs",
        "use crate::room::{self, Deep as D}; use crate::Late; fn f() { println!(\"{}\", room::g()) }\n\
         #[cfg(test)]\nmod tests { use crate::room::only_tests; }",
    );
    write(
        "room/mod.rs",
        "mod one; mod two; pub use one::*; pub use two::g;",
    );
    write(
        "room/one.rs",
        "pub struct Deep; pub fn only_tests() { super::two::g() }",
    );
    write("room/two.rs", "use std::path::Path; pub fn g() {}");
    write("z.rs", "pub struct Late; fn h() { crate::a::f() }");
    let uses = Crate::read(folder.path()).uses();
    let of = |name: &str| -> Vec<String> {
        let used = uses[&folder.path().join(name)].iter();
        used.map(|file| {
            file.strip_prefix(folder.path())
                .unwrap()
                .display()
                .to_string()
        })
        .collect()
    };
    assert_eq!(
        of("a.rs"),
        ["room/mod.rs", "room/one.rs", "room/two.rs", "z.rs"]
    );
    assert_eq!(of("room/mod.rs"), [""; 0]);
    assert_eq!(of("room/one.rs"), ["room/two.rs"]);
    assert_eq!(of("room/two.rs"), [""; 0]);
    assert_eq!(of("z.rs"), ["a.rs"]);
    assert_eq!(circle(&uses).unwrap().len(), 2);
}

#[test]
fn rooms_of_xtask_use_only_allowed_rooms_and_no_command_uses_another() {
    let src = root().join("xtask/src");
    let room = |file: &Path| {
        let below = file.strip_prefix(&src).unwrap();
        below.iter().next().unwrap().to_str().unwrap().to_string()
    };
    // A command is a file whose function the room's `mod.rs` re-exports for `main.rs`.
    let is_command = |file: &Path| {
        let name = file.file_stem().unwrap().to_str().unwrap();
        let list = std::fs::read_to_string(src.join(room(file)).join("mod.rs"));
        list.is_ok_and(|list| list.contains(&format!("pub use {name}::")))
            && COMMANDS.contains(&room(file).as_str())
    };
    let uses = Crate::read(&src).uses();
    let commands = uses.keys().filter(|file| is_command(file)).count();
    assert!(commands > 12, "only {commands} commands were found");
    for (file, used) in &uses {
        let (_, allowed) = ROOMS
            .iter()
            .find(|(name, _)| *name == room(file))
            .unwrap_or_else(|| panic!("{} is in no room of ROOMS", short(file)));
        for other in used {
            assert!(
                allowed.contains(&room(other).as_str()),
                "{} must not use {}",
                short(file),
                short(other)
            );
            assert!(
                !(is_command(file) && is_command(other)),
                "the command {} must not use the command {}; what both need belongs to steps/",
                short(file),
                short(other)
            );
        }
    }
}

#[test]
fn every_file_begins_with_its_purpose_and_is_short() {
    let mut files = rust_files(&root().join("crates"));
    files.extend(rust_files(&root().join("xtask")));
    assert!(files.len() > 150, "the files are elsewhere");
    let mut long = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(
            text.starts_with("//!"),
            "{} must begin with //!",
            short(&file)
        );
        let lines = text.lines().count();
        if lines > LONGEST {
            long.push(format!("{} has {lines} lines", short(&file)));
        }
    }
    assert!(long.is_empty(), "more than {LONGEST} lines: {long:#?}");
}

/// Adds all string literals in a list of tokens to `words`. Code for tests is left out.
fn words_in_quotes(tokens: TokenStream, words: &mut Vec<String>) {
    let mut is_for_tests = false;
    for token in tokens {
        match token {
            TokenTree::Literal(literal) => words.push(literal.to_string().replace('"', "")),
            TokenTree::Group(group) => {
                let text = group.stream().to_string();
                if std::mem::take(&mut is_for_tests)
                    && group.delimiter() == proc_macro2::Delimiter::Brace
                {
                    continue;
                }
                is_for_tests |= text.replace(' ', "").starts_with("cfg(test)");
                words_in_quotes(group.stream(), words);
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) => {}
        }
    }
}

#[test]
fn the_report_does_not_contain_names_of_cells() {
    let study = Study::read(&root().join("configs")).unwrap();
    let cells: BTreeSet<&str> = study
        .cells()
        .iter()
        .map(|cell| cell.name.as_str())
        .collect();
    // These are also the names of families.
    let families = ["gradients", "pca"];
    let crate_folder = root().join("crates/report");
    for file in rust_files(&crate_folder.join("src")) {
        let for_tests = ["fake.rs", "tests.rs", "tests"];
        if file
            .iter()
            .any(|part| for_tests.iter().any(|name| part == *name))
        {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        let mut words = Vec::new();
        words_in_quotes(text.parse().unwrap(), &mut words);
        for word in words {
            assert!(
                !cells.contains(word.as_str()) || families.contains(&word.as_str()),
                "{} names the cell `{word}`; study.toml has to name the cells of a figure",
                short(&file)
            );
        }
    }
    for entry in std::fs::read_dir(crate_folder.join("templates")).unwrap() {
        let file = entry.unwrap().path();
        let text = std::fs::read_to_string(&file).unwrap();
        for cell in cells.iter().filter(|cell| !families.contains(cell)) {
            let in_quotes = [format!("\"{cell}\""), format!("'{cell}'")];
            assert!(
                !in_quotes.iter().any(|word| text.contains(word)),
                "{} names the cell `{cell}`",
                short(&file)
            );
        }
    }
}
