//! The supervisor as a program of its own, `foobarctl-supervise NAME [PREFIX]`: becomes a daemon with a locked PID file, and holds its
//! service until that has ended. It is started by `foobarctl start`, which waits for its verdict.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Result;
use foobar_initscripts::description;
use foobar_initscripts::exit::Action;
use foobar_initscripts::layout::DEFAULT;
use foobar_initscripts::name::ServiceName;
use foobar_initscripts::service::{FOREVER, Service};
use foobar_process::daemonize::{Daemonize, Readiness, Side};
use foobar_process::pidfile::PidFile;
use foobar_process::startlock::StartLock;
use foobar_process::{inheritance, uptime};

use crate::failure::Failure;
use crate::output;
use crate::root::{Root, Scope};
use crate::supervisor::conditions::{self, Outcome};
use crate::supervisor::directories::Directories;
use crate::supervisor::handover::Handover;
use crate::supervisor::hold::{hold, remove};
use crate::supervisor::image::{self, Refused, Settled};
use crate::supervisor::place::Place;
use crate::supervisor::report::{Report, State};
use crate::supervisor::seed::{Held, Seed};
use crate::supervisor::server::Request;
use crate::supervisor::starter::Starter;
use crate::target;

/// The name that it is called by.
pub const NAME: &str = "foobarctl-supervise";

/// How much longer than the service may take the starter waits for us.
pub const MARGIN: Duration = Duration::from_secs(30);

/// How a begin has ended.
enum Begun {
    /// With this exit code.
    Over(u8),
    /// With a service to hold.
    Holding(Box<Held>),
}

/// Runs it; returns the exit code.
pub fn supervise(arguments: &[OsString]) -> u8 {
    match begin(arguments) {
        Ok(Begun::Over(code)) => code,
        Ok(Begun::Holding(held)) => hold(held),
        Err(error) => {
            output::complain(format_args!("{error:#}"));
            Failure::action_of(&error).code()
        }
    }
}

/// In a frame of its own, which is gone when the service is held: it is large, and a supervisor has it for life otherwise.
#[inline(never)]
fn begin(arguments: &[OsString]) -> Result<Begun> {
    let called = uptime::since_boot();
    let usage = || Failure::error(Action::Usage, format!("{NAME} is started by foobarctl start NAME"));
    let (name, prefix) = match arguments {
        [_, name] => (name, None),
        [_, name, prefix] => (name, Some(Path::new(prefix))),
        _ => return Err(usage()),
    };
    let name = ServiceName::parse(name.to_str().ok_or_else(usage)?).map_err(|_| usage())?;
    let scope = if prefix.is_some() { Scope::Prefix } else { Scope::Machine };
    let root = Root::open(scope, prefix.unwrap_or(Path::new("/")))?;
    if let Some(left) = Handover::found()? {
        return if left.is_restart() { renew(root, &name, &left) } else { resume(root, &name, left) };
    }
    let seed = read(&root, &name, called)?;
    let (service, place) = (&seed.service, &seed.place);
    place.make()?;
    match conditions::check(&service.conditions) {
        Outcome::Hold => {}
        Outcome::Skip(why) => return skip(service, place, called, &why),
        Outcome::Fail(why) => {
            return Err(Failure::error(Action::NotConfigured, format!("{name} did not start: {why}")));
        }
    }
    let patience = longest(service);
    // A daemon closes what it was not told to keep: nobody may own that any more.
    drop(root);
    match Daemonize::new().timeout(patience).detach()? {
        Side::Starter(verdict) => {
            if verdict.code() != 0 {
                output::complain(&verdict);
            }
            Ok(Begun::Over(verdict.code()))
        }
        Side::Daemon(readiness) => Ok(live(seed, readiness)),
    }
}

/// Goes on with what the program before has left, by the service file that the service was started with.
fn resume(root: Root, name: &ServiceName, left: Handover) -> Result<Begun> {
    let place = Place::of(&root, name);
    let service = kept(&place, name)?;
    let settled = settle(&service)?;
    if left.is_rehearsal {
        return Ok(Begun::Over(Action::Ok.code()));
    }
    let request = Request::inherited("upgrade", inheritance::take(left.client)?);
    let (version, text) = (left.version.clone(), place.service().unwrap_or_default());
    let directories = Directories::of(&service, &root);
    // Nothing of it is to be kept busy from here on.
    drop(root);
    let held = Seed { directories, service, settled, place, called: Duration::ZERO, text }.resume(left)?;
    let text = format!("supervisor upgraded from version {version} to {}", env!("CARGO_PKG_VERSION"));
    request.tell(&(Action::Ok, text));
    Ok(Begun::Holding(Box::new(held)))
}

