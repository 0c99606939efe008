//! The rules, each a pure function from a source to its violations.

use std::fmt;

use crate::tree::Source;

/// One place where a rule is broken.
#[derive(Debug, PartialEq, Eq)]
pub struct Violation {
    path: String,
    line: usize,
    what: String,
}

impl Violation {
    /// A violation in `line` (counted from 1) of `path`.
    pub fn new(path: &str, line: usize, what: impl Into<String>) -> Violation {
        Violation { path: path.to_owned(), line, what: what.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

/// The packages of ours that each manifest may name.
pub const ARROWS: [(&str, &[&str]); 4] = [
    ("daemon/Cargo.toml", &["foobar-process", "foobar-tests"]),
    ("daemon/process/Cargo.toml", &["foobar-tests"]),
    ("initscripts/Cargo.toml", &["foobar-tests"]),
    ("ctl/Cargo.toml", &["foobar-process", "foobar-initscripts", "foobar-tests"]),
];

/// A crate and the path prefixes below which it may be named.
const PLACES: [(&str, &[&str]); 6] = [
    ("fs2", &["daemon/process/src/lock.rs"]),
    ("sysinfo", &["daemon/process/src/usage.rs"]),
    ("libc", &["daemon/process/src/sys.rs", "daemon/process/src/sys/"]),
    ("rustix", &["daemon/process/", "daemon/src/transfer.rs", "ctl/src/sys/", "ctl/benches/"]),
    ("nix", &["daemon/", "tests/"]),
    (
        "clap",
        &[
            "daemon/src/cli.rs",
            "ctl/src/cli.rs",
            "ctl/src/cli/",
            "ctl/src/command/man.rs",
            "ctl/src/main.rs",
            "daemon/src/main.rs",
        ],
    ),
];

/// Where the wall clock may be read, each for a stamp that somebody reads, for the age of a file, or because the service is to tell it.
/// Time limits count in monotonic time.
const STAMPS: [&str; 12] = [
    "ctl/src/command/logs.rs",
    "ctl/src/supervisor/log/file.rs",
    "ctl/src/supervisor/log/pump.rs",
    "ctl/src/supervisor/report.rs",
    "ctl/src/supervisor/unit.rs",
    "daemon/examples/",
    "daemon/process/src/probe.rs",
    "daemon/process/src/syslog.rs",
    "daemon/process/src/usage.rs",
    "daemon/src/logfile.rs",
    "daemon/src/server.rs",
    "daemon/src/service/",
];

fn lines(source: &Source) -> impl Iterator<Item = (usize, &str)> {
    source.text.lines().enumerate().map(|(index, line)| (index + 1, line))
}

/// The lines that are code, without comments.
fn code(source: &Source) -> impl Iterator<Item = (usize, &str)> {
    lines(source).filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// A file opens by saying what it is.
pub fn opens_with_front_page(source: &Source) -> Vec<Violation> {
    if source.text.starts_with("//! ") {
        return Vec::new();
    }
    vec![Violation::new(&source.path, 1, "does not open with `//! `")]
}

/// 400 lines are refused; 100 to 300 are wished.
pub fn short_enough(source: &Source) -> Vec<Violation> {
    let count = source.text.lines().count();
    if count <= 400 {
        return Vec::new();
    }
    vec![Violation::new(&source.path, count, format!("{count} lines: is it one thing?"))]
}

/// `lib.rs` and `mod.rs` hold modules, re-exports and documentation.
pub fn lists_only(source: &Source) -> Vec<Violation> {
    if !source.path.ends_with("/lib.rs") && !source.path.ends_with("/mod.rs") {
        return Vec::new();
    }
    let starts = ["fn ", "struct ", "enum ", "trait ", "impl ", "impl<", "static ", "macro_rules!"];
    let defines = |line: &str| {
        let bare =
            line.trim_start_matches("pub ").trim_start_matches("pub(crate) ").trim_start_matches("const ");
        starts.iter().any(|start| bare.starts_with(start))
    };
    code(source)
        .filter(|(_, line)| defines(line))
        .map(|(number, line)| Violation::new(&source.path, number, format!("defines: {line}")))
        .collect()
}

/// `unsafe` blocks stand in one module of the workspace.
pub fn unsafe_in_sys_only(source: &Source) -> Vec<Violation> {
    let sys =
        source.path == "daemon/process/src/sys.rs" || source.path.starts_with("daemon/process/src/sys/");
    if sys || source.path.starts_with("tests/house/") {
        return Vec::new();
    }
    code(source)
        .filter(|(_, line)| {
            ["unsafe {", "unsafe fn", "allow(unsafe_code)"].iter().any(|word| line.contains(word))
        })
        .map(|(number, line)| Violation::new(&source.path, number, line.trim()))
        .collect()
}

/// A crate that could be replaced by editing one file is named in that file alone.
pub fn crates_in_their_places(source: &Source) -> Vec<Violation> {
    let mut found = Vec::new();
    for (krate, places) in PLACES {
        if places.iter().any(|place| source.path.starts_with(place))
            || source.path.starts_with("tests/house/")
        {
            continue;
        }
        let named = format!("{krate}::");
        let names = |line: &str| {
            line.match_indices(&named).any(|(at, _)| {
                let before = line[..at].chars().next_back();
                !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
            })
        };
        for (number, line) in code(source).filter(|(_, line)| names(line)) {
            found.push(Violation::new(&source.path, number, format!("names {krate}: {}", line.trim())));
        }
    }
    found
}

/// The wall clock, which somebody may set by hours, is read in few places.
pub fn wall_clock_for_stamps_only(source: &Source) -> Vec<Violation> {
    let is_free = STAMPS.iter().any(|place| source.path.starts_with(place));
    if is_free || source.path.starts_with("tests/") {
        return Vec::new();
    }
    let tests_from = code(source).find(|row| row.1.trim() == "#[cfg(test)]").map_or(usize::MAX, |row| row.0);
    code(source)
        .filter(|(number, line)| {
            let reads = line.contains("SystemTime::now") || line.contains("CLOCK_REALTIME");
            *number < tests_from && reads
        })
        .map(|(number, line)| Violation::new(&source.path, number, format!("wall clock: {}", line.trim())))
        .collect()
}

/// Whether a file holds tests or their harness.
fn is_test(path: &str) -> bool {
    path.starts_with("tests/") && !path.starts_with("tests/house/")
}

/// No test sleeps.
pub fn no_sleep_in_tests(source: &Source) -> Vec<Violation> {
    let tests_from = if is_test(&source.path) {
        0
    } else {
        lines(source).find(|(_, line)| line.trim() == "#[cfg(test)]").map_or(usize::MAX, |(number, _)| number)
    };
    code(source)
        .filter(|(number, line)| {
            *number >= tests_from && line.contains("sleep(") && !source.path.contains("house")
        })
        .map(|(number, line)| Violation::new(&source.path, number, line.trim()))
        .collect()
}

/// Nothing unfinished, nothing silenced, no path of one machine.
pub fn finished(source: &Source) -> Vec<Violation> {
    if source.path.starts_with("tests/house/") {
        return Vec::new();
    }
    let signs = [
        "todo!(",
        "unimplemented!(",
        "FIXME",
        "XXX",
        "HACK",
        "#[ignore",
        "assert!(true",
        "allow(dead_code",
        "allow(unused",
        "/work/",
        "/root/",
    ];
    lines(source)
        .filter_map(|(number, line)| {
            let sign = signs.iter().find(|sign| line.contains(**sign))?;
            Some(Violation::new(&source.path, number, format!("{sign}: {}", line.trim())))
        })
        .collect()
}

/// A manifest names no package of ours but those allowed.
pub fn arrows(path: &str, manifest: &str, allowed: &[&str]) -> Vec<Violation> {
    let ours = ["foobard", "foobarctl", "foobar-process", "foobar-initscripts", "foobar-tests"];
    let dependency = |line: &str| {
        let name = line.split(['.', ' ', '=']).next().unwrap_or_default();
        ours.contains(&name) && !allowed.contains(&name)
    };
    manifest
        .lines()
        .enumerate()
        .filter(|(_, line)| dependency(line))
        .map(|(index, line)| Violation::new(path, index + 1, format!("an arrow that is not drawn: {line}")))
        .collect()
}

/// Each dependency of the workspace that is not ours follows a comment that argues for it.
pub fn argued(manifest: &str) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut inside = false;
    let mut argument = false;
    for (index, line) in manifest.lines().enumerate() {
        if line.starts_with('[') {
            inside = line == "[workspace.dependencies]";
        } else if inside && line.starts_with('#') {
            argument = true;
            continue;
        } else if inside && !line.is_empty() && !line.starts_with("foobar-") && !argument {
            // clap_complete and clap_mangen share one line of argument, hence the look at the family.
            let family = line.split(['_', ' ', '-']).next().unwrap_or_default();
            let before = manifest.lines().take(index).last().unwrap_or_default();
            if !before.starts_with(family) {
                found.push(Violation::new("Cargo.toml", index + 1, format!("no argument for: {line}")));
            }
        }
        argument = false;
    }
    found
}
