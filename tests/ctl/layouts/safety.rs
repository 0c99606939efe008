//! Whatever stands in these trees, nothing outside is touched; and a run that is killed at any call is completed by
//! the next.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use foobar_tests::{Sandbox, skip};

use super::roots::Root;
use crate::support::{FOOBARCTL, Ran, ctl, picture, same};

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
    converges(Root::redhat, &[&["install"]], 80);
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
    let cases: [Case; 6] = [
        (Root::redhat, "redhat", &["etc/rc.d/rc3.d", "etc/rc.d/init.d", "etc/foobar"]),
        (Root::lfs, "lfs", &["etc/rc.d/rc3.d", "etc/rc.d/init.d", "etc/rc.d"]),
        (Root::suse, "suse", &["etc/init.d/rc3.d", "etc/init.d", "etc/insserv.conf.d"]),
        (Root::busybox, "busybox", &["etc/init.d", "etc/foobar", "var", "etc"]),
        (
            Root::openrc,
            "openrc",
            &[
                "etc/init.d",
                "etc/conf.d",
                "etc/runlevels",
                "etc/runlevels/default",
                "etc/foobar",
                "var",
                "etc",
            ],
        ),
        (Root::slackware, "slackware", &["etc/rc.d", "etc/foobar", "var"]),
    ];
    for (make, layout, places) in cases {
        for place in places {
            for target in [
                outside.path().display().to_string(),
                format!("../../../../../../..{}", outside.path().display()),
            ] {
                for scope in ["--root", "--prefix"] {
                    let root = make();
                    let _ = fs::remove_dir_all(root.path(place));
                    symlink(&target, root.path(place)).unwrap();
                    for verb in [&["install"][..], &["disable"], &["enable"], &["uninstall", "--purge"]] {
                        // Whether it works depends on what the link means on that machine; here it means nothing.
                        let tree = [scope, root.top().to_str().unwrap(), "--layout", layout];
                        let _ = ctl(&[&tree[..], verb].concat());
                        same(
                            &format!("{scope}, {layout}, {place}, {verb:?}"),
                            &untouched,
                            &picture(outside.path()),
                        );
                    }
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

#[test]
fn a_table_or_a_file_of_settings_that_leads_out_is_not_written() {
    let outside = Sandbox::new("layout-outside-files");
    fs::write(outside.path().join("precious"), "text\n").unwrap();
    let untouched = picture(outside.path());
    let precious = outside.path().join("precious");
    for target in [precious.display().to_string(), format!("../../../../../..{}", precious.display())] {
        let root = with_table_of_busybox();
        fs::remove_file(root.path("etc/inittab")).unwrap();
        symlink(&target, root.path("etc/inittab")).unwrap();
        let ran = root.ctl(&["install", "--respawn"]).expect(6);
        assert!(ran.err.contains("/etc/inittab is no regular file"), "{ran:#?}");
        let root = Root::openrc();
        fs::create_dir_all(root.path("etc/conf.d")).unwrap();
        for path in ["etc/conf.d/foobar", "etc/runlevels/default/foobar", "etc/init.d/foobar"] {
            symlink(&target, root.path(path)).unwrap();
        }
        for verb in
            [&["install"][..], &["install", "--force"], &["disable"], &["uninstall", "--purge", "--force"]]
        {
            let _ = root.ctl(verb);
            same(&format!("{target}, {verb:?}"), &untouched, &picture(outside.path()));
        }
    }
}

#[test]
fn installs_at_once_come_to_what_they_do_one_by_one() {
    let names = ["alpha", "beta", "gamma", "delta", "foobar", "foobar"];
    let prepared = |make: fn() -> Root| {
        let root = make();
        for name in &names[..4] {
            root.write(&format!("etc/foobar/{name}.toml"), &format!("program = \"/usr/sbin/{name}\"\n"));
        }
        root
    };
    let layouts: [fn() -> Root; 6] =
        [Root::redhat, Root::suse, Root::lfs, Root::busybox, Root::openrc, Root::slackware];
    for make in layouts {
        let (one_by_one, at_once) = (prepared(make), prepared(make));
        names.iter().for_each(|name| drop(one_by_one.ctl(&["install", name]).expect(0)));
        std::thread::scope(|scope| {
            for name in names {
                let root = &at_once;
                scope.spawn(move || root.ctl(&["install", name]).expect(0));
            }
        });
        assert_eq!(in_any_order(&at_once), in_any_order(&one_by_one));
        std::thread::scope(|scope| {
            for name in &names[..5] {
                let root = &at_once;
                scope.spawn(move || root.ctl(&["uninstall", name, "--purge"]).expect(0));
            }
        });
        let left = at_once.picture();
        assert!(names.iter().all(|name| !left.contains(&format!("/{name}"))), "{left}");
        assert!(!at_once.path("etc/.foobarctl.lock").exists());
    }
}

/// The picture, whatever the order of lines in Slackware's rc.local, which is that of the installs.
fn in_any_order(root: &Root) -> Vec<String> {
    let digits = |line: &str| line.chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
    let one = |line: &str| if line.contains("/rc.local") { digits(line) } else { line.to_owned() };
    let mut lines: Vec<String> = root.picture().lines().map(one).collect();
    lines.sort();
    lines
}