/// Starts a service anew that the program before has ended for a restart, by the service file as it is now.
fn renew(root: Root, name: &ServiceName, left: &Handover) -> Result<Begun> {
    let called = uptime::since_boot();
    let place = Place::of(&root, name);
    let former = kept(&place, name)?;
    let seed = sprout(&root, name, called, &former);
    drop(root);
    if left.is_rehearsal {
        return seed.map(|_| Begun::Over(Action::Ok.code()));
    }
    let pid_file =
        PidFile::adopt(Path::new(former.controlling_pid_file()), inheritance::take(left.pid_file)?)?;
    let request = Request::inherited("restart", inheritance::take(left.client)?);
    let starter = Starter::Client(request, killed(&former, &left.report));
    let renewed = match seed {
        Ok(seed) => seed.renew(left, &former, pid_file),
        Err(error) => Err((pid_file, error)),
    };
    match renewed {
        Ok(mut held) => {
            held.unit.starter = Some(starter);
            held.unit.start();
            Ok(Begun::Holding(Box::new(held)))
        }
        Err((pid_file, error)) => {
            let text = format!("{name} did not start: {error:#}");
            let (supervisor, main) = (None, None);
            let report = Report { state: State::Failed, supervisor, main, ..left.report.clone() };
            // Who asks is told all the same.
            let _ = place.write_report(&Report { reason: Some(text.clone()), ..report });
            remove(pid_file);
            starter.failed(Failure::action_of(&error), &text);
            Err(error)
        }
    }
}

/// Whom the end before the restart had to kill, in words.
fn killed(service: &Service, report: &Report) -> String {
    if report.killed.is_empty() {
        return String::new();
    }
    let (limit, who) = (service.stop_timeout.as_secs(), report.killed.join(", process "));
    format!("did not end within {limit} s of {}, killed: process {who}", service.stop_signal)
}

/// What is read and found out before a restart; `former` is what the service was.
fn sprout(root: &Root, name: &ServiceName, called: Duration, former: &Service) -> Result<Seed> {
    let seed = read(root, name, called)?;
    let (old, new) = (former.controlling_pid_file(), seed.service.controlling_pid_file());
    if !seed.service.is_supervised() || old != new {
        let text = format!("{name} is to have another PID file, {new} and not {old}: stop it, then start it");
        return Err(Failure::error(Action::NotConfigured, text));
    }
    Ok(seed)
}

/// Reads the service file, and makes of it what can be made before there is a daemon.
fn read(root: &Root, name: &ServiceName, called: Duration) -> Result<Seed> {
    let service = target::service(root, name)?
        .ok_or_else(|| Failure::error(Action::NotInstalled, format!("{name} is not installed")))?;
    let text = root.read(Path::new(&DEFAULT.service_file(name.as_str())))?.map(|(text, _)| text);
    let settled = settle(&service)?;
    let directories = Directories::of(&service, root);
    let place = Place::of(root, name);
    Ok(Seed { directories, service, settled, place, called, text: text.unwrap_or_default() })
}

/// The service as it was started.
fn kept(place: &Place, name: &ServiceName) -> Result<Service> {
    let (path, text) = (place.file("service"), place.service().unwrap_or_default());
    Ok(description::parse(name, &String::from_utf8_lossy(&text), &path.display().to_string())?)
}

fn settle(service: &Service) -> Result<Settled> {
    image::settle(&service.execution).map_err(|Refused(action, text)| Failure::error(action, text))
}

/// Leaves word that the service was not started, as its conditions want it.
fn skip(service: &Service, place: &Place, called: Duration, why: &str) -> Result<Begun> {
    let mut report = Report::new(&service.name, String::new(), called);
    report.supervisor = None;
    report.reason = Some(format!("{} was not started: {why}", service.name));
    place.write_report(&report)?;
    Ok(Begun::Over(Action::Ok.code()))
}

/// How long a start may take until all of it has ended, well or not.
pub fn longest(service: &Service) -> Duration {
    let stops = service.stop_timeout.saturating_mul(3);
    service.start_timeout.saturating_add(stops).saturating_add(MARGIN).min(FOREVER)
}

/// The daemon's begin.
fn live(seed: Seed, readiness: Readiness) -> Begun {
    let pid_file = PathBuf::from(seed.service.controlling_pid_file());
    let made = StartLock::acquire(&pid_file, Instant::now() + MARGIN)
        .map_err(|error| error.to_string())
        .and_then(|lock| PidFile::create(&lock).map_err(|error| error.to_string()));
    let pid_file = match made {
        Ok(pid_file) => pid_file,
        Err(text) => {
            readiness.failed(Action::Error.code(), &text);
            return Begun::Over(Action::Error.code());
        }
    };
    match seed.begin(pid_file) {
        Ok(mut held) => {
            held.unit.starter = Some(Starter::Process(readiness));
            held.unit.start();
            Begun::Holding(Box::new(held))
        }
        Err((pid_file, error)) => {
            readiness.failed(Failure::action_of(&error).code(), &format!("{error:#}"));
            remove(pid_file);
            Begun::Over(Action::Error.code())
        }
    }
}
