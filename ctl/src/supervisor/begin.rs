//! The supervisor as a program of its own, `foobarctl-supervise NAME [PREFIX]`: becomes a daemon with a locked PID file, and holds its
//! service until that has ended. It is started by `foobarctl start`, which waits for its verdict.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Result;
use foobar_initscripts::description;
use foobar_initscripts::exit::Action;
use foobar_initscripts::layout::DEFAULT;
use foobar_initscripts::name::ServiceName;
use foobar_initscripts::service::{FOREVER, Service};
use foobar_process::cgroup::{Controller, Group};
use foobar_process::daemonize::{Daemonize, Readiness, Side};
use foobar_process::identity::BootId;
use foobar_process::ledger::Ledger;
use foobar_process::pidfile::PidFile;
use foobar_process::signal::Signals;
use foobar_process::startlock::StartLock;
use foobar_process::syslog::Priority;
use foobar_process::{Pid, Signal, child, inheritance, uptime};

use crate::failure::Failure;
use crate::output;
use crate::root::{Root, Scope};
use crate::supervisor::answer;
use crate::supervisor::conditions::{self, Outcome};
use crate::supervisor::directories::Directories;
use crate::supervisor::handover::{self, Handover};
use crate::supervisor::image::{self, Refused, Settled};
use crate::supervisor::looks::Looks;
use crate::supervisor::output::Output;
use crate::supervisor::place::Place;
use crate::supervisor::policy::History;
use crate::supervisor::report::{Report, State};
use crate::supervisor::run::{self, End};
use crate::supervisor::server::{Request, Server};
use crate::supervisor::signs::Signs;
use crate::supervisor::sockets::Sockets;
use crate::supervisor::unit::{Phase, Unit};
use crate::target;

/// The name that it is called by.
pub const NAME: &str = "foobarctl-supervise";

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

/// How much longer than the service may take the starter waits for us.
const MARGIN: Duration = Duration::from_secs(30);

/// Runs it; returns the exit code.
pub fn supervise(arguments: &[OsString]) -> u8 {
    begin(arguments).unwrap_or_else(|error| {
        output::complain(format_args!("{error:#}"));
        Failure::action_of(&error).code()
    })
}

fn begin(arguments: &[OsString]) -> Result<u8> {
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
        return resume(&root, &name, left);
    }
    let service = target::service(&root, &name)?
        .ok_or_else(|| Failure::error(Action::NotInstalled, format!("{name} is not installed")))?;
    let text = root.read(Path::new(&DEFAULT.service_file(name.as_str())))?.map(|(text, _)| text);
    let settled =
        image::settle(&service.execution).map_err(|Refused(action, text)| Failure::error(action, text))?;
    let place = Place::of(&root, &name);
    place.make()?;
    match conditions::check(&service.conditions) {
        Outcome::Hold => {}
        Outcome::Skip(why) => return skip(&service, &place, called, &why),
        Outcome::Fail(why) => {
            return Err(Failure::error(Action::NotConfigured, format!("{name} did not start: {why}")));
        }
    }
    let patience = longest(&service);
    match Daemonize::new().timeout(patience).detach()? {
        Side::Starter(verdict) => {
            if verdict.code() != 0 {
                output::complain(&verdict);
            }
            Ok(verdict.code())
        }
        Side::Daemon(readiness) => {
            let directories = Directories::of(&service, &root);
            let seed = Seed { directories, service, settled, place, called, text: text.unwrap_or_default() };
            Ok(seed.live(readiness))
        }
    }
}

/// Goes on with what the program before has left, by the service file that the service was started with.
fn resume(root: &Root, name: &ServiceName, left: Handover) -> Result<u8> {
    let place = Place::of(root, name);
    let path = place.file("service");
    let text = place.service().unwrap_or_default();
    let service = description::parse(name, &String::from_utf8_lossy(&text), &path.display().to_string())?;
    let settled =
        image::settle(&service.execution).map_err(|Refused(action, text)| Failure::error(action, text))?;
    if left.is_rehearsal {
        return Ok(Action::Ok.code());
    }
    let directories = Directories::of(&service, root);
    Seed { directories, service, settled, place, called: Duration::ZERO, text }.resume(left)
}

/// Leaves word that the service was not started, as its conditions want it.
fn skip(service: &Service, place: &Place, called: Duration, why: &str) -> Result<u8> {
    let mut report = Report::new(&service.name, String::new(), called);
    report.supervisor = None;
    report.reason = Some(format!("{} was not started: {why}", service.name));
    place.write_report(&report)?;
    Ok(Action::Ok.code())
}

/// How long a start may take until all of it has ended, well or not.
pub fn longest(service: &Service) -> Duration {
    let stops = service.stop_timeout.saturating_mul(3);
    service.start_timeout.saturating_add(stops).saturating_add(MARGIN).min(FOREVER)
}

/// What the daemon begins with.
struct Seed {
    directories: Directories,
    service: Service,
    settled: Settled,
    place: Place,
    called: Duration,
    text: Vec<u8>,
}

