//! Golden trees: what is there after each verb, in each layout. `UPDATE_GOLDEN=1` writes them anew, to be read.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::roots::Root;
use crate::support::{Prefix, picture, same};

/// What changed between two pictures.
fn difference(before: &str, after: &str) -> String {
    let gone = before.lines().filter(|line| !after.lines().any(|other| other == *line));
    let new = after.lines().filter(|line| !before.lines().any(|other| other == *line));
    gone.map(|line| format!("- {line}\n")).chain(new.map(|line| format!("+ {line}\n"))).collect()
}

fn compare(path: &str, text: &str) {
    let file = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/golden")).join(path);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&file, text).unwrap();
    }
    let approved = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(text, approved, "{}", file.display());
}

/// A service's life in a tree, told as what each verb changed; the dry run of each says the same and touches nothing.
fn life(layout: &str, root: &Root) {
    let at_first = picture(root.top());
    let (mut told, mut before) = (String::new(), root.picture());
    let verbs: [&[&str]; 5] =
        [&["install"], &["disable"], &["enable"], &["install", "--force"], &["uninstall"]];
    for verb in verbs {
        let untouched = picture(root.top());
        let foretold = root.ctl(&[&["--dry-run"], verb].concat()).expect(0);
        same("a dry run", &untouched, &picture(root.top()));
        let ran = root.ctl(verb).expect(0);
        let after = root.picture();
        let changed = difference(&before, &after);
        for line in changed.lines() {
            let path = line[2..].split([' ', ':']).next().unwrap();
            assert!(
                foretold.out.contains(path),
                "{verb:?} --dry-run does not speak of {path}: {foretold:#?}"
            );
        }
        let said = ran.out.replace(root.top().to_str().unwrap(), "");
        told.push_str(&format!("$ foobarctl {}\n{said}{}{changed}\n", verb.join(" "), ran.err));
        let again = root.ctl(verb).expect(0);
        assert!(again.out.contains("nothing to do"), "{verb:?} again: {again:#?}");
        assert_eq!(root.picture(), after, "{verb:?} again");
        before = after;
    }
    compare(&format!("{layout}/life.txt"), &told);
    // Directories that the service needed stay, and what had to move up for it has moved down again.
    let at_last = picture(root.top());
    for (path, there) in &at_first {
        assert_eq!(at_last.get(path), Some(there), "{} after uninstall", path.display());
    }
}

#[test]
fn in_redhat() {
    life("redhat", &Root::redhat());
}

#[test]
fn in_suse() {
    life("suse", &Root::suse());
}

#[test]
fn in_lfs() {
    life("lfs", &Root::lfs());
}

#[test]
fn in_busybox() {
    life("busybox", &Root::busybox());
}

#[test]
fn in_slackware() {
    life("slackware", &Root::slackware());
}

#[test]
fn in_openrc() {
    life("openrc", &Root::openrc());
}

#[test]
fn in_openrc_a_service_that_was_disabled_stays_so() {
    let root = Root::openrc();
    let link = root.path("etc/runlevels/default/foobar");
    root.ctl(&["install", "--standalone"]).expect(0);
    assert_eq!(std::fs::read_link(&link).unwrap(), Path::new("../../init.d/foobar"));
    root.ctl(&["disable"]).expect(0);
    let ran = root.ctl(&["install", "--standalone"]).expect(0);
    assert!(ran.err.contains("foobar stays disabled") && !link.is_symlink(), "{ran:#?}");
    // A service of single-user boot, and one that is for no runlevel.
    root.write("etc/foobar/early.toml", "program = \"/sbin/early\"\nrunlevels = \"S\"\n");
    root.ctl(&["install", "early"]).expect(0);
    assert!(root.path("etc/runlevels/boot/early").is_symlink());
    root.ctl(&["disable", "early"]).expect(0);
    root.ctl(&["enable", "early"]).expect(0);
    assert!(root.path("etc/runlevels/boot/early").is_symlink(), "where it was");
    root.write("etc/foobar/never.toml", "program = \"/sbin/never\"\nrunlevels = \"\"\n");
    root.ctl(&["install", "never"]).expect(0);
    assert!(
        root.path("etc/init.d/never").is_file() && !root.path("etc/runlevels/default/never").is_symlink()
    );
    // Somebody else's.
    root.ctl(&["enable", "idle"]).expect(0);
    assert!(root.path("etc/runlevels/default/idle").is_symlink());
    root.ctl(&["disable", "sshd"]).expect(0);
    assert!(!root.path("etc/runlevels/default/sshd").is_symlink());
    assert!(root.ctl(&["uninstall", "sshd"]).expect(1).err.contains("was not written by foobarctl"));
    let ran = root.ctl(&["enable", "sshd", "--runlevels", "3"]).expect(2);
    assert!(ran.err.contains("has no runlevels"), "{ran:#?}");
    root.ctl(&["enable", "nobody"]).expect(5);
    for verb in ["why", "graph"] {
        assert!(root.ctl(&[verb, "sshd"]).expect(3).err.contains("rc-depend"));
    }
}

