//! `why` and `graph`, in the tree of another machine. What they say of small and random trees is tested with the
//! library (tests/explain).

use std::fs;

use crate::support::{Ran, ctl, executable, picture, same};
use foobar_tests::Sandbox;

const SCRIPTS: [(&str, &str, &str); 4] =
    [("base", "", "S"), ("log", "base", "2 3"), ("mail", "log", "2 3"), ("idle", "log", "2")];

/// A Debian with a few scripts, all linked but the last.
struct Tree(Sandbox);

impl Tree {
    fn new() -> Tree {
        let tree = Tree(Sandbox::new("explain"));
        for directory in
            ["init.d", "rc0.d", "rc1.d", "rc2.d", "rc3.d", "rc4.d", "rc5.d", "rc6.d", "rcS.d", "foobar"]
        {
            fs::create_dir_all(tree.0.path().join("etc").join(directory)).unwrap();
        }
        fs::write(tree.0.path().join("etc/insserv.conf"), "$log log\n").unwrap();
        fs::write(tree.0.path().join("etc/inittab"), "# id:5:initdefault:\nid:3:initdefault:\n").unwrap();
        for (name, needs, levels) in SCRIPTS {
            tree.script(name, &format!("# Required-Start: {needs}\n# Required-Stop: {needs}\n# Default-Start: {levels}\n# Default-Stop: 0\n"));
        }
        for link in [
            "rcS.d/S01base",
            "rc2.d/S01log",
            "rc3.d/S01log",
            "rc2.d/S02mail",
            "rc3.d/S07mail",
            "rc0.d/K01mail",
            "rc0.d/K02log",
        ] {
            let path = tree.0.path().join("etc").join(link);
            std::os::unix::fs::symlink(format!("../init.d/{}", &link[9..]), path).unwrap();
        }
        tree
    }

    fn script(&self, name: &str, header: &str) {
        let text = format!("#!/bin/sh\n### BEGIN INIT INFO\n# Provides: {name}\n{header}### END INIT INFO\n");
        executable(&self.0.path().join("etc/init.d").join(name), &text);
    }

    fn ctl(&self, line: &str) -> Ran {
        let root = self.0.path().to_str().unwrap();
        ctl(&["--root", root].into_iter().chain(line.split(' ')).collect::<Vec<_>>())
    }
}

#[test]
fn why_names_the_chain_and_its_lines() {
    let tree = Tree::new();
    let before = picture(tree.0.path());
    let out = tree.ctl("why mail").expect(0).out;
    assert_eq!(
        out,
        "mail is started as number 02 in runlevels 2 3
  01 log   nothing has to be started before it
  02 mail  after log (/etc/init.d/mail:4: Required-Start: log)
mail is stopped as number 01 in runlevel 0
  01 mail  nothing has to be stopped before it
another number is in rc3.d/S07mail: the next change to the order, or insserv, renames them
"
    );
    let facts = tree.ctl("why mail --format json").expect(0).json();
    assert_eq!(facts["start"]["chain"][1]["reason"]["header"]["line"], 4);
    assert_eq!(facts["other_numbers"][0], "rc3.d/S07mail");
    let idle = tree.ctl("why idle").expect(0).out;
    assert!(
        idle.starts_with("idle has no links; enabled it would be started as number 02 in runlevel 2\n"),
        "{idle}"
    );
    assert!(tree.ctl("why nosuch").expect(5).err.contains("nosuch is no script in /etc/init.d"));
    same("the tree", &before, &picture(tree.0.path()));
}

#[test]
fn a_loop_is_told_with_a_way_out_and_the_rest_is_drawn() {
    let tree = Tree::new();
    tree.script("log", "# Required-Start: base\n# Should-Start: mail\n# Default-Start: 2 3\n");
    let told = tree.ctl("why mail").expect(0).out;
    for line in [
        "loop when starting: 2 scripts wait for each other",
        "log before mail (/etc/init.d/mail:4: Required-Start: log)",
        "mail before log (/etc/init.d/log:5: Should-Start: mail)",
        "way out: take mail out of Should-Start in /etc/init.d/log, or write that header without it into \
         /etc/insserv/overrides/log",
    ] {
        assert!(told.contains(line), "{told}");
    }
    let drawn = tree.ctl("graph").expect(0);
    assert!(drawn.err.contains("warning: loop when starting"), "{drawn:?}");
    assert!(drawn.out.contains("start in runlevel S\n`-- 01\n    `-- base\n"), "{drawn:?}");
}

#[test]
fn graph_draws_boot_and_the_default_runlevel_in_every_form() {
    let tree = Tree::new();
    let whole = "start in runlevel S\n`-- 01\n    `-- base\n\nstart in runlevel 3\n|-- 01\n|   `-- log\n`-- 02\n    `-- mail <- log\n";
    assert_eq!(tree.ctl("graph").expect(0).out, whole);
    assert_eq!(tree.ctl("graph base").expect(0).out, "start in runlevel S\n`-- 01\n    `-- base\n");
    let halt = "stop in runlevel 0\n|-- 01\n|   `-- mail\n`-- 02\n    `-- log <- mail\n";
    assert_eq!(tree.ctl("graph --stop").expect(0).out, halt);
    assert_eq!(tree.ctl("graph --stop --runlevel 6").expect(0).out, "stop in runlevel 6\n`-- nothing\n");
    let svg = tree.ctl("graph --format svg").expect(0).out;
    assert!(svg.starts_with("<svg xmlns=") && svg.ends_with("</svg>\n"), "{svg}");
    assert!(svg.contains("log before mail: /etc/init.d/mail:4: Required-Start: log"), "{svg}");
    let dot = tree.ctl("graph --format dot").expect(0).out;
    assert!(dot.starts_with("digraph order {") && dot.contains("\"1/log\" -> \"1/mail\""), "{dot}");
    let facts = tree.ctl("graph --format json").expect(0).json();
    assert_eq!(facts["pictures"][1]["lanes"][1]["items"][0]["name"], "mail");
}

#[test]
fn what_a_change_would_do_is_drawn_and_not_done() {
    let tree = Tree::new();
    let before = picture(tree.0.path());
    let disabled = tree.ctl("graph mail --runlevel 2 --diff disable").expect(0).out;
    assert_eq!(disabled, "start in runlevel 2\n|-- 01\n|   `-- log\n`-- 02\n    `-- - mail <- -log\n");
    let text = "program = \"/usr/sbin/new\"\nrequired-start = [\"mail\"]\nrunlevels = \"23\"\n";
    fs::write(tree.0.path().join("etc/foobar/new.toml"), text).unwrap();
    let before_install = picture(tree.0.path());
    let installed = tree.ctl("graph --diff install new").expect(0).out;
    assert!(installed.contains("+ new <- +"), "{installed}");
    same("the tree", &before_install, &picture(tree.0.path()));
    assert_ne!(before.len(), before_install.len());
    tree.ctl("graph --diff install").expect(2);
    tree.ctl("graph --diff uninstall mail").expect(1);
}

#[test]
fn drawings_are_of_graph_alone() {
    let tree = Tree::new();
    assert!(tree.ctl("why mail --format svg").expect(2).err.contains("are for graph"));
    tree.ctl("status mail --format dot").expect(4);
    tree.ctl("graph --runlevel 9").expect(2);
    tree.ctl("graph nosuch").expect(5);
}
