//! foobard as an entry of /etc/inittab: init itself watches it.

use foobar_tests::{Testbed, until};

use crate::system::{SOON, answers, with_programs};

const ENTRY: &str =
    "fb:2345:respawn:/usr/sbin/foobard --init --config /etc/foobard.toml --pid-file /run/foobar.pid";

/// PID of a foobard that answers and is not `old`.
fn another(bed: &Testbed, old: u32) -> u32 {
    until("another foobard", SOON, || {
        let text = bed.read("/run/foobar.pid")?;
        let pid: u32 = text.trim().parse().ok()?;
        (pid != old && answers(bed)).then_some(pid)
    })
}

#[test]
fn init_restarts_a_killed_daemon() {
    let Some(mut bed) = with_programs("respawn") else { return };
    // Known to foobarctl by its service file; no script and no link, since init itself is the starter.
    bed.put("/etc/foobard.toml", include_bytes!("../../packaging/foobard.toml"), 0o644);
    bed.put("/etc/foobar/foobar.toml", include_bytes!("../../packaging/foobar.toml"), 0o644);
    bed.boot();
    bed.ok(&format!("echo '{ENTRY}' >>/etc/inittab && telinit q"));
    let mut pid = another(&bed, 0);
    let stat = bed.ok(&format!("cat /proc/{pid}/stat"));
    assert!(stat.contains(") S 1 "), "a child of init, which waits for it: {stat}");
    for _ in 0..3 {
        bed.ok(&format!("kill -KILL {pid}"));
        pid = another(&bed, pid);
    }
    bed.ok("telinit q");
    assert_eq!(another(&bed, 0), pid, "init reads its table again and leaves the daemon alone");
    assert_eq!(bed.run("foobarctl status").status, 0);

    // A level without the entry ends it; a level with it brings it back.
    bed.runlevel('1');
    until("the end of foobard in level 1", SOON, || {
        bed.run("pgrep -x foobard").stdout.is_empty().then_some(())
    });
    bed.runlevel('2');
    pid = another(&bed, pid);
    bed.ok("sed -i '/^fb:/d' /etc/inittab && telinit q");
    until("the end of the entry", SOON, || bed.run(&format!("kill -0 {pid}")).status.ne(&0).then_some(()));
    assert!(!bed.console().contains("respawning too fast"), "{}", bed.console());
}
