//! How a service starts: the commands before it, its program, the moment at which it is ready, and the commands after that.

use std::path::Path;
use std::time::{Duration, Instant};

use foobar_initscripts::exit::Action;
use foobar_initscripts::service::{Command, Kind};
use foobar_process::child::How;
use foobar_process::daemonize::{Announced, StarterGone};
use foobar_process::execution::{ExecutionError, Image};
use foobar_process::identity::Process;
use foobar_process::ledger::{self, Place};
use foobar_process::probe::{self, Expect, State as Probed};
use foobar_process::syslog::Priority;
use foobar_process::uptime;

use crate::supervisor::conditions::{self, Outcome};
use crate::supervisor::image::{self, Refused};
use crate::supervisor::policy::Cause;
use crate::supervisor::report::State;
use crate::supervisor::sockets;
use crate::supervisor::starter::Starter;
use crate::supervisor::unit::{Child, Phase, Unit};

/// Lines of the program's own words in the message about a start that failed.
const LAST_WORDS: usize = 5;
/// Between two looks for the PID file of a daemon that writes it late.
pub const LOOK: Duration = Duration::from_millis(10);

impl Unit {
    /// Begins a start.
    pub fn start(&mut self) {
        if self.history.is_begun() {
            // The first was asked for by somebody; this one asks for itself.
            self.report.start.called = uptime::since_boot().as_secs_f64();
        }
        // As they are at this start, whether somebody has asked for it or not.
        match conditions::check(&self.service.conditions) {
            Outcome::Hold => {}
            Outcome::Skip(why) => return self.not_wanted(State::Stopped, &why),
            Outcome::Fail(why) => return self.not_wanted(State::Failed, &why),
        }
        self.history.started(&self.service.restart, Instant::now());
        (self.ended, self.failure) = (None, None);
        self.report.killed.clear();
        self.report.start.took = None;
        if self.notice.is_some() {
            // Told when its program is on the way.
            self.change(State::Starting);
        } else {
            self.enter(State::Starting);
        }
        self.within(self.service.start_timeout);
        if let Err(Refused(action, text)) = self.directories.make(&self.settled) {
            self.blame(action, text);
            self.note_end(How::Code(1), Cause::NotStarted, Duration::ZERO);
            self.wind_down();
            return;
        }
        self.start_pre(0);
    }

    /// Its conditions do not let it start: then it is over, and `state` is how.
    fn not_wanted(&mut self, state: State, why: &str) {
        if let Some(text) = self.notice.take() {
            self.announce(Priority::Notice, &text);
        }
        let text = format!("{} was not started: {why}", self.service.name);
        self.announce(Priority::Notice, &text);
        self.over_because(state, Some(text.clone()));
        // Who waits for one that is only not wanted is told when all is over.
        if let Some(starter) = self.starter.take_if(|_| state == State::Failed) {
            starter.failed(Action::NotConfigured, &text);
        }
    }

    /// Runs the command before the program at `index`, or the program when there is none left.
    pub fn start_pre(&mut self, index: usize) {
        self.phase = Phase::StartPre(index);
        match self.service.commands.start_pre.get(index).cloned() {
            Some(command) => self.run(&command, "start-pre", &[]),
            None => self.start_main(),
        }
    }

    /// Runs a command beside the program; one that cannot be started has failed.
    pub fn run(&mut self, command: &Command, key: &str, more: &[(&str, String)]) {
        let what = format!("{key} {}", command.program);
        let settings = if command.privileged { &self.settled.privileged } else { &self.settled.own };
        let started = self.variables(more).and_then(|variables| {
            let image = image::of_command(command, &variables)?;
            self.launch(Place::Command, &image, settings, what.clone())
        });
        match started {
            Ok(child) => self.command = Some(Child { may_fail: command.ignore_failure, ..child }),
            Err(Refused(action, text)) => {
                self.blame(action, text);
                self.command_ended(How::Code(1), command.ignore_failure, &what);
            }
        }
    }

    fn start_main(&mut self) {
        self.phase = Phase::Starting;
        if let Err(error) = self.signs.renew(&self.service) {
            self.say(Priority::Warning, &format!("no pipe for its readiness: {error}"));
        }
        let variables = self.variables(&self.sockets.variables());
        for text in variables.iter().flat_map(|all| all.ignored().to_vec()) {
            self.announce(Priority::Warning, &text);
        }
        let started = variables.and_then(|variables| {
            let image = image::of_program(&self.service, &variables)?;
            let pid_variable = (!self.sockets.is_empty()).then_some(sockets::PID_VARIABLE);
            let image = Image { pid_variable, ..image };
            self.launch(Place::Main, &image, &self.settled.own, self.service.program.clone())
        });
        match started {
            Ok(child) => {
                self.output.pump.set_pid(Some(child.process.pid()));
                self.main = Some(child);
                self.tell();
                if let Some(text) = self.notice.take() {
                    self.announce(Priority::Notice, &text);
                }
                if self.service.kind == Kind::Simple {
                    self.moment_of_type();
                }
            }
            Err(Refused(action, text)) => {
                self.blame(action, text);
                self.note_end(How::Code(1), Cause::NotStarted, Duration::ZERO);
                self.wind_down();
            }
        }
    }

    /// What has become of the main process on its way to the program.
    pub fn departed(&mut self, outcome: Result<(), ExecutionError>) {
        match outcome {
            Ok(()) if self.phase == Phase::Starting && self.service.kind == Kind::Exec => {
                self.moment_of_type()
            }
            Ok(()) => {}
            // Its end, which follows, is the event.
            Err(error) => {
                let (action, text) = not_executed(&self.service.program, &error);
                self.blame(action, text);
            }
        }
    }

