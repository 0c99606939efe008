//! The rules of Buildroot for start scripts. Its check-package has them as tests of style; the manual, "The start
//! script", as advice.

use super::finding::Report;
use super::rules::buildroot as rules;

/// Whether a script is called as busybox's rcS wants it: S, two digits and something.
pub(super) fn is_name(name: &str) -> bool {
    name.strip_prefix('S')
        .is_some_and(|rest| rest.len() > 2 && rest.as_bytes()[..2].iter().all(u8::is_ascii_digit))
}

/// Checks a script of that name.
pub(super) fn check(name: &str, text: &str, report: &mut Report<'_>) {
    let mut daemon: Option<(u32, &str)> = None;
    for (number, line) in (1..).zip(text.lines()) {
        let content = line.trim_end();
        if content.trim_start_matches('\t').starts_with(' ') {
            report.plain(&rules::BUILDROOT_INDENT, number);
        }
        if content.len() < line.len() {
            report.add(&rules::BUILDROOT_BLANK, number, "there are blanks at the end of the line");
        }
        if let Some(value) = assigned(content, "DAEMON") {
            if let Some((first, _)) = daemon {
                let message = format!("DAEMON is set again; the first time in line {first}");
                report.add(&rules::BUILDROOT_DAEMON, number, message);
            } else if value.contains('/') {
                report.add(&rules::BUILDROOT_DAEMON, number, format!("DAEMON has a path: {value}"));
            }
            daemon = daemon.or(Some((number, value.rsplit('/').next().unwrap_or(value))));
        }
        if let Some(value) = assigned(content, "PIDFILE") {
            let rest = value.strip_prefix("/var/run/").unwrap_or_default();
            if !matches!(rest, "$DAEMON.pid" | "${DAEMON}.pid") {
                report.add(&rules::BUILDROOT_PID_FILE, number, format!("PIDFILE is {value}"));
            }
        }
    }
    empty_lines(text, report);
    match daemon {
        None => report.add(&rules::BUILDROOT_DAEMON, 1, "DAEMON is not set"),
        Some((line, daemon)) if name.get(3..) != Some(daemon) => {
            let message = format!("the script is called {name}, and DAEMON is {daemon}");
            report.add(&rules::BUILDROOT_NAME, line, message);
        }
        Some(_) => {}
    }
}

/// The value of an assignment in the first column, without quotes.
fn assigned<'a>(line: &'a str, variable: &str) -> Option<&'a str> {
    let value = line.strip_prefix(variable)?.strip_prefix('=')?;
    let value = value.trim_start_matches(['"', '\'']);
    Some(value.split(['"', '\'']).next().unwrap_or(value))
}

fn empty_lines(text: &str, report: &mut Report<'_>) {
    let lines: Vec<&str> = text.lines().collect();
    for (at, pair) in lines.windows(2).enumerate() {
        if pair.iter().all(|line| line.trim().is_empty()) {
            let number = u32::try_from(at + 2).unwrap_or(u32::MAX);
            report.add(&rules::BUILDROOT_BLANK, number, "there are several empty lines in a row");
        }
    }
    let last = u32::try_from(lines.len()).unwrap_or(u32::MAX);
    if lines.last().is_some_and(|line| line.trim().is_empty()) {
        report.add(&rules::BUILDROOT_BLANK, last, "the last line is empty");
    }
    if !text.is_empty() && !text.ends_with('\n') {
        report.add(&rules::BUILDROOT_BLANK, last, "the last line has no newline");
    }
}
