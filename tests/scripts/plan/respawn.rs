//! Entries of /etc/inittab in place of scripts and links.

use foobar_initscripts::inittab::PATH;
use foobar_initscripts::plan::{Plan, PlanError, Step};

use super::tree::{Node, Tree};
use super::wish::{USUAL, Wish, to_disable, to_enable, to_install, to_respawn, to_uninstall, try_respawn};
use super::wish::{toggled, try_uninstall};
use crate::golden::{compare, without_sizes};

const TABLE: &[u8] =
    b"# a table\xff\r\nid:2:initdefault:\nfoo0:2:off:/x\n~~:S:wait:/sbin/sulogin\n1:2345:respawn:/sbin/getty tty1";
const FORCE: Wish = Wish { force: true, ..USUAL };

fn tree() -> Tree {
    let mut tree = Tree::debian();
    tree.0.insert(PATH.to_owned(), Node::File(0o640, TABLE.to_vec()));
    tree
}

fn after(tree: &Tree, plan: &Plan) -> Tree {
    let mut tree = tree.clone();
    tree.apply(plan);
    tree.must_be_sound();
    tree
}

fn table(tree: &Tree) -> String {
    match tree.0.get(PATH) {
        Some(Node::File(0o640, text)) => String::from_utf8_lossy(text).into_owned(),
        other => panic!("{other:?}"),
    }
}

/// The line that init reads.
fn line(tree: &Tree) -> String {
    let table = table(tree);
    table.lines().skip_while(|line| !line.contains("by foobarctl")).nth(1).unwrap_or_default().to_owned()
}

fn edit(tree: &Tree, from: &str, to: &str) -> Tree {
    let mut tree = tree.clone();
    let Some(Node::File(_, text)) = tree.0.get_mut(PATH) else { panic!("no table") };
    let at = text.windows(from.len()).position(|part| part == from.as_bytes()).unwrap();
    text.splice(at..at + from.len(), to.bytes());
    tree
}

#[test]
fn an_entry_comes_and_goes_and_every_other_byte_stays() {
    let before = tree();
    let installed = after(&before, &to_respawn(&before, USUAL));
    assert_eq!(
        line(&installed),
        "foo1:2345:respawn:/usr/sbin/foobard --init --config /etc/foobard.toml --pid-file /var/run/foobar.pid"
    );
    assert!(installed.links("foobar").is_empty() && !installed.0.contains_key("/etc/init.d/foobar"));
    assert_eq!(to_respawn(&installed, USUAL), Plan::default());
    let off = after(&installed, &to_disable(&installed, None));
    assert!(line(&off).starts_with("foo1:2345:off:/usr"), "{}", line(&off));
    assert_eq!(to_disable(&off, None), Plan::default());
    let some = after(&installed, &to_disable(&installed, Some("24")));
    assert!(line(&some).starts_with("foo1:35:respawn:"), "{}", line(&some));
    for wrong in [&off, &some] {
        let right = after(wrong, &to_enable(wrong, None));
        right.must_equal(&installed, "enabled again");
        assert_eq!(to_enable(&right, None), Plan::default());
        // The administrator's choice outlives another install.
        let again = to_respawn(wrong, USUAL);
        assert!(again.steps.is_empty() && again.notes[0].contains("keeps the runlevels"), "{again}");
        after(wrong, &to_respawn(wrong, FORCE)).must_equal(&installed, "forced");
    }
    let only = after(&off, &to_enable(&off, Some("3")));
    assert!(line(&only).starts_with("foo1:3:respawn:"), "{}", line(&only));
    let gone = after(&installed, &to_uninstall(&installed));
    assert_eq!(
        gone.0.get(PATH),
        Some(&Node::File(0o640, [TABLE, b"\n"].concat())),
        "all but the newline that was missing"
    );
    assert_eq!(gone.links("zope"), before.links("zope"));
}

