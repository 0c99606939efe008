//! The tools that a Debian administrator types agree with ours: service, invoke-rc.d, update-rc.d.

use crate::system::{ORDER, assert_down, assert_up, installed, with_programs};
use foobar_tests::Testbed;

#[test]
fn service_and_invoke_rc_d_control_it() {
    let Some(bed) = installed("tools") else { return };
    for (start, stop) in [
        ("service foobar start", "service foobar stop"),
        ("invoke-rc.d foobar start", "invoke-rc.d foobar stop"),
    ] {
        bed.ok(start);
        let first = assert_up(&bed);
        bed.ok(start);
        assert_eq!(assert_up(&bed), first, "{start} twice");
        bed.ok(&start.replace("start", "restart"));
        let second = assert_up(&bed);
        assert_ne!(first, second, "{start}");
        bed.ok(&start.replace("start", "force-reload"));
        assert_eq!(assert_up(&bed), second);
        assert_eq!(bed.ok(&start.replace("start", "status")), bed.ok("foobarctl status"));
        bed.ok(stop);
        assert_down(&bed);
        bed.ok(stop);
        assert_eq!(bed.run("service foobar status").status, 3);
    }
    assert_eq!(bed.run("service foobar frobnicate").status, 2);
    // policy-rc.d is the word of a chroot or an image builder, and invoke-rc.d keeps it.
    bed.ok("printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d");
    bed.ok("invoke-rc.d foobar start");
    assert_down(&bed);
}

/// The order files of a system after `commands`, each of which must succeed.
fn order_after(bed: &Testbed, commands: &[&str]) -> String {
    let script = format!(
        "set -e; {}; {ORDER}",
        commands.iter().map(|line| format!("{line} >/dev/null 2>&1")).collect::<Vec<_>>().join("; ")
    );
    let output = bed.offline(&script);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{commands:?}: {}\n{text}", output.status);
    text
}

#[test]
fn links_are_those_of_update_rc_d() {
    let (Some(ours), Some(theirs)) = (with_programs("ours"), with_programs("theirs")) else { return };
    let install = "foobarctl install --runlevels 2345";
    let _ = order_after(&ours, &[install]);
    // The same script for the other one, with no link to it.
    let script = ours.read("/etc/init.d/foobar").unwrap();
    theirs.put("/etc/init.d/foobar", script.as_bytes(), 0o755);
    let pairs = [
        (install, "update-rc.d foobar defaults"),
        ("foobarctl disable", "update-rc.d foobar disable"),
        // Without --runlevels both take the links for the word of the administrator, and keep them.
        ("foobarctl install", "update-rc.d foobar defaults"),
        ("foobarctl enable", "update-rc.d foobar enable"),
        ("foobarctl disable --runlevels 3", "update-rc.d foobar disable 3"),
        ("foobarctl enable --runlevels 3", "update-rc.d foobar enable 3"),
        ("foobarctl uninstall", "rm /etc/init.d/foobar; update-rc.d foobar remove"),
    ];
    for (our, their) in pairs {
        let (our_order, their_order) = (order_after(&ours, &[our]), order_after(&theirs, &[their]));
        assert_eq!(our_order, their_order, "{our} and {their} (right) differ");
    }
}

#[test]
fn either_tool_continues_what_the_other_began() {
    let (Some(mixed), Some(pure)) = (with_programs("mixed"), with_programs("pure")) else { return };
    let install = "foobarctl install --runlevels 2345";
    let mixed_order = order_after(
        &mixed,
        &[install, "update-rc.d foobar disable", "foobarctl enable", "update-rc.d foobar disable 4"],
    );
    let pure_order = order_after(
        &pure,
        &[install, "foobarctl disable", "foobarctl enable", "foobarctl disable --runlevels 4"],
    );
    assert_eq!(mixed_order, pure_order);
}