    /// The main process is where its type says that it is ready.
    pub fn moment_of_type(&mut self) {
        if !self.look_first() {
            self.start_post(0);
        }
    }

    /// Runs the command after the start at `index`; when there is none left, the service is ready.
    pub fn start_post(&mut self, index: usize) {
        self.phase = Phase::StartPost(index);
        match self.service.commands.start_post.get(index).cloned() {
            Some(command) => self.run(&command, "start-post", &[]),
            None => self.ready(),
        }
    }

    fn ready(&mut self) {
        (self.phase, self.deadline) = (Phase::Running, None);
        self.begin_watch();
        let now = uptime::since_boot().as_secs_f64();
        self.report.start.took = Some((now - self.report.start.called).max(0.0));
        let is_done = self.main.is_none();
        if is_done && !self.service.remain_after_exit {
            // Its starter is told when all of it is over.
            self.has_finished = true;
            self.wind_down();
            return;
        }
        match self.starter.take() {
            // It counts as up when its starter knows.
            Some(Starter::Process(readiness)) => match readiness.announce() {
                Ok(Some(announced)) => self.announced = Some(announced),
                Ok(None) => self.is_up(),
                Err(gone) => self.is_forgotten(gone),
            },
            Some(client @ Starter::Client(..)) => {
                self.is_up();
                // Whether it is still there does not matter.
                let _ = client.ready();
            }
            None => self.is_up(),
        }
    }

    fn is_up(&mut self) {
        self.enter(if self.main.is_none() { State::Done } else { State::Running });
    }

    /// Hears what who has started it says to its being ready. It may be stopped, and say nothing for long.
    pub fn hear_starter(&mut self) {
        let Some(outcome) = self.announced.as_ref().and_then(Announced::heard) else { return };
        let announced = self.announced.take();
        if let Err(gone) = outcome {
            return self.is_forgotten(gone);
        }
        if self.phase == Phase::Running {
            self.is_up();
        }
        // After that is written: the starter looks.
        announced.into_iter().for_each(Announced::confirm);
    }

    fn is_forgotten(&mut self, _: StarterGone) {
        self.say(Priority::Err, "who has started it is gone: stopping it");
        self.stop();
    }

    /// The first process of a forking service has ended with success: its daemon must be found. Tells whether it was.
    pub fn find_daemon(&mut self) -> bool {
        let Some(process) = self.daemon() else {
            self.phase = Phase::Starting;
            return false;
        };
        let identity = foobar_process::identity::Identity {
            pid: process.pid(),
            start_ticks: process.start_ticks(),
            boot: self.boot,
        };
        if let Err(error) = self.ledger.write(ledger::Place::Main, Some(&identity)) {
            self.say(Priority::Warning, &format!("cannot write down its main process: {error}"));
        }
        self.main = Some(Child {
            process,
            departing: None,
            began: Instant::now(),
            what: self.service.program.clone(),
            may_fail: false,
            is_found: true,
        });
        self.moment_of_type();
        true
    }

    /// The process that its PID file names, if it comes from here; without a PID file the only one that there is.
    fn daemon(&self) -> Option<Process> {
        let members = self.members();
        let Some(pid_file) = self.service.main_pid_file() else {
            // Of several nobody can tell which it is: one that helps it to start may end soon.
            return if members.len() == 1 { members.into_iter().next() } else { None };
        };
        // What it names is believed if it is one of ours.
        let pid = match probe::look(Path::new(pid_file), &Expect::default()) {
            Ok(Probed::Running { process, .. }) => process.pid(),
            Ok(Probed::Dead { pid }) => pid,
            Ok(Probed::Stopped) | Err(_) => return None,
        };
        members.into_iter().find(|member| member.pid() == pid)
    }

    /// The time to become ready is over.
    pub fn start_is_late(&mut self) {
        let limit = self.service.start_timeout.as_secs();
        let why = self.looks.why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
        let text = format!("it was not ready within {limit} s{why}; see its log, or raise start-timeout");
        self.blame(Action::Error, text);
        self.note_end(How::Code(1), Cause::TimeLimit, Duration::ZERO);
        self.drop_command();
        self.terminate();
    }

    /// The message about a start that has failed.
    pub fn failure_text(&self) -> String {
        let why = self.failure.as_ref().map_or("it ended", |(_, text)| text.as_str());
        let words = self.output.words(LAST_WORDS);
        let words = if words.is_empty() {
            "; it gave no reason".to_owned()
        } else {
            format!(": {}", words.join("\n"))
        };
        format!("{} did not start: {why}{words}", self.service.name)
    }
}

/// Why a program was not executed, in the words and with the code of LSB.
fn not_executed(program: &str, error: &ExecutionError) -> (Action, String) {
    let source = &error.source;
    if !error.is_execve {
        let action = match source.kind() {
            std::io::ErrorKind::PermissionDenied => Action::Permission,
            _ => Action::NotConfigured,
        };
        return (action, format!("{}: {source}", error.step));
    }
    let (action, remedy) = match source.kind() {
        std::io::ErrorKind::NotFound if Path::new(program).exists() => {
            (Action::NotInstalled, "the interpreter in its first line is missing, install it")
        }
        std::io::ErrorKind::NotFound => {
            (Action::NotInstalled, "install it, or correct program in the service file")
        }
        std::io::ErrorKind::PermissionDenied => (Action::Permission, "make it executable for its user"),
        _ => (Action::Error, "see whether it is a program for this machine"),
    };
    (action, format!("cannot run {program}: {source}; {remedy}"))
}
