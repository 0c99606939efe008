//! Installing, enabling and removing on trees that nobody has tampered with, whole and interrupted.

use foobar_initscripts::plan::{Plan, Step};
use foobar_initscripts::script::Style;

use foobar_tests::skip;

use super::tree::{Node, Tree};
use super::wish::{EXTRA, USUAL, Wish, to_disable, to_enable, to_install, to_uninstall};
use crate::golden::{compare, without_sizes};

fn installed(mut tree: Tree, wish: Wish) -> Tree {
    tree.apply(&to_install(&tree, wish));
    tree
}

#[test]
fn an_installation_is_whole_and_the_second_one_has_nothing_to_do() {
    let tree = installed(Tree::debian(), USUAL);
    tree.must_be_sound();
    assert_eq!(
        tree.links("foobar"),
        ["0K02", "1K02", "2S02", "3S02", "4S02", "5S02", "6K02"].map(String::from)
    );
    let start = tree.text("/etc/init.d/.depend.start");
    assert!(start.lines().next().unwrap().contains(" foobar"), "{start}");
    assert_eq!(to_install(&tree, USUAL), Plan::default());
}

#[test]
fn among_real_scripts_it_comes_and_goes() {
    let Some(before) = Tree::real() else { return skip("the collection of init scripts is not here") };
    let tree = installed(before.clone(), USUAL);
    tree.must_be_sound();
    assert_eq!(tree.links("foobar").len(), 7);
    assert_eq!(to_install(&tree, USUAL).steps, []);
    let mut off = tree.clone();
    off.apply(&to_disable(&tree, None));
    assert_eq!(to_disable(&off, None).steps, []);
    let mut on = off.clone();
    on.apply(&to_enable(&off, None));
    assert_eq!(on.links("foobar"), tree.links("foobar"));
    on.apply(&to_uninstall(&on));
    on.must_be_sound();
    // The rest need not be as before: these scripts have a loop, and insserv turns in a circle over them.
    let left =
        |(path, node): (&String, &Node)| path.contains("foobar") || format!("{node:?}").contains("foobar");
    assert!(!on.0.iter().any(left));
    assert_eq!(to_uninstall(&on).steps, []);
}

#[test]
fn other_services_are_renumbered_with_it() {
    let before = Tree::debian();
    let after = installed(before.clone(), USUAL);
    assert_ne!(before.links("zope"), after.links("zope"), "zope requires foobar");
    assert_eq!(after.links("zope")[2], "2S03");
    let back = {
        let mut tree = after;
        tree.apply(&to_uninstall(&tree));
        tree
    };
    back.must_be_sound();
    assert_eq!(back.links("foobar"), Vec::<String>::new());
    assert_eq!(to_uninstall(&back).steps, []);
}

#[test]
fn uninstalling_leaves_no_trace() {
    let mut before = Tree::debian();
    before.0.remove("/etc/foobar");
    let mut tree = installed(before.clone(), USUAL);
    tree.apply(&to_uninstall(&tree));
    tree.settle();
    tree.must_equal(&before, "uninstalled");
}

#[test]
fn a_crash_after_any_step_is_healed_by_the_next_run() {
    let before = Tree::debian();
    let wanted = installed(before.clone(), USUAL);
    let plan = to_install(&before, USUAL);
    assert!(plan.steps.len() > 10, "{plan}");
    for crash in 0..=plan.steps.len() {
        let mut tree = before.clone();
        plan.steps[..crash].iter().for_each(|step| tree.step(step));
        tree.must_be_sound();
        installed(tree, USUAL).must_equal(&wanted, &format!("after {crash} steps"));
    }
    let plan = to_uninstall(&wanted);
    let mut removed = wanted.clone();
    removed.apply(&plan);
    removed.0.remove("/etc/foobar");
    removed.settle();
    for crash in 0..=plan.steps.len() {
        let mut tree = wanted.clone();
        plan.steps[..crash].iter().for_each(|step| tree.step(step));
        tree.must_be_sound();
        tree.apply(&to_uninstall(&tree));
        tree.0.remove("/etc/foobar");
        tree.settle();
        tree.must_equal(&removed, &format!("after {crash} steps"));
    }
}

#[test]
fn a_crash_in_an_empty_prefix_is_healed_too() {
    let wanted = installed(Tree::default(), USUAL);
    let plan = to_install(&Tree::default(), USUAL);
    for crash in 0..=plan.steps.len() {
        let mut tree = Tree::default();
        plan.steps[..crash].iter().for_each(|step| tree.step(step));
        installed(tree, USUAL).must_equal(&wanted, &format!("after {crash} steps"));
    }
}

#[test]
fn steps_as_json_have_a_stable_shape() {
    let plan = to_install(&Tree::debian(), USUAL);
    let json = serde_json::to_value(&plan).unwrap();
    assert_eq!(json["notes"], serde_json::json!([]));
    let step = |path: &str| {
        let found = json["steps"].as_array().unwrap().iter().find(|step| step["path"] == path);
        found.unwrap_or_else(|| panic!("{path}")).clone()
    };
    let link = serde_json::json!({
        "step": "symlink", "path": "/etc/rc2.d/S02foobar", "target": "../init.d/foobar", "before": "absent"
    });
    assert_eq!(step("/etc/rc2.d/S02foobar"), link);
    let removed = serde_json::json!({"step": "remove", "path": "/etc/rc2.d/S02zope", "before": "link"});
    assert_eq!(step("/etc/rc2.d/S02zope"), removed);
    let written = step("/etc/init.d/.depend.start");
    assert_eq!((&written["step"], &written["mode"]), (&"write".into(), &0o644.into()));
    assert_eq!(written["before"]["file"].as_str().map(str::len), Some(16));
}

