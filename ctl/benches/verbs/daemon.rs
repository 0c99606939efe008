//! The small daemons that the peers start: this very program called again with `--daemon KIND READY [PIDFILE]`. They do nothing
//! but become ready, and end at TERM.

use std::env;
use std::fs::File;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use foobar_process::Signal;
use foobar_process::daemonize::{Daemonize, Side};
use foobar_process::pidfile::PidFile;
use foobar_process::signal::Signals;
use foobar_process::startlock::StartLock;

/// Whether this process was started to be one of them.
pub fn is_wanted() -> bool {
    env::args().nth(1).as_deref() == Some("--daemon")
}

/// Is one of them, until TERM.
pub fn run() {
    let mut arguments = env::args_os().skip(2);
    let kind = arguments.next().unwrap_or_default();
    let ready = PathBuf::from(arguments.next().unwrap_or_default());
    let pid_file = PathBuf::from(arguments.next().unwrap_or_default());
    if kind == "detach" {
        detach(&ready, &pid_file);
        return;
    }
    let _ = File::create(ready);
    if kind == "notify" {
        // The protocol of sd_notify(3).
        let told = env::var_os("NOTIFY_SOCKET")
            .and_then(|address| UnixDatagram::unbound().ok()?.send_to(b"READY=1", address).ok());
        if told.is_none() {
            eprintln!("nobody wants to be notified");
        }
    }
    loop {
        std::thread::park();
    }
}

/// A well-behaved daemon as foobar-process makes it.
fn detach(ready: &Path, path: &Path) {
    let readiness = match Daemonize::new().detach() {
        Ok(Side::Daemon(readiness)) => readiness,
        Ok(Side::Starter(verdict)) => {
            if verdict.code() != 0 {
                eprintln!("{verdict}");
            }
            return;
        }
        Err(error) => return eprintln!("{error}"),
    };
    let Ok(signals) = Signals::block(&[Signal::SIGTERM]) else { return };
    let claimed = StartLock::acquire(path, Instant::now() + Duration::from_secs(5))
        .map_err(|error| error.to_string())
        .and_then(|lock| PidFile::create(&lock).map_err(|error| error.to_string()));
    match claimed {
        Err(reason) => readiness.failed(1, &reason),
        Ok(pid_file) => {
            let _ = File::create(ready);
            if readiness.ready().is_ok() {
                let _ = signals.next(None);
            }
            let _ = pid_file.remove();
        }
    }
}
