//! Finds circles in the `crate::…` and `super::…` paths between the files of one crate.

use std::collections::{BTreeMap, BTreeSet};
use std::iter::Peekable;
use std::str::Chars;

use crate::rules::Violation;
use crate::tree::Source;

/// The module of a file: `ctl/src/command/start.rs` is `command::start`; a `mod.rs` is its folder.
fn module(folder: &str, path: &str) -> String {
    let inner = path.trim_start_matches(folder).trim_start_matches('/').trim_end_matches(".rs");
    inner.trim_end_matches("/mod").replace('/', "::")
}

/// The modules that a file imports from its own crate, as far as they are files of it.
fn imports(source: &Source, own: &str, modules: &BTreeSet<String>) -> BTreeSet<String> {
    let parent = own.rsplit_once("::").map_or("", |(parent, _)| parent);
    // In the tests of a file `super` is the file itself.
    let code = source.text.lines().take_while(|line| line.trim() != "#[cfg(test)]");
    let code: Vec<&str> = code.filter(|line| !line.trim_start().starts_with("//")).collect();
    let code = code.join("\n");
    let mut found = BTreeSet::new();
    for (word, base) in [("crate::", ""), ("super::", parent)] {
        for (at, _) in code.match_indices(word) {
            for path in paths(&mut code[at + word.len()..].chars().peekable()) {
                // The longest prefix that is a file: `order::walk::Depth` is in `order::walk`.
                let mut parts: Vec<&str> =
                    base.split("::").chain(path.split("::")).filter(|part| !part.is_empty()).collect();
                while !parts.is_empty() && !modules.contains(&parts.join("::")) {
                    parts.pop();
                }
                if !parts.is_empty() {
                    found.insert(parts.join("::"));
                }
            }
        }
    }
    found
}

/// The paths that stand here: one, or each of those that `a::{b, c::d}` is short for.
fn paths(code: &mut Peekable<Chars<'_>>) -> Vec<String> {
    let mut path = String::new();
    while let Some(c) = code.next_if(|c| c.is_alphanumeric() || "_:".contains(*c)) {
        path.push(c);
    }
    if code.next_if_eq(&'{').is_none() {
        return vec![path];
    }
    let mut found = Vec::new();
    loop {
        while code.next_if(|c| c.is_whitespace() || *c == ',').is_some() {}
        match code.peek() {
            None | Some('}') => break,
            Some(c) if c.is_alphanumeric() || "_{".contains(*c) => {
                found.extend(paths(code).into_iter().map(|inner| format!("{path}{inner}")));
            }
            Some(_) => {
                code.next();
            }
        }
    }
    code.next();
    found
}

/// One violation for each circle, told as the way around it.
pub fn find(folder: &str, sources: &[Source]) -> Vec<Violation> {
    // A list imports everything below it by design; the crate's root and `main` are lists of this kind.
    let files: Vec<&Source> = sources
        .iter()
        .filter(|source| !source.path.ends_with("/lib.rs") && !source.path.ends_with("/mod.rs"))
        .collect();
    let modules: BTreeSet<String> = files.iter().map(|source| module(folder, &source.path)).collect();
    let arrows: BTreeMap<String, BTreeSet<String>> = files
        .iter()
        .map(|source| {
            let own = module(folder, &source.path);
            let mut to = imports(source, &own, &modules);
            to.remove(&own);
            (own, to)
        })
        .collect();
    let mut done = BTreeSet::new();
    let mut found = Vec::new();
    for start in arrows.keys() {
        walk(folder, start, &arrows, &mut Vec::new(), &mut done, &mut found);
    }
    found
}

fn walk(
    folder: &str,
    at: &str,
    arrows: &BTreeMap<String, BTreeSet<String>>,
    way: &mut Vec<String>,
    done: &mut BTreeSet<String>,
    found: &mut Vec<Violation>,
) {
    if let Some(first) = way.iter().position(|step| step == at) {
        let circle = format!("{} -> {at}", way[first..].join(" -> "));
        found.push(Violation::new(folder, 0, circle));
        return;
    }
    if !done.insert(at.to_owned()) && !way.is_empty() {
        return;
    }
    way.push(at.to_owned());
    for next in arrows.get(at).into_iter().flatten() {
        walk(folder, next, arrows, way, done, found);
    }
    way.pop();
}
