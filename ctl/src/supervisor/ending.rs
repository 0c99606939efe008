//! How a service ends: by request, by itself, or because it must; who is signalled then, who is killed, and what follows.

use std::time::{Duration, Instant};

use foobar_initscripts::exit::Action;
use foobar_initscripts::service::{Kind, StopMode};
use foobar_process::child::{self, How};
use foobar_process::identity::Process;
use foobar_process::ledger::Place;
use foobar_process::syslog::Priority;
use foobar_process::{Signal, kin};

use crate::supervisor::policy::{self, Cause, Ended, Verdict};
use crate::supervisor::report::State;
use crate::supervisor::unit::{Phase, Unit};

/// How long the kernel may take to end what was killed.
const KILL_GRACE: Duration = Duration::from_secs(2);

impl Unit {
    /// Somebody wants it to end.
    pub fn stop(&mut self) {
        if self.is_unwanted && self.phase != Phase::Resting {
            return;
        }
        self.is_unwanted = true;
        match self.phase {
            Phase::Resting | Phase::Renewing => self.over(State::Stopped),
            Phase::StartPre(_) | Phase::Starting => {
                self.blame(Action::Error, "it was told to stop before it was ready");
                self.wind_up();
            }
            _ => self.wind_up(),
        }
    }

    /// Has it end by the rules of its stop, unless it does or has already.
    pub fn wind_up(&mut self) {
        match self.phase {
            Phase::Terminating | Phase::StopCommand(_) | Phase::StopPost(_) => {}
            Phase::Resting | Phase::Renewing | Phase::Over => {}
            Phase::StartPre(_) | Phase::Starting => {
                self.drop_command();
                self.terminate();
            }
            Phase::StartPost(_) | Phase::Running | Phase::Reload(_) => {
                self.drop_command();
                self.enter(State::Stopping);
                self.within(self.service.stop_timeout);
                self.stop_command(0);
            }
        }
    }

    /// Runs the command at `index` that asks it to end; after them, what is left is signalled.
    pub fn stop_command(&mut self, index: usize) {
        self.phase = Phase::StopCommand(index);
        match self.service.commands.stop.get(index).cloned() {
            // A oneshot service has no main process by then.
            Some(command) if self.main.is_some() || self.service.kind == Kind::Oneshot => {
                self.run(&command, "stop-command", &[])
            }
            _ => self.terminate(),
        }
    }

    /// Signals what is left of it, and gives it some time.
    pub fn terminate(&mut self) {
        let signal = signal_of(self.service.stop_signal.name());
        self.terminate_by(signal);
    }

    /// The same by another signal for the main process.
    pub fn terminate_by(&mut self, signal: Signal) {
        if self.report.state != State::Stopping {
            self.enter(State::Stopping);
        }
        self.end_watch();
        self.phase = Phase::Terminating;
        self.within(self.service.stop_timeout);
        self.signal_main(signal);
        self.signal_main(Signal::SIGCONT);
        if self.service.send_sighup {
            self.signal_main(Signal::SIGHUP);
        }
        let rest = signal_of(self.service.stop_signal.name());
        if self.service.stop_mode == StopMode::ControlGroup || self.main.is_none() {
            self.signal_rest(rest);
        }
        self.see_who_is_left();
    }

    /// Signals all but the main process; what is stopped cannot follow before it is continued.
    fn signal_rest(&self, signal: Signal) {
        if self.service.stop_mode == StopMode::Process {
            return;
        }
        let main = self.main.as_ref().map(|main| main.process.pid());
        for process in self.members() {
            if Some(process.pid()) != main {
                let _ = process.signal(signal);
                let _ = process.signal(Signal::SIGCONT);
                if self.service.send_sighup {
                    let _ = process.signal(Signal::SIGHUP);
                }
            }
        }
    }

    /// Whoever must be gone before it counts as ended.
    fn left(&self) -> Vec<Process> {
        match self.service.stop_mode {
            StopMode::Process => Vec::new(),
            StopMode::ControlGroup | StopMode::Mixed => self.members(),
        }
    }

    /// Goes on if nobody is left.
    pub fn see_who_is_left(&mut self) {
        if self.main.is_none() && self.command.is_none() && self.left().is_empty() {
            self.stop_post(0);
        }
    }

