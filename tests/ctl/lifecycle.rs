//! start, stop, restart, try-restart, reload, force-reload with the real foobard.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::{FOOBARCTL, Prefix, Ran, alive, executable, gone, running};

#[test]
fn start_returns_when_the_daemon_answers_and_stop_when_it_is_gone() {
    let prefix = Prefix::installed("life");
    let started = prefix.ctl(&["start"]).expect(0);
    assert!(prefix.answers(), "it does not answer when start returns");
    let pid = prefix.pid().unwrap();
    assert_eq!(started.out, format!("started foobar (PID {pid})\n"));
    assert_eq!(started.err, "");
    let again = prefix.ctl(&["start"]).expect(0);
    assert_eq!(again.out, format!("foobar is already running (PID {pid})\n"));
    let stopped = prefix.ctl(&["stop"]).expect(0);
    assert!(!alive(pid), "it is there when stop returns");
    assert_eq!(stopped.out, format!("stopped foobar (PID {pid})\n"));
    assert_eq!(prefix.ctl(&["stop"]).expect(0).out, "foobar is not running\n");
}

#[test]
fn restart_and_its_kin_do_what_lsb_says() {
    let prefix = Prefix::installed("kin");
    assert_eq!(prefix.ctl(&["try-restart"]).expect(0).out, "foobar is not running, and stays so\n");
    assert_eq!(prefix.ctl(&["force-reload"]).expect(0).out, "foobar is not running, and stays so\n");
    prefix.ctl(&["reload"]).expect(7);
    assert_eq!(prefix.pid(), None);
    prefix.ctl(&["restart"]).expect(0);
    let first = prefix.pid().unwrap();
    prefix.ctl(&["reload"]).expect(0);
    prefix.ctl(&["force-reload"]).expect(0);
    assert_eq!(prefix.pid(), Some(first), "a reload keeps the process");
    prefix.ctl(&["try-restart"]).expect(0);
    let second = prefix.pid().unwrap();
    let ran = prefix.ctl(&["restart"]).expect(0);
    let third = prefix.pid().unwrap();
    assert_eq!(ran.out, format!("stopped foobar (PID {second}); started foobar (PID {third})\n"));
    assert!(!alive(first) && !alive(second) && alive(third) && prefix.answers());
}

#[test]
fn reload_has_the_new_configuration_read() {
    let prefix = Prefix::installed("reload");
    prefix.ctl(&["start"]).expect(0);
    let other = foobar_tests::free_port();
    prefix.configure(&format!(
        "listen = \"127.0.0.1:{other}\"\nlog = \"{}\"\n",
        prefix.show("var/log/foobard.log")
    ));
    prefix.ctl(&["reload"]).expect(0);
    std::net::TcpStream::connect(("127.0.0.1", other))
        .expect("reload returned before the new port was served");
}

#[test]
fn the_init_script_does_the_same() {
    let prefix = Prefix::installed("script");
    let script = |verb: &str| {
        Ran::of(std::process::Command::new(prefix.path("etc/init.d/foobar")).arg(verb).env_clear())
    };
    script("status").expect(3);
    script("start").expect(0);
    script("status").expect(0);
    script("reload").expect(0);
    let pid = prefix.pid().unwrap();
    script("restart").expect(0);
    assert!(!alive(pid));
    script("stop").expect(0);
    script("status").expect(3);
    script("reload").expect(7);
    script("frobnicate").expect(2);
}