#[test]
fn in_openrc_an_administrators_settings_are_his() {
    let root = Root::openrc();
    let file = root.path("etc/conf.d/foobar");
    let text = || std::fs::read_to_string(&file).unwrap();
    root.ctl(&["install"]).expect(0);
    assert!(text().contains("\n#rc_need=") && !text().contains("command_args"), "{}", text());
    assert!(
        text().lines().all(|line| line.is_empty() || line.starts_with('#')),
        "it sets something: {}",
        text()
    );
    // Nobody has touched it, so it follows the script.
    root.ctl(&["install", "--standalone"]).expect(0);
    for line in
        ["#command_args='--config /etc/foobard.toml --pid-file /var/run/foobar.pid'", "#retry=TERM/5/KILL/2"]
    {
        assert!(text().lines().any(|there| there == line), "no {line} in:\n{}", text());
    }
    assert!(
        text().lines().all(|line| line.is_empty() || line.starts_with('#')),
        "it sets something: {}",
        text()
    );
    // Somebody has, which is what it is for: nothing is said of it, and --force leaves it alone, too.
    let mine = text().replace("#retry=TERM/5/KILL/2", "retry=TERM/20");
    std::fs::write(&file, &mine).unwrap();
    for verb in [&["install", "--standalone"][..], &["install", "--force"]] {
        let ran = root.ctl(verb).expect(0);
        assert!(!ran.err.contains("conf.d"), "{ran:#?}");
        assert_eq!(text(), mine);
    }
    let ran = root.ctl(&["uninstall"]).expect(0);
    assert!(ran.err.contains("/etc/conf.d/foobar was written or changed by hand and is kept"), "{ran:#?}");
    root.ctl(&["uninstall", "--purge"]).expect(0);
    assert!(!file.exists());
    // One that was there before, and was never ours, is no part of the service.
    std::fs::write(&file, "FOO=1\n").unwrap();
    root.ctl(&["install"]).expect(0);
    root.ctl(&["uninstall", "--purge"]).expect(0);
    assert_eq!(text(), "FOO=1\n");
}

