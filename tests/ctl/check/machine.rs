//! Codes that only a whole machine shows.

use super::meaning::{self, Row};
use super::tree::{GOOD, Tree, boot, codes};

const SERVICE: &str = "program = \"/usr/sbin/mine\"\ntype = \"forking\"\ndescription = \"Mine\"\n";

/// A service with its program, and its script laid by foobarctl.
fn ours(tree: &Tree, thin: bool) {
    tree.write("usr/sbin/mine", "", 0o755);
    tree.write("etc/foobar/mine.toml", SERVICE, 0o644);
    let root = tree.sandbox.path().to_str().unwrap();
    let style: &[&str] = if thin { &[] } else { &["--standalone"] };
    crate::support::ctl(&[&["--root", root, "install", "mine"], style].concat()).expect(0);
}

fn edit(tree: &Tree, below: &str, from: &str, to: &str) {
    let text = std::fs::read_to_string(tree.path(below)).unwrap();
    assert!(text.contains(from), "{text}");
    tree.write(below, text.replace(from, to), 0o755);
}

fn unlink(tree: &Tree, name: &str) {
    for level in ["0", "1", "2", "3", "4", "5", "6"] {
        for entry in std::fs::read_dir(tree.path(&format!("etc/rc{level}.d"))).unwrap() {
            let path = entry.unwrap().path();
            if path.to_str().unwrap().ends_with(name) {
                std::fs::remove_file(path).unwrap();
            }
        }
    }
}

