//! The service that this process supervises: what is known of it, and what all of its turns need. How it starts is in `starting`,
//! how it ends in `ending`, and who calls them in `turn`.

use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::{Duration, Instant, SystemTime};

use foobar_initscripts::exit::Action;
use foobar_initscripts::service::Service;
use foobar_process::cgroup::Group;
use foobar_process::child::How;
use foobar_process::daemonize::Announced;
use foobar_process::execution::{self, Departing, Image, Settings, Streams};
use foobar_process::identity::{BootId, Process};
use foobar_process::ledger::{self, Ledger};
use foobar_process::syslog::{Facility, Options, Priority, Syslog};
use foobar_process::{Pid, Signal, kin, uptime};

use crate::clock;
use crate::supervisor::directories::Directories;
use crate::supervisor::image::{self, Refused, Settled, Variables};
use crate::supervisor::looks::Looks;
use crate::supervisor::output::Output;
use crate::supervisor::place::Place;
use crate::supervisor::policy::{Cause, Ended, History};
use crate::supervisor::report::{LastExit, Report, State};
use crate::supervisor::server::Request;
use crate::supervisor::signs::Signs;
use crate::supervisor::sockets::Sockets;
use crate::supervisor::starter::Starter;

/// Where in its life the service is. Numbers are places in a list of commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// A command before the program.
    StartPre(usize),
    /// The program runs and is not ready.
    Starting,
    /// A command after it has become ready.
    StartPost(usize),
    /// It is ready; or a oneshot service has done its work.
    Running,
    /// A command that makes it read its configuration again.
    Reload(usize),
    /// A command that asks it to end.
    StopCommand(usize),
    /// It was asked to end, or its main process has ended; what is left of it has some time.
    Terminating,
    /// A command after its end.
    StopPost(usize),
    /// It waits for its next start.
    Resting,
    /// It has ended because somebody wants a restart: what is installed now goes on, in the place of this program.
    Renewing,
    /// The supervisor's work is done.
    Over,
}

/// A process that was started from here.
#[derive(Debug)]
pub struct Child {
    /// It, pinned.
    pub process: Process,
    /// On its way to its program.
    pub departing: Option<Departing>,
    /// When it was started.
    pub began: Instant,
    /// What it is, for messages.
    pub what: String,
    /// Whether its failure counts for nothing.
    pub may_fail: bool,
    /// Whether it was found and not forked here: the daemon of a forking service.
    pub is_found: bool,
}

/// All of it.
#[derive(Debug)]
pub struct Unit {
    /// What it shall be.
    pub service: Service,
    /// Its run directory.
    pub place: Place,
    /// Settings of its programs.
    pub settled: Settled,
    /// The directories that are made for it.
    pub directories: Directories,
    /// This boot.
    pub boot: BootId,
    /// Whom we have forked.
    pub ledger: Ledger,
    /// Its control group, where there can be one.
    pub group: Option<Group>,
    /// What others are told.
    pub report: Report,
    /// Who waits for the start that goes on.
    pub starter: Option<Starter>,
    /// Whoever has heard that it is ready, and has not said so yet.
    pub announced: Option<Announced>,
    /// Where it is.
    pub phase: Phase,
    /// When the phase must be over.
    pub deadline: Option<Instant>,
    /// Whether somebody has asked for its end.
    pub is_unwanted: bool,
    /// The main process.
    pub main: Option<Child>,
    /// The command that runs beside it.
    pub command: Option<Child>,
    /// The starts so far.
    pub history: History,
    /// How the present run has ended.
    pub ended: Option<Ended>,
    /// Whether a oneshot program has done its work, and the supervisor is not needed any more.
    pub has_finished: bool,
    /// What is still to be said of its last end: a start that follows at once goes first.
    pub notice: Option<String>,
    /// Whether some of it is still there although it was told to end.
    pub has_survivors: bool,
    /// Why, for people.
    pub failure: Option<(Action, String)>,
    /// The words of the program.
    pub output: Output,
    /// What it says of itself.
    pub signs: Signs,
    /// How it is looked at.
    pub looks: Looks,
    /// What it listens on.
    pub sockets: Sockets,
    /// Who waits for the reload that goes on.
    pub reloaders: Vec<Request>,
    /// Who has asked for the restart that goes on.
    pub again: Option<Request>,
    /// Where our own words go.
    pub log: Syslog,
}

impl Unit {
    /// Says something about the service where an administrator looks for it.
    pub fn say(&self, priority: Priority, text: &str) {
        self.log.send(priority, &format!("{}: {text}", self.service.name));
    }

    /// The same, to be read among the words of the program as well.
    pub fn announce(&mut self, priority: Priority, text: &str) {
        self.say(priority, text);
        self.output.pump.note(priority as u8, text, Instant::now());
    }

    /// The syslog of supervisors.
    pub fn syslog() -> Syslog {
        Syslog::open("foobarctl", Facility::Daemon, Options { pid: true, ..Options::default() })
    }

    /// Notes a new state, for all to see.
    pub fn enter(&mut self, state: State) {
        self.change(state);
        self.tell();
    }

    /// Notes it, and leaves the telling for later.
    pub fn change(&mut self, state: State) {
        if self.report.state != state {
            self.report.state = state;
            self.report.since = clock::rfc3339(SystemTime::now());
            self.report.since_boot = uptime::since_boot().as_secs_f64();
        }
    }

    /// Writes the report.
    pub fn tell(&mut self) {
        self.report.main = self.main.as_ref().map(|main| main.process.pid().as_raw());
        if let Err(error) = self.place.write_report(&self.report) {
            // The service goes on: who asks by the control socket is answered all the same.
            self.say(Priority::Warning, &format!("cannot write its state: {error}"));
        }
    }