#[test]
fn disabling_and_enabling_are_inverse() {
    let on = installed(Tree::debian(), USUAL);
    let mut off = on.clone();
    off.apply(&to_disable(&on, None));
    off.must_be_sound();
    let letters =
        |tree: &Tree| tree.links("foobar").iter().map(|link| link[..2].to_owned()).collect::<Vec<_>>();
    assert_eq!(letters(&off), ["0K", "1K", "2K", "3K", "4K", "5K", "6K"].map(String::from));
    assert!(to_disable(&off, None).is_empty());
    let mut again = off.clone();
    again.apply(&to_enable(&off, None));
    again.must_equal(&on, "enabled again");
    let mut partly = on.clone();
    partly.apply(&to_disable(&on, Some("35")));
    assert_eq!(letters(&partly), ["0K", "1K", "2S", "3K", "4S", "5K", "6K"].map(String::from));
}

#[test]
fn runlevels_are_those_that_were_asked_for() {
    let tree = installed(Tree::debian(), Wish { runlevels: Some("35"), ..USUAL });
    assert_eq!(tree.links("foobar").concat(), "0K021K022K023S024K025S026K02");
    assert!(
        tree.text("/etc/init.d/foobar")
            .contains("# Default-Start:     3 5\n# Default-Stop:      0 1 2 4 6\n")
    );
    let tree = installed(tree, Wish { runlevels: Some("2345"), ..USUAL });
    assert_eq!(tree.links("foobar").concat(), "0K021K022S023S024S025S026K02");
    tree.must_be_sound();
}

#[test]
fn a_machine_without_insserv_gets_its_own_links_only() {
    let mut before = Tree::debian();
    before.0.retain(|path, _| !path.contains("/.depend.") && path != "/etc/insserv.conf");
    // Numbers of an administrator who orders by hand.
    before.0.remove("/etc/rc2.d/S01rsyslog");
    before.link("/etc/rc2.d/S40rsyslog", "../init.d/rsyslog");
    let tree = installed(before.clone(), USUAL);
    let changed: Vec<&String> = tree.0.keys().filter(|path| !before.0.contains_key(*path)).collect();
    assert!(changed.iter().all(|path| path.contains("foobar")), "{changed:?}");
    assert!(before.0.iter().all(|(path, node)| tree.0.get(path) == Some(node)));
    assert_eq!(to_install(&tree, USUAL), Plan::default());
    let mut off = tree.clone();
    off.apply(&to_disable(&tree, None));
    assert_eq!(off.links("foobar").len(), 7);
    let mut gone = tree.clone();
    gone.apply(&to_uninstall(&tree));
    before.0.remove("/etc/foobar");
    gone.must_equal(&before, "uninstalled");
}

#[test]
fn an_empty_prefix_gets_all_directories() {
    let tree = installed(Tree::default(), USUAL);
    tree.must_be_sound();
    for path in [
        "/etc/init.d/foobar",
        "/etc/rc2.d/S01foobar",
        "/etc/foobar/foobar.toml",
        EXTRA,
        "/var/run",
        "/var/log",
    ] {
        assert!(tree.0.contains_key(path), "{path}");
    }
    assert!(!tree.0.keys().any(|path| path.contains(".depend")));
    assert_eq!(to_install(&tree, USUAL), Plan::default());
}

#[test]
fn the_other_style_replaces_the_script_alone() {
    let tree = installed(Tree::debian(), USUAL);
    let plan = to_install(&tree, Wish { style: Style::Standalone, ..USUAL });
    let paths: Vec<&str> = plan.steps.iter().map(Step::path).collect();
    assert_eq!(paths, ["/etc/init.d/foobar"]);
}

#[test]
fn a_dry_run_is_golden() {
    let before = Tree::debian();
    let mut text = format!("# install\n{}", to_install(&before, USUAL));
    let on = installed(before, USUAL);
    text.push_str(&format!("\n# disable\n{}", to_disable(&on, None)));
    text.push_str(&format!("\n# disable in 1, 3 and 5\n{}", to_disable(&on, Some("135"))));
    text.push_str(&format!("\n# uninstall\n{}", to_uninstall(&on)));
    text.push_str(&format!("\n# install again\n{}", to_install(&on, USUAL)));
    let mut edited = on;
    edited.file("/etc/init.d/foobar", 0o755, "#!/bin/sh\n");
    edited.0.insert("/etc/foobar/foobar.toml".to_owned(), Node::Link("elsewhere".to_owned()));
    text.push_str(&format!("\n# install over what others have written\n{}", to_install(&edited, USUAL)));
    compare("debian/plan.txt", &without_sizes(&text));
}
