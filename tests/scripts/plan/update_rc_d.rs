//! The same changes by the distribution's update-rc.d and by our plans: the trees must be equal byte for
//! byte. It runs in a mount namespace of its own, where our tree lies over /etc.

use std::fs;
use std::path::Path;
use std::process::Command;

use foobar_tests::{Sandbox, skip};

use super::tree::{Node, Tree};
use super::wish::{USUAL, Wish, to_disable, to_enable, to_install, to_uninstall};
use crate::shells::{is_installed, streams};

const SCRIPT: &str = "/etc/init.d/foobar";

/// Runs update-rc.d on a copy of a tree. None if this machine cannot.
fn update_rc_d(tree: &Tree, script: Option<&str>, words: &[&str]) -> Option<Tree> {
    let sandbox = Sandbox::new("update-rc.d");
    tree.write(sandbox.path());
    let etc = sandbox.path().join("etc");
    match script {
        Some(text) => {
            fs::write(etc.join("init.d/foobar"), text).unwrap();
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            fs::set_permissions(etc.join("init.d/foobar"), mode).unwrap();
        }
        None => drop(fs::remove_file(etc.join("init.d/foobar"))),
    }
    let output = Command::new("unshare")
        .args(["--mount", "--", "/bin/sh", "-c"])
        .arg("mount --bind \"$1\" /etc && shift && exec /usr/sbin/update-rc.d \"$@\"")
        .arg("sh")
        .arg(&etc)
        .args(words)
        .output()
        .unwrap();
    assert!(output.status.success(), "update-rc.d {words:?}: {}", streams(&output));
    Some(Tree::read(sandbox.path()))
}

fn can_run() -> bool {
    let namespace = || {
        let tried =
            Command::new("unshare").args(["--mount", "--", "mount", "--bind", "/etc", "/etc"]).output();
        tried.is_ok_and(|output| output.status.success())
    };
    let tools = ["update-rc.d", "insserv", "unshare"].into_iter().all(is_installed);
    let able = tools && Path::new("/etc/insserv.conf").exists() && namespace();
    if !able {
        skip("needs update-rc.d, insserv and the right to a mount namespace");
    }
    able
}

/// Links and startpar's files, which is all that update-rc.d is about.
fn relevant(tree: &Tree) -> Vec<(&String, &Node)> {
    let ours = |path: &str| path.starts_with("/etc/rc") || path.starts_with("/etc/init.d/.depend");
    tree.0.iter().filter(|(path, node)| ours(path) && **node != Node::Dir).collect()
}

fn must_agree(what: &str, ours: &Tree, theirs: &Tree) {
    let (ours, theirs) = (relevant(ours), relevant(theirs));
    for pair in &ours {
        assert!(theirs.contains(pair), "{what}: only we have {pair:?}\n{theirs:?}");
    }
    for pair in &theirs {
        assert!(ours.contains(pair), "{what}: only update-rc.d has {pair:?}\n{ours:?}");
    }
}

#[test]
fn our_plans_do_what_update_rc_d_does() {
    if !can_run() {
        return;
    }
    for levels in ["2345", "35", "S"] {
        let before = Tree::debian();
        let mut ours = before.clone();
        ours.apply(&to_install(&before, Wish { runlevels: Some(levels), ..USUAL }));
        let script = ours.text(SCRIPT);
        let run = |tree: &Tree, words: &[&str]| update_rc_d(tree, Some(&script), words).unwrap();
        must_agree("defaults", &ours, &run(&before, &["foobar", "defaults"]));
        must_agree("defaults again", &ours, &run(&ours, &["foobar", "defaults"]));

        let mut off = ours.clone();
        off.apply(&to_disable(&ours, None));
        must_agree("disable", &off, &run(&ours, &["foobar", "disable"]));
        if levels == "2345" {
            must_agree("defaults after disable", &off, &run(&off, &["foobar", "defaults"]));
            let mut on = off.clone();
            on.apply(&to_enable(&off, None));
            must_agree("enable", &on, &run(&off, &["foobar", "enable"]));
            let mut partly = ours.clone();
            partly.apply(&to_disable(&ours, Some("24")));
            must_agree("disable 2 4", &partly, &run(&ours, &["foobar", "disable", "2", "4"]));
        }
        let mut gone = ours.clone();
        gone.apply(&to_uninstall(&ours));
        let theirs = update_rc_d(&ours, None, &["foobar", "remove"]).unwrap();
        must_agree("remove", &gone, &theirs);
        must_agree("update-rc.d of another service after us", &ours, &run(&ours, &["cron", "defaults"]));
    }
}
