//! The life of a server on one page, in the one right order. What each step does stands in a file of its own.

use std::env::set_current_dir;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use foobar_process::daemonize::{Daemonize, Readiness, Side, Verdict};
use foobar_process::pidfile::PidFile;
use foobar_process::privilege::Account;
use foobar_process::signal::Signals;
use foobar_process::startlock::StartLock;
use foobar_process::syslog::Priority;
use foobar_process::{Pid, Uid};
use nix::sys::stat::{Mode as Mask, umask};

use crate::config::{self, Config, Source, Trust};
use crate::exit::{Exit, Failure};
use crate::handler::Services;
use crate::instance::{self, Claim};
use crate::log::{self, Also, Log};
use crate::master::Master;
use crate::reload::{self, Generation};
use crate::{account, confine, event, limits};

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
}

/// What a start has gathered while it can still fail in the caller's sight.
struct Start {
    lock: StartLock,
    account: Option<Account>,
    generation: Generation,
    warnings: Vec<String>,
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
    let source = options.source()?;
    let config = config::load(&source).map_err(|error| {
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
    let start = gather(lock, &config, services).map_err(announced)?;
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
    live(start, &source, options.mode, services, readiness)
        .map_err(|failure| if detached { failure } else { announced(failure) })?;
    Ok(Outcome::Ended)
}

/// Account, limits, sockets: everything whose want is to be told before there is a second process.
fn gather(lock: StartLock, config: &Config, services: Services<'_>) -> Result<Start, Failure> {
    let account = account::of(config)?;
    confine::possible(config)?;
    let mut warnings = config.remarks();
    let limited =
        limits::open_files(config).map_err(|error| Failure::io("cannot set RLIMIT_NOFILE", &error))?;
    warnings.extend(limited);
    let generation = Generation::first(config.clone(), services)?;
    Ok(Start { lock, account, generation, warnings })
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

/// The server itself, from its first breath to its last.
fn live(
    start: Start,
    source: &Source,
    mode: Mode,
    services: Services<'_>,
    readiness: Readiness,
) -> Result<(), Failure> {
    let Start { lock, account, generation, warnings } = start;
    // Before the PID file is there: whoever reads it may signal at once.
    let blocked =
        Signals::block(&event::signals()).map_err(|error| Failure::io("cannot read signals", &error));
    let settled = blocked.and_then(|signals| {
        let (log, pid_file) = settle(&lock, account, &generation, mode)?;
        Ok((signals, log, pid_file))
    });
    let (signals, log, pid_file) = match settled {
        Ok(settled) => settled,
        Err(failure) => {
            readiness.failed(failure.code, &failure.reason);
            return Err(failure);
        }
    };
    let private = [pid_file.as_fd()];
    let greeting = format!("started: {}", generation.summary());
    let log = Arc::new(log);
    let made = Master::new(generation, source, services, &signals, Arc::clone(&log), &private)
        .map_err(|error| Failure::io("cannot prepare the workers", &error));
    let master = match made {
        Ok(master) => master,
        Err(failure) => {
            let _ = pid_file.remove();
            readiness.failed(failure.code, &failure.reason);
            return Err(failure);
        }
    };
    if let Err(gone) = readiness.ready() {
        log.write(Priority::Err, &gone.to_string());
        drop(master);
        let _ = pid_file.remove();
        return Err(Failure::new(Exit::Error, gone));
    }
    drop(lock);
    log.write(Priority::Notice, &greeting);
    warnings.iter().for_each(|warning| log.write(Priority::Warning, warning));
    let cause = master.run();
    log.write(
        Priority::Notice,
        &cause.map_or("stopped".to_owned(), |signal| format!("stopped by {}", signal.as_str())),
    );
    let path = pid_file.path().to_owned();
    if let Err(error) = pid_file.remove() {
        log.write(Priority::Warning, &format!("cannot remove {}: {error}", path.display()));
    }
    Ok(())
}

/// Log and PID file while the rights are there, then the drop of the rights, with the handler's hooks around it.
fn settle(
    lock: &StartLock,
    account: Option<Account>,
    generation: &Generation,
    mode: Mode,
) -> Result<(Log, PidFile), Failure> {
    let config = &generation.config;
    let also = match mode {
        Mode::Detached => Also::Nothing,
        Mode::Foreground => Also::StderrOnly,
        Mode::Init => Also::StderrAndSyslog,
    };
    let log = Log::open(config, also, account.clone()).map_err(|(what, error)| Failure::io(what, &error))?;
    let pid_file = PidFile::create(lock).map_err(|error| instance::unwritable(&error))?;
    log.connect();
    let dropped =
        prepare(generation).and_then(|()| confine::confine(config, account)).and_then(|()| begin(generation));
    match dropped {
        Ok(()) => Ok((log, pid_file)),
        Err(failure) => {
            let _ = pid_file.remove();
            Err(failure)
        }
    }
}

fn prepare(generation: &Generation) -> Result<(), Failure> {
    let mut handlers = generation.servers.iter().map(|serving| &serving.handler);
    handlers
        .try_for_each(|handler| handler.before_drop())
        .map_err(|error| Failure::io("the service could not prepare", &error))
}

fn begin(generation: &Generation) -> Result<(), Failure> {
    let mut handlers = generation.servers.iter().map(|serving| &serving.handler);
    handlers
        .try_for_each(|handler| handler.after_drop())
        .map_err(|error| Failure::io("the service could not begin", &error))
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
