//! The life of a server from the moment that it is a process of its own: from its first breath, or in the place of a program
//! before it, to its last.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use foobar_process::daemonize::Readiness;
use foobar_process::pidfile::PidFile;
use foobar_process::privilege::Account;
use foobar_process::signal::{self, Signals};
use foobar_process::startlock::StartLock;
use foobar_process::syslog::Priority;
use foobar_process::{Signal, inheritance};

use crate::address::Address;
use crate::board::Figures;
use crate::config::{self, Config, Source};
use crate::control::{Caller, Control};
use crate::elders::Legacy;
use crate::exit::{Exit, Failure};
use crate::handler::Services;
use crate::handover::{ControlSocket, Handover, READY};
use crate::inherit::Inheritance;
use crate::log::{self, Also, Log};
use crate::master::{Ground, Master};
use crate::reload::{self, Generation, Means};
use crate::statistics::Statistics;
use crate::upgrade::Program;
use crate::{confine, event, instance, limits};

/// Where a server lives, however it began.
pub(crate) struct Stage<'s> {
    pub(crate) source: &'s Source,
    pub(crate) services: Services<'s>,
    pub(crate) program: &'s Program,
    /// Where messages go beside the configured target.
    pub(crate) also: Also,
}

/// What a start has gathered while it could still fail in the caller's sight.
pub(crate) struct Start {
    pub(crate) lock: StartLock,
    pub(crate) account: Option<Account>,
    pub(crate) generation: Generation,
    pub(crate) statistics: Arc<Statistics>,
    pub(crate) warnings: Vec<String>,
}

/// What a server has when it begins to serve.
struct Settled {
    log: Arc<Log>,
    pid_file: PidFile,
    control: Option<Control>,
    warnings: Vec<String>,
}

/// A server that was started.
pub(crate) fn live(start: Start, stage: &Stage<'_>, readiness: Readiness) -> Result<(), Failure> {
    let Start { lock, account, generation, statistics, warnings } = start;
    // In the foreground too, and before the PID file is there: whoever reads it may signal at once.
    signal::default_actions();
    let blocked =
        Signals::block(&event::signals()).map_err(|error| Failure::io("cannot read signals", &error));
    let settled = blocked.and_then(|signals| Ok((signals, settle(&lock, account, &generation, stage.also)?)));
    let (signals, Settled { log, pid_file, control, warnings: more }) = match settled {
        Ok(settled) => settled,
        Err(failure) => {
            readiness.failed(failure.code, &failure.reason);
            return Err(failure);
        }
    };
    let greeting = format!("started: {}", generation.summary());
    let ground = ground(stage, &signals, &pid_file);
    let mut master = match Master::new(generation, ground, Arc::clone(&log), statistics, control) {
        Ok(master) => master,
        Err(error) => {
            let failure = Failure::io("cannot prepare the workers", &error);
            let _ = fs::remove_file(foobar_process::control::path_for(pid_file.path()));
            let _ = pid_file.remove();
            readiness.failed(failure.code, &failure.reason);
            return Err(failure);
        }
    };
    if let Err(gone) = readiness.ready() {
        log.write(Priority::Err, &gone.to_string());
        master.leave();
        let _ = pid_file.remove();
        return Err(Failure::new(Exit::Error, gone));
    }
    drop(lock);
    log.write(Priority::Notice, &greeting);
    warnings.iter().chain(&more).for_each(|warning| log.write(Priority::Warning, warning));
    let cause = master.run();
    end(cause, &log, pid_file);
    Ok(())
}

fn ground<'g>(stage: &Stage<'g>, signals: &'g Signals, pid_file: &'g PidFile) -> Ground<'g> {
    let Stage { source, services, program, .. } = *stage;
    Ground { source, services, signals, pid_file, program }
}

fn end(cause: Option<Signal>, log: &Log, pid_file: PidFile) {
    let text = cause.map_or("stopped".to_owned(), |signal| format!("stopped by {}", signal.as_str()));
    log.write(Priority::Notice, &text);
    let path = pid_file.path().to_owned();
    if let Err(error) = pid_file.remove() {
        log.write(Priority::Warning, &format!("cannot remove {}: {error}", path.display()));
    }
}

/// Log, PID file and control socket while the rights are there, then the drop of the rights, with the handler's hooks around
/// it.
fn settle(
    lock: &StartLock,
    account: Option<Account>,
    generation: &Generation,
    also: Also,
) -> Result<Settled, Failure> {
    let config = &generation.config;
    let log = Log::open(config, also, account.clone()).map_err(|(what, error)| Failure::io(what, &error))?;
    let pid_file = PidFile::create(lock).map_err(|error| instance::unwritable(&error))?;
    let (control, warnings) = control(pid_file.path());
    log.connect();
    let dropped =
        prepare(generation).and_then(|()| confine::confine(config, account)).and_then(|()| begin(generation));
    match dropped {
        Ok(()) => Ok(Settled { log: Arc::new(log), pid_file, control, warnings }),
        Err(failure) => {
            if let Some(control) = control {
                control.remove();
            }
            let _ = pid_file.remove();
            Err(failure)
        }
    }
}

