//! Results that are written down: what insserv 1.24.0 and update-rc.d were seen to do. They hold without the
//! program being installed.

use std::collections::BTreeSet;

use foobar_initscripts::installed::{Installed, ScriptFile, Tier};
use foobar_initscripts::link::Kind;
use foobar_initscripts::name::{Runlevel, Runlevels};
use foobar_initscripts::order::{Arrangement, Change, OrderError, Warning, arrange};

const CONF: &str =
    "$syslog +rsyslog\n$remote_fs $local_fs +mountnfs\n$local_fs +mountall\n$network networking\n";

fn header(name: &str, requires: &str, start: &str, stop: &str) -> String {
    format!(
        "#!/bin/sh\n### BEGIN INIT INFO\n# Provides: {name}\n# Required-Start: {requires}\n\
         # Required-Stop: {requires}\n# Default-Start: {start}\n# Default-Stop: {stop}\n### END INIT INFO\n"
    )
}

struct Root {
    scripts: Vec<(String, String)>,
    links: BTreeSet<String>,
}

/// What a change has led to, beside the links.
struct Done {
    changes: usize,
    boot: String,
    start: String,
    stop: String,
    warnings: Vec<Warning>,
}

impl Root {
    fn new(scripts: &[(&str, String)]) -> Root {
        let scripts = scripts.iter().map(|(name, text)| ((*name).to_owned(), text.clone())).collect();
        Root { scripts, links: BTreeSet::new() }
    }

    fn installed(&self) -> Installed {
        let mut installed = Installed::new();
        installed.add_conf(CONF.as_bytes());
        for (name, text) in &self.scripts {
            installed.add_script(&ScriptFile::regular(name, text.as_bytes()));
        }
        for path in &self.links {
            let level = Runlevel::from_letter(path.as_bytes()[2].into()).unwrap();
            let entry = &path[6..];
            installed.add_link(level, entry, &format!("../init.d/{}", &entry[3..]));
        }
        installed
    }

    fn apply(&mut self, change: &Change) -> Done {
        let installed = self.installed();
        self.apply_to(&installed, change)
    }

    fn apply_to(&mut self, installed: &Installed, change: &Change) -> Done {
        let arrangement = arrange(installed, change).unwrap();
        for link in arrangement.removed() {
            assert!(self.links.remove(&link.path()), "{} is not there", link.path());
        }
        for link in arrangement.added() {
            assert!(self.links.insert(link.path()), "{} is there already", link.path());
        }
        let links = arrangement.links().map(|link| link.path()).collect();
        assert_eq!(self.links, links, "changes and result disagree");
        let changes = arrangement.added().count() + arrangement.removed().count();
        let Arrangement { boot, start, stop, warnings, .. } = arrangement;
        Done { changes, boot, start, stop, warnings }
    }

    fn of(&self, name: &str) -> String {
        let own = self.links.iter().filter(|path| &path[9..] == name);
        own.map(|path| format!("{}{}", &path[2..3], &path[6..9])).collect::<Vec<_>>().join(" ")
    }
}

fn stock() -> Root {
    let mut root = Root::new(&[
        ("mountall", header("mountall", "", "S", "")),
        ("rsyslog", header("rsyslog", "$remote_fs", "2 3 4 5", "0 1 6")),
        ("foobar", header("foobar", "$remote_fs $syslog", "2 3 4 5", "0 1 6")),
    ]);
    root.apply(&Change::add("mountall").forced());
    root.apply(&Change::add("rsyslog").forced());
    root
}

#[test]
fn two_scripts_and_their_files() {
    let mut root = Root::new(&[("a", header("a", "", "2 3", "0")), ("b", header("b", "a", "2 3", "0"))]);
    root.apply(&Change::add("a"));
    let result = root.apply(&Change::add("b"));
    assert_eq!(root.of("a"), "0K02 2S01 3S01");
    assert_eq!(root.of("b"), "0K01 2S02 3S02");
    assert_eq!(result.boot, "TARGETS =\nINTERACTIVE =\n");
    assert_eq!(result.start, "TARGETS = a b\nINTERACTIVE =\nb: a\n");
    assert_eq!(result.stop, "TARGETS = b a\na: b\n");
}

#[test]
fn foobar_among_stock_scripts() {
    let mut root = stock();
    root.apply(&Change::add("foobar").forced());
    assert_eq!(root.of("foobar"), "0K01 1K01 2S02 3S02 4S02 5S02 6K01");
    let again = root.apply(&Change::nothing().forced());
    assert!(again.changes == 0);
}