pub const ROWS: &[Row] = &[
    (
        "unreadable",
        |tree| tree.write("etc/insserv.conf", vec![b'x'; 9 << 20], 0o644),
        |tree| tree.remove("etc/insserv.conf"),
    ),
    (
        "not-executable",
        |t| t.write("etc/init.d/good", GOOD, 0o644),
        |t| t.write("etc/init.d/notes", "text\n", 0o644),
    ),
    (
        "mode-unusual",
        |t| t.write("etc/init.d/good", GOOD, 0o700),
        |t| t.write("etc/init.d/notes", "text\n", 0o600),
    ),
    ("writable", |t| t.write("etc/init.d/good", GOOD, 0o775), |t| t.write("etc/init.d/good", GOOD, 0o744)),
    ("writable", |t| t.write("etc/foobar/mine.toml", SERVICE, 0o666), |t| ours(t, true)),
    (
        "not-a-file",
        |tree| tree.link_to("init.d/lost", "../elsewhere/lost"),
        |tree| tree.link_to("init.d/README", "../../usr/share/doc/lost"),
    ),
    ("alias-skipped", |t| t.link_to("init.d/old", "good"), |t| t.link_to("init.d/old", "../init.d/good")),
    ("name-skipped", |t| t.script("good.bak", GOOD), |t| t.write("etc/init.d/good.bak", GOOD, 0o644)),
    (
        "script-edited",
        |tree| {
            ours(tree, true);
            edit(tree, "etc/init.d/mine", "exit 5", "exit 0");
        },
        |tree| ours(tree, true),
    ),
    (
        "script-outdated",
        |tree| {
            ours(tree, false);
            edit(tree, "etc/foobar/mine.toml", "sbin/mine", "bin/mine");
        },
        |tree| ours(tree, false),
    ),
    (
        "script-outdated",
        |tree| {
            ours(tree, true);
            edit(tree, "etc/foobar/mine.toml", "Mine", "Yours");
        },
        |tree| {
            ours(tree, true);
            edit(tree, "etc/foobar/mine.toml", "\ndesc", "\nstop-timeout = 9\ndesc");
        },
    ),
    (
        "service-file-missing",
        |tree| {
            ours(tree, true);
            tree.remove("etc/foobar/mine.toml");
        },
        |tree| {
            ours(tree, false);
            tree.remove("etc/foobar/mine.toml");
        },
    ),
    (
        "service-file-invalid",
        |tree| tree.write("etc/foobar/mine.toml", "program = \"/sbin/x\"\ntipe = 1\n", 0o644),
        |tree| ours(tree, true),
    ),
    (
        "service-program-absent",
        |tree| {
            ours(tree, true);
            tree.write("usr/sbin/mine", "", 0o644);
        },
        |tree| ours(tree, true),
    ),
    (
        "service-not-installed",
        |tree| tree.write("etc/foobar/mine.toml", SERVICE, 0o644),
        |tree| ours(tree, true),
    ),
    (
        "switched-off",
        |tree| tree.write("etc/default/good", "ENABLED=\"no\"\n", 0o644),
        |tree| tree.write("etc/default/good", "#ENABLED=no\nNO_START=0\n", 0o644),
    ),
    (
        "switch",
        |tree| tree.write("etc/default/good", "# START=yes\n", 0o644),
        |tree| tree.write("etc/default/good", "RUN_AS=good\nOPTIONS=-x\n", 0o644),
    ),
    (
        "interpreter-absent",
        |tree| tree.spoil("#!/bin/sh", "#!/bin/bash"),
        |tree| tree.spoil("#!/bin/sh", "#! /bin/sh -e"),
    ),
    ("link-dangling", |t| t.link("rc2.d/S03gone"), |t| t.remove("etc/rc2.d/S02good")),
    (
        "link-outside",
        |tree| {
            tree.write("opt/tool", GOOD, 0o755);
            tree.link_to("rc2.d/S03tool", "/opt/tool");
        },
        |tree| {
            tree.remove("etc/rc2.d/S02good");
            tree.link_to("rc2.d/S02good", "/etc/init.d/good");
        },
    ),
    (
        "link-misnamed",
        |tree| tree.link_to("rc2.d/S03better", "../init.d/good"),
        |tree| {
            tree.remove("etc/rc2.d/S02good");
            tree.link_to("rc2.d/S02good", "/etc/init.d/good");
        },
    ),
    (
        "link-both",
        |t| t.link("rc2.d/K01good"),
        |t| {
            t.remove("etc/rc2.d/S02good");
            t.link("rc2.d/K01good");
        },
    ),
    ("link-doubled", |t| t.link("rc2.d/S07good"), |t| t.script("07good", GOOD)),
    (
        "link-not-symbolic",
        |tree| tree.write("etc/rc2.d/S03good", GOOD, 0o755),
        |tree| tree.write("etc/rc2.d/README", "text\n", 0o644),
    ),
    (
        "link-ignored",
        |t| t.link_to("rc2.d/s02good", "../init.d/good"),
        |t| t.write("etc/rc2.d/README", "x", 0o644),
    ),
    (
        "not-linked",
        |t| unlink(t, "good"),
        |t| {
            unlink(t, "good");
            t.spoil("2 3 4 5\n# Default-Stop:      0 1 6", "\n# Default-Stop:");
        },
    ),
    (
        "links-differ",
        |t| t.remove("etc/rc2.d/S02good"),
        |t| {
            t.remove("etc/rc2.d/S02good");
            t.link("rc2.d/K01good");
        },
    ),
    (
        "provided-twice",
        |tree| tree.script("second", &GOOD.replace("Provides:          good", "Provides: second good")),
        |tree| tree.script("second", &GOOD.replace("Provides:          good", "Provides: second")),
    ),
    (
        "requirement-missing",
        |tree| tree.spoil("$remote_fs $syslog", "$remote_fs nothing"),
        |tree| tree.spoil("other third", "nothing"),
    ),
    (
        "requirement-levels",
        |tree| {
            tree.spoil("$remote_fs $syslog", "$remote_fs rsyslog");
            tree.remove("etc/rc3.d/S01rsyslog");
        },
        |tree| tree.spoil("$remote_fs $syslog", "$remote_fs mountnfs"),
    ),
    (
        "order-wrong",
        |tree| {
            tree.remove("etc/rc2.d/S02good");
            tree.link("rc2.d/S01good");
        },
        |tree| {
            tree.remove("etc/rc2.d/S02good");
            tree.link("rc2.d/S05good");
        },
    ),
    (
        "order-wrong",
        |tree| {
            tree.remove("etc/rc0.d/K01good");
            tree.link("rc0.d/K05good");
        },
        |tree| tree.remove("etc/rc0.d/K02rsyslog"),
    ),
    (
        "loop",
        |tree| {
            let text = GOOD
                .replace(" $syslog", "")
                .replace("other third", "good")
                .replace("Provides:          good", "Provides: rsyslog");
            tree.script("rsyslog", &text);
        },
        |tree| tree.spoil("other third", "rsyslog"),
    ),
    (
        "conf-loop",
        |tree| {
            tree.write(
                "etc/insserv.conf",
                "$local_fs $remote_fs\n$remote_fs $local_fs\n$syslog +rsyslog\n",
                0o644,
            )
        },
        |tree| {
            tree.write(
                "etc/insserv.conf",
                "$local_fs +mountall\n$remote_fs $local_fs\n$syslog +rsyslog\n",
                0o644,
            )
        },
    ),
    (
        "facility-empty",
        |tree| tree.write("etc/insserv.conf", "$remote_fs +mountnfs\n$syslog +sysklogd\n", 0o644),
        |tree| {
            tree.write(
                "etc/insserv.conf",
                "$remote_fs +mountnfs\n$syslog +rsyslog +more\n$time +hwclock\n",
                0o644,
            )
        },
    ),
    (
        "depend-missing",
        |tree| tree.write("etc/init.d/.depend.start", "TARGETS = rsyslog\nINTERACTIVE =\n", 0o644),
        |tree| tree.remove("etc/init.d/.depend.stop"),
    ),
    (
        "depend-stale",
        |tree| tree.write("etc/init.d/.depend.start", "TARGETS = rsyslog good\nINTERACTIVE =\n", 0o644),
        |tree| {
            tree.write(
                "etc/init.d/.depend.start",
                "TARGETS = good rsyslog old\nINTERACTIVE =\ngood: rsyslog\n",
                0o644,
            )
        },
    ),
    (
        "override-broken",
        |tree| tree.write("etc/insserv/overrides/good", "# Provides: good\n", 0o644),
        |tree| tree.write("etc/insserv/overrides/good", GOOD, 0o644),
    ),
];

