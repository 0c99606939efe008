//! Exit codes, JSON, `--explain`, help and manual; and that no code goes untested.

use std::collections::BTreeSet;

use foobar_initscripts::check::rules;

use super::tree::Tree;
use super::{called, live, machine, meaning, scripts};
use crate::support::ctl;

#[test]
fn every_code_is_shown_by_a_test() {
    let shown: BTreeSet<&str> = scripts::ROWS
        .iter()
        .chain(scripts::BUILDROOT_ROWS)
        .map(|row| row.0)
        .chain(machine::ROWS.iter().map(|row| row.0))
        .chain(meaning::ROWS.iter().map(|row| row.0))
        .chain(live::CODES)
        .chain(called::CODES)
        .collect();
    let all: BTreeSet<&str> = rules::all().map(|rule| rule.code).collect();
    assert_eq!(all.difference(&shown).collect::<Vec<_>>(), Vec::<&&str>::new(), "no test shows them");
    assert_eq!(shown.difference(&all).collect::<Vec<_>>(), Vec::<&&str>::new(), "they do not exist");
}

#[test]
fn the_exit_code_follows_the_severity() {
    let tree = Tree::new();
    tree.spoil("# Short-Description: a good one\n", "");
    for (limit, code) in [("error", 0), ("warning", 0), ("note", 1), ("never", 0)] {
        tree.check(&["--fail-on", limit]).expect(code);
    }
    tree.spoil("2 3 4 5", "3 5");
    for (limit, code) in [("error", 0), ("warning", 1), ("note", 1), ("never", 0)] {
        tree.check(&["--fail-on", limit, "good"]).expect(code);
    }
    tree.spoil("other third", "other  third");
    tree.check(&[]).expect(1);
    let quiet = tree.check(&["--quiet"]).expect(1);
    assert_eq!((quiet.out.as_str(), quiet.err.as_str()), ("", ""));
    tree.check(&["--fail-on", "never"]).expect(0);
    tree.check(&["--fail-on", "fatal"]).expect(2);
    tree.check(&["nothing"]).expect(5);
    tree.check(&["/nothing"]).expect(5);
    tree.check(&["a b"]).expect(2);
}

#[test]
fn json_has_what_the_text_has() {
    let tree = Tree::new();
    tree.spoil("other third", "other  third");
    let json = tree.check(&["--format", "json"]).expect(1).json();
    assert_eq!((&json["checked"], &json["errors"], &json["notes"]), (&4.into(), &1.into(), &0.into()));
    let finding = &json["findings"][0];
    assert_eq!(finding["code"], "list-cut");
    assert_eq!((&finding["line"], &finding["severity"]), (&6.into(), &"error".into()));
    assert_eq!(finding["service"], "good");
    assert_eq!(finding["file"], tree.path("etc/init.d/good").to_str().unwrap());
    for key in ["message", "effect", "remedy"] {
        assert!(finding[key].as_str().unwrap().len() > 8, "{finding}");
    }
}

#[test]
fn every_code_can_be_explained() {
    for rule in rules::all() {
        let ran = ctl(&["check", "--explain", rule.code]).expect(0);
        assert!(ran.out.starts_with(rule.code) && ran.out.contains(rule.explanation), "{ran:#?}");
        let json = ctl(&["check", "--explain", rule.code, "--format", "json"]).expect(0).json();
        assert_eq!(json["remedy"], rule.remedy);
    }
    ctl(&["check", "--explain", "no-such-code"]).expect(2);
    ctl(&["check", "--explain", "loop", "name"]).expect(2);
    let help = ctl(&["check", "--help"]).expect(0).out;
    assert!(rules::all().all(|rule| help.contains(rule.code) && help.contains(rule.title)), "{help}");
}

#[test]
fn nothing_is_changed() {
    let tree = Tree::new();
    tree.spoil("other third", "other  third");
    let before = crate::support::picture(tree.sandbox.path());
    tree.check(&[]).expect(1);
    tree.check_live(&["--ask"]);
    crate::support::same("check", &before, &crate::support::picture(tree.sandbox.path()));
}