    /// Sets the end of the phase.
    pub fn within(&mut self, limit: Duration) {
        self.deadline = Instant::now().checked_add(limit);
    }

    /// The variables of a start, with `more` of this moment.
    ///
    /// # Errors
    /// As [`image::environment`].
    pub fn variables(&self, more: &[(&str, String)]) -> Result<Variables, Refused> {
        let mut all = vec![("INVOCATION_ID", self.report.invocation.clone())];
        if let Some(main) = &self.main {
            all.push(("MAINPID", main.process.pid().to_string()));
        }
        all.extend(self.signs.variables());
        all.extend(self.directories.variables());
        all.extend(more.iter().cloned());
        image::environment(&self.service, &self.settled.own, &all)
    }

    /// Forks a child, writes it down, and lets it go on to its program.
    ///
    /// # Errors
    /// What kept it from that; then it is gone.
    pub fn launch(
        &self,
        place: ledger::Place,
        image: &Image,
        settings: &Settings,
        what: String,
    ) -> Result<Child, Refused> {
        let failed = |step: &str, error: &std::io::Error| {
            Refused(Action::Error, format!("cannot start {}: {step}: {error}", image.path.display()))
        };
        let streams = Streams {
            standard: [self.output.null.as_fd(), self.output.out.as_fd(), self.output.err.as_fd()],
            further: if place == ledger::Place::Main { self.further() } else { Vec::new() },
        };
        let hold = |cradle| -> Result<_, Refused> {
            let held =
                execution::hold(image, settings, &streams, cradle).map_err(|error| failed("fork", &error))?;
            // What is dropped at the gate exits, so every return from here on leaves nobody.
            let process = Process::open(held.pid()).map_err(|error| failed("looking at it", &error))?;
            Ok((held, process))
        };
        let group = self.group.as_ref();
        let cradle = group.and_then(|group| group.cradle());
        let (held, process) = match (hold(cradle)?, group) {
            // Killed by the kernel because it was born there, it may be.
            ((_, process), Some(group))
                if cradle.is_some() && process.as_ref().is_none_or(Process::is_ending) =>
            {
                group.forsake_cradle();
                hold(None)?
            }
            (found, _) => found,
        };
        let gone = || Refused(Action::Error, format!("{} was killed at its start", image.path.display()));
        let process = process.ok_or_else(gone)?;
        let identity = foobar_process::identity::Identity {
            pid: process.pid(),
            start_ticks: process.start_ticks(),
            boot: self.boot,
        };
        self.ledger.write(place, Some(&identity)).map_err(|error| failed("writing it down", &error))?;
        if let Some(group) = &self.group {
            group.put(process.pid(), held.is_placed).map_err(|error| failed("its control group", &error))?;
        }
        let departing = held.release().map_err(|error| failed("letting it go", &error))?;
        Ok(Child {
            process,
            departing: Some(departing),
            began: Instant::now(),
            what,
            may_fail: false,
            is_found: false,
        })
    }

    /// What the program finds from descriptor 3 on: its sockets, and where its own sign of readiness goes.
    fn further(&self) -> Vec<BorrowedFd<'_>> {
        let mut found: Vec<BorrowedFd<'_>> = self.sockets.descriptors().collect();
        if let Some(sign) = self.signs.handed_over() {
            // It may want a higher number than the next.
            let number = usize::try_from(self.service.readiness.fd).unwrap_or(3).saturating_sub(3);
            found.resize(number.max(found.len()), self.output.null.as_fd());
            found.push(sign);
        }
        found
    }

    /// Everything that runs for the service, pinned: what is in its control group and what comes from here.
    pub fn members(&self) -> Vec<Process> {
        let mut found = kin::descendants(Pid::this());
        if let Some(group) = &self.group {
            for pid in group.members() {
                if pid == Pid::this() || found.iter().any(|known| known.pid() == pid) {
                    continue;
                }
                let pinned = Process::open(pid).ok().flatten();
                // In the group still, now that it is pinned.
                found.extend(pinned.filter(|process| group.holds(process.pid())));
            }
        }
        found
    }

    /// Signals the main process, if there is one.
    pub fn signal_main(&self, signal: Signal) {
        if let Some(main) = &self.main {
            // It has ended: that will be told.
            let _ = main.process.signal(signal);
        }
    }

    /// Notes how the present run has ended; what was noted first counts.
    pub fn note_end(&mut self, how: How, cause: Cause, ran: Duration) {
        if self.ended.is_none() {
            self.ended = Some(Ended { how, cause, ran });
        }
    }

    /// Notes why, unless it is known already.
    pub fn blame(&mut self, action: Action, text: impl Into<String>) {
        if self.failure.is_none() {
            self.failure = Some((action, text.into()));
        }
    }

    /// The last exit of the program, for the report.
    pub fn note_exit(&mut self, how: How, cause: Cause) {
        let cause = match cause {
            Cause::Itself => None,
            Cause::Watchdog => Some("watchdog"),
            Cause::TimeLimit => Some("time-limit"),
            Cause::NotStarted => Some("not-started"),
        };
        self.report.last_exit = Some(LastExit {
            code: if let How::Code(code) = how { Some(code) } else { None },
            signal: if let How::Signal(signal) = how { Some(signal.as_str().to_owned()) } else { None },
            cause: cause.map(str::to_owned),
            at: clock::rfc3339(SystemTime::now()),
        });
    }
}