    /// The time to end is over, which it had after the signal or the event `last`.
    pub fn kill(&mut self, last: &str) {
        if !self.service.send_sigkill {
            let limit = self.service.stop_timeout.as_secs();
            let text =
                format!("it is still there {limit} s after {last}, and is not to be killed (send-sigkill)");
            return self.give_up_on(&text);
        }
        let mut condemned = self.left();
        if let Some(main) = &self.main {
            if !condemned.iter().any(|known| known.pid() == main.process.pid()) {
                condemned.extend(Process::open(main.process.pid()).ok().flatten());
            }
        }
        let shown = |process: &Process| {
            let command = kin::look(process.pid(), 0).map(|line| line.command).unwrap_or_default();
            format!("{} ({command})", process.pid())
        };
        self.report.killed.extend(condemned.iter().map(shown));
        let limit = self.service.stop_timeout.as_secs();
        let who = self.report.killed.join(", ");
        self.say(Priority::Warning, &format!("did not end within {limit} s of {last}, killed: {who}"));
        let deadline = Instant::now() + KILL_GRACE;
        while !condemned.is_empty() && Instant::now() < deadline {
            for process in &condemned {
                let _ = process.signal(Signal::SIGKILL);
            }
            if let Some(group) = self.group.as_ref().filter(|_| self.service.stop_mode != StopMode::Process) {
                // What it cannot do, the signals above do.
                let _ = group.kill(deadline);
            }
            for process in &condemned {
                let _ = process.wait_gone(deadline);
            }
            self.collect();
            // What was started meanwhile.
            condemned = self.left();
        }
        if !condemned.is_empty() || self.main.is_some() {
            let text = "it is still there after KILL: it hangs inside the kernel (device or file system?)";
            return self.give_up_on(text);
        }
        self.stop_post(0);
    }

    /// It does not end. What is left is found by the next start or stop, as what a dead supervisor has left.
    fn give_up_on(&mut self, text: &str) {
        self.announce(Priority::Err, text);
        self.failure = Some((Action::Error, text.to_owned()));
        self.has_survivors = true;
        (self.main, self.command) = (None, None);
        self.stop_post(0);
    }

    /// Collects who has ended while we were waiting for it.
    fn collect(&mut self) {
        for exit in child::reap() {
            if self.main.as_ref().is_some_and(|main| main.process.pid() == exit.pid) {
                self.main_was_killed(exit.how);
            } else if self.command.as_ref().is_some_and(|command| command.process.pid() == exit.pid) {
                self.command = None;
                let _ = self.ledger.write(Place::Command, None);
            }
        }
        // One that has another parent is not collected here, nor anywhere if that does not care.
        if self.main.as_ref().is_some_and(|main| main.is_found && !main.process.is_alive()) {
            self.main_was_killed(How::Signal(Signal::SIGKILL));
        }
    }

    fn main_was_killed(&mut self, how: How) {
        let Some(main) = self.main.take() else { return };
        let cause = self.ended.map_or(Cause::TimeLimit, |ended| ended.cause);
        self.note_exit(how, cause);
        self.note_end(how, cause, main.began.elapsed());
        let _ = self.ledger.write(Place::Main, None);
    }

    /// Ends the command that runs beside the program.
    pub fn drop_command(&mut self) {
        if let Some(command) = self.command.take() {
            let _ = command.process.signal(Signal::SIGKILL);
            let _ = command.process.wait_gone(Instant::now() + KILL_GRACE);
            let _ = self.ledger.write(Place::Command, None);
        }
    }

    /// The main process has ended, or never was: what is left of the service goes too.
    pub fn wind_down(&mut self) {
        self.end_watch();
        self.drop_command();
        if self.left().is_empty() {
            self.stop_post(0);
        } else {
            self.terminate();
        }
    }

    /// Runs the command at `index` after the end; after them it is decided what follows.
    pub fn stop_post(&mut self, index: usize) {
        self.phase = Phase::StopPost(index);
        if index == 0 {
            self.within(self.service.stop_timeout);
        }
        match self.service.commands.stop_post.get(index).cloned() {
            Some(command) => {
                if self.report.state != State::Stopping {
                    // Whoever looks meanwhile must not take it for one that runs.
                    self.enter(State::Stopping);
                }
                let how = self.ended.map(|ended| ended.how);
                let more = result(self.ended.as_ref(), how);
                self.run(&command, "stop-post", &more);
            }
            None => self.follow(),
        }
    }

    /// Decides what follows from the end.
    fn follow(&mut self) {
        self.deadline = None;
        if self.has_survivors && self.starter.is_none() {
            self.report.reason = self.failure.take().map(|(_, text)| text);
            let why = self.report.reason.clone().unwrap_or_default();
            self.refuse_again(&format!("cannot stop {}: {why}", self.service.name));
            return self.over(State::Failed);
        }
        if self.has_finished {
            return self.over(State::Stopped);
        }
        if let Some(starter) = self.starter.take() {
            let (action, text) =
                (self.failure.as_ref().map_or(Action::Error, |row| row.0), self.failure_text());
            self.report.reason = Some(text.clone());
            self.over(State::Failed);
            starter.failed(action, &text);
            return;
        }
        if self.is_unwanted {
            return self.over(State::Stopped);
        }
        if self.again.is_some() {
            self.directories.remove(true);
            self.phase = Phase::Renewing;
            return;
        }
        match self.ended {
            Some(ended) => self.follow_rule(&ended),
            None => self.over(State::Stopped),
        }
    }

