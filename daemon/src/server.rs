//! The start of a server on one page, in the one right order, until it is a process of its own; the rest of its life, and
//! what each step does, stands in files of their own.

use std::env::set_current_dir;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use foobar_process::daemonize::{Daemonize, Readiness, Side, Verdict};
use foobar_process::startlock::StartLock;
use foobar_process::{Pid, Uid};
use nix::sys::stat::{Mode as Mask, umask};

use crate::config::{self, Config, Source, Trust};
use crate::exit::{Exit, Failure};
use crate::handler::Services;
use crate::handover::{Handover, Way};
use crate::inherit::Inheritance;
use crate::instance::{self, Claim};
use crate::life::{self, Stage, Start};
use crate::log::{self, Also};
use crate::reload::{self, Generation, Means};
use crate::statistics::Statistics;
use crate::upgrade::Program;
use crate::{account, confine, limits};

/// How long the daemon may take to become ready.
const START_LIMIT: Duration = Duration::from_secs(30);

/// In what relation the server stands to the process that started it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A daemon: detached, with a starter that returns when it is ready.
    Detached,
    /// For debugging: the process itself, with messages on standard error.
    Foreground,
    /// A child of init, to be respawned: the process itself, messages on standard error and in syslog, and
    /// patience with another instance.
    Init,
}

impl Mode {
    fn also(self) -> Also {
        match self {
            Mode::Detached => Also::Nothing,
            Mode::Foreground => Also::StderrOnly,
            Mode::Init => Also::StderrAndSyslog,
        }
    }
}

/// What a server needs to be told that is not in its configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The configuration file; none: the defaults are all.
    pub config: Option<PathBuf>,
    /// What counts where it says nothing.
    pub defaults: Config,
    /// Whether it may have a table `[settings]`.
    pub settings: bool,
    /// The PID file.
    pub pid_file: PathBuf,
    /// Detached or not.
    pub mode: Mode,
}

impl Options {
    fn source(&self) -> Result<Source, Failure> {
        let file = self.config.as_deref().map(absolute).transpose()?;
        Ok(Source { file, trust: trust(), defaults: self.defaults.clone(), settings: self.settings })
    }
}

/// How a call of [`run`] ended well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// In the starter: the daemon with this PID accepts connections.
    Started(Pid),
    /// Nothing was to be done.
    AlreadyRunning(Pid),
    /// In the server itself: it ran, and ended as it was told.
    Ended,
    /// In a process made for the purpose: this program could take the place of the one that runs.
    Rehearsed,
}

/// Checks the configuration and what it names, and touches nothing. Returns what is worth a remark.
///
/// # Errors
/// Everything that is wrong with it.
pub fn check(options: &Options, services: Services<'_>) -> Result<Vec<String>, Failure> {
    let config = config::load(&options.source()?).map_err(|error| Failure::new(error.exit, &error))?;
    account::of(&config)?;
    confine::possible(&config)?;
    let root = reload::outside(&config);
    config.servers.iter().try_for_each(|server| reload::service(server, root, services).map(drop))?;
    Ok(config.remarks())
}

/// Runs a server of `services`. In [`Mode::Detached`] this returns in two processes: in the starter when the
/// daemon is ready or has failed, in the daemon when it has ended; `main` should end with it in both.
///
/// # Errors
/// Why it did not start. Nothing is left behind then, and the reason is in syslog as well.
pub fn run(options: &Options, services: Services<'_>) -> Result<Outcome, Failure> {
    let program =
        Program::own().map_err(|error| Failure::io("cannot find out what program this is", &error))?;
    let mut source = options.source()?;
    let also = options.mode.also();
    match Handover::inherited().map_err(|reason| Failure::new(Exit::Error, reason))? {
        None => start(options, &Stage { source: &source, services, program: &program, also }),
        Some((way, handover)) => {
            handover.say_where(&mut source);
            let stage = Stage { source: &source, services, program: &program, also };
            match way {
                Way::Rehearse => life::rehearse(&handover, &stage).map(|()| Outcome::Rehearsed),
                Way::Take => life::resume(handover, &stage).map(|()| Outcome::Ended),
            }
        }
    }
}