impl Seed {
    /// The daemon's life; returns its exit code.
    fn live(self, readiness: Readiness) -> u8 {
        let pid_file = PathBuf::from(self.service.controlling_pid_file());
        let made = StartLock::acquire(&pid_file, Instant::now() + MARGIN)
            .map_err(|error| error.to_string())
            .and_then(|lock| PidFile::create(&lock).map_err(|error| error.to_string()));
        let pid_file = match made {
            Ok(pid_file) => pid_file,
            Err(text) => {
                readiness.failed(Action::Error.code(), &text);
                return Action::Error.code();
            }
        };
        match self.prepare(pid_file.path()) {
            Ok((mut unit, signals, server)) => {
                unit.starter = Some(readiness);
                unit.start();
                hold(unit, &signals, server, pid_file)
            }
            Err(error) => {
                readiness.failed(Failure::action_of(&error).code(), &format!("{error:#}"));
                remove(pid_file);
                Action::Error.code()
            }
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
        let signs = Signs::new(&self.service, &self.settled, &self.place).map_err(|error| {
            let path = self.place.file("notify");
            Failure::of_io(&error, format!("cannot make the socket {}: {error}", path.display()))
        })?;
        let refused = |Refused(action, text)| Failure::error(action, text);
        let sockets = Sockets::open(&self.service).map_err(refused)?;
        let mut unkept = Vec::new();
        let group = self.group(&mut |text: String| unkept.push(text));
        let mut report = Report::new(&self.service.name, invocation()?, self.called);
        report.control_group = group.as_ref().map(|group| group.path().display().to_string());
        report.sockets = sockets.shown();
        let mut unit = self.assemble(Parts { ledger, group, report, output, signs, sockets })?;
        unkept.iter().for_each(|text| unit.announce(Priority::Warning, text));
        Ok((unit, signals, server))
    }

    /// The same, of what the program before has left. Its service is running.
    fn resume(self, left: Handover) -> Result<u8> {
        let pid_file = PathBuf::from(self.service.controlling_pid_file());
        let take = inheritance::take;
        let lock = PidFile::adopt(&pid_file, take(left.pid_file)?)?;
        let signals = Signals::block(&SIGNALS)?;
        child::adopt_orphans()?;
        let server = Server::inherited(&pid_file, take(left.listener)?)?;
        let request = Request::inherited("upgrade", take(left.client)?);
        let [out, err, out_end, err_end] = left.pipes[..] else {
            return Err(Failure::error(Action::Error, "the program before has not left four pipes"));
        };
        let pipes = [take(out)?, take(err)?, take(out_end)?, take(err_end)?];
        let opened = left.sockets.into_iter().map(take).collect::<std::io::Result<_>>()?;
        let main = left.report.main;
        let parts = Parts {
            ledger: Ledger::reopen(&self.place.ledger())?,
            group: Group::find(self.place.group()),
            output: Output::inherited(&self.service, &self.place, pipes)?,
            signs: Signs::inherited(&self.service, &self.place, left.notify.map(take).transpose()?),
            sockets: Sockets::inherited(&self.service, opened),
            report: left.report,
        };
        let mut unit = self.assemble(parts)?;
        let ran = uptime::since_boot().as_secs_f64() - left.began;
        unit.resume(main.map(Pid::from_raw), Duration::try_from_secs_f64(ran).unwrap_or_default());
        let text =
            format!("supervisor upgraded from version {} to {}", left.version, env!("CARGO_PKG_VERSION"));
        answer::tell(request, &(Action::Ok, text));
        Ok(hold(unit, &signals, server, lock))
    }

    fn assemble(self, parts: Parts) -> Result<Unit> {
        let Parts { ledger, group, report, output, signs, sockets } = parts;
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
            reloaded: None,
            log: Unit::syslog(),
        })
    }

    /// The control group with its limits; what cannot be limited is told.
    fn group(&self, warn: &mut dyn FnMut(String)) -> Option<Group> {
        let mut group = Group::make(self.place.group());
        let limits = [
            (Controller::Pids, "tasks-max", self.service.confinement.tasks_max),
            (Controller::Memory, "memory-max", self.service.confinement.memory_max),
        ];
        for (controller, key, limit) in limits {
            let Some(limit) = limit.filter(|limit| !limit.is_infinite()) else { continue };
            let set = match &mut group {
                Some(group) => group.limit(controller, limit.0).map_err(|error| error.to_string()),
                None => Err("there is no control group for it".to_owned()),
            };
            if let Err(why) = set {
                warn(format!("{key} is not enforced: {why}"));
            }
        }
        group
    }
}

/// What differs between a supervisor that begins and one that goes on.
struct Parts {
    ledger: Ledger,
    group: Option<Group>,
    report: Report,
    output: Output,
    signs: Signs,
    sockets: Sockets,
}

/// Runs until the service has ended for good; returns the exit code.
fn hold(mut unit: Unit, signals: &Signals, mut server: Server, pid_file: PidFile) -> u8 {
    loop {
        match run::run(&mut unit, signals, &mut server) {
            Ok(End::Over) => break,
            Ok(End::Upgrade(request)) => {
                let Err(why) = handover::leave(&mut unit, &server, &pid_file, &request);
                unit.say(Priority::Warning, &why);
                answer::tell(request, &(Action::Error, why));
            }
            Err(error) => {
                unit.say(Priority::Crit, &format!("cannot wait any more: {error}"));
                break;
            }
        }
    }
    unit.output.finish();
    if let Some(group) = unit.group.take() {
        group.remove();
    }
    server.close();
    let code = u8::from(unit.report.state == State::Failed);
    let waits = unit.starter.take();
    drop(unit);
    remove(pid_file);
    if let Some(starter) = waits {
        // All is over: it does not matter whether somebody still waits.
        let _ = starter.ready();
    }
    code
}

fn remove(pid_file: PidFile) {
    if let Err(error) = pid_file.remove() {
        Unit::syslog().send(Priority::Warning, &format!("cannot remove a PID file: {error}"));
    }
}

/// A new ID as sd_id128 writes them: 32 hexadecimal digits.
fn invocation() -> std::io::Result<String> {
    let text = fs::read_to_string("/proc/sys/kernel/random/uuid")?;
    Ok(text.trim_end().replace('-', ""))
}
