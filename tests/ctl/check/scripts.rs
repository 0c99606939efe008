//! Codes that a script shows by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use foobar_tests::Sandbox;

use super::tree::{GOOD, text};
use crate::support::{Ran, ctl};

/// A code; what is replaced in the good script; by what the code is shown; by what it is not.
type Row = (&'static str, &'static str, &'static str, &'static str);

pub const ROWS: &[Row] = &[
    ("header-missing", "### BEGIN INIT INFO", "### INIT INFO", "### BEGIN INIT INFO  "),
    ("header-frame", "### BEGIN INIT INFO", "# ### BEGIN INIT INFO", "### BEGIN INIT INFO \t"),
    ("header-frame", "### END INIT INFO", "### END INIT INFO ###", "### END INIT INFO "),
    ("header-open", "### END INIT INFO\n", "", "# X-End: yes\n### END INIT INFO\n"),
    ("header-torn", "# Provides:", "\n# Provides:", "# X-Empty:\n# Provides:"),
    (
        "header-twice",
        "### END INIT INFO\n",
        "### END INIT INFO\n### BEGIN INIT INFO\n### END INIT INFO\n",
        "### END INIT INFO\n# a ### BEGIN INIT INFO would be one\n",
    ),
    ("key-missing", "# Required-Stop:     $remote_fs $syslog\n", "", "# required-stop: $remote_fs\n"),
    ("short-description-missing", "# Short-Description: a good one\n", "", "# short-description: x\n"),
    ("key-twice", "# Should-Start:", "# Default-Start: 3\n# Should-Start:", "# X-Twice: 1\n# Should-Start:"),
    ("key-unknown", "# Should-Start:", "# Shuold-Start:", "# X-Mine-Start:"),
    ("key-unknown", "# Should-Start:", "# Start-Before:", "# X-Start-Before:"),
    ("key-form", "# Provides:", "#Provides:", "# provides:"),
    ("key-form", "# Should-Stop:", "#  Should-Stop:", "# Should-Stop:\t"),
    ("key-form", "#                    good", "#  Provides: good", "#  provides good"),
    ("line-stray", "# Provides:", "# what follows is a header\n# Provides:", "# Provides: x\n# X-Provides:"),
    ("crlf", "#!/bin/sh\n", "#!/bin/sh\r\n", "#!/bin/sh \n"),
    ("list-cut", "other third", "other  third", "other third "),
    ("list-cut", "other third", "other, third", "other,third"),
    ("value-cut", "other third", "other\tthird", "other third\t"),
    ("value-cut", "other third", "oth\u{e9}r third", "other third\r"),
    ("separator", "other third", "other,third", "other third"),
    ("separator", "2 3 4 5", "2,3,4,5", "2 3 4 5 "),
    ("levels-unsplit", "2 3 4 5", "2345", "2  3\t4 5"),
    ("level-unknown", "2 3 4 5", "2 3 4 5 7", "s 2 3 4 5"),
    ("level-unknown", "0 1 6", "0 1 6 off", "0 1 6"),
    ("level-b", "2 3 4 5", "B", "S"),
    ("starts-at-halt", "2 3 4 5", "0 2 3 4 5", "1 2 3 4 5"),
    ("starts-partly", "2 3 4 5", "3 5", "S"),
    ("start-and-stop", "0 1 6", "0 1 2 6", "0 1 6"),
    ("stops-at-boot", "0 1 6", "0 1 6 S", "6 1 0"),
    ("stops-partly", "0 1 6", "0 6", ""),
    ("provides-facility", "Provides:          good", "Provides: good $good", "Provides: good goods"),
    ("provides-other", "Provides:          good", "Provides: better", "Provides: better good"),
    ("local-fs-missing", "Required-Start:    $remote_fs", "Required-Start:", "Required-Start: $local_fs"),
    ("local-fs-missing", "Required-Stop:     $remote_fs", "Required-Stop:", "Required-Stop: umountfs"),
    ("uses-member", "other third", "networking", "$network"),
    ("facility-unknown", "$remote_fs $syslog", "$remote_fs $sylog", "$remote_fs $time"),
    ("requires-all", "other third", "$all", "all"),
    ("all-ignored", "# Short-", "# X-Start-Before: $all\n# Short-", "# X-Start-Before: cron\n# Short-"),
    ("requires-itself", "other third", "other good", "other goods"),
    ("not-true", "# Short-", "# X-Interactive: True\n# Short-", "# X-Interactive: true\n# Short-"),
    ("interpreter-missing", "#!/bin/sh\n", "# /bin/sh\n", "#! /bin/sh\n"),
    ("interpreter-usr", "#!/bin/sh\n", "#!/usr/bin/perl\n", "#!/usr/bin/env /lib/init/init-d-script\n"),
    ("skeleton", ". /lib", "# Example initscript\n. /lib", "# An example\n. /lib"),
    (
        "defaults-untested",
        "[ -r /etc/default/good ] && ",
        "",
        "if [ -r /etc/default/good ]; then\nfi\ntest -f x && ",
    ),
    (
        "defaults-untested",
        "[ -r /etc/default/good ] && ",
        "if :; then\n",
        "if test ! -e /etc/default/good; then\n:; else\n",
    ),
    ("action-missing", "restart | force-reload)", "restart)", "restart | 'force-reload')"),
    ("action-missing", "stop) killproc", "halt) killproc", "'stop') killproc"),
    ("status-missing", "status) status_of_proc", "state) pidofproc", "\"status\") pidofproc"),
    ("action-advertised", "status}", "status|reload}", "status} # reload"),
    (
        "functions-missing",
        ". /lib/lsb/init-functions\n",
        "# . /lib/lsb/init-functions\n",
        "test x && . /lib/lsb/init-functions\n",
    ),
    (
        "init-d-script-argument",
        "#!/bin/sh\n",
        "#!/bin/sh /lib/init/init-d-script\n",
        "#!/usr/bin/env /lib/init/init-d-script\n",
    ),
];

