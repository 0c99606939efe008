//! The clock around a command, and the eye on the end of a daemon.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use foobar_process::Pid;
use foobar_process::identity::Process;
use rustix::process::{WaitOptions, getpid, set_child_subreaper, waitpid};

/// Daemons become children of this process when their starter has ended, so that they are reaped the moment they end:
/// by their number, start-stop-daemon takes a zombie for a process that still runs.
pub fn adopt_orphans() {
    if let Err(error) = set_child_subreaper(Some(getpid())) {
        eprintln!("cannot adopt orphans, a slow init will spoil the figures of stop: {error}");
    }
}

/// Reaps what intermediate processes of daemons are left; to be called while no command runs.
pub fn reap() {
    while let Ok(Some(_)) = waitpid(None, WaitOptions::NOHANG) {}
}

/// The time from call to return; a failure is a fault of the measurement and is told.
pub fn time(command: &[String]) -> Duration {
    time_until(command).0
}

/// The same, with the moment of the return.
pub fn time_until(command: &[String]) -> (Duration, Instant) {
    let mut prepared = Command::new(&command[0]);
    prepared.args(&command[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let begin = Instant::now();
    let status = prepared.status();
    let end = Instant::now();
    if !status.as_ref().is_ok_and(ExitStatus::success) {
        eprintln!("failed: {command:?}: {status:?}");
    }
    (end - begin, end)
}

/// Sees the end of a daemon at the moment it happens, and reaps it.
pub struct Watch {
    ended: mpsc::Receiver<Instant>,
}

impl Watch {
    /// Begins to watch the process that the PID file names.
    pub fn begin(pid_file: &Path) -> Watch {
        let (sender, ended) = mpsc::channel();
        let pid = fs::read_to_string(pid_file).ok().and_then(|text| text.trim().parse().ok());
        if let Some(process) = pid.and_then(|pid| Process::open(Pid::from_raw(pid)).ok().flatten()) {
            thread::spawn(move || {
                if process.wait_gone(Instant::now() + Duration::from_secs(10)).unwrap_or(false) {
                    let now = Instant::now();
                    let _ =
                        waitpid(rustix::process::Pid::from_raw(process.pid().as_raw()), WaitOptions::NOHANG);
                    let _ = sender.send(now);
                }
            });
        }
        Watch { ended }
    }

    /// From the daemon's end to `returned`; zero when it was seen after that.
    pub fn lag(&self, returned: Instant) -> Option<Duration> {
        let ended = self.ended.recv_timeout(Duration::from_secs(10));
        if ended.is_err() {
            eprintln!("the end of a daemon was not seen");
        }
        Some(returned.saturating_duration_since(ended.ok()?))
    }
}
