//! Scripts that wait for each other.

use foobar_initscripts::explain::{loops, why};
use foobar_initscripts::layout::DEFAULT;
use foobar_initscripts::link::Kind;

use crate::root::{compare, link, order, scripts, stock};

#[test]
fn a_knot_is_told_by_its_shortest_way_around_and_others_are_ordered() {
    let names = ["a", "b", "base", "c", "d", "other", "x", "y"];
    let mut root = scripts(&[
        ("a", &["Provides: a", "Required-Start: d", "Default-Start: 2"]),
        ("b", &["Provides: b", "Required-Start: a", "Default-Start: 2"]),
        ("base", &["Provides: base", "Default-Start: 2"]),
        ("c", &["Provides: c", "Required-Start: b", "X-Start-Before: b", "Default-Start: 2"]),
        ("d", &["Provides: d", "Required-Start: c", "Default-Start: 2"]),
        ("other", &["Provides: other", "Required-Start: base", "Default-Start: 2"]),
        ("x", &["Provides: x", "Required-Start: y", "Default-Start: 2"]),
        ("y", &["Provides: y", "Should-Start: x", "Default-Start: 2"]),
    ]);
    link(&mut root, names.into_iter());
    let order = order(&root);
    let found = loops(&order, DEFAULT);
    let text: Vec<String> = found.iter().map(|found| format!("{found}\n")).collect();
    compare("loops.txt", &text.concat());
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].turns.len(), 2, "b and c are a shorter way than all four");
    let other = why(&order, DEFAULT, order.find("other").unwrap(), Kind::Start).unwrap();
    assert_eq!((other.linked, other.sequence), (true, 2), "{other}");
    assert!(loops(&crate::root::order(&stock()), DEFAULT).is_empty());
}

#[test]
fn what_waits_for_a_script_that_waits_for_all_is_a_knot() {
    let mut root = scripts(&[
        ("last", &["Provides: last", "Required-Start: $all", "Default-Start: 2"]),
        ("later", &["Provides: later", "Should-Start: last", "Default-Start: 2"]),
    ]);
    link(&mut root, ["last", "later"].into_iter());
    // insserv 1.24 calls it no loop, and gives both numbers that mean nothing.
    let found = loops(&order(&root), DEFAULT);
    assert_eq!(found.len(), 1, "{found:?}");
    let turn = &found[0].turns[found[0].way_out];
    assert_eq!((turn.place.file.as_str(), turn.place.key), ("/etc/init.d/later", "Should-Start"));
}
