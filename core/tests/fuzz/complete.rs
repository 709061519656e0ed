//! Whether every public function of the library that is given anything is among the targets.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A public function as the source declares it.
struct Function {
    /// `Type::name`, or the name alone.
    name: String,
    /// How a call of it looks.
    call: String,
    file: String,
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder of sources");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    let is_source = |path: &PathBuf| path.extension().is_some_and(|end| end == "rs");
    let below = |path: PathBuf| match path.is_dir() {
        true => files_below(&path),
        false => vec![path].into_iter().filter(is_source).collect(),
    };
    files.into_iter().flat_map(below).collect()
}

/// The text with `name(` where it has `name::<Type>(`.
fn without_type_arguments(text: &str) -> String {
    let mut parts = text.split("::<");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut depth = 1;
        let end = part.char_indices().find(|&(_, letter)| {
            depth += i32::from(letter == '<') - i32::from(letter == '>');
            depth == 0
        });
        out += end.map_or(part, |(end, _)| &part[end + 1..]);
    }
    out
}

/// The name of the type that `impl … Type` is for.
fn type_of(line: &str) -> Option<String> {
    let line = line.replace("->", "");
    let rest = line.strip_prefix("impl")?;
    let mut depth = 0;
    let end = rest.char_indices().find(|&(_, letter)| {
        depth += i32::from(letter == '<') - i32::from(letter == '>');
        depth == 0 && (letter == '>' || letter == ' ')
    });
    let rest = rest[end?.0 + 1..].trim_start();
    let rest = rest.rsplit_once(" for ").map_or(rest, |(_, of)| of);
    rest.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next().map(str::to_owned)
}

/// The public functions of a file that take anything besides themselves.
fn functions(file: &Path, root: &Path) -> Vec<Function> {
    let text = std::fs::read_to_string(file).expect("a source");
    let text = text.split("\n#[cfg(test)]\nmod tests {").next().expect("a part").to_owned();
    let (mut of, mut found) = (None, Vec::new());
    for (start, line) in text.lines().scan(0, |at, line| {
        let start = *at;
        *at += line.len() + 1;
        Some((start, line))
    }) {
        if line.starts_with("impl") {
            of = type_of(line);
        } else if line == "}" {
            of = None;
        }
        let Some(declared) = line.trim_start().strip_prefix("pub fn ") else { continue };
        let end = declared.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
        let name = &declared[..end.unwrap_or(declared.len())];
        let signature = &text[start..];
        let parameters = &signature[signature.find('(').expect("parameters") + 1..];
        let (takes, rest) = receiver(parameters.trim_start());
        if rest.trim_start().starts_with(')') {
            continue;
        }
        let (name, call) = match (&of, takes) {
            (Some(of), true) => (format!("{of}::{name}"), format!(".{name}(")),
            (Some(of), false) => (format!("{of}::{name}"), format!("{of}::{name}(")),
            (None, _) => (name.to_owned(), format!("{name}(")),
        };
        let file = file.strip_prefix(root).expect("below it").display().to_string();
        found.push(Function { name, call, file });
    }
    found
}

/// Whether a function takes itself, and its other parameters.
fn receiver(parameters: &str) -> (bool, &str) {
    let rest = parameters.trim_start_matches('&').trim_start();
    let rest = match rest.strip_prefix('\'') {
        Some(rest) => rest.split_once(' ').map_or(rest, |(_, rest)| rest),
        None => rest,
    };
    let rest = rest.strip_prefix("mut ").unwrap_or(rest);
    match rest.strip_prefix("self") {
        Some(rest)
            if !rest.starts_with(|letter: char| letter.is_alphanumeric() || letter == '_') =>
        {
            (true, rest.trim_start_matches(','))
        }
        _ => (false, parameters),
    }
}

#[test]
fn every_public_function_is_tried_or_exempt_with_a_reason() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/targets");
    let tried: String = files_below(&tests)
        .iter()
        .map(|file| std::fs::read_to_string(file).expect("a source"))
        .collect();
    let tried = without_type_arguments(&tried);
    let exempt: BTreeSet<(&str, &str)> = include_str!("exempt.txt")
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| {
            let (name, reason) = line.split_once(':').expect("an exempt function has a reason");
            let (of, name) = name.rsplit_once('/').expect("an exempt function has a file");
            assert!(!reason.trim().is_empty(), "{line}");
            (of, name)
        })
        .collect();
    let declared: Vec<Function> = files_below(&root)
        .iter()
        .filter(|file| !file.ends_with("tests.rs") && !file.iter().any(|part| part == "tests"))
        .flat_map(|file| functions(file, &root))
        .collect();
    assert!(declared.len() > 300, "{} functions: the sources are read wrongly", declared.len());
    let is_exempt = |function: &Function| {
        exempt.contains(&(function.file.as_str(), &*function.name.replace("::", ".")))
    };
    let missing: Vec<String> = declared
        .iter()
        .filter(|function| !tried.contains(&function.call) && !is_exempt(function))
        .map(|function| format!("{}/{}", function.file, function.name.replace("::", ".")))
        .collect();
    assert!(
        missing.is_empty(),
        "tried by no target: call it in one below core/tests/fuzz/targets, or name it in \
         core/tests/fuzz/exempt.txt with a reason:\n{}",
        missing.join("\n")
    );
}
