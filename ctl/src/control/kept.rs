//! Services that init itself keeps running, by their entries in /etc/inittab: init starts them, and starts them
//! again whenever they end. What an entry looks like is in `inittab`; here is what can be done about a running one.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use foobar_initscripts::exit::Action;
use foobar_initscripts::inittab::{self, Dialect, Entry, PATH, State};
use foobar_initscripts::layout::Layout;
use foobar_initscripts::layout::facts::Scheme;
use foobar_initscripts::name::ServiceName;
use foobar_initscripts::plan::{Plan, Step};
use foobar_initscripts::service::Service;
use foobar_process::identity::Process;
use foobar_process::probe;
use foobar_process::{Pid, Signal};

use crate::context::Context;
use crate::control::outcome::{Started, refused};
use crate::control::{guard, look, stop};
use crate::failure::Failure;
use crate::launch;
use crate::machine::{self, Init};
use crate::root::{Root, Scope, leads_nowhere};
use crate::target;

/// More entries, of which sysvinit 3 reads those in files whose names end so (init(8)).
const MORE: &str = "/etc/inittab.d";
const MORE_END: &str = ".tab";

/// Where sysvinit has its telinit; /sbin may be a link to /usr/sbin.
const TELINIT: &str = "/sbin/telinit";

/// What the kernel starts, and by what it is called if it is one of many tools.
const INIT: &str = "/sbin/init";
const BUSYBOX: &str = "busybox";

/// Whose inittab a tree has: that of the init that runs, or would run there. Where there is none yet, the layout tells.
///
/// # Errors
/// With the path in words.
pub fn dialect(root: &Root, layout: &Layout) -> io::Result<Dialect> {
    if root.scope() == Scope::Machine && machine::init() == Init::Busybox {
        return Ok(Dialect::Busybox);
    }
    let init = match root.place(Path::new(INIT)) {
        Ok(place) if place.dir.facts(&place.name)?.is_some() => Some(place.name),
        Ok(_) => None,
        Err(error) if leads_nowhere(&error) => None,
        Err(error) => return Err(root.about("cannot look at", Path::new(INIT), &error)),
    };
    Ok(match (init, layout.scheme) {
        (Some(name), _) if name == BUSYBOX => Dialect::Busybox,
        (None, Scheme::Rcs(_)) => Dialect::Busybox,
        _ => Dialect::SysV,
    })
}

/// The entry of a service of this tree.
///
/// # Errors
/// With the path in words.
pub fn entry(root: &Root, name: &str) -> io::Result<Option<Entry>> {
    // What lies in a prefix is not read by any init.
    if root.scope() == Scope::Prefix {
        return Ok(None);
    }
    let text = root.read(Path::new(PATH))?;
    Ok(text.and_then(|(text, _)| inittab::find(&text, name)).filter(|entry| entry.state != State::Gone))
}

/// The ids of entries in other files than /etc/inittab.
///
/// # Errors
/// With the path in words.
pub fn other_ids(root: &Root) -> io::Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for name in root.names(Path::new(MORE))? {
        if name.to_str().is_some_and(|name| name.ends_with(MORE_END)) {
            let text = root.read(&Path::new(MORE).join(&name))?;
            found.extend(text.map(|(text, _)| inittab::ids(&text)).unwrap_or_default());
        }
    }
    Ok(found)
}

/// The entry by which the init that runs now keeps a service running.
///
/// # Errors
/// With the path in words.
pub fn keeper(root: &Root, name: &str) -> io::Result<Option<Entry>> {
    if root.scope() != Scope::Machine {
        return Ok(None);
    }
    let entry = entry(root, name)?.filter(|entry| entry.state == State::On);
    Ok(entry.filter(|entry| match machine::init() {
        Init::Sysv => entry.dialect == Dialect::SysV,
        Init::Busybox => entry.dialect == Dialect::Busybox,
        Init::Other(_) => false,
    }))
}

/// Has init read its table, if the plan has edited that of this machine. What it is to keep no longer is ended.
///
/// # Errors
/// When init cannot be told; the table is edited by then.
pub fn tell_init(context: &Context, plan: &Plan, name: &ServiceName) -> Result<()> {
    let edits = plan.steps.iter().any(|step| matches!(step, Step::Edit { path, .. } if path == PATH));
    if !edits || context.root.scope() != Scope::Machine || context.dry_run {
        return Ok(());
    }
    match machine::init() {
        Init::Sysv => read_table(context),
        Init::Busybox => {
            read_table(context)?;
            // It forgets the entry, and as a rule leaves its process alone.
            let is_kept = keeper(&context.root, name.as_str())?.is_some();
            if let Some(service) = target::service(&context.root, name)?.filter(|_| !is_kept) {
                stop::stop(context, &service)?;
            }
            Ok(())
        }
        Init::Other(_) => Ok(()),
    }
}

