//! Which actions a script has, told from its text alone. A shell script is a program, so this is a guess: words
//! of the code count, words that are only printed do not.

use std::collections::BTreeMap;

use super::body::has_init_d_script;
use super::finding::Report;
use super::rules::script as rules;

/// LSB Core, "Init Script Actions".
const DEMANDED: [&str; 4] = ["start", "stop", "restart", "force-reload"];

/// Actions that a usage line may promise.
const KNOWN: [&str; 7] = ["start", "stop", "restart", "force-reload", "reload", "try-restart", "status"];

/// What is known of the actions of a script.
#[derive(Debug, Default)]
struct Seen<'a> {
    /// Anywhere before a `#`, as a part of a word too.
    named: BTreeMap<&'a str, u32>,
    /// As a word of its own in a line that prints nothing.
    handled: BTreeMap<&'a str, u32>,
    /// In a line with the word usage.
    promised: BTreeMap<&'a str, u32>,
    /// All that was asked for is handed on to something else.
    hands_on: bool,
    /// The line of a `case` that looks at the first argument.
    case: Option<u32>,
}

/// Checks that all actions are there that must be.
pub(super) fn check(text: &str, report: &mut Report<'_>) {
    if has_init_d_script(text) {
        return;
    }
    let seen = look(text);
    let line = seen.case.unwrap_or(1);
    // Without a case over the first argument the words may be anywhere, in another language too.
    let strict = seen.case.is_some() && !seen.hands_on;
    let is_missing =
        |action: &str| !seen.named.contains_key(action) || (strict && !seen.handled.contains_key(action));
    for action in DEMANDED.into_iter().filter(|action| is_missing(action)) {
        report.add(&rules::ACTION_MISSING, line, format!("the action {action} is missing"));
    }
    if is_missing("status") {
        report.plain(&rules::STATUS_MISSING, line);
    }
    for (action, &line) in &seen.promised {
        if strict && !seen.handled.contains_key(action) {
            let message = format!("the usage line names {action}, and the script does not have it");
            report.add(&rules::ACTION_ADVERTISED, line, message);
        }
    }
}

/// Whether the text has the action status, so that asking for it is no experiment.
pub(super) fn has_status(text: &str) -> bool {
    if has_init_d_script(text) {
        return true;
    }
    let seen = look(text);
    seen.case.is_some() && seen.handled.contains_key("status")
}

fn look(text: &str) -> Seen<'static> {
    let mut seen = Seen::default();
    for (number, line) in (1..).zip(text.lines()) {
        let code = line.split('#').next().unwrap_or_default();
        let bare = code.trim_start();
        let (label, rest) = label(line_without_comment(line).trim_start());
        let is_usage = rest.to_ascii_lowercase().contains("usage");
        let prints = is_usage || prints(rest);
        // What the script calls itself with is answered elsewhere.
        let rest = rest.split("$0").next().unwrap_or_default();
        for action in KNOWN {
            if named(code, action) {
                seen.named.entry(action).or_insert(number);
            }
            if is_word(label, action) || (!prints && is_word(rest, action)) {
                seen.handled.entry(action).or_insert(number);
            } else if is_usage && is_word(line_without_comment(line), action) {
                seen.promised.entry(action).or_insert(number);
            }
        }
        if is_case(bare) {
            seen.case.get_or_insert(number);
        }
        // `"$1"` or `$@` outside of the case: a function, an included file or another program does the rest.
        let looks_on =
            ["case ", "if ", "elif ", "test ", "[ ", "shift"].iter().any(|word| bare.starts_with(word));
        let argument = ["$1", "${1", "$@", "$*", "$action", "$ACTION"].iter().any(|word| code.contains(word));
        seen.hands_on |= argument && !looks_on && !prints;
    }
    seen
}

/// A line of a case: the patterns, and what follows the parenthesis.
fn label(code: &str) -> (&str, &str) {
    let plain = |c: char| c.is_alphanumeric() || " \t|'\"*?[]_-".contains(c);
    match code.split_once(')') {
        Some((label, rest)) if label.trim_start_matches('(').chars().all(plain) => (label, rest.trim_start()),
        _ => ("", code),
    }
}

/// A `#` within a word opens no comment.
fn line_without_comment(line: &str) -> &str {
    let blank = |at: usize| at == 0 || line[..at].ends_with([' ', '\t']);
    line.match_indices('#').find(|(at, _)| blank(*at)).map_or(line, |(at, _)| &line[..at])
}

fn prints(code: &str) -> bool {
    let first = code.split(|c: char| c.is_whitespace()).next().unwrap_or_default();
    matches!(first, "echo" | "printf" | "print" | "die" | "cat") || first.starts_with("log_")
}

/// `case "$1" in` and its like.
fn is_case(code: &str) -> bool {
    let Some(rest) = code.strip_prefix("case") else { return false };
    let subject = rest.trim_start().trim_start_matches('"');
    ["$1", "${1", "$@", "$*"].iter().any(|argument| subject.starts_with(argument))
}

/// Whether an action is named, be it as a part of a word; `restart` does not name start.
fn named(code: &str, action: &str) -> bool {
    if !matches!(action, "start" | "status") {
        return code.contains(action);
    }
    code.match_indices(action).any(|(at, _)| !(action == "start" && code[..at].ends_with("re")))
}

fn is_word(code: &str, action: &str) -> bool {
    let inner = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    code.match_indices(action)
        .any(|(at, _)| !code[..at].ends_with(inner) && !code[at + action.len()..].starts_with(inner))
}