#[test]
fn two_hundred_starts_at_once_leave_one_daemon() {
    let prefix = Prefix::installed("race");
    let children: Vec<_> = (0..200)
        .map(|_| prefix.command(&["start"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
        .collect();
    let mut started = 0;
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
        started += usize::from(output.stdout.starts_with(b"started"));
    }
    assert_eq!(started, 1, "exactly one caller started it");
    let daemons = running(&prefix.show("etc/foobard.toml"));
    assert_eq!(daemons, [prefix.pid().unwrap()], "exactly one daemon");
    assert!(prefix.answers());
}

#[test]
fn starts_stops_and_restarts_at_once_end_in_one_state() {
    let prefix = Prefix::installed("mix");
    let children: Vec<_> = (0..60)
        .map(|n| {
            prefix
                .command(&[["start", "stop", "restart"][n % 3]])
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    prefix.ctl(&["stop"]).expect(0);
    assert!(running(&prefix.show("etc/foobard.toml")).is_empty(), "a daemon is left");
}

#[test]
fn a_killed_daemon_is_dead_for_status_and_cleared_by_stop() {
    let prefix = Prefix::installed("killed");
    prefix.ctl(&["start"]).expect(0);
    let pid = prefix.pid().unwrap();
    Ran::of(std::process::Command::new("kill").args(["-KILL", &pid.to_string()])).expect(0);
    gone(pid);
    let dead = prefix.ctl(&["status"]).expect(1);
    assert!(dead.out.contains("dead") && dead.out.contains(&pid.to_string()), "{dead:#?}");
    let stopped = prefix.ctl(&["stop"]).expect(0);
    assert!(stopped.out.contains("removed the PID file"), "{stopped:#?}");
    prefix.ctl(&["status"]).expect(3);
    assert!(!prefix.path("var/run/foobar.pid").exists());
    prefix.ctl(&["start"]).expect(0);
    assert!(prefix.answers());
}

/// A daemon that ignores TERM; it writes its PID file and goes into the background.
const DEAF: &str = "#!/bin/sh\n\
    (trap '' TERM; echo $$ >/dev/null; while :; do sleep 1; done) </dev/null >/dev/null 2>&1 &\n\
    echo $! >\"$1\"\n";

#[test]
fn a_daemon_that_ignores_term_is_killed_and_that_is_said() {
    let prefix = Prefix::empty("deaf");
    let program = prefix.path("deaf");
    executable(&program, DEAF);
    let pid_file = prefix.show("var/run/deaf.pid");
    fs::create_dir_all(prefix.path("var/run")).unwrap();
    prefix.service(
        "deaf",
        &format!(
            "program = \"{}\"\ntype = \"forking\"\narguments = [\"{pid_file}\"]\npid-file = \"{pid_file}\"\nstop-timeout = 1\n",
            program.display()
        ),
    );
    let started = prefix.ctl(&["start", "deaf"]).expect(0);
    let pid: u32 = fs::read_to_string(&pid_file).unwrap().trim().parse().unwrap();
    assert_eq!(started.out, format!("started deaf (PID {pid})\n"));
    let begin = Instant::now();
    let stopped = prefix.ctl(&["stop", "deaf"]).expect(0);
    assert_eq!(stopped.out, format!("stopped deaf (PID {pid}) by KILL\n"));
    assert!(stopped.err.contains("warning") && stopped.err.contains("within 1 s of SIGTERM"), "{stopped:#?}");
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
    assert!(!alive(pid));
    prefix.ctl(&["status", "deaf"]).expect(3);
}

#[test]
fn a_stopped_process_can_be_stopped() {
    let prefix = Prefix::installed("frozen");
    prefix.ctl(&["start"]).expect(0);
    let pid = prefix.pid().unwrap();
    Ran::of(std::process::Command::new("kill").args(["-STOP", &pid.to_string()])).expect(0);
    prefix.ctl(&["status"]).expect(0);
    prefix.ctl(&["stop"]).expect(0);
    assert!(!alive(pid));
}

#[test]
fn the_program_inherits_nothing_of_the_caller() {
    let prefix = Prefix::installed("clean");
    let mut shell = std::process::Command::new("/bin/sh");
    // An open file, ignored signals, a foreign directory, an odd umask, secrets in the environment.
    shell.args(["-c", "umask 077; trap '' HUP USR1 CHLD; exec 9</dev/zero; cd /tmp; exec \"$0\" --prefix \"$1\" start foobar", FOOBARCTL]);
    shell.arg(prefix.sandbox.path()).env("SECRET", "x").env("LD_DEBUG_OUTPUT", "x").env("LANG", "C.UTF-8");
    Ran::of(&mut shell).expect(0);
    let pid = prefix.pid().unwrap();
    let environment = fs::read_to_string(format!("/proc/{pid}/environ")).unwrap();
    assert!(!environment.contains("SECRET") && !environment.contains("LD_"), "{environment}");
    let files: Vec<_> = fs::read_dir(format!("/proc/{pid}/fd"))
        .unwrap()
        .filter_map(|fd| fs::read_link(fd.ok()?.path()).ok())
        .collect();
    assert!(!files.iter().any(|file| file.ends_with("zero")), "{files:?}");
    assert_eq!(fs::read_link(format!("/proc/{pid}/cwd")).unwrap(), std::path::Path::new("/"));
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    assert!(status.contains("Umask:\t0022"), "{status}");
    // HUP was ignored by the caller and must not be by the daemon.
    prefix.ctl(&["reload"]).expect(0);
    assert!(prefix.answers());
}
