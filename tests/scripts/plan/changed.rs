//! Trees that an administrator has had a hand in: what was changed is kept and told, unless forced.

use foobar_initscripts::plan::PlanError;

use super::tree::{Node, Tree};
use super::wish::{EXTRA, USUAL, Wish, to_disable, to_install, to_uninstall, toggled, try_uninstall};

const SCRIPT: &str = "/etc/init.d/foobar";
const SERVICE_FILE: &str = "/etc/foobar/foobar.toml";

fn installed() -> Tree {
    let mut tree = Tree::debian();
    tree.apply(&to_install(&tree, USUAL));
    tree
}

/// The tree after somebody has added a line to a file.
fn edited(path: &str) -> Tree {
    let mut tree = installed();
    let text = format!("{}# a line by hand\n", tree.text(path));
    let mode = if path == SCRIPT { 0o755 } else { 0o644 };
    tree.file(path, mode, &text);
    tree
}

#[test]
fn an_edited_file_is_kept_until_forced() {
    for path in [SCRIPT, SERVICE_FILE] {
        let tree = edited(path);
        let plan = to_install(&tree, USUAL);
        assert_eq!(plan.steps, []);
        assert_eq!(plan.notes, [format!("{path} was changed by hand and is kept: --force replaces it")]);
        let mut forced = tree.clone();
        forced.apply(&to_install(&tree, Wish { force: true, ..USUAL }));
        forced.must_equal(&installed(), "forced");
    }
}

#[test]
fn an_edited_file_survives_uninstall_until_purged() {
    for path in [SCRIPT, SERVICE_FILE, EXTRA] {
        let tree = edited(path);
        let plan = to_uninstall(&tree);
        let note = format!("{path} was written or changed by hand and is kept: --purge removes it");
        assert_eq!(plan.notes.last(), Some(&note));
        assert!(plan.notes[0].starts_with("without foobar: zope requires it"), "{:?}", plan.notes);
        let mut after = tree.clone();
        after.apply(&plan);
        assert_eq!(after.text(path), tree.text(path));
        assert_eq!(after.links("foobar"), Vec::<String>::new());
        after.apply(&try_uninstall(&after, true, false).unwrap());
        assert!(!after.0.contains_key(path));
    }
}

#[test]
fn a_script_of_somebody_else_is_neither_replaced_nor_removed() {
    let mut tree = Tree::debian();
    let foreign = super::tree::script("foobar", "", "2", "0 1 6");
    tree.file(SCRIPT, 0o755, &foreign);
    let plan = to_install(&tree, USUAL);
    assert_eq!(
        plan.notes,
        [format!("{SCRIPT} was not written by foobarctl and is kept: --force replaces it")]
    );
    let mut after = tree.clone();
    after.apply(&plan);
    assert_eq!(after.text(SCRIPT), foreign);
    assert_eq!(after.links("foobar").concat(), "0K021K022S016K02", "its own header counts");
    assert_eq!(try_uninstall(&after, false, false), Err(PlanError::NotOurs { path: SCRIPT.to_owned() }));
    after.apply(&try_uninstall(&after, false, true).unwrap());
    assert!(!after.0.contains_key(SCRIPT));
}

#[test]
fn start_links_turned_into_kill_links_stay_so() {
    let mut tree = installed();
    tree.apply(&to_disable(&tree, Some("3")));
    let plan = to_install(&tree, USUAL);
    assert_eq!(plan.steps, []);
    assert!(plan.notes.iter().any(|note| note.contains("keeps its links")), "{plan}");
    let mut forced = tree.clone();
    forced.apply(&to_install(&tree, Wish { force: true, ..USUAL }));
    forced.must_equal(&installed(), "forced");
}

#[test]
fn a_script_that_was_made_not_executable_stays_so() {
    let mut tree = installed();
    let text = tree.text(SCRIPT);
    tree.file(SCRIPT, 0o644, &text);
    let plan = to_install(&tree, USUAL);
    assert!(plan.notes[0].contains("is not executable and is kept"), "{plan}");
    assert!(!plan.steps.iter().any(|step| step.path() == SCRIPT));
    tree.apply(&to_install(&tree, Wish { force: true, ..USUAL }));
    assert_eq!(tree.0.get(SCRIPT), Some(&Node::File(0o755, text.into_bytes())));
}

#[test]
fn the_configuration_of_the_program_is_never_overwritten() {
    let mut tree = Tree::debian();
    tree.file(EXTRA, 0o600, "listen = \"[::1]:1\"\n");
    let plan = to_install(&tree, Wish { force: true, ..USUAL });
    assert!(!plan.steps.iter().any(|step| step.path() == EXTRA));
}

#[test]
fn a_link_in_place_of_a_file_is_kept() {
    for path in [SCRIPT, SERVICE_FILE] {
        let mut tree = installed();
        tree.link(path, "/elsewhere");
        let plan = to_install(&tree, USUAL);
        assert_eq!(plan.notes[0], format!("{path} is no regular file and is kept: --force replaces it"));
    }
}

#[test]
fn what_cannot_be_turned_is_said() {
    let tree = Tree::debian();
    let no_script = PlanError::NoScript { path: SCRIPT.to_owned() };
    assert_eq!(toggled(&tree, false, None), Err(no_script));
    let tree = installed();
    let error = toggled(&tree, true, Some("S")).map_err(|error| error.to_string());
    let wanted = "foobar has no links in runlevels S: install it first, or name others with --runlevels";
    assert_eq!(error, Err(wanted.to_owned()));
    let plan = toggled(&tree, false, Some("13")).unwrap();
    assert_eq!(plan.notes[0], "links in runlevel 1 are not turned: it halts, reboots or is for repair");
}

#[test]
fn uninstalling_what_is_not_there_says_so() {
    let plan = to_uninstall(&Tree::debian());
    assert_eq!((plan.steps, plan.notes), (vec![], vec!["foobar is not installed".to_owned()]));
}