fn start(options: &Options, stage: &Stage<'_>) -> Result<Outcome, Failure> {
    let mut inheritance = Inheritance::of_environment();
    let read = config::text(stage.source);
    let read = read.and_then(|text| Ok((config::understand(text.as_deref(), stage.source)?, text)));
    let (config, text) = read.map_err(|error| {
        let failure = Failure::new(error.exit, &error);
        log::announce(&error.so_far, &failure.reason);
        failure
    })?;
    let announced = |failure: Failure| {
        log::announce(&config, &failure.reason);
        failure
    };
    // The lock comes before the sockets: a second start must find the first, not its port taken.
    let lock = match instance::claim(&absolute(&options.pid_file)?, options.mode == Mode::Init, &config) {
        Ok(Claim::Ours(lock)) => lock,
        Ok(Claim::AlreadyRunning(pid)) => return Ok(Outcome::AlreadyRunning(pid)),
        Err(failure) => return Err(announced(failure)),
    };
    let mut start = gather(lock, (&config, text), stage, &mut inheritance).map_err(announced)?;
    start.warnings.extend(inheritance.close());
    let readiness = match options.mode {
        Mode::Foreground | Mode::Init => attach(&config).map_err(announced)?,
        Mode::Detached => match detach(&config, &start).map_err(announced)? {
            Side::Daemon(readiness) => readiness,
            Side::Starter(Verdict::Ready { pid }) => return Ok(Outcome::Started(pid)),
            Side::Starter(Verdict::Failed { code, message }) => {
                return Err(announced(Failure { code, reason: message }));
            }
            Side::Starter(verdict) => return Err(announced(Failure::new(Exit::Error, verdict))),
        },
    };
    // From here on this is the server. A starter says why it failed; without one it does so itself.
    let detached = readiness.is_detached();
    life::live(start, stage, readiness)
        .map_err(|failure| if detached { failure } else { announced(failure) })?;
    Ok(Outcome::Ended)
}

/// Account, limits, sockets: everything whose want is to be told before there is a second process.
fn gather(
    lock: StartLock,
    (config, text): (&Config, Option<String>),
    stage: &Stage<'_>,
    inheritance: &mut Inheritance,
) -> Result<Start, Failure> {
    let account = account::of(config)?;
    confine::possible(config)?;
    let mut warnings = config.remarks();
    let limited =
        limits::open_files(config).map_err(|error| Failure::io("cannot set RLIMIT_NOFILE", &error))?;
    warnings.extend(limited);
    let statistics = Arc::new(Statistics::new(SystemTime::now()));
    let means = Means { services: stage.services, statistics: &statistics };
    let read = (config.clone(), text);
    let generation = Generation::first(1, read, reload::outside(config), means, inheritance)?;
    warnings.extend(generation.deviations());
    Ok(Start { lock, account, generation, statistics, warnings })
}

/// Leaves the caller behind; returns in both processes.
fn detach(config: &Config, start: &Start) -> Result<Side, Failure> {
    let mut daemonize = Daemonize::new()
        .working_directory(&config.working_directory)
        .umask(config.umask)
        .timeout(START_LIMIT)
        .keep(&start.lock);
    for listener in start.generation.listeners() {
        daemonize = daemonize.keep(listener.as_ref());
    }
    daemonize.detach().map_err(|error| Failure::new(Exit::of(&error.source), error))
}

/// Without detaching only working directory and umask are to be set.
fn attach(config: &Config) -> Result<Readiness, Failure> {
    let directory = &config.working_directory;
    set_current_dir(directory).map_err(|error| {
        Failure::io(format_args!("cannot change the working directory to {}", directory.display()), &error)
    })?;
    umask(Mask::from_bits_truncate(config.umask));
    Ok(Readiness::attached())
}

/// What root runs may be configured by root alone.
fn trust() -> Trust {
    if Uid::effective().is_root() { Trust::RootOnly } else { Trust::Anyone }
}

/// Paths are taken from where the caller stands, which a daemon leaves.
fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path)
        .map_err(|error| Failure::io(format_args!("bad path {}", path.display()), &error))
}
