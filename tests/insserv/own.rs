//! The command line by itself: what insserv refuses, what it leaves untouched, and where we differ on purpose.

use std::fs;

use crate::insserv::{is_installed, run_ours, run_theirs};
use crate::pair::{Pair, Picture};

fn header(name: &str, requires: &str) -> String {
    format!(
        "#!/bin/sh\n### BEGIN INIT INFO\n# Provides: {name}\n# Required-Start: {requires}\n# Required-Stop: {requires}\n\
         # Default-Start: 2 3\n# Default-Stop: 0\n### END INIT INFO\n"
    )
}

fn pair() -> Pair {
    let pair = Pair::new();
    pair.write("etc/insserv.conf", b"$syslog a\n");
    pair.script("a", header("a", "").as_bytes());
    pair.script("b", header("b", "$syslog").as_bytes());
    pair.script("c.html", header("c", "").as_bytes());
    pair
}

/// Words of a line for a tree.
fn words(line: &str, tree: &std::path::Path) -> Vec<String> {
    line.split(' ').map(|word| word.replace('@', tree.to_str().unwrap())).collect()
}

#[test]
fn both_refuse_the_same_lines() {
    if !is_installed() {
        return;
    }
    let pair = pair();
    for line in [
        "-i @/depend -r",
        "-i @/depend -p @/etc/init.d nosuch",
        "-i @/depend -p @/nowhere a",
        "-i @/depend @/etc/init.d/nosuch",
        "-i @/depend @/etc/init.d a",
        "-i @/depend -r @/etc/init.d",
        "-i @/depend @/nowhere/",
        "-i @/depend -x",
        "-i @/depend --nonsense",
        "-i @/depend --re",
        "-i @/depend -p",
        "-i @/depend --path=",
        "-i @/depend -p @/etc/init.d b",
        "-i @/depend -p @/etc/init.d a b @/etc/nosuch",
    ] {
        let [ours, theirs] = &pair.trees;
        let (our_end, their_end) =
            (run_ours(ours, &words(line, ours)), run_theirs(theirs, &words(line, theirs)));
        let codes = (our_end.status.code(), their_end.status.code());
        assert_eq!(codes, (Some(1), Some(1)), "{line}: {our_end:?} {their_end:?}");
        assert!(!our_end.stderr.is_empty(), "{line}");
        assert_eq!(Picture::of(ours), Picture::of(theirs), "{line}");
    }
    assert!(Picture::of(&pair.trees[0]).links.is_empty());
}

#[test]
fn what_has_no_meaning_is_said_and_not_passed_over() {
    let pair = pair();
    let tree = &pair.trees[0];
    for (line, said) in [
        ("-e -p @/etc/init.d a", "-e is not supported"),
        ("-u /lib/init/upstart-job -p @/etc/init.d a", "-u is not supported"),
        ("-p @/etc/init.d a,frob=2", "a,start=2,3,stop=0"),
        ("-p @/etc/init.d a,start=23", "'23' is no runlevel"),
    ] {
        let end = run_ours(tree, &words(line, tree));
        assert_eq!(end.status.code(), Some(1), "{line}");
        let text = String::from_utf8_lossy(&end.stderr).into_owned();
        assert!(text.starts_with("insserv: ") && text.contains(said), "{line}: {text}");
    }
    assert!(Picture::of(tree).links.is_empty());
    let help = run_ours(tree, &words("-h", tree));
    assert_eq!(help.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&help.stdout).contains("--show-all"), "{help:?}");
}

#[test]
fn trials_say_what_they_would_do_and_touch_nothing() {
    let pair = pair();
    let tree = &pair.trees[0];
    std::os::unix::fs::symlink("../init.d/gone", tree.join("etc/rc2.d/S01gone")).unwrap();
    let before = Picture::of(tree);
    let trial = run_ours(tree, &words("-n -p @/etc/init.d a", tree));
    let said = String::from_utf8_lossy(&trial.stderr).into_owned();
    for line in
        ["remove service", "rc2.d/S01gone", "enable service ../init.d/a -> ", "rc3.d/S01a", "dryrun, not"]
    {
        assert!(said.contains(line), "{said}");
    }
    let table = run_ours(tree, &words("-s -p @/etc/init.d a", tree));
    assert_eq!(String::from_utf8_lossy(&table.stdout).lines().next(), Some("K:02:0:a"));
    assert_eq!(Picture::of(tree), before);
    let done = run_ours(tree, &words("-v -p @/etc/init.d a", tree));
    assert_eq!(done.status.code(), Some(0), "{done:?}");
    let after = Picture::of(tree);
    assert!(after.links.iter().any(|link| link == "rc2.d/S01a -> ../init.d/a"), "{after:?}");
    assert!(!after.links.iter().any(|link| link.contains("gone")), "{after:?}");
}

#[test]
fn the_files_of_another_tree_stay_in_it() {
    // insserv 1.24 would write /etc/init.d/.depend.* of this machine, so it is not asked.
    let pair = pair();
    let tree = &pair.trees[0];
    let of_machine = || fs::read("/etc/init.d/.depend.start").ok();
    let before = of_machine();
    assert_eq!(run_ours(tree, &words("-p @/etc/init.d a b", tree)).status.code(), Some(0));
    assert_eq!(of_machine(), before);
    let start = fs::read_to_string(tree.join("etc/init.d/.depend.start")).unwrap();
    assert_eq!(start, "TARGETS = a b\nINTERACTIVE =\nb: a\n");
}