#[test]
fn it_takes_the_place_of_script_and_links() {
    let before = tree();
    let scripted = after(&before, &to_install(&before, USUAL));
    let plan = to_respawn(&scripted, USUAL);
    let last = plan.steps.last().map(Step::path);
    assert_eq!(last, Some(PATH), "only when nothing else starts it any more");
    let entry = after(&scripted, &plan);
    let never = after(&before, &to_respawn(&before, USUAL));
    assert_eq!((table(&entry), entry.links("zope")), (table(&never), never.links("zope")));
    assert!(entry.0.keys().eq(never.0.keys()), "as if it had never had a script");
}

#[test]
fn what_was_changed_by_hand_is_kept_and_named() {
    let installed = after(&tree(), &to_respawn(&tree(), USUAL));
    let mine = edit(&installed, "--init --config", "--init --verbose --config");
    for plan in [to_respawn(&mine, USUAL), to_uninstall(&mine)] {
        assert!(!plan.steps.iter().any(|step| step.path() == PATH), "{plan}");
        assert!(plan.notes.iter().any(|note| note.contains("line 7, was changed by hand")), "{plan}");
    }
    // Runlevels and action of such a line are turned like those of any other.
    let off = after(&mine, &to_disable(&mine, None));
    assert!(line(&off).contains(":off:") && line(&off).contains("--verbose"), "{}", line(&off));
    after(&mine, &to_respawn(&mine, FORCE)).must_equal(&installed, "forced");
    assert!(line(&after(&mine, &try_uninstall(&mine, true, false).unwrap())).is_empty());

    let comment = edit(&installed, "foo1:", "#foo1:");
    assert!(to_respawn(&comment, USUAL).steps.is_empty());
    after(&comment, &to_enable(&comment, None)).must_equal(&installed, "enabled again");

    let gone = edit(&installed, &format!("{}\n", line(&installed)), "");
    let plan = to_respawn(&gone, USUAL);
    assert!(plan.steps.is_empty() && plan.notes[0].contains("was removed by hand"), "{plan}");
    after(&gone, &to_respawn(&gone, FORCE)).must_equal(&installed, "forced");
    assert!(!table(&after(&gone, &to_uninstall(&gone))).contains("foobarctl"));
}

#[test]
fn what_cannot_be_is_refused() {
    let mut none = tree();
    none.0.remove(PATH);
    assert!(matches!(try_respawn(&none, USUAL), Err(PlanError::NoTable { why: "does not exist", .. })));
    none.link(PATH, "elsewhere");
    assert!(matches!(try_respawn(&none, USUAL), Err(PlanError::NoTable { why: "is no regular file", .. })));
    let strange = edit(&tree(), "/sbin/getty tty1", "/usr/sbin/foobard -f");
    assert!(matches!(try_respawn(&strange, USUAL), Err(PlanError::Stranger { line: 5, .. })));
    let mut foreign = tree();
    foreign.file("/etc/init.d/foobar", 0o755, "#!/bin/sh\n");
    assert!(matches!(try_respawn(&foreign, USUAL), Err(PlanError::NotOurs { .. })));
    let installed = after(&tree(), &to_respawn(&tree(), USUAL));
    let nowhere = edit(&installed, "foo1:2345:", "foo1::");
    let mut nowhere = edit(&nowhere, ":respawn:/usr", ":off:/usr");
    nowhere.0.remove("/etc/foobar/foobar.toml");
    assert!(matches!(toggled(&nowhere, true, None), Err(PlanError::NoRunlevels { .. })));
}

#[test]
fn a_dry_run_is_golden() {
    let before = tree();
    let scripted = after(&before, &to_install(&before, USUAL));
    let installed = after(&scripted, &to_respawn(&scripted, USUAL));
    let plans = [
        ("install", to_respawn(&before, USUAL)),
        ("install in place of a script", to_respawn(&scripted, USUAL)),
        ("disable", to_disable(&installed, None)),
        ("uninstall", to_uninstall(&installed)),
    ];
    let text: String = plans.map(|(title, plan)| format!("# {title}\n{plan}\n")).concat();
    compare("inittab/plan.txt", &format!("{}# /etc/inittab\n{}", without_sizes(&text), table(&installed)));
}