#[test]
fn what_the_administrator_turned_off_stays_off() {
    let mut root = stock();
    root.apply(&Change::add("foobar").forced());
    let mut installed = root.installed();
    let turned = installed.turn_links("foobar", Runlevels::parse("2345").unwrap(), Kind::Kill);
    assert_eq!(turned, 4);
    root.apply_to(&installed, &Change::add("foobar").forced());
    let off = "0K01 1K01 2K01 3K01 4K01 5K01 6K01";
    assert_eq!(root.of("foobar"), off);
    let result = root.apply(&Change::add("foobar").forced());
    assert_eq!(root.of("foobar"), off);
    assert!(!result.warnings.is_empty(), "insserv warns that the links differ from the header");

    let mut installed = root.installed();
    installed.turn_links("foobar", Runlevels::parse("2345").unwrap(), Kind::Start);
    root.apply_to(&installed, &Change::add("foobar").forced());
    assert_eq!(root.of("foobar"), "0K01 1K01 2S02 3S02 4S02 5S02 6K01");
}

#[test]
fn removal_with_and_without_the_script() {
    let mut root = stock();
    root.apply(&Change::add("foobar").forced());
    let mut other = Root { scripts: root.scripts.clone(), links: root.links.clone() };
    root.apply(&Change::remove("foobar").forced());
    assert_eq!(root.of("foobar"), "");
    other.scripts.retain(|(name, _)| name != "foobar");
    let result = other.apply(&Change::nothing().forced());
    assert_eq!(other.of("foobar"), "");
    assert!(!result.start.contains("foobar") && !result.stop.contains("foobar"));
}

#[test]
fn refusals_are_values() {
    let mut root = Root::new(&[("a", header("a", "", "2 3", "0")), ("b", header("b", "a", "2 3", "0"))]);
    let refuse = |root: &Root, change: &Change| arrange(&root.installed(), change).unwrap_err();
    let (needed, by) = ("a".to_owned(), "b".to_owned());
    assert_eq!(
        refuse(&root, &Change::add("b")),
        OrderError::NotEnabled { needed: needed.clone(), by: by.clone() }
    );
    root.apply(&Change::add("a"));
    root.apply(&Change::add("b"));
    assert_eq!(refuse(&root, &Change::remove("a")), OrderError::StillNeeded { needed, by });
    assert_eq!(refuse(&root, &Change::add("c")), OrderError::NoScript { name: "c".to_owned() });
    root.scripts[0].1.truncate(40);
    assert!(matches!(refuse(&root, &Change::nothing()), OrderError::NoEnd { .. }));
}

#[test]
fn a_loop_is_named_in_full() {
    let scripts = [("a", "c"), ("b", "a"), ("c", "b"), ("d", "a")];
    let scripts: Vec<(&str, String)> =
        scripts.iter().map(|(name, needs)| (*name, header(name, needs, "2", "0"))).collect();
    let mut change = Change::add("a");
    for (name, _) in &scripts[1..] {
        change.arguments.extend(Change::add(name).arguments);
    }
    let error = arrange(&Root::new(&scripts).installed(), &change).unwrap_err();
    let OrderError::Loop { mut cycle, stopping: false } = error else { panic!("{error}") };
    assert_eq!(cycle.len(), 4);
    assert_eq!(cycle.first(), cycle.last());
    cycle.pop();
    cycle.sort();
    assert_eq!(cycle, ["a", "b", "c"]);
    let installed = Root::new(&scripts).installed();
    let forced = arrange(&installed, &change.forced()).unwrap();
    assert!(forced.warnings.iter().any(|warning| warning.to_string().contains("wait for each other")));
}

#[test]
fn an_override_replaces_the_header() {
    let root = Root::new(&[("a", header("a", "", "2", "0"))]);
    let mut installed = root.installed();
    installed.add_override(Tier::Vendor, "a", header("a", "", "4", "0").as_bytes());
    installed.add_override(Tier::Administrator, "a", header("a", "", "3", "0").as_bytes());
    let arrangement = arrange(&installed, &Change::add("a")).unwrap();
    let links: Vec<String> = arrangement.links().map(|link| link.path()).collect();
    assert_eq!(links, ["rc0.d/K01a", "rc3.d/S01a"]);
}

#[test]
fn names_that_change_hands_end_in_no_ring() {
    // insserv's own lists are spoilt by then: there is no result to be equal to, but there must be one.
    let mut installed = Installed::new();
    for (name, names) in [("h", "f networking"), ("f", "f y"), ("d", "l y")] {
        let text = format!("### BEGIN INIT INFO\n# Provides: {names}\n### END INIT INFO\n");
        installed.add_script(&ScriptFile::regular(name, text.as_bytes()));
    }
    assert!(arrange(&installed, &Change::nothing().forced()).is_ok());
}
