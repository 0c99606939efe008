//! What happens to a service from outside: processes end, time runs out, somebody asks for something. Each turn leads into one of the
//! ways of `starting` and `ending`.

use std::time::{Duration, Instant};

use foobar_initscripts::exit::Action;
use foobar_initscripts::service::Kind;
use foobar_process::child::{self, How};
use foobar_process::identity::Process;
use foobar_process::ledger::Place;
use foobar_process::syslog::Priority;
use foobar_process::uptime;
use foobar_process::{Pid, Signal};

use crate::supervisor::ending::{shown, signal_of};
use crate::supervisor::policy::{self, Cause, Ended};
use crate::supervisor::report::State;
use crate::supervisor::unit::{Child, Phase, Unit};

/// How a request was met, with the code of LSB.
pub type Met = (Action, String);

impl Unit {
    /// Children have ended.
    pub fn children_ended(&mut self) {
        // What they have said before comes first: it may be who is to be the main process after them.
        self.hear();
        for exit in child::reap() {
            if self.looks.ended(exit.pid, exit.how) {
                let _ = self.ledger.write(Place::Look, None);
            } else if self.main.as_ref().is_some_and(|main| main.process.pid() == exit.pid) {
                self.main_ended(exit.how);
            } else if self.command.as_ref().is_some_and(|command| command.process.pid() == exit.pid) {
                if let Some(command) = self.command.take() {
                    let _ = self.ledger.write(Place::Command, None);
                    self.command_ended(exit.how, command.may_fail, &command.what);
                }
            }
        }
        if self.phase == Phase::Terminating {
            self.see_who_is_left();
        }
    }

    /// Goes on with a service that runs; `main` is its main process, which may have ended meanwhile, and whether it is none of
    /// those that were forked here.
    pub fn resume(&mut self, main: Option<(Pid, bool)>, ran: Duration) {
        (self.phase, self.deadline) = (Phase::Running, None);
        let now = Instant::now();
        if let Some((pid, is_found)) = main {
            let Some(process) = Process::open(pid).ok().flatten() else {
                let how = child::reap().into_iter().find(|exit| exit.pid == pid).map(|exit| exit.how);
                let how = how.unwrap_or(How::Code(0));
                let _ = self.ledger.write(Place::Main, None);
                self.note_exit(how, Cause::Itself);
                self.note_end(how, Cause::Itself, ran);
                return self.wind_down();
            };
            self.main = Some(Child {
                process,
                departing: None,
                began: now.checked_sub(ran).unwrap_or(now),
                what: self.service.program.clone(),
                may_fail: false,
                is_found,
            });
        }
        self.output.pump.set_pid(main.map(|(pid, _)| pid));
        self.begin_watch();
        self.tell();
    }

    /// The main process has ended.
    pub fn main_ended(&mut self, how: How) {
        let Some(mut main) = self.main.take() else { return };
        self.output.pump.ended(Instant::now());
        let _ = self.ledger.write(Place::Main, None);
        let mut cause = Cause::Itself;
        if let Some(Some(Err(error))) = main.departing.as_mut().map(|departing| departing.outcome()) {
            self.departed(Err(error));
            cause = Cause::NotStarted;
        }
        let ended = Ended { how, cause, ran: main.began.elapsed() };
        self.note_exit(how, self.ended.map_or(cause, |ended| ended.cause));
        let clean = policy::is_clean(&self.service.restart, &ended);
        match self.phase {
            Phase::Starting
                if self.service.kind == Kind::Forking && how == How::Code(0) && !main.is_found =>
            {
                self.find_daemon();
                return;
            }
            Phase::Starting if self.service.kind == Kind::Oneshot && clean => return self.moment_of_type(),
            _ => {}
        }
        self.note_end(how, cause, ended.ran);
        match self.phase {
            Phase::Starting => {
                let code = if let How::Code(code) = how { u8::try_from(code).ok() } else { None };
                self.blame(code.map_or(Action::Error, Action::of_program), shown(&ended));
                self.wind_down();
            }
            Phase::StartPre(_) | Phase::StartPost(_) | Phase::Running | Phase::Reload(_) => self.wind_down(),
            Phase::StopCommand(_) if self.command.is_none() => self.terminate(),
            // Something else is waited for.
            Phase::StopCommand(_)
            | Phase::Terminating
            | Phase::StopPost(_)
            | Phase::Resting
            | Phase::Renewing
            | Phase::Over => {}
        }
    }

