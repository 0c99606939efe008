//! Slackware: the executable bit, and our lines in rc.local and rc.local_shutdown among those of an administrator.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::roots::Root;
use crate::support::{picture, same};

const LOCAL: &str = "etc/rc.d/rc.local";
const SHUTDOWN: &str = "etc/rc.d/rc.local_shutdown";

fn mode(root: &Root, path: &str) -> u32 {
    fs::metadata(root.path(path)).unwrap().permissions().mode() & 0o7777
}

fn set_mode(root: &Root, path: &str, mode: u32) {
    fs::set_permissions(root.path(path), fs::Permissions::from_mode(mode)).unwrap();
}

fn text(root: &Root, path: &str) -> String {
    String::from_utf8_lossy(&fs::read(root.path(path)).unwrap()).into_owned()
}

/// The services that a file calls by our lines, in their order.
fn order(root: &Root, path: &str) -> Vec<String> {
    let text = text(root, path);
    text.lines().filter_map(|line| line.strip_prefix("# BEGIN foobarctl ")).map(str::to_owned).collect()
}

fn service(root: &Root, name: &str, more: &str) {
    root.write(&format!("etc/foobar/{name}.toml"), &format!("program = \"/usr/sbin/{name}\"\n{more}"));
}

/// What `list` says of a service: where it is started and stopped.
fn listed(root: &Root, name: &str) -> Option<(String, String)> {
    let rows = root.ctl(&["--format", "json", "list"]).expect(0).json();
    let row = rows.as_array().unwrap().iter().find(|row| row["service"] == name).cloned()?;
    Some((row["start"].as_str().unwrap().to_owned(), row["stop"].as_str().unwrap().to_owned()))
}

fn both(start: &str, stop: &str) -> Option<(String, String)> {
    Some((start.to_owned(), stop.to_owned()))
}

#[test]
fn list_tells_who_is_called_and_may_run() {
    let root = Root::slackware();
    root.ctl(&["install"]).expect(0);
    assert_eq!(listed(&root, "foobar"), both("2345", "06"));
    assert_eq!(listed(&root, "udev"), both("S", ""));
    assert_eq!(listed(&root, "sshd"), both("2345", ""));
    assert_eq!(listed(&root, "syslog"), both("2345", "06"));
    // Off, and called by nobody.
    assert_eq!(listed(&root, "httpd"), both("", ""));
    assert_eq!(listed(&root, "lonely"), both("", ""));
    // What boots the machine, drivers, configuration and leftovers are no services.
    for name in ["M", "local", "local_shutdown", "inet2", "modules-5.15.19", "inet1.conf", "httpd.new"] {
        assert_eq!(listed(&root, name), None, "{name}");
    }
    // Disabled it is stopped all the same, as it may run.
    root.ctl(&["disable"]).expect(0);
    assert_eq!(listed(&root, "foobar"), both("", "06"));
    root.ctl(&["enable"]).expect(0);
    set_mode(&root, LOCAL, 0o644);
    assert_eq!(listed(&root, "foobar"), both("", "06"));
    let ran = root.ctl(&["install"]).expect(0);
    assert!(ran.err.contains("rc.local is not executable, so nothing in it is run: chmod +x"), "{ran:#?}");
}

#[test]
fn services_of_others_are_switched_by_their_executable_bit() {
    let root = Root::slackware();
    let before = picture(root.top());
    root.ctl(&["enable", "httpd"]).expect(0);
    assert_eq!((mode(&root, "etc/rc.d/rc.httpd"), listed(&root, "httpd")), (0o755, both("2345", "06")));
    root.ctl(&["disable", "httpd"]).expect(0);
    same("enabled and disabled", &before, &picture(root.top()));
    root.ctl(&["disable", "sshd"]).expect(0);
    assert_eq!((mode(&root, "etc/rc.d/rc.sshd"), listed(&root, "sshd")), (0o644, both("", "")));
    // Nobody calls it: only then lines are written.
    root.ctl(&["enable", "lonely"]).expect(0);
    assert_eq!(listed(&root, "lonely"), both("2345", "06"));
    assert_eq!(order(&root, LOCAL), ["lonely"]);
    assert!(root.ctl(&["uninstall", "sshd"]).expect(1).err.contains("was not written by foobarctl"));
    assert!(root.ctl(&["enable", "nobody"]).expect(5).err.contains("rc.nobody"));
}