/// The control socket. A server can be without one, and signals still reach it.
fn control(pid_file: &Path) -> (Option<Control>, Vec<String>) {
    let path = foobar_process::control::path_for(pid_file);
    match Control::create(&path) {
        Ok(control) => (Some(control), Vec::new()),
        Err(error) => {
            let text = format!("no control socket, cannot make {}: {error}", path.display());
            (None, vec![text])
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

/// Tries whether this program could take the place of the one that runs, without touching anything of its: that the
/// configuration in force is understood, and so is the one that is there now; that log and services can be had with the
/// rights that are left.
pub(crate) fn rehearse(handover: &Handover, stage: &Stage<'_>) -> Result<(), Failure> {
    let config = in_force(handover, stage.source)?;
    let fresh = config::load(stage.source).map_err(|error| Failure::new(error.exit, &error))?;
    for server in config.servers.iter().chain(&fresh.servers) {
        reload::service(server, Path::new("/"), stage.services)?;
    }
    Log::open(&config, stage.also, None).map_err(|(what, error)| Failure::io(what, &error))?;
    for server in &config.servers {
        let handler = reload::service(server, Path::new("/"), stage.services)?;
        let hooks = handler.before_drop().and_then(|()| handler.after_drop());
        hooks
            .map_err(|error| Failure::io("the service could not begin again: restart the daemon", &error))?;
    }
    writeln!(io::stdout(), "{READY}").map_err(|error| Failure::io("cannot answer", &error))
}

fn in_force(handover: &Handover, source: &Source) -> Result<Config, Failure> {
    config::understand(handover.config.as_deref(), source).map_err(|error| {
        let text =
            format!("the configuration in force is not understood any more: {error}: restart the daemon");
        Failure::new(error.exit, text)
    })
}

/// What was left, in our own hands.
struct Taken {
    pid_file: PidFile,
    control: Option<Control>,
    callers: Vec<Caller>,
    sockets: Inheritance,
    elders: Vec<Legacy>,
    statistics: Arc<Statistics>,
}

/// Goes on in the place of the program that was here before.
pub(crate) fn resume(handover: Handover, stage: &Stage<'_>) -> Result<(), Failure> {
    let config = in_force(&handover, stage.source)?;
    // Nobody else is there to say it.
    let announced =
        |failure: &Failure| log::announce(&config, &format!("upgrade failed: {}", failure.reason));
    go_on(handover, &config, stage).inspect_err(announced)
}

fn go_on(handover: Handover, config: &Config, stage: &Stage<'_>) -> Result<(), Failure> {
    let (number, text) = (handover.generation + 1, handover.config.clone());
    let from = handover.version.clone();
    let mut taken =
        take(handover).map_err(|error| Failure::io("cannot take over what the old program left", &error))?;
    let signals =
        Signals::block(&event::signals()).map_err(|error| Failure::io("cannot read signals", &error))?;
    signal::default_actions();
    let log = Log::open(config, stage.also, None).map_err(|(what, error)| Failure::io(what, &error))?;
    let log = Arc::new(log);
    let mut warnings: Vec<String> = limits::open_files(config).ok().flatten().into_iter().collect();
    let means = Means { services: stage.services, statistics: &taken.statistics };
    let read = (config.clone(), text);
    let generation = Generation::first(number, read, Path::new("/"), means, &mut taken.sockets)?;
    prepare(&generation).and_then(|()| begin(&generation))?;
    warnings.extend(taken.sockets.close());
    let summary = generation.summary();
    let ground = ground(stage, &signals, &taken.pid_file);
    let failed = |error: io::Error| Failure::io("cannot prepare the workers", &error);
    let mut master =
        Master::new(generation, ground, Arc::clone(&log), taken.statistics, taken.control).map_err(failed)?;
    master.adopt(taken.elders).map_err(failed)?;
    warnings.iter().for_each(|warning| log.write(Priority::Warning, warning));
    let version = env!("CARGO_PKG_VERSION");
    let outcome = format!("upgraded from version {from} to {version}: generation {number}, {summary}");
    master.take_place(&taken.callers, &outcome);
    let cause = master.run();
    end(cause, &log, taken.pid_file);
    Ok(())
}

fn take(handover: Handover) -> io::Result<Taken> {
    let pid_file = PidFile::adopt(&handover.pid_file, inheritance::take(handover.pid_file_descriptor)?)?;
    let mut control = match handover.control {
        Some(ControlSocket { path, owner, descriptor }) => {
            Some(Control::adopt(&path, owner, inheritance::take(descriptor)?)?)
        }
        None => None,
    };
    let mut callers = Vec::new();
    for descriptor in handover.callers {
        let stream = inheritance::take(descriptor)?;
        callers.extend(control.as_mut().map(|control| control.take_over(stream)).transpose()?);
    }
    let mut sockets = Inheritance::default();
    for (address, descriptor) in handover.sockets {
        let address = Address::parse(&address).map_err(io::Error::other)?;
        sockets.add(address, inheritance::take(descriptor)?);
    }
    let since = SystemTime::UNIX_EPOCH + Duration::from_secs(handover.since);
    let statistics = Statistics::new(since);
    for (name, descriptor) in handover.figures {
        // Those of a version that counts otherwise are no figures of ours: they begin anew.
        if let Ok(figures) = Figures::adopt(inheritance::take(descriptor)?) {
            statistics.adopt(name, figures);
        }
    }
    let mut elders = Vec::new();
    for elder in handover.elders {
        let pipe = elder.pipe.map(inheritance::take).transpose()?;
        let lifeline = inheritance::take(elder.lifeline)?;
        elders.push(Legacy { server: elder.server, lifeline, pipe, workers: elder.workers });
    }
    Ok(Taken { pid_file, control, callers, sockets, elders, statistics: Arc::new(statistics) })
}
