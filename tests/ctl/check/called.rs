//! The codes about lines that call services, on a Slackware: each shown by a change, and gone without it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::layouts::Root;

/// All codes that are shown here.
pub const CODES: [&str; 5] = ["lines-not-run", "lines-changed", "lines-left", "lines-order", "not-called"];

const LOCAL: &str = "etc/rc.d/rc.local";

/// With foobar, and a service that needs it.
fn slackware() -> Root {
    let root = Root::slackware();
    root.write("etc/foobar/later.toml", "program = \"/usr/sbin/later\"\nrequires = [\"foobar\"]\n");
    root.ctl(&["install"]).expect(0);
    root.ctl(&["install", "later"]).expect(0);
    root
}

fn edit(root: &Root, below: &str, change: impl Fn(&str) -> String) {
    let text = fs::read(root.path(below)).unwrap();
    fs::write(root.path(below), change(&String::from_utf8_lossy(&text))).unwrap();
}

/// The findings about services, as `code subject file:line`; not those that every tree of a test has.
fn found(root: &Root) -> Vec<String> {
    let facts = root.ctl(&["--format", "json", "check"]).json();
    let usual = ["service-program-absent", "interpreter-absent"];
    let rows = facts["findings"].as_array().unwrap_or_else(|| panic!("{facts}")).iter();
    let rows = rows.filter(|row| !usual.contains(&row["code"].as_str().unwrap()));
    rows.map(|row| {
        let file = row["file"].as_str().unwrap().replace(root.top().to_str().unwrap(), "");
        format!(
            "{} {} {file}:{}",
            row["code"].as_str().unwrap(),
            row["service"].as_str().unwrap_or("-"),
            row["line"]
        )
    })
    .collect()
}

#[test]
fn an_untouched_slackware_has_none() {
    assert_eq!(found(&slackware()), Vec::<String>::new());
    // Nor has one whose service is switched off.
    let root = slackware();
    root.ctl(&["disable", "later"]).expect(0);
    assert_eq!(found(&root), Vec::<String>::new());
    root.ctl(&["disable"]).expect(0);
    root.ctl(&["enable", "later"]).expect(0);
    assert_eq!(found(&root), ["requirement-missing later /etc/rc.d/rc.later:4"]);
}

#[test]
fn files_that_are_not_run_are_found() {
    let root = slackware();
    fs::set_permissions(root.path(LOCAL), fs::Permissions::from_mode(0o644)).unwrap();
    let wanted = [
        "lines-not-run foobar /etc/rc.d/rc.local:4",
        "lines-not-run later /etc/rc.d/rc.local:9",
        "not-called foobar /etc/rc.d/rc.foobar:1",
        "not-called later /etc/rc.d/rc.later:1",
    ];
    let mut there = found(&root);
    there.sort();
    assert_eq!(there, wanted);
    let root = slackware();
    edit(&root, "etc/rc.d/rc.6", |text| text.replace("local_shutdown", "other"));
    assert!(
        found(&root).contains(&"lines-not-run foobar /etc/rc.d/rc.local_shutdown:8".to_owned()),
        "{:?}",
        found(&root)
    );
}

#[test]
fn changed_left_and_moved_lines_are_found() {
    let root = slackware();
    edit(&root, LOCAL, |text| text.replace("rc.foobar start", "rc.foobar start &"));
    assert_eq!(found(&root), ["lines-changed foobar /etc/rc.d/rc.local:4"]);
    let root = slackware();
    fs::remove_file(root.path("etc/rc.d/rc.later")).unwrap();
    fs::remove_file(root.path("etc/foobar/later.toml")).unwrap();
    let wanted = ["lines-left later /etc/rc.d/rc.local:9", "lines-left later /etc/rc.d/rc.local_shutdown:3"];
    assert_eq!(found(&root), wanted);
    let root = slackware();
    edit(&root, LOCAL, |text| {
        text.replace("later", "?")
            .replace(" foobar\n", " later\n")
            .replace("rc.foobar", "rc.later")
            .replace('?', "foobar")
    });
    assert_eq!(found(&root), ["lines-order later /etc/rc.d/rc.local:5"]);
}
