//! What a running machine adds: PID files, defaults files, and what a script answers when it is asked.

use std::collections::BTreeMap;

use super::finding::{Finding, Report, Rule};
use super::rules::{files, script as rules};
use crate::exit::Status;

/// The PID files that a script names, with the line of each, as far as they can be told without running it.
#[must_use]
pub fn pid_files(script: &[u8]) -> Vec<(String, u32)> {
    let text = String::from_utf8_lossy(script);
    let mut values: BTreeMap<&str, String> = BTreeMap::new();
    let mut found: Vec<(String, u32)> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let Some((variable, value)) = assignment(line) else { continue };
        let Some(value) = expand(value, &values) else { continue };
        let names_pid = variable.to_ascii_lowercase().contains("pid");
        let is_path = value.starts_with('/') && value.ends_with(".pid") && !value.contains("..");
        if names_pid && is_path && found.iter().all(|(path, _)| *path != value) {
            found.push((value.clone(), number));
        }
        values.insert(variable, value);
    }
    found
}

fn assignment(line: &str) -> Option<(&str, &str)> {
    let (variable, value) = line.trim_start().split_once('=')?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (!variable.is_empty() && variable.chars().all(plain)).then_some((variable, value))
}

/// A value without quotes, its variables replaced; none when it is more than that.
fn expand(value: &str, values: &BTreeMap<&str, String>) -> Option<String> {
    let value = value.trim();
    let value = match value.chars().next() {
        Some(quote @ ('"' | '\'')) => value[1..].split(quote).next()?,
        _ => value.split([' ', '\t', ';']).next()?,
    };
    let mut out = String::new();
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let (name, more) = match after.strip_prefix('{') {
            Some(inner) => inner.split_once('}')?,
            None => {
                let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
                after.split_at(after.find(|c| !plain(c)).unwrap_or(after.len()))
            }
        };
        out.push_str(values.get(name)?);
        rest = more;
    }
    out.push_str(rest);
    (!out.contains(['`', '*', '?'])).then_some(out)
}

/// Checks a PID file; `runs` tells whether there is a process of a number.
#[must_use]
pub fn pid_file(
    subject: &str,
    file: &str,
    content: &[u8],
    mode: u32,
    runs: impl Fn(i32) -> bool,
) -> Vec<Finding> {
    let mut report = Report::new(subject, file);
    if mode & 0o002 != 0 {
        report.add(&files::PID_FILE_WRITABLE, 1, format!("everybody can write it (mode {mode:04o})"));
    }
    let text = String::from_utf8_lossy(content);
    // Some programs write more lines, and Debian's tools read the first alone.
    let first = text.lines().next().unwrap_or_default().trim();
    match first.parse::<i32>() {
        // A program that is about to start empties it first.
        _ if text.trim().is_empty() => {}
        Ok(pid) if pid > 1 => {
            if !runs(pid) {
                report.add(&files::PID_FILE_STALE, 1, format!("process {pid} does not run"));
            }
        }
        _ => {
            let shown: String = first.chars().take(20).flat_map(char::escape_default).collect();
            report.add(&files::PID_FILE_BAD, 1, format!("'{shown}' is no process ID of a service"));
        }
    }
    report.found
}

/// What a script has answered to `status`: its exit code, none when a signal ended it, and its words.
#[must_use]
pub fn answer(subject: &str, file: &str, code: Option<i32>, said: &str) -> Option<Finding> {
    let say = |rule: &'static Rule, message: String| Some(Finding::new(rule, subject, file, 1, message));
    let first = said.lines().find(|line| line.to_ascii_lowercase().contains("usage"));
    if let Some(line) = first.filter(|_| code != Some(0)) {
        return say(&rules::STATUS_UNANSWERED, format!("asked for status, it says: {}", line.trim()));
    }
    match code {
        Some(code) if u8::try_from(code).ok().and_then(Status::of).is_some() => None,
        Some(code) => say(&rules::STATUS_CODE, format!("asked for status, it ends with {code}")),
        None => say(&rules::STATUS_CODE, "asked for status, it is ended by a signal".to_owned()),
    }
}

/// A script that did not answer in time.
#[must_use]
pub fn no_answer(subject: &str, file: &str) -> Finding {
    Finding::new(&rules::STATUS_HANGS, subject, file, 1, rules::STATUS_HANGS.title)
}

/// The interpreter of a script is not there.
#[must_use]
pub fn no_interpreter(subject: &str, file: &str, interpreter: &str) -> Finding {
    let message = format!("the interpreter {interpreter} is not on this machine");
    Finding::new(&rules::INTERPRETER_ABSENT, subject, file, 1, message)
}

/// Checks a defaults file for switches.
#[must_use]
pub fn defaults(subject: &str, file: &str, text: &[u8]) -> Vec<Finding> {
    let mut report = Report::new(subject, file);
    for (number, line) in (1..).zip(String::from_utf8_lossy(text).lines()) {
        let bare = line.trim_start();
        let Some((variable, value)) = bare.trim_start_matches('#').trim_start().split_once('=') else {
            continue;
        };
        let Some(turns_on) = switch(variable) else { continue };
        let value = value.trim().trim_matches(['"', '\'']).to_ascii_lowercase();
        let is_off = match turns_on {
            true => matches!(value.as_str(), "0" | "no" | "n" | "false" | "off"),
            false => matches!(value.as_str(), "1" | "yes" | "y" | "true" | "on"),
        };
        if is_off && !bare.starts_with('#') {
            report.add(
                &files::SWITCHED_OFF,
                number,
                format!("{variable}={value} keeps the service from starting"),
            );
        } else {
            report.add(&files::SWITCH, number, format!("{variable} is a switch for starting the service"));
        }
    }
    report.found
}

/// Whether a variable switches a service on or off.
fn switch(variable: &str) -> Option<bool> {
    let bytes = variable.as_bytes();
    let bare = if bytes.len() > 2 && bytes[0].is_ascii_uppercase() && bytes[1] == b'_' {
        &variable[2..]
    } else {
        variable
    };
    match bare {
        "ENABLED" | "START" => Some(true),
        "DISABLED" | "NO_START" => Some(false),
        _ => {
            let before = bare.strip_suffix("RUN")?;
            before.chars().all(|c| c.is_ascii_uppercase()).then_some(true)
        }
    }
}