#[test]
fn a_machine_without_a_fault_gives_no_finding() {
    let ran = Tree::new().check(&["--fail-on", "note"]).expect(0);
    assert_eq!(ran.out, "checked 4 scripts and service files: 0 errors, 0 warnings, 0 notes\n", "{ran:#?}");
}

#[test]
fn each_code_is_found_in_a_tree_that_shows_it_and_not_in_one_that_is_near() {
    for (code, shows, near) in ROWS.iter().chain(meaning::ROWS) {
        let tree = Tree::new();
        shows(&tree);
        let ran = tree.check(&["--format", "json", "--fail-on", "never"]).expect(0);
        assert!(codes(&ran).contains(*code), "{code} is not found: {ran:#?}");
        let tree = Tree::new();
        near(&tree);
        let ran = tree.check(&["--format", "json", "--fail-on", "never"]).expect(0);
        assert!(!codes(&ran).contains(*code), "{code} is found: {ran:#?}");
    }
}

#[test]
fn a_loop_is_told_with_the_line_of_each_step() {
    let tree = Tree::new();
    tree.script(
        "rsyslog",
        &GOOD
            .replace(" $syslog", "")
            .replace("other third", "good")
            .replace("Provides:          good", "Provides: rsyslog"),
    );
    let ran = tree.check(&[]).expect(1);
    let script = tree.path("etc/init.d");
    let script = script.display();
    assert!(ran.out.contains("starting goes in a circle: "), "{ran:#?}");
    assert!(ran.out.contains(&format!("good before rsyslog ({script}/rsyslog:6, Should-Start)")), "{ran:#?}");
    assert!(ran.out.contains(&format!("rsyslog before good ({script}/good:4, Required-Start)")), "{ran:#?}");
}

#[test]
fn what_mounts_the_file_systems_need_not_wait_for_them() {
    let tree = Tree::new();
    tree.script("mountall", &boot("mountall", "", "").replace("PIDFILE=", "PIDFILE=/var/run/x\nX="));
    let all = codes(&tree.check(&["--format", "json"]).expect(0));
    assert!(!all.contains("local-fs-missing"), "{all:?}");
}

#[test]
fn a_name_asks_for_one_service_alone() {
    let tree = Tree::new();
    tree.spoil("other third", "other  third");
    tree.link("rc2.d/S03gone");
    let all = codes(&tree.check(&["--format", "json"]).expect(1));
    assert!(all.contains("list-cut") && all.contains("link-dangling"), "{all:?}");
    let one = codes(&tree.check(&["--format", "json", "good"]).expect(1));
    assert!(one.contains("list-cut") && !one.contains("link-dangling"), "{one:?}");
    let gone = codes(&tree.check(&["--format", "json", "gone"]).expect(1));
    assert_eq!(gone.into_iter().collect::<Vec<_>>(), ["link-dangling"]);
    tree.check(&["rsyslog"]).expect(0);
}
