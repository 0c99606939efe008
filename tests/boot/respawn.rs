//! foobard as an entry of /etc/inittab: init itself watches it.

use foobar_tests::{Testbed, until};

use crate::system::{SOON, answers, installed, with_programs};

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

#[test]
fn foobarctl_hands_a_service_to_init_and_takes_it_back() {
    let Some(mut bed) = installed("respawn-ctl") else { return };
    bed.ok("foobarctl start");
    let table = bed.read("/etc/inittab").unwrap();
    let scripted = another(&bed, 0);

    // It runs by its script; from now on init runs it.
    bed.ok("foobarctl install --respawn");
    let mut pid = another(&bed, scripted);
    assert!(bed.ok(&format!("cat /proc/{pid}/stat")).contains(") S 1 "), "a child of init");
    assert!(bed.read("/etc/inittab").unwrap().starts_with(&table), "the table is as it was, and longer");
    assert_eq!(bed.run("ls /etc/init.d/foobar /etc/rc?.d/*foobar").stdout, "");
    let status = bed.ok("foobarctl status --format json");
    assert!(status.contains("\"respawn\": true") && status.contains(&pid.to_string()), "{status}");
    assert!(bed.ok("foobarctl list --ours").contains("respawned by init"));
    assert!(bed.ok("foobarctl install").contains("nothing to do"));
    bed.ok(&format!("kill -KILL {pid}"));
    pid = another(&bed, pid);

    let refused = bed.run("foobarctl stop");
    assert!(refused.status == 1 && refused.stderr.contains("foobarctl disable foobar"), "{refused:?}");
    assert_eq!(another(&bed, 0), pid, "not touched");
    let told = bed.ok("foobarctl restart");
    assert!(told.contains(&format!("stopped foobar (PID {pid}); init started foobar (PID ")), "{told}");
    pid = another(&bed, pid);
    bed.ok("foobarctl reload");
    assert!(bed.ok("foobarctl start").contains(&format!("already running (PID {pid})")));

    // Off and on, and through a reboot.
    bed.ok("foobarctl disable");
    until("the end of the service", SOON, || (bed.run("foobarctl status").status == 3).then_some(()));
    bed.reboot();
    assert_eq!(bed.run("pgrep -x foobard").stdout, "", "it is off");
    bed.ok("foobarctl enable");
    another(&bed, 0);
    bed.reboot();
    pid = another(&bed, 0);
    assert!(bed.ok(&format!("cat /proc/{pid}/stat")).contains(") S 1 "));

    bed.ok("foobarctl uninstall");
    assert_eq!(bed.read("/etc/inittab").unwrap(), table);
    assert_eq!(bed.run("pgrep -x foobard").stdout, "");
    assert!(!bed.console().contains("respawning too fast"), "{}", bed.console());
}