fn read_table(context: &Context) -> Result<()> {
    if machine::init() == Init::Busybox {
        context.output.step(format_args!("sending HUP to process 1, by which init reads {PATH}"));
        let init = Process::open(Pid::from_raw(1)).and_then(|init| match init {
            Some(init) => init.signal(Signal::SIGHUP),
            None => Err(io::ErrorKind::NotFound.into()),
        });
        return init.map_err(|error| {
            let text =
                format!("init was not told to read {PATH}: {error}; run 'kill -HUP 1' yourself, or boot");
            Failure::of_io(&error, text)
        });
    }
    context.output.step(format_args!("running {TELINIT} q, by which init reads {PATH}"));
    let failed = |why: String| {
        let remedy = "run 'telinit q' yourself, or boot";
        Failure::error(Action::Error, format!("init was not told to read {PATH}: {why}; {remedy}"))
    };
    match launch::script(Path::new(TELINIT), "q", false) {
        Ok((status, _)) if status.success() => Ok(()),
        Ok((status, said)) => Err(failed(format!("{TELINIT} q: {status} {said}"))),
        Err(error) => Err(failed(format!("cannot run {TELINIT}: {error}"))),
    }
}

/// Starts a service that init keeps running, by asking init.
///
/// # Errors
/// When it does not run in time.
pub fn start(context: &Context, service: &Service, entry: &Entry) -> Result<Started> {
    if let Some(process) = look::running(service)? {
        return Ok(Started::Already(Some(process.pid())));
    }
    read_table(context)?;
    appeared(service, entry, None).map(|pid| Started::Now(Some(pid), String::new()))
}

/// Ends the process of a service that init keeps running, and waits for the next one. Returns both.
///
/// # Errors
/// When it cannot be ended, or none follows in time.
pub fn restart(context: &Context, service: &Service, entry: &Entry) -> Result<(Option<Pid>, Pid)> {
    let guard = guard::acquire(context, service)?;
    let old = look::running(service)?.map(|process| process.pid());
    if old.is_some() {
        stop::stop_alone(context, service)?;
    } else {
        read_table(context)?;
    }
    drop(guard);
    Ok((old, appeared(service, entry, old)?))
}

/// Refuses to stop a service that init would start again at once.
///
/// # Errors
/// [`Action::Error`], with the way to stop it.
pub fn may_stop(root: &Root, service: &Service) -> Result<()> {
    let name = &service.name;
    let Some(entry) = keeper(root, name.as_str())? else { return Ok(()) };
    if look::running(service)?.is_none() {
        return Ok(());
    }
    Err(Failure::error(
        Action::Error,
        format!(
            "init keeps {name} running ({PATH}, line {}) and would start it again: 'foobarctl disable {name}' stops it, \
             and keeps it from running until 'foobarctl enable {name}'",
            entry.line
        ),
    ))
}

/// Waits until init has ended the process of a service whose entry is gone. One that stays is for `stop`, as is any that
/// busybox had.
pub fn wait_ended(service: &Service) {
    if machine::init() != Init::Sysv {
        return;
    }
    let limit = service.stop_timeout + Duration::from_secs(5);
    if let Ok(probe::State::Running { process, .. }) = look::look(service) {
        let _ = process.wait_gone(Instant::now() + limit);
    }
}

fn appeared(service: &Service, entry: &Entry, not: Option<Pid>) -> Result<Pid> {
    let deadline = Instant::now() + service.start_timeout;
    let mut pause = Duration::from_millis(1);
    loop {
        let state = look::look(service);
        match &state {
            Ok(probe::State::Running { process, .. }) if Some(process.pid()) != not => {
                return Ok(process.pid());
            }
            _ => {}
        }
        let now = Instant::now();
        if now >= deadline {
            state.map_err(|refusal| refused(&refusal))?;
            let look = match entry.dialect {
                Dialect::SysV => format!(
                    "this is one of the runlevels {} (runlevel), and whether syslog tells of 'respawning too fast'",
                    entry.runlevels
                ),
                Dialect::Busybox => {
                    format!("'{}' runs by itself, and what syslog tells of it", entry.process)
                }
            };
            let (name, limit) = (&service.name, service.start_timeout.as_secs());
            return Err(Failure::error(
                Action::Error,
                format!("init has not started {name} within {limit} s: see whether {look}"),
            ));
        }
        // Nothing tells when init starts a program, and that writes its PID file.
        std::thread::sleep(pause.min(deadline - now));
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}
