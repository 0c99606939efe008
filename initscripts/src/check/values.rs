//! Checks what stands behind the keys of an LSB header: runlevels, names, facilities.

use std::collections::BTreeSet;

use super::block::{Block, Field};
use super::finding::{Report, Rule};
use super::rules::values as rules;
use super::surroundings::Surroundings;
use crate::lsb::scan::{self, Key};
use crate::lsb::words;

/// LSB Core, "Facility Names", and those of Debian.
const FACILITIES: [&str; 10] = [
    "$all",
    "$local_fs",
    "$mail-transport-agent",
    "$named",
    "$network",
    "$portmap",
    "$remote_fs",
    "$syslog",
    "$time",
    "$x-display-manager",
];

/// Scripts that are members of a facility, and which.
const MEMBERS: [(&str, &str); 10] = [
    ("mountall", "$local_fs"),
    ("mountnfs", "$remote_fs"),
    ("hwclock", "$time"),
    ("portmap", "$portmap"),
    ("named", "$named"),
    ("bind9", "$named"),
    ("networking", "$network"),
    ("syslog", "$syslog"),
    ("rsyslog", "$syslog"),
    ("sysklogd", "$syslog"),
];

/// Scripts that are part of the way down themselves.
const OF_THE_END: [&str; 4] = ["killprocs", "sendsigs", "halt", "reboot"];

/// The script of the administrator, which is to be the last one.
const LAST: &str = "rc.local";

/// Checks all values.
pub(super) fn check(block: &Block, name: &str, around: &Surroundings, report: &mut Report<'_>) {
    for field in &block.fields {
        match field.known {
            Some(Key::DefaultStart | Key::DefaultStop) => levels(field, report),
            Some(Key::Interactive) if field.value != "true" => {
                report.add(
                    &rules::NOT_TRUE,
                    field.line,
                    format!("X-Interactive is '{}' and not 'true'", field.value),
                );
            }
            Some(Key::Interactive) | None => {}
            Some(Key::Provides) => {
                list(field, report);
                provides(field, name, report);
            }
            Some(_) => {
                list(field, report);
                needs(field, block, name, around, report);
            }
        }
    }
    wishes(block, name, around, report);
}

/// Words as a person reads them.
fn meant(field: &Field) -> Vec<&str> {
    field
        .value
        .split(|c: char| c.is_whitespace() || matches!(c, ',' | ';'))
        .filter(|w| !w.is_empty())
        .collect()
}

/// Words that insserv does not see.
fn list(field: &Field, report: &mut Report<'_>) {
    let value = field.value.as_str();
    let visible = scan::printable(value.as_bytes());
    let (meant, seen) = (meant(field), words::names(visible).count());
    let name = field.name();
    if seen >= meant.len() {
        separators(field, report);
        return;
    }
    let lost = meant[seen..].join(" ");
    let in_visible = words::meant(visible).count();
    let rule: &'static Rule = if seen == in_visible { &rules::VALUE_CUT } else { &rules::LIST_CUT };
    report.add(rule, field.line, format!("{name}: '{lost}' is lost"));
}

fn separators(field: &Field, report: &mut Report<'_>) {
    if field.value.contains([',', ';']) {
        let message = format!("{}: words are parted by a comma or a semicolon", field.name());
        report.add(&rules::SEPARATOR, field.line, message);
    }
}

fn is_level(word: &str) -> bool {
    word.len() == 1 && word.chars().all(|c| "0123456sS".contains(c))
}

fn levels(field: &Field, report: &mut Report<'_>) {
    separators(field, report);
    let name = field.name();
    for word in meant(field).into_iter().filter(|word| !is_level(word)) {
        let (rule, message): (&'static Rule, String) = if matches!(word, "b" | "B") {
            (&rules::LEVEL_B, format!("{name} has the runlevel {word}, which exists on SUSE only"))
        } else if word.chars().all(|c| "0123456sS".contains(c)) {
            (
                &rules::LEVELS_UNSPLIT,
                format!("{name}: '{word}' is not read as the runlevels that it is made of"),
            )
        } else {
            (&rules::LEVEL_UNKNOWN, format!("{name}: '{word}' is no runlevel"))
        };
        report.add(rule, field.line, message);
    }
}

fn provides(field: &Field, name: &str, report: &mut Report<'_>) {
    let words = meant(field);
    for word in words.iter().filter(|word| word.starts_with('$')) {
        report.add(&rules::PROVIDES_FACILITY, field.line, format!("Provides has the system facility {word}"));
    }
    if !words.iter().any(|word| *word == name || name.strip_suffix(".sh") == Some(*word)) {
        report.add(&rules::PROVIDES_OTHER, field.line, format!("Provides does not have '{name}'"));
    }
}