#[test]
fn list_tells_where_services_start() {
    let starts = |root: &Root, name: &str| {
        let rows = root.ctl(&["--format", "json", "list"]).expect(0).json();
        let row = rows.as_array().unwrap().iter().find(|row| row["service"] == name).cloned();
        row.map(|row| (row["start"].as_str().unwrap().to_owned(), row["stop"].as_str().unwrap().to_owned()))
    };
    let both = |start: &str, stop: &str| Some((start.to_owned(), stop.to_owned()));
    let root = Root::redhat();
    root.ctl(&["install"]).expect(0);
    assert_eq!(starts(&root, "foobar"), both("2345", "016"));
    assert_eq!(starts(&root, "oldd"), both("", "0123456"));
    let root = Root::lfs();
    root.ctl(&["install", "--runlevels", "35"]).expect(0);
    assert_eq!(starts(&root, "foobar"), both("35", "01246"));
    let root = Root::openrc();
    root.ctl(&["install"]).expect(0);
    assert_eq!(starts(&root, "foobar"), both("default", ""));
    assert_eq!(starts(&root, "hostname"), both("boot", ""));
    symlink("/etc/init.d/hostname", root.path("etc/runlevels/off/hostname")).unwrap();
    symlink("/etc/init.d/hostname", root.path("etc/runlevels/sysinit/hostname")).unwrap();
    assert_eq!(starts(&root, "hostname"), both("sysinit boot off", ""));
    let text = root.ctl(&["list"]).expect(0).out;
    assert!(text.starts_with("SERVICE     START             STOP     STATE\n"), "{text}");
    assert!(text.contains("\nhostname    sysinit boot off  -        -\n"), "{text}");
    assert_eq!(starts(&root, "idle"), both("", ""));
    assert_eq!(starts(&root, "functions.sh"), None);
    let root = Root::suse();
    root.ctl(&["install", "--runlevels", "S"]).expect(0);
    assert_eq!(starts(&root, "foobar"), both("B", "B"));
    let root = Root::busybox();
    root.ctl(&["install"]).expect(0);
    assert_eq!(starts(&root, "foobar"), both("S", ""));
    assert_eq!(starts(&root, "off"), both("", ""), "nobody stops what is disabled");
    assert_eq!(starts(&root, "rcS"), None);
}

#[test]
fn services_of_others_are_disabled_and_enabled_again() {
    let root = Root::redhat();
    let before = root.picture();
    root.ctl(&["disable", "rsyslog"]).expect(0);
    assert!(root.path("etc/rc.d/rc3.d/K88rsyslog").is_symlink());
    root.ctl(&["enable", "rsyslog"]).expect(0);
    assert_eq!(root.picture(), before);
    // Off as its package left it, and on as `chkconfig oldd on` would have it.
    root.ctl(&["enable", "oldd"]).expect(0);
    assert!(
        root.path("etc/rc.d/rc3.d/S85oldd").is_symlink() && root.path("etc/rc.d/rc1.d/K15oldd").is_symlink()
    );

    let root = Root::lfs();
    let before = root.picture();
    root.ctl(&["disable", "sshd", "--runlevels", "345"]).expect(0);
    assert!(!root.path("etc/rc.d/rc3.d/S30sshd").is_symlink());
    root.ctl(&["enable", "sshd", "--runlevels", "345"]).expect(0);
    assert_eq!(root.picture(), before);

    let root = Root::busybox();
    let before = root.picture();
    root.ctl(&["disable", "dropbear"]).expect(0);
    assert!(root.path("etc/init.d/K50dropbear").is_file() && !root.path("etc/init.d/S50dropbear").exists());
    root.ctl(&["enable", "dropbear"]).expect(0);
    assert_eq!(root.picture(), before);
    root.ctl(&["enable", "off"]).expect(0);
    assert!(root.path("etc/init.d/S60off").is_file());
    let ran = root.ctl(&["disable", "off", "--runlevels", "3"]).expect(2);
    assert!(ran.err.contains("has no runlevels"), "{ran:#?}");
    root.write("etc/init.d/K60off", "");
    let ran = root.ctl(&["disable", "off"]).expect(1);
    assert!(ran.err.contains("S60off") && ran.err.contains("K60off"), "{ran:#?}");
}

#[test]
fn an_empty_prefix_takes_every_layout() {
    for layout in ["debian", "redhat", "suse", "lfs", "busybox", "openrc", "slackware"] {
        let prefix = Prefix::empty(&format!("prefix-{layout}"));
        let at_first = picture(prefix.path("").as_path());
        for verb in ["install", "disable", "enable", "uninstall"] {
            prefix.ctl(&["--layout", layout, verb]).expect(0);
        }
        let left = picture(prefix.path("").as_path());
        let file =
            |path: &std::path::PathBuf| !at_first.contains_key(path) && prefix.path("").join(path).is_file();
        assert!(!left.keys().any(file), "{layout}: {:?}", left.keys());
    }
}