#[test]
fn what_boots_the_machine_is_no_service() {
    let root = Root::slackware();
    let before = picture(root.top());
    service(&root, "M", "");
    for verb in [
        &["install", "M", "--force"][..],
        &["disable", "M"],
        &["enable", "M"],
        &["uninstall", "M", "--force"],
    ] {
        let ran = root.ctl(verb).expect(2);
        assert!(ran.err.contains("/etc/rc.d/rc.M is a part of slackware itself"), "{ran:#?}");
    }
    fs::remove_dir_all(root.path("etc/foobar")).unwrap();
    let after = picture(root.top());
    let left = after.keys().filter(|path| !path.ends_with(".foobarctl.lock") && !before.contains_key(*path));
    assert_eq!(left.count(), 0);
    assert_eq!(text(&root, "etc/rc.d/rc.M"), String::from_utf8_lossy(&before[&root_path("etc/rc.d/rc.M")].1));
}

fn root_path(path: &str) -> std::path::PathBuf {
    path.into()
}

#[test]
fn runlevels_are_all_or_none() {
    let root = Root::slackware();
    for verb in [&["install", "--runlevels", "35"][..], &["enable", "sshd", "--runlevels", "3"]] {
        let ran = root.ctl(verb).expect(2);
        assert!(ran.err.contains("no services of single runlevels") && ran.err.contains("2345"), "{ran:#?}");
    }
    root.ctl(&["install", "--runlevels", "2345"]).expect(0);
    service(&root, "few", "runlevels = \"3\"\n");
    let ran = root.ctl(&["install", "few"]).expect(0);
    assert!(
        ran.err.contains("few is for the runlevels 3, and /etc/rc.d/rc.local makes no difference"),
        "{ran:#?}"
    );
    service(&root, "never", "runlevels = \"\"\n");
    let ran = root.ctl(&["install", "never"]).expect(0);
    assert!(ran.out.contains("switched off"), "{ran:#?}");
    assert_eq!((mode(&root, "etc/rc.d/rc.never"), listed(&root, "never")), (0o644, both("", "06")));
    root.ctl(&["enable", "never"]).expect(0);
    assert_eq!(listed(&root, "never"), both("2345", "06"));
}

#[test]
fn lines_are_in_the_order_of_what_needs_what() {
    let root = Root::slackware();
    service(&root, "last", "requires = [\"middle\"]\n");
    service(&root, "first", "before = [\"middle\"]\n");
    service(&root, "middle", "");
    service(&root, "other", "");
    for name in ["other", "last", "middle", "first"] {
        root.ctl(&["install", name]).expect(0);
    }
    assert_eq!(order(&root, LOCAL), ["other", "first", "middle", "last"]);
    assert_eq!(order(&root, SHUTDOWN), ["last", "middle", "first", "other"]);
    // Each of them goes without the others noticing.
    for name in ["middle", "other", "first", "last"] {
        root.ctl(&["uninstall", name]).expect(0);
    }
    assert!(!root.path(SHUTDOWN).exists());
    // What an administrator has moved is told, and stays.
    service(&root, "a", "");
    service(&root, "b", "");
    service(&root, "between", "requires = [\"b\"]\nbefore = [\"a\"]\n");
    for name in ["a", "b"] {
        root.ctl(&["install", name]).expect(0);
    }
    let ran = root.ctl(&["install", "between"]).expect(0);
    assert!(
        ran.err.contains("between belongs between b and a") && ran.err.contains("move their lines"),
        "{ran:#?}"
    );
    assert_eq!(order(&root, LOCAL), ["a", "b", "between"]);
    // What rc.M starts cannot come later.
    service(&root, "early", "before = [\"sshd\"]\n");
    let ran = root.ctl(&["install", "early"]).expect(0);
    assert!(ran.err.contains("sshd wants to be started after early"), "{ran:#?}");
}

