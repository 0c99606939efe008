//! What a supervisor begins with, and how it becomes one that holds a service: from nothing, with all that the program before has left
//! of a running service, or with the sockets and pipes of one that has ended for a restart.

use std::fs;
use std::os::fd::{OwnedFd, RawFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Result;
use foobar_initscripts::exit::Action;
use foobar_initscripts::service::{Kind, Service};
use foobar_process::cgroup::Group;
use foobar_process::identity::BootId;
use foobar_process::ledger::Ledger;
use foobar_process::pidfile::PidFile;
use foobar_process::signal::Signals;
use foobar_process::syslog::Priority;
use foobar_process::{Pid, Signal, child, inheritance, uptime};

use crate::failure::Failure;
use crate::supervisor::confine;
use crate::supervisor::directories::Directories;
use crate::supervisor::handover::Handover;
use crate::supervisor::image::{Refused, Settled};
use crate::supervisor::looks::Looks;
use crate::supervisor::output::Output;
use crate::supervisor::place::Place;
use crate::supervisor::policy::History;
use crate::supervisor::report::Report;
use crate::supervisor::server::Server;
use crate::supervisor::signs::Signs;
use crate::supervisor::sockets::Sockets;
use crate::supervisor::unit::{Phase, Unit};

/// What it does signals with: those that end or reload the service, and those that are passed on.
const SIGNALS: [Signal; 11] = [
    Signal::SIGCHLD,
    Signal::SIGTERM,
    Signal::SIGINT,
    Signal::SIGHUP,
    Signal::SIGQUIT,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGALRM,
    Signal::SIGWINCH,
    Signal::SIGPWR,
    Signal::SIGURG,
];

/// What the daemon begins with.
#[derive(Debug)]
pub struct Seed {
    /// The directories that are made for the service.
    pub directories: Directories,
    /// The service.
    pub service: Service,
    /// Settings of its programs.
    pub settled: Settled,
    /// Its run directory.
    pub place: Place,
    /// When the start was asked for, in seconds since boot.
    pub called: Duration,
    /// The text of its service file.
    pub text: Vec<u8>,
}

/// A service, and how the world reaches its supervisor.
#[derive(Debug)]
pub struct Held {
    /// The service.
    pub unit: Unit,
    /// Signals for the supervisor.
    pub signals: Signals,
    /// Its control socket.
    pub server: Server,
    /// Its PID file.
    pub pid_file: PidFile,
}

/// What differs between one that begins and one that goes on.
struct Parts {
    ledger: Ledger,
    group: Option<Group>,
    report: Report,
    output: Output,
    signs: Signs,
    sockets: Sockets,
}

impl Seed {
    /// Holds a service that is still to be started.
    ///
    /// # Errors
    /// With the PID file: what cannot be had, with the code of LSB.
    pub fn begin(self, pid_file: PidFile) -> Result<Held, (PidFile, anyhow::Error)> {
        match self.prepare(pid_file.path()) {
            Ok((unit, signals, server)) => Ok(Held { unit, signals, server, pid_file }),
            Err(error) => Err((pid_file, error)),
        }
    }

    fn prepare(self, pid_file: &Path) -> Result<(Unit, Signals, Server)> {
        let signals = Signals::block(&SIGNALS)?;
        child::adopt_orphans()?;
        let server = Server::listen(pid_file)?;
        let ledger = Ledger::create(&self.place.ledger())?;
        self.place.write_service(&self.text)?;
        let output = Output::new(&self.service, &self.place)?;
        output.give_to(self.settled.own.account.as_ref())?;
        let signs = self.signs()?;
        let sockets = Sockets::open(&self.service).map_err(refused)?;
        let report = Report::new(&self.service.name, invocation()?, self.called);
        let (group, unkept) = confine::group(&self.place, &self.service);
        let mut unit = self.assemble(Parts { ledger, group, report, output, signs, sockets })?;
        unkept.iter().for_each(|text| unit.announce(Priority::Warning, text));
        Ok((unit, signals, server))
    }

    /// Goes on with the running service that the program before has left.
    ///
    /// # Errors
    /// What is not as it was told to be.
    pub fn resume(self, left: Handover) -> Result<Held> {
        let path = PathBuf::from(self.service.controlling_pid_file());
        let take = inheritance::take;
        let pid_file = PidFile::adopt(&path, take(left.pid_file)?)?;
        let signals = Signals::block(&SIGNALS)?;
        child::adopt_orphans()?;
        let server = Server::inherited(&path, take(left.listener)?, taken(&left.silent)?)?;
        let opened = taken(&left.sockets)?;
        let is_found = left.is_found.unwrap_or(self.service.kind == Kind::Forking);
        let main = left.report.main.map(|pid| (Pid::from_raw(pid), is_found));
        let parts = Parts {
            ledger: Ledger::reopen(&self.place.ledger())?,
            // Whether it was ever killed as a whole is not known here.
            group: Group::find(self.place.group()).inspect(Group::forsake_cradle),
            output: self.output(&left.pipes)?,
            signs: Signs::inherited(&self.service, &self.place, left.notify.map(take).transpose()?),
            sockets: Sockets::inherited(&self.service, opened),
            report: left.report,
        };
        let mut unit = self.assemble(parts)?;
        let now = Instant::now();
        unit.history = History::aged(&left.starts, now);
        if !unit.history.is_begun() {
            unit.history.started(&unit.service.restart, now);
        }
        if let Some(interval) = left.watchdog {
            unit.signs.watchdog.change(interval, None);
        }
        let ran = uptime::since_boot().as_secs_f64() - left.began;
        unit.resume(main, Duration::try_from_secs_f64(ran).unwrap_or_default());
        Ok(Held { unit, signals, server, pid_file })
    }

    /// Holds a service that has ended for a restart, and was started by `former`. Nobody waits for this one to be ready yet.
    ///
    /// # Errors
    /// With the PID file: what cannot be had, with the code of LSB.
    pub fn renew(
        self,
        left: &Handover,
        former: &Service,
        pid_file: PidFile,
    ) -> Result<Held, (PidFile, anyhow::Error)> {
        match self.prepare_again(left, former, pid_file.path()) {
            Ok((unit, signals, server)) => Ok(Held { unit, signals, server, pid_file }),
            Err(error) => Err((pid_file, error)),
        }
    }

    fn prepare_again(
        self,
        left: &Handover,
        former: &Service,
        pid_file: &Path,
    ) -> Result<(Unit, Signals, Server)> {
        let signals = Signals::block(&SIGNALS)?;
        child::adopt_orphans()?;
        let server = Server::inherited(pid_file, inheritance::take(left.listener)?, taken(&left.silent)?)?;
        let opened = taken(&left.sockets)?;
        let sockets = Sockets::renewed(former, opened, &self.service).map_err(refused)?;
        let output = self.output(&left.pipes)?;
        output.give_to(self.settled.own.account.as_ref())?;
        let ledger = Ledger::create(&self.place.ledger())?;
        self.place.write_service(&self.text)?;
        let mut report = Report::new(&self.service.name, invocation()?, self.called);
        report.last_exit.clone_from(&left.report.last_exit);
        report.requested_restarts = left.report.requested_restarts + 1;
        // Limits that are wanted no longer go with it.
        if let Some(group) = Group::find(self.place.group()) {
            group.remove();
        }
        let signs = self.signs()?;
        let (group, unkept) = confine::group(&self.place, &self.service);
        let mut unit = self.assemble(Parts { ledger, group, report, output, signs, sockets })?;
        unkept.iter().for_each(|text| unit.announce(Priority::Warning, text));
        Ok((unit, signals, server))
    }

    /// The pipes that the program before has left.
    fn output(&self, pipes: &[i32]) -> Result<Output> {
        let [out, err, out_end, err_end] = pipes else {
            return Err(Failure::error(Action::Error, "the program before has not left four pipes"));
        };
        let take = |number: &i32| inheritance::take(*number);
        let pipes = [take(out)?, take(err)?, take(out_end)?, take(err_end)?];
        Ok(Output::inherited(&self.service, &self.place, pipes)?)
    }

    fn signs(&self) -> Result<Signs> {
        Signs::new(&self.service, &self.settled, &self.place).map_err(|error| {
            let path = self.place.file("notify");
            Failure::of_io(&error, format!("cannot make the socket {}: {error}", path.display()))
        })
    }

    fn assemble(self, parts: Parts) -> Result<Unit> {
        let Parts { ledger, group, mut report, output, signs, sockets } = parts;
        report.control_group = group.as_ref().map(|group| group.path().display().to_string());
        report.sockets = sockets.shown();
        Ok(Unit {
            service: self.service,
            place: self.place,
            settled: self.settled,
            directories: self.directories,
            boot: BootId::current()?,
            ledger,
            group,
            report,
            starter: None,
            announced: None,
            phase: Phase::Resting,
            deadline: None,
            is_unwanted: false,
            main: None,
            command: None,
            history: History::default(),
            ended: None,
            has_finished: false,
            notice: None,
            has_survivors: false,
            failure: None,
            output,
            signs,
            looks: Looks::default(),
            sockets,
            reloaders: Vec::new(),
            again: None,
            log: Unit::syslog(),
        })
    }
}

fn taken(numbers: &[RawFd]) -> std::io::Result<Vec<OwnedFd>> {
    numbers.iter().map(|number| inheritance::take(*number)).collect()
}

fn refused(Refused(action, text): Refused) -> anyhow::Error {
    Failure::error(action, text)
}

/// A new ID as sd_id128 writes them: 32 hexadecimal digits.
fn invocation() -> std::io::Result<String> {
    let text = fs::read_to_string("/proc/sys/kernel/random/uuid")?;
    Ok(text.trim_end().replace('-', ""))
}