fn needs(field: &Field, block: &Block, script: &str, around: &Surroundings, report: &mut Report<'_>) {
    let name = field.name();
    let own = block.get(Key::Provides).map(meant).unwrap_or_default();
    let is_need = !matches!(field.known, Some(Key::StartBefore | Key::StopAfter));
    for word in meant(field) {
        if own.contains(&word) {
            report.add(
                &rules::REQUIRES_ITSELF,
                field.line,
                format!("{name}: the script provides {word} itself"),
            );
        } else if word.starts_with('$') && !FACILITIES.contains(&word) && !around.defined.contains(word) {
            report.add(&rules::FACILITY_UNKNOWN, field.line, format!("{name}: {word} is not defined"));
        } else if word == "$all" && !is_need {
            report.add(&rules::ALL_IGNORED, field.line, format!("{name}: $all does not count"));
        } else if word == "$all" && !(around.installed && script == LAST) {
            report.add(&rules::REQUIRES_ALL, field.line, format!("{name} has $all"));
        }
        let member = MEMBERS.iter().find(|(member, _)| *member == word && is_need);
        if let Some((_, facility)) = member.filter(|(_, facility)| !around.makes(facility, script)) {
            report.add(&rules::USES_MEMBER, field.line, format!("{name}: {word} is a member of {facility}"));
        }
    }
}

/// The runlevels of a key as a person reads them, in lower case, and the line.
fn wish(block: &Block, key: Key) -> (BTreeSet<char>, u32) {
    let all = block.fields.iter().filter(|field| field.known == Some(key));
    let words = all.clone().flat_map(meant);
    let letters = words.filter(|word| is_level(word)).flat_map(|word| word.chars());
    let line = all.clone().next().map_or(1, |field| field.line);
    (letters.map(|letter| letter.to_ascii_lowercase()).collect(), line)
}

fn words_of(levels: impl Iterator<Item = char>) -> String {
    levels.map(|level| level.to_ascii_uppercase().to_string()).collect::<Vec<_>>().join(" ")
}

/// Runlevels that do not go together.
fn wishes(block: &Block, name: &str, around: &Surroundings, report: &mut Report<'_>) {
    let (start, start_line) = wish(block, Key::DefaultStart);
    let (stop, stop_line) = wish(block, Key::DefaultStop);
    for level in ['0', '6'].into_iter().filter(|level| start.contains(level)) {
        report.add(&rules::STARTS_AT_HALT, start_line, format!("Default-Start has runlevel {level}"));
    }
    let normal = ['2', '3', '4', '5'];
    let missing: Vec<char> = normal.into_iter().filter(|level| !start.contains(level)).collect();
    if (1..normal.len()).contains(&missing.len()) {
        let message = format!("Default-Start does not have {}", words_of(missing.into_iter()));
        report.add(&rules::STARTS_PARTLY, start_line, message);
    }
    for &level in start.intersection(&stop) {
        let level = level.to_ascii_uppercase();
        let message = format!("runlevel {level} is in Default-Start and in Default-Stop");
        report.add(&rules::START_AND_STOP, stop_line, message);
    }
    if stop.contains(&'s') {
        report.plain(&rules::STOPS_AT_BOOT, stop_line);
    }
    let missing: Vec<char> = ['0', '1', '6'].into_iter().filter(|level| !stop.contains(level)).collect();
    let only_at_boot = start.len() == 1 && start.contains(&'s');
    if (1..3).contains(&missing.len())
        && !only_at_boot
        && !OF_THE_END.contains(&name)
        && !around.ending.contains(name)
    {
        let message = format!("Default-Stop does not have {}", words_of(missing.into_iter()));
        report.add(&rules::STOPS_PARTLY, stop_line, message);
    }
}

/// Whether /var is mounted when the script runs: `line` is the first that uses it.
pub(super) fn var(block: &Block, line: u32, report: &mut Report<'_>) {
    let pairs = [(Key::DefaultStart, Key::RequiredStart), (Key::DefaultStop, Key::RequiredStop)];
    for (levels, needs) in pairs {
        let is_empty = block.fields.iter().filter(|f| f.known == Some(levels)).all(|f| f.value.is_empty());
        let enough = |word: &str| {
            matches!(word, "$local_fs" | "$remote_fs" | "$all")
                || (needs == Key::RequiredStop && matches!(word, "umountfs" | "umountnfs"))
        };
        let words = block.get(needs).map(meant).unwrap_or_default();
        if !is_empty && !words.into_iter().any(enough) {
            let message = format!("uses /var, and {} has neither $local_fs nor $remote_fs", needs.spelling());
            report.add(&rules::LOCAL_FS_MISSING, line, message);
        }
    }
}