    /// What follows by the restart rule.
    fn follow_rule(&mut self, ended: &Ended) {
        let clean = policy::is_clean(&self.service.restart, ended);
        let why = self.failure.as_ref().map_or_else(|| shown(ended), |(_, text)| text.clone());
        match policy::decide(&self.service.restart, &mut self.history, ended, Instant::now()) {
            Verdict::Again(pause) => {
                self.report.restarts += 1;
                self.report.reason = Some(why.clone());
                self.directories.remove(true);
                self.phase = Phase::Resting;
                self.within(pause);
                let text = format!("{why}; starting it again in {} s", pause.as_secs_f32());
                if pause.is_zero() {
                    // At once: then nobody shall wait for a file to be written.
                    self.notice = Some(text);
                } else {
                    self.enter(State::Restarting);
                    self.announce(Priority::Notice, &text);
                }
            }
            Verdict::Stay if clean => self.over(State::Stopped),
            Verdict::Stay => {
                self.report.reason = Some(why.clone());
                self.announce(
                    Priority::Err,
                    &format!("{why}; it is not started again (restart in its service file)"),
                );
                self.over(State::Failed);
            }
            Verdict::GiveUp => {
                let rule = &self.service.restart;
                let text = format!(
                    "{why}; given up after {} starts within {} s (start-limit-burst, start-limit-interval)",
                    rule.burst,
                    rule.interval.as_secs_f32()
                );
                self.announce(Priority::Err, &text);
                self.report.reason = Some(text);
                self.over(State::Failed);
            }
        }
    }

    /// There will be no restart for who has asked for it.
    fn refuse_again(&mut self, why: &str) {
        if let Some(request) = self.again.take() {
            request.tell(&(Action::Error, why.to_owned()));
        }
    }

    fn over(&mut self, state: State) {
        let reason = self.report.reason.take().filter(|_| state != State::Stopped);
        self.over_because(state, reason);
    }

    /// All is over, and why, if there is more to be said than how.
    pub fn over_because(&mut self, state: State, reason: Option<String>) {
        (self.phase, self.deadline) = (Phase::Over, None);
        self.refuse_again(&format!(
            "{} was told to stop meanwhile, and is not started again",
            self.service.name
        ));
        if !self.has_survivors {
            self.report.supervisor = None;
        }
        self.report.reason = reason;
        self.directories.remove(false);
        self.enter(state);
    }
}

/// The signal of a name without `SIG`.
pub fn signal_of(name: &str) -> Signal {
    format!("SIG{name}").parse().unwrap_or(Signal::SIGTERM)
}

/// An end in words.
pub fn shown(ended: &Ended) -> String {
    let how = match ended.how {
        How::Code(code) => format!("its program ended with exit code {code}"),
        How::Signal(signal) => format!("its program was ended by {}", signal.as_str()),
    };
    match ended.cause {
        Cause::Watchdog => format!("it gave no sign of life in time (watchdog); {how}"),
        Cause::TimeLimit => format!("it took too long; {how}"),
        Cause::Itself | Cause::NotStarted => how,
    }
}

/// The variables of systemd.exec(5) about an end.
fn result(ended: Option<&Ended>, how: Option<How>) -> Vec<(&'static str, String)> {
    let word = match ended.map(|ended| (ended.cause, ended.how)) {
        None | Some((Cause::Itself, How::Code(0))) => "success",
        Some((Cause::Watchdog, _)) => "watchdog",
        Some((Cause::TimeLimit, _)) => "timeout",
        Some((_, How::Code(_))) => "exit-code",
        Some((_, How::Signal(_))) => "signal",
    };
    let mut found = vec![("SERVICE_RESULT", word.to_owned())];
    match how {
        Some(How::Code(code)) => {
            found.extend([("EXIT_CODE", "exited".to_owned()), ("EXIT_STATUS", code.to_string())]);
        }
        Some(How::Signal(signal)) => {
            let name = signal.as_str().trim_start_matches("SIG").to_owned();
            found.extend([("EXIT_CODE", "killed".to_owned()), ("EXIT_STATUS", name)]);
        }
        None => {}
    }
    found
}