    /// A command beside the program has ended.
    pub fn command_ended(&mut self, how: How, may_fail: bool, what: &str) {
        let ok = may_fail || how == How::Code(0);
        if !ok {
            let text = format!("{what} failed: {how}");
            if !matches!(self.phase, Phase::StartPre(_) | Phase::StartPost(_)) {
                self.say(Priority::Warning, &text);
            }
            self.blame(Action::Error, text);
        }
        match self.phase {
            Phase::StartPre(index) if ok => self.start_pre(index + 1),
            Phase::StartPost(index) if ok => self.start_post(index + 1),
            Phase::StartPre(_) | Phase::StartPost(_) => {
                self.note_end(how, Cause::NotStarted, std::time::Duration::ZERO);
                self.wind_down();
            }
            Phase::Reload(index) if ok => self.reload_command(index + 1),
            Phase::Reload(_) => {
                let text = self.failure.take().map_or_else(|| what.to_owned(), |(_, text)| text);
                self.reload_is_over((Action::Error, text));
            }
            Phase::StopCommand(index) => {
                // It has not kept the service from ending.
                self.failure = None;
                self.stop_command(index + 1);
            }
            Phase::StopPost(index) => self.stop_post(index + 1),
            Phase::Starting | Phase::Running | Phase::Terminating => {}
            Phase::Resting | Phase::Renewing | Phase::Over => {}
        }
    }

    /// The time of the phase is over.
    pub fn time_is_over(&mut self) {
        self.deadline = None;
        match self.phase {
            Phase::StartPre(_) | Phase::Starting | Phase::StartPost(_) => self.start_is_late(),
            Phase::StopCommand(_) => {
                self.say(Priority::Warning, "its stop-command takes too long, and is ended");
                self.drop_command();
                self.terminate();
            }
            Phase::Terminating => self.kill(&self.service.stop_signal.to_string()),
            Phase::Running if self.report.state == State::Stopping => {
                self.phase = Phase::Terminating;
                self.kill("its own word that it stops");
            }
            Phase::StopPost(index) => {
                self.say(Priority::Warning, "its stop-post takes too long, and is ended");
                self.drop_command();
                self.stop_post(index + 1);
            }
            Phase::Reload(_) => {
                self.drop_command();
                self.reload_is_over((Action::Error, "its reload takes too long, and is ended".to_owned()));
            }
            Phase::Resting => self.start(),
            Phase::Running | Phase::Renewing | Phase::Over => {}
        }
    }

    /// A signal has come for the supervisor.
    pub fn signalled(&mut self, signal: Signal) {
        match signal {
            Signal::SIGCHLD => self.children_ended(),
            Signal::SIGTERM | Signal::SIGINT => self.stop(),
            Signal::SIGHUP => {
                if let Err((_, text)) = self.reload() {
                    self.say(Priority::Warning, &text);
                }
            }
            other => self.signal_main(other),
        }
    }

    /// Has it read its configuration again. `None`: how it went is told later, to [`Unit::reloaders`].
    ///
    /// # Errors
    /// Why it cannot.
    pub fn reload(&mut self) -> Result<Option<String>, Met> {
        if self.phase != Phase::Running || matches!(self.report.state, State::Starting | State::Stopping) {
            let text = format!("it is {}, and nothing was reloaded: try again", self.report.state.word());
            return Err((Action::NotRunning, text));
        }
        // Somebody may have put its log file aside.
        self.output.pump.reopen();
        if !self.service.commands.reload.is_empty() {
            self.within(self.service.start_timeout);
            self.enter(State::Reloading);
            self.reload_command(0);
            return Ok(None);
        }
        match (self.service.reload_signal, &self.main) {
            (Some(signal), Some(main)) => {
                let asked = uptime::monotonic();
                let sent = main.process.signal(signal_of(signal.name()));
                let pid = main.process.pid();
                if self.service.kind == Kind::NotifyReload && sent.is_ok() {
                    self.await_notified_reload(asked);
                    return Ok(None);
                }
                sent.map(|()| Some(format!("sent {signal} to process {pid}")))
                    .map_err(|error| (Action::Error, format!("cannot signal process {pid}: {error}")))
            }
            _ => Err((
                Action::Unimplemented,
                "it cannot reload (reload-signal, reload-command): use restart".to_owned(),
            )),
        }
    }

    fn reload_command(&mut self, index: usize) {
        self.phase = Phase::Reload(index);
        match self.service.commands.reload.get(index).cloned() {
            Some(command) => self.run(&command, "reload-command", &[]),
            None => self.reload_is_over((Action::Ok, "its reload-command has ended with success".to_owned())),
        }
    }

    /// A reload is over, and how it went.
    pub fn reload_is_over(&mut self, met: Met) {
        (self.phase, self.deadline) = (Phase::Running, None);
        self.reloaders.drain(..).for_each(|request| request.tell(&met));
        self.enter(State::Running);
    }
}
