//! A supervisor goes on in a new program: same PID, same children, same sockets, and the service notices nothing.

use std::fs;
use std::process::Command;

use foobar_tests::until;

use crate::support::{FOOBARCTL, LIMIT, Prefix, alive, kill};

#[test]
fn a_supervisor_goes_on_in_place() {
    let prefix = Prefix::new("upgrade");
    let own = prefix.path("foobarctl");
    let install = || {
        fs::copy(FOOBARCTL, prefix.path("foobarctl.new")).unwrap();
        fs::rename(prefix.path("foobarctl.new"), &own).unwrap();
    };
    install();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(&own);
        command.arg("--prefix").arg(prefix.sandbox.path()).args(arguments).output().unwrap()
    };
    // Open for both: so it has no end between two writers.
    let script =
        format!("exec 3<>{0}; while read -r line <&3; do echo heard $line; done", prefix.show("fifo"));
    assert!(Command::new("mkfifo").arg(prefix.path("fifo")).status().unwrap().success());
    prefix.shell("it", &script, "restart = \"always\"\nrestart-delay = 0\nstart-limit-burst = 0\n");
    assert!(run(&["start", "it"]).status.success());
    let (supervisor, main) = (prefix.supervisor("it"), prefix.main("it"));
    let begun = prefix.supervision("it")["since_boot"].clone();
    for round in 1..=3 {
        install();
        let output = run(&["upgrade", "it"]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && text.contains("supervisor upgraded from version"), "{output:?}");
        assert_eq!((prefix.supervisor("it"), prefix.main("it")), (supervisor, main));
        let program = fs::read_link(format!("/proc/{supervisor}/exe")).unwrap();
        assert_eq!(program, own, "it runs the new file");
        assert_eq!(prefix.supervision("it")["since_boot"], begun, "it runs since its start");
        // Its words still come in.
        fs::write(prefix.path("fifo"), format!("word{round}\n")).unwrap();
        until("the words", LIMIT, || {
            prefix.supervision("it")["log"].to_string().contains(&format!("heard word{round}")).then_some(())
        });
    }
    kill(main, "KILL");
    until("the next", LIMIT, || (prefix.supervision("it")["restarts"] == 1).then_some(()));
    // One that cannot go on is refused, and the old one stays.
    fs::write(prefix.path("broken"), "#!/bin/sh\necho broken >&2\nexit 1\n").unwrap();
    fs::set_permissions(prefix.path("broken"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    fs::rename(prefix.path("broken"), &own).unwrap();
    prefix.await_state("it", "running");
    let ran = prefix.ctl(&["upgrade", "it"]).expect(1);
    assert!(
        ran.err.contains("upgrade refused, the old supervisor stays") && ran.err.contains("broken"),
        "{ran:#?}"
    );
    let main = prefix.main("it");
    assert_eq!(prefix.supervisor("it"), supervisor);
    prefix.ctl(&["stop", "it"]).expect(0);
    assert!(!alive(supervisor) && !alive(main));
}
