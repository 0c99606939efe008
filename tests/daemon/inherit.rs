//! Sockets handed over as sd_listen_fds(3) describes.

use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};

use foobar_tests::until;

use crate::support::{LIMIT, Setup, client, own_address, request};

/// foobard with standard input and output of `command` as descriptors 3 and 4, and variables that say so.
fn handed(setup: &Setup, first: OwnedFd, second: OwnedFd, variables: &str) -> Command {
    let script = format!("{variables} exec \"$@\" 3<&0 4<&1 0</dev/null 1>/dev/null");
    let mut shell = Command::new("/bin/sh");
    let own = setup.command();
    shell.args(["-c", &script, "sh"]).arg(own.get_program()).args(own.get_args());
    shell.stdin(Stdio::from(first)).stdout(Stdio::from(second));
    shell
}

fn inode(pid: i32, socket: &str) -> bool {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten();
    entries.filter_map(|entry| fs::read_link(entry.path()).ok()).any(|link| link.to_str() == Some(socket))
}

fn name_of(socket: &impl std::os::fd::AsRawFd) -> String {
    fs::read_link(format!("/proc/self/fd/{}", socket.as_raw_fd())).unwrap().to_str().unwrap().to_owned()
}

#[test]
fn a_socket_that_is_handed_over_is_served_and_not_bound_anew() {
    for mode in ["", "--foreground"] {
        let setup = Setup::new("handed", "");
        let listener = TcpListener::bind(&setup.address).unwrap();
        let name = name_of(&listener);
        // Who came before the daemon was there is served as well.
        let mut early = client(&setup.address);
        let stranger = UdpSocket::bind(own_address()).unwrap();
        let stranger_at = stranger.local_addr().unwrap();
        let variables = "LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=web:odd";
        let mut command = handed(&setup, listener.into(), stranger.into(), &format!("export {variables};"));
        let daemon = if mode.is_empty() {
            setup.start_by(&mut command)
        } else {
            let mut child = command.arg(mode).stderr(Stdio::null()).spawn().unwrap();
            crate::support::exchange(&mut early, b"waited");
            let daemon = setup.daemon();
            let environment = fs::read_to_string(format!("/proc/{}/environ", daemon.pid)).unwrap();
            // /proc shows the environment as it was at execve(2); what counts is what the children get.
            assert!(environment.contains("LISTEN_FDS"));
            daemon.stop();
            assert!(child.wait().unwrap().success());
            continue;
        };
        crate::support::exchange(&mut early, b"waited");
        assert!(inode(daemon.pid, &name), "the very socket");
        let line = setup.logged("closed the inherited socket");
        assert!(line.contains(&format!("udp:{stranger_at}: no server listens")), "{line}");
        request(&setup.address, b"hello");
        daemon.signal(foobar_process::Signal::SIGHUP);
        setup.logged("configuration reloaded");
        request(&setup.address, b"after a reload");
        daemon.stop();
        setup.nothing_left();
    }
}

#[test]
fn what_is_meant_for_another_process_is_not_touched() {
    let setup = Setup::new("meant", "");
    let own = own_address();
    let listener = TcpListener::bind(&own).unwrap();
    let other = listener.try_clone().unwrap();
    let variables = "export LISTEN_PID=1 LISTEN_FDS=2;";
    let daemon = setup.start_by(&mut handed(&setup, listener.into(), other.into(), variables));
    setup.logged("started");
    let warned = setup.messages().into_iter().any(|line| line.contains("inherited"));
    assert!(!warned, "they are no business of ours");
    daemon.stop();
}

#[test]
fn what_is_no_socket_is_closed_with_a_word() {
    let setup = Setup::new("odd", "");
    let file = || OwnedFd::from(fs::File::open("/dev/null").unwrap());
    let variables = "export LISTEN_PID=$$ LISTEN_FDS=3 LISTEN_FDNAMES=a:;";
    let daemon = setup.start_by(&mut handed(&setup, file(), file(), variables));
    let mut messages = Vec::new();
    for wanted in
        ["descriptor 3 (a) of LISTEN_FDS: it is no socket", "descriptor 5 of LISTEN_FDS cannot be used"]
    {
        until(wanted, LIMIT, || {
            messages.extend(setup.messages());
            messages.iter().any(|line| line.contains(wanted)).then_some(())
        });
    }
    request(&setup.address, b"hello");
    daemon.stop();
}
