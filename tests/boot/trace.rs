//! What comes goes: after `uninstall` the machine is as it was before `install`.

use crate::system::{assert_up, with_programs};

/// Each file, link and directory with its owner, mode and content, without times. Left out: what the
/// machine itself writes while it runs, and what the harness puts there.
const TREE: &str = "cd / && find . -xdev \\( -path ./var/log -o -path ./tmp -o -path ./usr/local/lib/testbed \\) -prune -o \
    -printf '%M %U:%G %p %l\\n' | sort && find etc usr var -xdev -path var/log -prune -o -type f -exec md5sum {} + | sort -k 2 && \
    ls -1A /run /run/lock | grep -v -e '^testbed$'";

#[test]
fn uninstall_leaves_no_trace() {
    let Some(mut bed) = with_programs("trace") else { return };
    bed.boot();
    let before = bed.ok(TREE);
    bed.ok("foobarctl install --runlevels 2345");
    bed.ok("foobarctl start");
    assert_up(&bed);
    bed.ok("foobarctl reload && foobarctl restart && foobarctl disable && foobarctl enable");
    bed.ok("foobarctl uninstall --purge");
    let after = bed.ok(TREE);
    let new: Vec<&str> = after.lines().filter(|line| !before.contains(line)).collect();
    let gone: Vec<&str> = before.lines().filter(|line| !after.contains(line)).collect();
    assert!(new.is_empty() && gone.is_empty(), "new: {new:#?}\ngone: {gone:#?}");
    assert_eq!(bed.run("pgrep -x foobard").stdout, "");
}
