//! Checks the frame and the keys of an LSB header; what stands behind the keys is the business of `values`.

use std::collections::BTreeSet;

use super::block::{Block, Field, Oddity};
use super::finding::Report;
use super::rules::header as rules;
use crate::lsb::scan::Key;

/// What LSB has without an `X-`.
const OF_LSB: [&str; 9] = [
    "Provides",
    "Required-Start",
    "Required-Stop",
    "Should-Start",
    "Should-Stop",
    "Default-Start",
    "Default-Stop",
    "Short-Description",
    "Description",
];

const DEMANDED: [Key; 5] =
    [Key::Provides, Key::RequiredStart, Key::RequiredStop, Key::DefaultStart, Key::DefaultStop];

/// Checks the block as such.
pub(super) fn check(block: &Block, report: &mut Report<'_>) {
    let Some(begin) = block.begin else {
        report.plain(&rules::HEADER_MISSING, 1);
        return;
    };
    if block.end.is_none() {
        report.plain(&rules::HEADER_OPEN, begin);
    }
    for &(line, oddity) in &block.odd {
        match oddity {
            Oddity::Frame => report.plain(&rules::HEADER_FRAME, line),
            Oddity::Torn => report.plain(&rules::HEADER_TORN, line),
            Oddity::Stray => report.plain(&rules::LINE_STRAY, line),
            Oddity::Again => report.add(
                &rules::HEADER_TWICE,
                line,
                format!("there is a second LSB header; the first begins in line {begin}"),
            ),
        }
    }
    let mut seen = BTreeSet::new();
    for field in &block.fields {
        key(field, report);
        if !seen.insert(field.name().to_ascii_lowercase()) {
            report.add(&rules::KEY_TWICE, field.line, format!("{} was given before", field.name()));
        }
    }
    for demanded in DEMANDED.into_iter().filter(|&key| block.get(key).is_none()) {
        report.add(&rules::KEY_MISSING, begin, format!("{} is missing", demanded.spelling()));
    }
    if !block.fields.iter().any(|field| field.is("Short-Description")) {
        report.plain(&rules::SHORT_DESCRIPTION_MISSING, begin);
    }
}

fn key(field: &Field, report: &mut Report<'_>) {
    let Field { line, key, .. } = field;
    if !field.is_plain {
        report.add(
            &rules::KEY_FORM,
            *line,
            format!("the key {} is not written as '# {}:'", key.trim(), field.name()),
        );
        return;
    }
    let is_own = key.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("X-"));
    if is_own || OF_LSB.iter().any(|name| field.is(name)) {
        return;
    }
    let message = match field.known {
        Some(known) => format!("'{key}' is read by insserv alone, as {}", known.spelling()),
        None => format!("'{key}' is not a key of LSB"),
    };
    report.add(&rules::KEY_UNKNOWN, *line, message);
}