#[test]
fn every_other_byte_of_the_files_stays() {
    let texts: [&[u8]; 6] =
        [b"", b"echo on", b"#!/bin/sh\necho on\n\n", b"echo on\nexit", b"fi\nfi\nexit 0\n# end", b"\xff\0\n"];
    for bytes in texts {
        let root = Root::slackware();
        for path in [LOCAL, SHUTDOWN] {
            fs::write(root.path(path), bytes).unwrap();
            set_mode(&root, path, 0o751);
        }
        let before = picture(root.top());
        root.ctl(&["install"]).expect(0);
        service(&root, "other", "");
        root.ctl(&["install", "other"]).expect(0);
        assert!(order(&root, LOCAL).len() == 2 && mode(&root, LOCAL) == 0o751);
        for name in ["foobar", "other"] {
            root.ctl(&["uninstall", name, "--purge"]).expect(0);
        }
        let after = picture(root.top());
        for (path, there) in &before {
            assert_eq!(
                after.get(path),
                Some(there),
                "{} of {:?}",
                path.display(),
                String::from_utf8_lossy(bytes)
            );
        }
    }
}

#[test]
fn what_an_administrator_has_done_is_kept_and_told() {
    let root = Root::slackware();
    root.ctl(&["install"]).expect(0);
    // Changed lines.
    let changed = text(&root, SHUTDOWN).replace("foobar stop", "foobar stop >/dev/null");
    fs::write(root.path(SHUTDOWN), &changed).unwrap();
    let ran = root.ctl(&["install"]).expect(0);
    assert!(ran.err.contains("rc.local_shutdown, line 3, were changed by hand and are kept"), "{ran:#?}");
    assert_eq!(text(&root, SHUTDOWN), changed);
    let ran = root.ctl(&["uninstall"]).expect(0);
    assert!(ran.err.contains("--purge removes them") && text(&root, SHUTDOWN) == changed, "{ran:#?}");
    root.ctl(&["uninstall", "--purge"]).expect(0);
    assert!(!root.path(SHUTDOWN).exists());
    // Lines taken out.
    root.ctl(&["install"]).expect(0);
    fs::remove_file(root.path(SHUTDOWN)).unwrap();
    let ran = root.ctl(&["install"]).expect(0);
    assert!(ran.err.contains("has no lines of foobar") && !root.path(SHUTDOWN).exists(), "{ran:#?}");
    root.ctl(&["install", "--force"]).expect(0);
    assert_eq!(order(&root, SHUTDOWN), ["foobar"]);
    // Switched off with chmod, as users of Slackware do it.
    set_mode(&root, "etc/rc.d/rc.foobar", 0o644);
    let ran = root.ctl(&["install", "--standalone"]).expect(0);
    assert!(
        ran.err.contains("foobar stays disabled") && mode(&root, "etc/rc.d/rc.foobar") == 0o644,
        "{ran:#?}"
    );
    assert!(text(&root, "etc/rc.d/rc.foobar").contains("/proc"));
    root.ctl(&["install", "--force"]).expect(0);
    assert_eq!(mode(&root, "etc/rc.d/rc.foobar"), 0o755);
    root.ctl(&["uninstall"]).expect(0);
    // A line of his own that calls it already.
    fs::write(root.path(LOCAL), "/etc/rc.d/rc.foobar start\n").unwrap();
    let ran = root.ctl(&["install"]).expect(0);
    assert!(
        ran.err.contains("rc.local, line 1, calls /etc/rc.d/rc.foobar already")
            && order(&root, LOCAL).is_empty(),
        "{ran:#?}"
    );
    assert_eq!(listed(&root, "foobar"), both("2345", "06"));
    // A link instead of a file.
    root.ctl(&["uninstall"]).expect(0);
    fs::rename(root.path(LOCAL), root.path("etc/mine")).unwrap();
    symlink("../mine", root.path(LOCAL)).unwrap();
    let ran = root.ctl(&["install"]).expect(0);
    assert!(ran.err.contains("rc.local is no regular file and is kept"), "{ran:#?}");
    assert_eq!(text(&root, "etc/mine"), "/etc/rc.d/rc.foobar start\n");
}

#[test]
fn below_a_prefix_the_lines_call_the_scripts_there() {
    let root = Root::slackware();
    let prefix = root.top().to_str().unwrap();
    crate::support::ctl(&["--prefix", prefix, "install"]).expect(0);
    let start = format!("\t{prefix}/etc/rc.d/rc.foobar start\n");
    assert!(text(&root, LOCAL).contains(&start), "{}", text(&root, LOCAL));
    assert!(crate::support::ctl(&["--prefix", prefix, "install"]).expect(0).out.contains("nothing to do"));
    crate::support::ctl(&["--prefix", prefix, "uninstall"]).expect(0);
    assert!(order(&root, LOCAL).is_empty() && !root.path(SHUTDOWN).exists());
}

