//! Whatever stands in these trees, nothing outside is touched; and a run that is killed at any call is completed by
//! the next.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use foobar_tests::{Sandbox, skip};

use super::roots::Root;
use crate::support::{FOOBARCTL, Ran, picture, same};

/// The calls that change files.
const CALLS: &str = "write,fchmod,fsync,renameat,symlinkat,mkdirat,unlinkat";

/// Runs foobarctl on a tree under strace.
fn traced(log: &Sandbox, root: &Root, options: &[&str], verb: &[&str]) -> Ran {
    let mut command = Command::new("strace");
    command.arg("-qq").arg("-o").arg(log.path().join("log")).args(options);
    Ran::of(command.arg(FOOBARCTL).arg("--root").arg(root.top()).args(verb))
}

/// Kills the last of some verbs at each of its calls; after the same verb again the tree is as without that.
fn converges(make: fn() -> Root, verbs: &[&[&str]], at_least: usize) {
    let works = Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).status();
    if !works.is_ok_and(|status| status.success()) {
        return skip("strace is missing or may not trace here");
    }
    let log = Sandbox::new("layout-trace");
    let (verb, before) = verbs.split_last().unwrap();
    let prepared = || {
        let root = make();
        before.iter().for_each(|verb| drop(root.ctl(verb).expect(0)));
        root
    };
    let root = prepared();
    traced(&log, &root, &["-e", &format!("trace={CALLS}")], verb).expect(0);
    let after = picture(root.top());
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for line in fs::read_to_string(log.path().join("log")).unwrap().lines() {
        *counts.entry(line.split('(').next().unwrap_or_default().to_owned()).or_default() += 1;
    }
    let mut tried = 0;
    for (call, count) in counts.into_iter().filter(|(call, _)| CALLS.split(',').any(|known| known == call)) {
        for number in 1..=count {
            let what = format!("{verb:?}, killed at {call} number {number}");
            let root = prepared();
            let inject = format!("inject={call}:signal=KILL:when={number}");
            let ran = traced(&log, &root, &["-e", &format!("trace={call}"), "-e", &inject], verb);
            assert_eq!(ran.code, None, "{what}: {ran:#?}");
            root.ctl(verb).expect(0);
            same(&what, &after, &picture(root.top()));
            tried += 1;
        }
    }
    assert!(tried >= at_least, "only {tried} calls were disturbed");
}

#[test]
fn an_install_that_moves_others_is_completed() {
    converges(Root::redhat, &[&["install"]], 100);
}

#[test]
fn an_uninstall_that_moves_others_back_is_completed() {
    converges(Root::redhat, &[&["install"], &["uninstall"]], 60);
}

#[test]
fn services_of_openrc_are_completed() {
    converges(Root::openrc, &[&["install"]], 30);
    converges(Root::openrc, &[&["install"], &["disable"]], 2);
    converges(Root::openrc, &[&["install"], &["install", "--standalone"]], 6);
    converges(Root::openrc, &[&["install"], &["uninstall"]], 8);
}

#[test]
fn entries_of_inittab_are_completed() {
    for make in [with_table_of_busybox, with_table_of_sysvinit] {
        converges(make, &[&["install", "--respawn"]], 20);
        // From a script to an entry, off, and gone.
        converges(make, &[&["install"], &["install", "--respawn"]], 8);
        converges(make, &[&["install", "--respawn"], &["disable"]], 4);
        converges(make, &[&["install", "--respawn"], &["uninstall"]], 8);
    }
}

fn with_table_of_busybox() -> Root {
    let root = Root::busybox();
    root.write("etc/inittab", "::sysinit:/etc/init.d/rcS\n::respawn:/sbin/getty 38400 tty1\n");
    root
}

fn with_table_of_sysvinit() -> Root {
    let root = Root::lfs();
    root.write("etc/inittab", "id:3:initdefault:\n1:2345:respawn:/sbin/agetty tty1 9600\n");
    root
}

#[test]
fn a_rename_is_whole_or_not_at_all() {
    converges(Root::busybox, &[&["install"], &["disable"]], 2);
    converges(Root::busybox, &[&["install"], &["disable"], &["install", "--force", "--standalone"]], 4);
}

#[test]
fn turned_links_are_completed() {
    converges(Root::lfs, &[&["install"], &["disable"]], 10);
    converges(Root::suse, &[&["install"], &["uninstall"]], 40);
}

#[test]
fn lines_in_the_files_of_others_are_completed() {
    converges(Root::slackware, &[&["install"]], 30);
    converges(Root::slackware, &[&["install"], &["disable"]], 2);
    converges(Root::slackware, &[&["install"], &["uninstall"]], 10);
    converges(Root::slackware, &[&["enable", "lonely"]], 10);
}

/// A tree, its layout, and the places in it that lead out.
type Case = (fn() -> Root, &'static str, &'static [&'static str]);

#[test]
fn links_that_lead_out_are_not_followed() {
    let outside = Sandbox::new("layout-outside");
    for directory in ["init.d", "rc3.d", "foobar"] {
        fs::create_dir(outside.path().join(directory)).unwrap();
    }
    fs::write(outside.path().join("precious"), "text").unwrap();
    let untouched = picture(outside.path());
    let cases: [Case; 5] = [
        (Root::redhat, "redhat", &["etc/rc.d/rc3.d", "etc/rc.d/init.d", "etc/foobar"]),
        (Root::lfs, "lfs", &["etc/rc.d/rc3.d", "etc/rc.d/init.d", "etc/rc.d"]),
        (Root::suse, "suse", &["etc/init.d/rc3.d", "etc/init.d", "etc/insserv.conf.d"]),
        (Root::busybox, "busybox", &["etc/init.d", "etc/foobar", "var"]),
        (Root::slackware, "slackware", &["etc/rc.d", "etc/foobar", "var"]),
    ];
    for (make, layout, places) in cases {
        for place in places {
            for target in [
                outside.path().display().to_string(),
                format!("../../../../../../..{}", outside.path().display()),
            ] {
                let root = make();
                let _ = fs::remove_dir_all(root.path(place));
                symlink(&target, root.path(place)).unwrap();
                for verb in [&["install"][..], &["disable"], &["enable"], &["uninstall", "--purge"]] {
                    // Whether it works depends on what the link means on that machine; here it means nothing.
                    let _ = root.ctl(&[&["--layout", layout], verb].concat());
                    same(&format!("{layout}, {place}, {verb:?}"), &untouched, &picture(outside.path()));
                }
            }
        }
    }
    let root = Root::busybox();
    symlink(outside.path().join("precious"), root.path("etc/init.d/S70precious")).unwrap();
    root.ctl(&["disable", "precious"]).expect(5);
    symlink("S40network", root.path("etc/init.d/S70again")).unwrap();
    root.ctl(&["disable", "again"]).expect(0);
    assert!(root.path("etc/init.d/K70again").is_symlink() && root.path("etc/init.d/S40network").is_file());
    same("links among scripts", &untouched, &picture(outside.path()));
}
