//! Changes of the runlevel run what the links say, and nothing else.

use crate::system::{assert_down, assert_up, installed, with_programs};

#[test]
fn levels_start_stop_and_leave_alone() {
    let Some(mut bed) = installed("levels") else { return };
    bed.reboot();
    let first = assert_up(&bed);
    bed.runlevel('3');
    assert_eq!(assert_up(&bed), first, "a level with the same start link restarts nothing");
    bed.runlevel('1');
    assert_down(&bed);
    bed.runlevel('2');
    assert_ne!(assert_up(&bed), first);
}

#[test]
fn chosen_levels_are_the_only_ones() {
    let Some(mut bed) = with_programs("chosen") else { return };
    bed.boot();
    bed.ok("foobarctl install --runlevels 35");
    bed.reboot();
    assert_down(&bed);
    bed.runlevel('3');
    assert_up(&bed);
    bed.ok("foobarctl disable --runlevels 5");
    bed.runlevel('5');
    assert_down(&bed);
    bed.runlevel('3');
    let third = assert_up(&bed);
    // From now on 3 and 5 have the start link alike: a change between them restarts nothing.
    bed.ok("foobarctl enable --runlevels 5");
    bed.runlevel('5');
    assert_eq!(assert_up(&bed), third);
    bed.runlevel('4');
    assert_down(&bed);
    bed.runlevel('3');
    assert_up(&bed);
    let list = bed.ok("foobarctl list");
    let line =
        list.lines().find(|line| line.split_whitespace().next() == Some("foobar")).expect("foobar is listed");
    assert!(line.contains("35"), "{list}");
    assert!(list.lines().any(|line| line.starts_with("rsyslog")), "{list}");
}