#[test]
fn why_names_the_lines_that_call_a_service() {
    let root = Root::slackware();
    service(&root, "later", "requires = [\"foobar\"]\n");
    root.ctl(&["install"]).expect(0);
    root.ctl(&["install", "later"]).expect(0);
    let told = root.ctl(&["why", "foobar"]).expect(0).out;
    let lines = [
        "foobar is started by /etc/rc.d/rc.local:5, in runlevels 2345",
        "  has to come after syslog, which /etc/rc.d/rc.M:3 calls",
        "    /etc/rc.d/rc.foobar:4: Required-Start: $syslog",
        "  has to come before later, which /etc/rc.d/rc.local:10 calls",
        "    /etc/rc.d/rc.later:4: Required-Start: foobar",
        "foobar is stopped by /etc/rc.d/rc.local_shutdown:9, in runlevels 06",
        "  has to come after later, which /etc/rc.d/rc.local_shutdown:4 calls",
    ];
    let mut rest = told.lines();
    for line in lines {
        assert!(rest.any(|there| there == line), "there is no {line:?} in its place in:\n{told}");
    }
    assert!(told.contains("there are no numbers") && !told.contains("executable"), "{told}");
    // In the wrong order, and switched off.
    let swapped = text(&root, LOCAL)
        .replace("rc.later", "?")
        .replace("rc.foobar", "rc.later")
        .replace("?", "rc.foobar");
    fs::write(root.path(LOCAL), swapped).unwrap();
    let told = root.ctl(&["why", "later"]).expect(0).out;
    assert!(
        told.contains("has to come after foobar, which /etc/rc.d/rc.local:10 calls - and does not"),
        "{told}"
    );
    let told = root.ctl(&["why", "httpd"]).expect(0).out;
    assert!(told.contains("/etc/rc.d/rc.httpd is not executable, so it is not started"), "{told}");
    let told = root.ctl(&["why", "lonely"]).expect(0).out;
    assert!(told.contains("lonely is started by nobody"), "{told}");
    root.ctl(&["why", "nobody"]).expect(5);
    let facts = root.ctl(&["--format", "json", "why", "sshd"]).expect(0).json();
    assert_eq!(facts["orders"][0]["lines"][0]["file"], "/etc/rc.d/rc.inet2");
}

#[test]
fn graph_counts_the_lines() {
    let root = Root::slackware();
    root.write("etc/inittab", "id:3:initdefault:\n");
    service(&root, "later", "requires = [\"foobar\"]\n");
    root.ctl(&["install"]).expect(0);
    let drawn = root.ctl(&["graph", "--diff", "install", "later"]).expect(0).out;
    assert!(
        drawn.contains("start in runlevel 3, in the order of the lines") && drawn.contains("+ later"),
        "{drawn}"
    );
    root.ctl(&["install", "later"]).expect(0);
    let drawn = root.ctl(&["graph"]).expect(0).out;
    for lane in ["|-- 02\n|   `-- syslog\n", "foobar <- inet1, syslog\n", "later <- foobar"] {
        assert!(drawn.contains(lane), "{lane}:\n{drawn}");
    }
    // What is off has no place.
    assert!(!drawn.contains("httpd") && !drawn.contains("lonely"), "{drawn}");
    let drawn = root.ctl(&["graph", "--diff", "disable", "foobar"]).expect(0).out;
    assert!(drawn.contains("- foobar"), "{drawn}");
    let drawn = root.ctl(&["graph", "--stop"]).expect(0).out;
    assert!(drawn.contains("|-- 01\n|   `-- later") && drawn.contains("foobar <- later"), "{drawn}");
    assert!(!drawn.contains("httpd"), "{drawn}");
}

#[test]
fn files_that_nobody_runs_start_nothing() {
    let root = Root::slackware();
    let without = text(&root, "etc/rc.d/rc.M").replace("rc.local", "rc.other");
    fs::write(root.path("etc/rc.d/rc.M"), without).unwrap();
    let ran = root.ctl(&["install"]).expect(0);
    assert!(ran.err.contains("nothing runs /etc/rc.d/rc.local at boot"), "{ran:#?}");
    assert_eq!(listed(&root, "foobar"), both("", "06"));
}
