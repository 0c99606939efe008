//! The starter's half of becoming a daemon: it waits for the verdict, acknowledges it, and cleans up what failed.

use std::fmt;
use std::io;
use std::time::{Duration, Instant};

use nix::sys::prctl::{get_child_subreaper, set_child_subreaper};
use nix::sys::signal::Signal;
use nix::unistd::Pid;

use crate::child::{self, How};
use crate::handshake::{Channel, Heard, Message};
use crate::identity::Process;

/// What became of the daemon, for the starter to report and to exit with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It does its work, and knows that we know: exit 0.
    Ready {
        /// The daemon.
        pid: Pid,
    },
    /// It said why not. `code` is the exit code that it chose.
    Failed {
        /// The exit code for the starter.
        code: u8,
        /// The reason, for standard error.
        message: String,
    },
    /// It ended without a word.
    Died {
        /// How, if the kernel told.
        how: Option<How>,
    },
    /// It was neither ready nor failed in time, and has been killed.
    TimedOut {
        /// The time it had.
        after: Duration,
    },
}

impl Verdict {
    /// The exit code for the starter: 0 when the daemon is ready, the daemon's own choice when it failed, else LSB 1,
    /// "generic or unspecified error".
    #[must_use]
    pub fn code(&self) -> u8 {
        match self {
            Verdict::Ready { .. } => 0,
            Verdict::Failed { code, .. } => *code,
            Verdict::Died { .. } | Verdict::TimedOut { .. } => 1,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Ready { pid } => write!(out, "started (PID {pid})"),
            Verdict::Failed { message, .. } => out.write_str(message),
            Verdict::Died { how: Some(how) } => write!(out, "the daemon ended before it was ready: {how}"),
            Verdict::Died { how: None } => write!(out, "the daemon ended before it was ready"),
            Verdict::TimedOut { after } => {
                write!(out, "the daemon was not ready after {} s and has been killed", after.as_secs_f32())
            }
        }
    }
}

/// Makes orphans below this process its children for a while, so that it learns how the daemon ended.
pub(crate) struct Subreaper {
    before: bool,
}

impl Subreaper {
    pub(crate) fn begin() -> Subreaper {
        let before = get_child_subreaper().unwrap_or(false);
        // If it fails, only the manner of a death stays unknown.
        let _ = set_child_subreaper(true);
        Subreaper { before }
    }
}

impl Drop for Subreaper {
    fn drop(&mut self) {
        let _ = set_child_subreaper(self.before);
    }
}

/// The daemon, from the moment that it has told its number.
struct Born {
    pid: Pid,
    /// `None` when it had ended already.
    process: Option<Process>,
}

/// Waits for the verdict; `first` is the forked child, whose own child will be the daemon.
pub(crate) fn wait(channel: &Channel, first: Pid, limit: Duration) -> io::Result<Verdict> {
    let deadline = Instant::now() + limit;
    let mut daemon: Option<Born> = None;
    let mut acknowledged = false;
    loop {
        let watched = daemon.as_ref().and_then(|daemon| daemon.process.as_ref()?.pin());
        match channel.hear(deadline, watched)? {
            Heard::Message(Message::Born { pid, start_ticks }) => {
                let process = Process::open(pid)?.filter(|process| process.start_ticks() == start_ticks);
                daemon = Some(Born { pid, process });
                child::wait_for(first);
            }
            // If nobody is there to hear it, the next thing heard is the end.
            Heard::Message(Message::Ready) => acknowledged = channel.say(&Message::Acknowledged).is_ok(),
            Heard::Message(Message::Confirmed) if acknowledged => {
                if let Some(daemon) = &daemon {
                    return Ok(Verdict::Ready { pid: daemon.pid });
                }
            }
            Heard::Message(Message::Failed { code, message }) => {
                clean_up(daemon.as_ref(), first, Duration::from_secs(1));
                return Ok(Verdict::Failed { code, message });
            }
            Heard::Message(_) => return Err(io::ErrorKind::InvalidData.into()),
            Heard::End => {
                let how = clean_up(daemon.as_ref(), first, Duration::from_millis(200));
                return Ok(Verdict::Died { how });
            }
            Heard::Silence => {
                clean_up(daemon.as_ref(), first, Duration::ZERO);
                return Ok(Verdict::TimedOut { after: limit });
            }
        }
    }
}

/// Sees to it that the failed daemon is gone: after `grace` for its own way out, by KILL. Returns how it ended.
fn clean_up(daemon: Option<&Born>, first: Pid, grace: Duration) -> Option<How> {
    let Some(daemon) = daemon else {
        // The first child is ours and not yet waited for, so its number is its own.
        if grace.is_zero() {
            let _ = nix::sys::signal::kill(first, Signal::SIGKILL);
        }
        return child::wait_for(first);
    };
    if let Some(process) = &daemon.process {
        if !process.wait_gone(Instant::now() + grace).unwrap_or(false) {
            let _ = process.signal(Signal::SIGKILL);
            let _ = process.wait_gone(Instant::now() + Duration::from_secs(2));
        }
    }
    child::try_wait_for(daemon.pid)
}
