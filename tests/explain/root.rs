//! A small Debian in memory.

use std::path::PathBuf;

use foobar_initscripts::installed::{Installed, ScriptFile, Tier};
use foobar_initscripts::link::Link;
use foobar_initscripts::order::{Change, Outline, arrange, outline};

const CONF: &str =
    "$local_fs +mountall\n$network networking +ifupdown\n$remote_fs $local_fs +mountnfs\n$syslog +rsyslog\n";

/// Name, then the lines of the header.
pub const SCRIPTS: [(&str, &[&str]); 10] = [
    ("mountkernfs.sh", &["Provides: mountkernfs", "Default-Start: S"]),
    (
        "checkroot.sh",
        &["Provides: checkroot", "Required-Start: mountkernfs", "Default-Start: S", "X-Interactive: true"],
    ),
    ("keymap", &["Provides: keymap", "Required-Start: mountkernfs", "Default-Start: S"]),
    ("mountall.sh", &["Provides: mountall", "Required-Start: checkroot", "Default-Start: S"]),
    (
        "mountnfs.sh",
        &["Provides: mountnfs", "Required-Start: $local_fs", "Should-Start: $network", "Default-Start: S"],
    ),
    (
        "firewall",
        &["Provides: firewall", "Required-Start: $local_fs", "X-Start-Before: $network", "Default-Start: S"],
    ),
    (
        "rsyslog",
        &[
            "Provides: rsyslog",
            "Required-Start: $remote_fs",
            "Required-Stop: umountfs $remote_fs",
            "Default-Start: 2 3",
            "Default-Stop: 0",
        ],
    ),
    (
        "cron",
        &[
            "Provides: cron",
            "Required-Start: $syslog",
            "Required-Stop: $syslog",
            "Default-Start: 2 3",
            "Default-Stop: 0",
        ],
    ),
    (
        "mail",
        &[
            "Provides: mail",
            "Required-Start: $syslog cron",
            "Required-Stop: $syslog cron",
            "Default-Start: 2",
            "Default-Stop: 0",
        ],
    ),
    ("rc.local", &["Provides: rc.local", "Required-Start: $all", "Default-Start: 2 3"]),
];

/// A script with this header.
pub fn text(lines: &[&str]) -> String {
    let lines: Vec<String> = lines.iter().map(|line| format!("# {line}\n")).collect();
    format!("#!/bin/sh\n### BEGIN INIT INFO\n{}### END INIT INFO\n", lines.concat())
}

/// The scripts, unlinked.
pub fn scripts(scripts: &[(&str, &[&str])]) -> Installed {
    let mut installed = Installed::new();
    installed.add_conf(CONF.as_bytes());
    for (name, lines) in scripts {
        installed.add_script(&ScriptFile::regular(name, text(lines).as_bytes()));
    }
    installed
}

/// All of them linked, and one header overridden.
pub fn stock() -> Installed {
    let mut installed = scripts(&SCRIPTS);
    installed.add_override(
        Tier::Administrator,
        "mail",
        text(&["Provides: mail", "Required-Start: $syslog", "Should-Start: cron", "Default-Start: 2"])
            .as_bytes(),
    );
    link(&mut installed, SCRIPTS.iter().map(|(name, _)| *name));
    installed
}

/// Links scripts as insserv would.
pub fn link<'a>(installed: &mut Installed, names: impl Iterator<Item = &'a str>) {
    let mut change = Change::nothing().forced();
    names.for_each(|name| change.arguments.extend(Change::add(name).arguments));
    let made: Vec<Link> = arrange(installed, &change).unwrap().added().map(Link::owned).collect();
    for link in made {
        installed.add_link(link.runlevel, &link.to_string(), &format!("../init.d/{}", link.name));
    }
}

/// What is to be explained.
pub fn order(installed: &Installed) -> Outline {
    outline(installed, &Change::nothing().forced()).unwrap()
}

/// Compares with tests/golden/explain/`name`; `UPDATE_GOLDEN=1` writes it anew.
#[track_caller]
pub fn compare(name: &str, text: &str) {
    let file = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/golden/explain")).join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&file, text).unwrap();
    }
    let approved = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(text == approved, "{} differs from:\n{text}", file.display());
}