/// For scripts of Buildroot, and what is replaced in this one.
const BUILDROOT: &str =
    "#!/bin/sh\n\nDAEMON=\"good\"\nPIDFILE=\"/var/run/$DAEMON.pid\"\n\nstart() {\n\ttrue\n}\n\n\"$1\"\n";

pub const BUILDROOT_ROWS: &[Row] = &[
    ("buildroot-indent", "\ttrue", "  true", "\t\ttrue"),
    ("buildroot-indent", "\ttrue", "\t true", "\ttrue"),
    ("buildroot-blank", "\ttrue", "\ttrue ", "\ttrue\n\ttrue"),
    ("buildroot-blank", "#!/bin/sh\n\n", "#!/bin/sh\n\n\n", "#!/bin/sh\n#\n"),
    ("buildroot-blank", "\"$1\"\n", "\"$1\"", "$1\n"),
    ("buildroot-blank", "\"$1\"\n", "\"$1\"\n\n", "$1\n"),
    ("buildroot-daemon", "DAEMON=\"good\"\n", "", "DAEMON=good\n"),
    ("buildroot-daemon", "DAEMON=\"good\"\n", "DAEMON=/sbin/good\n", "DAEMON='good'\n"),
    ("buildroot-daemon", "DAEMON=\"good\"\n", "DAEMON=good\nDAEMON=good\n", "DAEMON=good\n DAEMON=good\n"),
    ("buildroot-pid-file", "/var/run/$DAEMON.pid", "/run/good.pid", "/var/run/${DAEMON}.pid"),
    ("buildroot-name", "\"good\"", "\"better\"", "good"),
];

fn replaced(template: &str, row: &Row, by: &str) -> String {
    assert!(template.contains(row.1), "{row:?}");
    template.replacen(row.1, by, 1)
}

/// The codes of many scripts in one run, by the name of their directory.
fn check_all(scripts: &BTreeMap<String, (&str, String)>) -> BTreeMap<String, BTreeSet<String>> {
    let sandbox = Sandbox::new("check-scripts");
    let mut files = Vec::new();
    for (directory, (name, text)) in scripts {
        let path = sandbox.path().join(directory);
        fs::create_dir(&path).unwrap();
        fs::write(path.join(name), text).unwrap();
        files.push(path.join(name).to_str().unwrap().to_owned());
    }
    let arguments: Vec<&str> = files.iter().map(String::as_str).collect();
    let ran: Ran =
        ctl(&[&["--format", "json", "check", "--fail-on", "never"][..], &arguments].concat()).expect(0);
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for finding in ran.json()["findings"].as_array().unwrap() {
        let file = text(finding, "file");
        let directory = file.rsplit('/').nth(1).unwrap().to_owned();
        assert!(finding["line"].as_u64().unwrap() > 0, "{finding}");
        found.entry(directory).or_default().insert(text(finding, "code"));
    }
    found
}

fn rows_hold(template: &str, name: &'static str, rows: &[Row]) {
    let mut scripts = BTreeMap::from([("good".to_owned(), (name, template.to_owned()))]);
    for (number, row) in rows.iter().enumerate() {
        scripts.insert(format!("{number}-shows"), (name, replaced(template, row, row.2)));
        scripts.insert(format!("{number}-near"), (name, replaced(template, row, row.3)));
    }
    let found = check_all(&scripts);
    assert_eq!(found.get("good"), None, "the template has a fault of its own");
    for (number, row) in rows.iter().enumerate() {
        let has =
            |which: &str| found.get(&format!("{number}-{which}")).is_some_and(|codes| codes.contains(row.0));
        assert!(has("shows"), "{} is not found in {:?}: {found:?}", row.0, row.2);
        assert!(!has("near"), "{} is found in {:?}", row.0, row.3);
    }
}

#[test]
fn each_code_is_found_in_a_script_that_shows_it_and_not_in_one_that_is_near() {
    rows_hold(GOOD, "good", ROWS);
}

#[test]
fn scripts_of_buildroot_have_rules_of_their_own() {
    rows_hold(BUILDROOT, "S50good", BUILDROOT_ROWS);
}

#[test]
fn a_finding_names_the_line() {
    let sandbox = Sandbox::new("check-line");
    let file = sandbox.path().join("good");
    fs::write(&file, GOOD.replace("other third", "other  third")).unwrap();
    let shown = file.to_str().unwrap();
    let ran = ctl(&["check", shown]).expect(1);
    let line =
        format!("{shown}:6: error: Should-Start: 'third' is lost [list-cut]\n    insserv ends the list");
    assert!(ran.out.starts_with(&line), "{ran:#?}");
}
