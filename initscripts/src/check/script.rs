//! One init script: its header, its text, and, by its name, the rules of Buildroot.

use super::block::Block;
use super::finding::{Finding, Report};
use super::surroundings::Surroundings;
use super::{actions, body, buildroot, header, values};

/// A script to look at.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Its name, the last component of its path.
    pub name: &'a str,
    /// The file as findings are to call it.
    pub file: &'a str,
    /// All of it.
    pub text: &'a [u8],
}

/// What is wrong with a script: by itself, or, with its surroundings, on its machine.
///
/// ```
/// use foobar_initscripts::check::script::{Subject, check};
/// let text = b"#!/bin/sh\necho hello\n";
/// let found = check(&Subject { name: "hello", file: "./hello", text }, &Default::default());
/// assert_eq!(found[0].rule.code, "header-missing");
/// assert_eq!((found[0].file.as_str(), found[0].line), ("./hello", 1));
/// ```
#[must_use]
pub fn check(subject: &Subject<'_>, around: &Surroundings) -> Vec<Finding> {
    let text = String::from_utf8_lossy(subject.text);
    let mut report = Report::new(subject.name, subject.file);
    if is_of_openrc(&text) {
        // insserv gives these a header of its own, and their functions are not actions of a case.
        return report.found;
    }
    let block = Block::read(&text);
    if around.numbered || buildroot::is_name(subject.name) && block.begin.is_none() {
        buildroot::check(subject.name, &text, &mut report);
        return report.found;
    }
    header::check(&block, &mut report);
    if block.begin.is_some() {
        values::check(&block, subject.name, around, &mut report);
    }
    body::check(&text, &block, around, &mut report);
    actions::check(&text, &mut report);
    report.found.sort_by_key(|finding| finding.line);
    report.found
}

/// Whether it is safe to guess that `SCRIPT status` only asks: the action stands in the text.
#[must_use]
pub fn has_status(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    !is_of_openrc(&text) && actions::has_status(&text)
}

/// The path of the interpreter, or of what env(1) looks for, in the first line.
#[must_use]
pub fn interpreter(text: &[u8]) -> Option<String> {
    let first = text.split(|&byte| byte == b'\n').next()?;
    let line = first.strip_prefix(b"#!")?;
    let line = std::str::from_utf8(line).ok()?;
    line.split_ascii_whitespace().next().map(str::to_owned)
}

fn is_of_openrc(text: &str) -> bool {
    body::interpreter(text).is_some_and(|path| path.ends_with("/openrc-run"))
}
