//! `uninstall`: stops a service and takes out of the tree what `install` has put there. What was changed by
//! hand stays, unless `--purge` is given.

use std::path::{Path, PathBuf};

use anyhow::Result;
use foobar_initscripts::exit::Action;
use foobar_initscripts::inittab;
use foobar_initscripts::layout::Layout;
use foobar_initscripts::name::ServiceName;
use foobar_initscripts::plan::{self, Plan};
use foobar_initscripts::service::Service;

use crate::apply;
use crate::cli::Uninstall;
use crate::command::change::{self, Change};
use crate::context::Context;
use crate::control::outcome::Stopped;
use crate::control::{guard, kept, look, stop};
use crate::failure::Failure;
use crate::lock::TreeLock;
use crate::reference;
use crate::root::{Root, Scope};
use crate::supervisor::place::Place;
use crate::survey;
use crate::target;

/// Uninstalls a service.
pub fn run(context: &Context, arguments: &Uninstall) -> Result<Action> {
    let name = Context::name(&arguments.service.name)?;
    context.may_change("uninstall")?;
    let layout = context.layout()?;
    let _lock = if context.dry_run { None } else { Some(TreeLock::acquire(&context.root)?) };
    let service = if context.root.is_live() { target::service(&context.root, &name)? } else { None };
    let mut plan = planned(context, layout, &name, service.as_ref(), arguments)?;
    if context.dry_run {
        if let Some(process) = service.as_ref().map(look::running).transpose()?.flatten() {
            let main = service.as_ref().and_then(|service| look::main(context, service, &process));
            plan.notes.push(format!("{name}{} would be stopped first", look::numbered(main)));
        }
        return tell(context, layout, &name, plan, "");
    }
    let mut stopped = String::new();
    // Held until the service file is gone, so that nobody starts what nobody could stop any more.
    let mut guard = None;
    if let Some(service) = &service {
        // init would start again what is stopped before it has let go of it.
        leave_init(context, layout, service, &plan)?;
        // Only after the first plan has shown that the service may go; the second one sees what stopping
        // has left.
        guard = guard::acquire_if_possible(context, service)?;
        if let Stopped::Now(pid, _) = stop::stop_alone(context, service)? {
            stopped = format!(", after stopping it{}", look::numbered(pid));
        }
        plan = planned(context, layout, &name, Some(service), arguments)?;
    }
    let locks_of = match &service {
        Some(service) => Some(PathBuf::from(service.controlling_pid_file())),
        None if context.root.is_live() => guard::left_behind(context, &name),
        None => None,
    };
    let action = tell(context, layout, &name, plan, &stopped)?;
    if context.root.is_live() {
        let removed = Place::of(&context.root, &name).remove();
        removed.map_err(|error| Failure::of_io(&error, format!("{error}; run the same command again")))?;
    }
    if let Some(pid_file) = locks_of {
        guard::remove(&pid_file, guard)?;
    }
    Ok(action)
}

/// Takes the service out of /etc/inittab first, as far as the plan wants that, and waits until init has ended it.
fn leave_init(context: &Context, layout: &Layout, service: &Service, plan: &Plan) -> Result<()> {
    let table = plan.steps.iter().filter(|step| step.path() == inittab::PATH).cloned().collect();
    let first = Plan { steps: table, notes: Vec::new() };
    if first.is_empty() || context.root.scope() != Scope::Machine {
        return Ok(());
    }
    apply::run(&context.root, &first, &change::places(layout, &first), context.output)?;
    kept::tell_init(context, &first, &service.name)?;
    kept::wait_ended(service);
    Ok(())
}

fn tell(
    context: &Context,
    layout: &Layout,
    name: &ServiceName,
    mut plan: Plan,
    stopped: &str,
) -> Result<Action> {
    let idle = format!("{name} is not installed, nothing to do");
    plan.notes.retain(|note| *note != format!("{name} is not installed"));
    let change = Change {
        verb: "uninstall",
        name,
        done: format!("uninstalled {name} ({}){stopped}", change::count(&plan)),
        idle: if plan.notes.is_empty() {
            idle
        } else {
            format!("{name} is uninstalled already, nothing to do")
        },
    };
    change::carry_out(context, layout, &change, &plan)
}

/// What is to be done.
///
/// # Errors
/// Those of the plan.
pub fn planned(
    context: &Context,
    layout: &Layout,
    name: &ServiceName,
    service: Option<&Service>,
    arguments: &Uninstall,
) -> Result<Plan> {
    let root = &context.root;
    let texts = reference::texts(root, layout, name)?;
    let extras: Vec<String> =
        texts.into_iter().flat_map(|texts| texts.extras).map(|extra| extra.path).collect();
    let extras: Vec<&str> = extras.iter().map(String::as_str).collect();
    let leftovers = leftovers(root, layout, name, service, arguments.purge)?;
    let leftovers: Vec<&str> = leftovers.iter().map(String::as_str).collect();
    let Uninstall { purge, force, .. } = *arguments;
    let wish = plan::Uninstall { name, extras: &extras, leftovers: &leftovers, purge, force };
    let more: Vec<&str> = extras.iter().chain(&leftovers).copied().collect();
    let installed = survey::installed(root, layout)?;
    let existing = survey::existing(root, plan::watched(layout, &installed, name, &more))?;
    plan::uninstall(&wish, layout, &installed, &existing).map_err(|error| change::refused(&error))
}

/// What is in the tree beside what was installed: the PID file, emptied by a daemon that could not remove it; the
/// directory of service files, if a killed uninstall had emptied it; with `purge` the log.
fn leftovers(
    root: &Root,
    layout: &Layout,
    name: &ServiceName,
    service: Option<&Service>,
    purge: bool,
) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let pid_file =
        service.and_then(|service| Path::new(service.controlling_pid_file()).strip_prefix(root.base()).ok());
    found.extend(pid_file.and_then(|path| Some(format!("/{}", path.to_str()?))));
    let directory = Path::new(layout.service_dir);
    if root.facts(directory)?.is_some() && root.names(directory)?.is_empty() {
        found.push(layout.service_dir.to_owned());
    }
    if purge {
        found.extend(reference::log(root, layout, name));
        if service.is_some_and(Service::is_supervised) {
            found.extend(logs(root, layout, name)?);
        }
    }
    Ok(found)
}

/// The log file of a service whose supervisor writes one where nobody has named another, and those rotated from it.
fn logs(root: &Root, layout: &Layout, name: &ServiceName) -> Result<Vec<String>> {
    let directory = Path::new(layout.log_dir);
    if root.facts(directory)?.is_none() {
        return Ok(Vec::new());
    }
    let newest = format!("{name}.log");
    let is_one = |file: &str| match file.strip_prefix(&newest) {
        Some("") => true,
        Some(rest) => rest.strip_prefix('.').is_some_and(|number| number.parse::<u32>().is_ok()),
        None => false,
    };
    let names = root.names(directory)?;
    let own = names.iter().filter_map(|file| file.to_str()).filter(|file| is_one(file));
    Ok(own.map(|file| format!("{}/{file}", layout.log_dir)).collect())
}
