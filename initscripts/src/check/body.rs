//! Checks the script around its header: interpreter, defaults files, /var, functions.

use super::block::Block;
use super::finding::Report;
use super::rules::{header, script as rules};
use super::surroundings::Surroundings;
use super::values;

/// The interpreter that brings all actions with it; Debian, init-d-script(5).
const INIT_D_SCRIPT: &str = "/lib/init/init-d-script";

/// What Debian's example says about itself.
const OF_THE_EXAMPLE: [&str; 2] = ["Please remove the \"Author\" lines", "Example initscript"];

/// The words of the first line behind `#!`, without env(1).
pub(super) fn interpreter(text: &str) -> Option<&str> {
    let mut words = text.lines().next()?.strip_prefix("#!")?.split_ascii_whitespace();
    match words.next()? {
        "/usr/bin/env" => words.next(),
        other => Some(other),
    }
}

/// Whether the actions are those of init-d-script: as the interpreter, as its argument, or read by the script.
pub(super) fn has_init_d_script(text: &str) -> bool {
    let read = format!(". {INIT_D_SCRIPT}");
    let reads = |line: &str| line.split('#').next().is_some_and(|code| code.contains(&read));
    interpreter(text) == Some(INIT_D_SCRIPT) || is_argument(text) || text.lines().any(reads)
}

fn is_argument(text: &str) -> bool {
    let words = text.lines().next().map(|line| line.split_ascii_whitespace()).into_iter().flatten();
    interpreter(text) != Some(INIT_D_SCRIPT) && words.skip(1).any(|word| word == INIT_D_SCRIPT)
}

/// Checks all of it.
pub(super) fn check(text: &str, block: &Block, around: &Surroundings, report: &mut Report<'_>) {
    if text.lines().next().is_some_and(|line| line.starts_with("#!")) {
        first_line(text, report);
    } else {
        report.plain(&rules::INTERPRETER_MISSING, 1);
    }
    let mut tested = false;
    let mut var = None;
    let mut speaks = false;
    let mut functions = has_init_d_script(text);
    for (number, line) in (1..).zip(text.lines()) {
        if OF_THE_EXAMPLE.iter().any(|sentence| line.contains(sentence)) {
            report.plain(&rules::SKELETON, number);
        }
        if opens_test(line) {
            tested = true;
        }
        if has_word(line, "fi") {
            tested = false;
        }
        if let Some(file) = sourced(line).filter(|file| file.starts_with("/etc/default/") && !tested) {
            let message = format!("reads {file} without looking whether it is there");
            report.add(&rules::DEFAULTS_UNTESTED, number, message);
        }
        if var.is_none() && line.split('#').next().is_some_and(|code| code.contains("/var/")) {
            var = Some(number);
        }
        functions |= reads_functions(line);
        speaks |= prints(line);
    }
    let is_early = around.makes("$local_fs", report.subject);
    if let Some(line) = var.filter(|_| block.begin.is_some() && !is_early) {
        values::var(block, line, report);
    }
    // What says nothing on a machine of its own has nothing to say in the machine's way.
    if !functions && (speaks || !around.installed) {
        report.plain(&rules::FUNCTIONS_MISSING, 1);
    }
}

fn first_line(text: &str, report: &mut Report<'_>) {
    if is_argument(text) {
        report.plain(&rules::INIT_D_SCRIPT_ARGUMENT, 1);
    }
    if text.split('\n').next().is_some_and(|line| line.ends_with('\r')) {
        report.plain(&header::CRLF, 1);
    }
    if let Some(path) = interpreter(text).filter(|path| path.starts_with("/usr/")) {
        report.add(&rules::INTERPRETER_USR, 1, format!("the interpreter {path} is in /usr"));
    }
}

/// `if test -r`, `if [ ! -f`: what follows up to `fi` has been looked for.
fn opens_test(line: &str) -> bool {
    if !has_word(line, "if") {
        return false;
    }
    let words: Vec<&str> = line.split(|c: char| c.is_whitespace()).filter(|word| !word.is_empty()).collect();
    let is_test = |word: &str| word.ends_with("test") || word.ends_with('[');
    words.windows(3).any(|w| {
        let operator = if w[1] == "!" { w[2] } else { w[1] };
        is_test(w[0]) && matches!(operator, "-e" | "-f" | "-r")
    })
}

/// The file that a line reads with `.` as its first word.
fn sourced(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix('.')?;
    if !rest.starts_with(char::is_whitespace) {
        return None;
    }
    let rest = rest.trim_start().trim_start_matches(['"', '\'']);
    let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ';')).unwrap_or(rest.len());
    Some(&rest[..end])
}

/// Whether a line says something that is no explanation of the usage.
fn prints(line: &str) -> bool {
    let is_print = ["echo ", "printf "].iter().any(|word| line.trim_start().starts_with(word));
    is_print && !line.to_ascii_lowercase().contains("usage")
}

fn reads_functions(line: &str) -> bool {
    let code = line.trim_start();
    if code.starts_with('#') {
        return false;
    }
    let words: Vec<&str> = code.split([' ', '\t', ';', '"', '\'']).filter(|word| !word.is_empty()).collect();
    words.windows(2).any(|pair| {
        let path = pair[1];
        (pair[0].ends_with('.') || pair[0].ends_with("source"))
            && (path.starts_with("/lib/lsb/init-functions") || path.starts_with(INIT_D_SCRIPT))
    })
}

/// Whether a word stands in a line by itself.
pub(super) fn has_word(line: &str, word: &str) -> bool {
    let inner = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word)
        .any(|(at, _)| !line[..at].ends_with(inner) && !line[at + word.len()..].starts_with(inner))
}
