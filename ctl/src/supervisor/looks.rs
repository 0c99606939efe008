//! What of a service is looked at from outside at the moment, and the command that looks, if it takes one. What follows is in `looking`.

use std::os::fd::BorrowedFd;
use std::time::Instant;

use foobar_process::child::How;
use foobar_process::execution::Departing;
use foobar_process::identity::Process;
use foobar_process::wait::Readiness;
use foobar_process::{Pid, Signal};

use crate::supervisor::ready::health::Health;
use crate::supervisor::ready::looker::Looker;

/// What is looked at now.
#[derive(Debug, Default)]
pub struct Looks {
    /// The looks at a service that is not ready yet.
    pub first: Option<Looker>,
    /// The looks at one that is.
    pub health: Option<Health>,
    /// Why the last of the first looks has failed.
    pub why: Option<String>,
    /// The command of a look, and its way to its program.
    command: Option<(Process, Option<Departing>)>,
}

impl Looks {
    /// The one that is at work.
    pub fn looker(&mut self) -> Option<&mut Looker> {
        self.first.as_mut().or(self.health.as_mut().map(|health| &mut health.looker))
    }

    /// What is to be waited for.
    pub fn descriptor(&self) -> Option<(BorrowedFd<'_>, Readiness)> {
        let health = self.health.as_ref().map(|health| &health.looker);
        self.first.as_ref().or(health)?.waits_for()
    }

    /// And until when.
    pub fn deadline(&self) -> Option<Instant> {
        let health = self.health.as_ref().map(|health| &health.looker);
        self.first.as_ref().or(health).map(Looker::deadline)
    }

    /// A process has ended; whether it was the command of a look.
    pub fn ended(&mut self, pid: Pid, how: How) -> bool {
        let ours = self.command.as_ref().is_some_and(|(process, _)| process.pid() == pid);
        if ours {
            self.command = None;
            let told = if how == How::Code(0) { Ok(()) } else { Err(how.to_string()) };
            if let Some(looker) = self.looker() {
                looker.command_ended(told);
            }
        }
        ours
    }

    /// A command was started for the present look.
    pub fn begin_command(&mut self, process: Process, departing: Option<Departing>) {
        self.command = Some((process, departing));
    }

    /// Lets go of the pipe of a command that has become its program, or has failed to: that is told by its end.
    pub fn departed(&mut self) {
        if let Some((_, departing)) = &mut self.command {
            if departing.as_mut().is_some_and(|departing| departing.outcome().is_some()) {
                *departing = None;
            }
        }
    }

    /// Kills the command, if there is one; its end is told as every other.
    pub fn kill_command(&self) {
        if let Some((process, _)) = &self.command {
            let _ = process.signal(Signal::SIGKILL);
        }
    }

    /// Looks no more.
    pub fn end(&mut self) {
        self.kill_command();
        *self = Looks::default();
    }
}
