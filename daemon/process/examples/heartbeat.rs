//! A daemon without a network: it logs a line every minute until TERM ends it. `heartbeat [PIDFILE]`.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use foobar_process::daemonize::{Daemonize, Side};
use foobar_process::pidfile::{PidFile, PidFileError};
use foobar_process::syslog::{Facility, Options, Priority, Syslog};
use foobar_process::{Signal, signal::Signals, startlock::StartLock};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let path = std::env::args_os().nth(1).unwrap_or("/var/run/heartbeat.pid".into());
    let readiness = match Daemonize::new().detach()? {
        Side::Daemon(readiness) => readiness,
        Side::Starter(verdict) => {
            println!("heartbeat: {verdict}");
            return Ok(ExitCode::from(verdict.code()));
        }
    };
    let signals = Signals::block(&[Signal::SIGTERM])?;
    // The lock is held until the starter knows: a second start waits for that, and finds this daemon running.
    let (pid_file, lock) = match claim(path.as_ref()) {
        Ok(claimed) => claimed,
        Err(reason) => {
            let runs = matches!(reason.downcast_ref(), Some(PidFileError::AlreadyRunning { .. }));
            readiness.failed(u8::from(!runs), &reason.to_string());
            return Ok(ExitCode::FAILURE);
        }
    };
    if readiness.ready().is_err() {
        return Ok(pid_file.remove().map(|_| ExitCode::FAILURE)?);
    }
    drop(lock);
    let log = Syslog::open("heartbeat", Facility::Daemon, Options { pid: true, ..Options::default() });
    while signals.next(Some(Instant::now() + Duration::from_secs(60)))?.is_none() {
        log.send(Priority::Info, "alive");
    }
    pid_file.remove()?;
    Ok(ExitCode::SUCCESS)
}

fn claim(path: &Path) -> Result<(PidFile, StartLock), Box<dyn Error>> {
    let lock = StartLock::acquire(path, Instant::now() + Duration::from_secs(10))?;
    Ok((PidFile::create(&lock)?, lock))
}
