//! From the name of a service to what there is of it: our service file, or the init script that somebody
//! else installed. It reads a file or two and never the whole tree.

use std::path::{Path, PathBuf};

use foobar_initscripts::description;
use foobar_initscripts::exit::Action;
use foobar_initscripts::layout::DEFAULT;
use foobar_initscripts::name::ServiceName;
use foobar_initscripts::service::Service;
use foobar_process::probe::State;

use crate::context::Context;
use crate::control::look;
use crate::failure::Failure;
use crate::machine;
use crate::root::{Root, Scope};
use crate::scripts;
use crate::supervisor::place::Place;
use crate::sys::dir::Facts;

/// Whose service it is.
#[derive(Debug)]
pub enum Target {
    /// We have its service file.
    Ours(Box<Service>),
    /// Somebody else has installed it; its init script knows the rest.
    Script(PathBuf),
}

/// Finds a service that is installed.
///
/// # Errors
/// [`Action::NotInstalled`] with what was looked for; [`Action::NotConfigured`] for a service file with a
/// fault; [`Action::Permission`] for one that others could have written.
pub fn find(context: &Context, name: &ServiceName) -> anyhow::Result<Target> {
    let root = &context.root;
    if let Some(service) = service(root, name)? {
        return Ok(Target::Ours(Box::new(as_it_runs(root, service))));
    }
    // Only now does it matter how the tree is laid out; a tree that looks like none has no scripts.
    let layout = context.layout().unwrap_or(DEFAULT);
    if let Some(script) = scripts::script_of(root, layout, name.as_str())? {
        return Ok(Target::Script(script));
    }
    let script = PathBuf::from(layout.script(name.as_str()));
    Err(Failure::error(
        Action::NotInstalled,
        format!(
            "{name} is not installed: there is neither {} nor {}; install it first (foobarctl install {name})",
            root.outside(Path::new(&DEFAULT.service_file(name.as_str()))).display(),
            root.outside(&script).display()
        ),
    ))
}

/// The service, or what it was at its start if its supervisor still runs and its file now names another PID file or none: by that file
/// it would not be found, and a second one started beside it.
fn as_it_runs(root: &Root, service: Service) -> Service {
    if !root.is_live() {
        return service;
    }
    let kept = Place::of(root, &service.name).service();
    let former =
        kept.and_then(|text| description::parse(&service.name, &String::from_utf8_lossy(&text), "").ok());
    let Some(former) = former.filter(Service::is_supervised) else { return service };
    if service.is_supervised() && former.controlling_pid_file() == service.controlling_pid_file() {
        return service;
    }
    let runs = matches!(look::look(&former), Ok(State::Running { .. }));
    if runs { former } else { service }
}

/// The service file of `name`; `None` when there is none. All layouts keep it in one place.
///
/// # Errors
/// As [`find`].
pub fn service(root: &Root, name: &ServiceName) -> anyhow::Result<Option<Service>> {
    let path = DEFAULT.service_file(name.as_str());
    let Some((text, facts)) = root.read(Path::new(&path))? else { return Ok(None) };
    let shown = root.outside(Path::new(&path)).display().to_string();
    believe(root, &facts, &shown)?;
    let text = String::from_utf8(text).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Failure::error(
            Action::NotConfigured,
            format!("{shown}: byte {at} is not UTF-8: save the file as UTF-8"),
        )
    })?;
    description::parse(name, &text, &shown)
        .map(Some)
        .map_err(|error| Failure::error(Action::NotConfigured, error.to_string()))
}

/// What a service file says is done with our rights, so nobody with fewer may have written it.
fn believe(root: &Root, facts: &Facts, shown: &str) -> anyhow::Result<()> {
    let others_can_write = facts.mode & 0o022 != 0;
    let of_another = facts.owner != 0 && (root.scope() == Scope::Machine || !machine::is_user(facts.owner));
    if !root.is_live() || (!others_can_write && !of_another) {
        return Ok(());
    }
    let (why, remedy) = if of_another {
        let owner = facts.owner;
        (
            format!("belongs to user {owner}"),
            format!("chown root {shown}, or be that user (sudo -u '#{owner}')"),
        )
    } else {
        (format!("can be written by others (mode {:04o})", facts.mode), format!("chmod go-w {shown}"))
    };
    Err(Failure::error(
        Action::Permission,
        format!("{shown} {why}, so what it says is not done: look at it, then {remedy}"),
    ))
}

/// Whether only root may start and stop services of this tree, and we are not.
///
/// # Errors
/// [`Action::Permission`] with the remedy.
pub fn may_control(context: &Context, verb: &str, name: &ServiceName) -> anyhow::Result<()> {
    if context.dry_run || context.root.scope() != Scope::Machine || machine::is_root() {
        return Ok(());
    }
    Err(Failure::error(
        Action::Permission,
        format!("cannot {verb} {name}: only root may do that, use sudo foobarctl {verb} {name}"),
    ))
}
