//! Faults that need a PID namespace of one's own: a PID that passes to a stranger, a machine that loses
//! its power.

use crate::system::{assert_down, assert_up, installed, pid};

#[test]
fn a_stranger_with_the_pid_of_the_daemon_is_left_alone() {
    let Some(bed) = installed("reuse") else { return };
    bed.ok("foobarctl start");
    let pid = pid(&bed);
    bed.ok(&format!("kill -KILL {pid}"));
    bed.take_pid(pid);
    assert_eq!(bed.ok(&format!("cat /proc/{pid}/comm")), "sleep");

    let status = bed.run("foobarctl status");
    assert_eq!(status.status, 1, "dead, and its PID file is there: {status:?}");
    assert_eq!(bed.run("foobarctl reload").status, 7);
    bed.ok("foobarctl stop");
    bed.ok("/etc/init.d/foobar stop");
    assert_eq!(bed.ok(&format!("cat /proc/{pid}/comm")), "sleep", "stop ended a stranger");
    bed.ok("foobarctl start");
    assert_ne!(assert_up(&bed), pid);
    assert_eq!(bed.ok(&format!("cat /proc/{pid}/comm")), "sleep", "start ended a stranger");
}

#[test]
fn a_machine_that_lost_its_power_comes_up_again() {
    let Some(mut bed) = installed("power") else { return };
    bed.ok("foobarctl start");
    bed.kill();
    bed.boot();
    assert_up(&bed);
    bed.ok("foobarctl stop");
    assert_down(&bed);
}
