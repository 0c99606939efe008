//! `uninstall`: stops a service and takes out of the tree what `install` has put there. What was changed by
//! hand stays, unless `--purge` is given.

use std::path::{Path, PathBuf};

use anyhow::Result;
use foobar_initscripts::exit::Action;
use foobar_initscripts::layout::Layout;
use foobar_initscripts::name::ServiceName;
use foobar_initscripts::plan::{self, Plan};
use foobar_initscripts::service::Service;

use crate::cli::Uninstall;
use crate::command::change::{self, Change};
use crate::context::Context;
use crate::control::guard;
use crate::control::stop::{self, Stopped};
use crate::lock::TreeLock;
use crate::reference;
use crate::root::Root;
use crate::survey;
use crate::target;

/// Uninstalls a service.
pub fn run(context: &Context, arguments: &Uninstall) -> Result<Action> {
    let name = Context::name(&arguments.service.name)?;
    context.may_change("uninstall")?;
    let layout = context.layout()?;
    let _lock = if context.dry_run { None } else { Some(TreeLock::acquire(&context.root)?) };
    let service = if context.root.is_live() { target::service(&context.root, &name)? } else { None };
    let mut plan = make_plan(context, layout, &name, service.as_ref(), arguments.purge)?;
    let mut stopped = String::new();
    if let (Some(service), false) = (&service, context.dry_run) {
        // Only after the first plan has shown that the service may go; the second one sees what stopping
        // has left.
        if let Stopped::Now(pid, _) = stop::stop(service)? {
            stopped = format!(", after stopping it (PID {pid})");
        }
        guard::remove(service);
        plan = make_plan(context, layout, &name, Some(service), arguments.purge)?;
    }
    let idle = format!("{name} is not installed, nothing to do");
    plan.notes.retain(|note| *note != format!("{name} is not installed"));
    let change = Change {
        verb: "uninstall",
        name: &name,
        done: format!("uninstalled {name} ({} changes){stopped}", plan.steps.len()),
        idle: if plan.notes.is_empty() {
            idle
        } else {
            format!("{name} is uninstalled already, nothing to do")
        },
    };
    change::carry_out(context, layout, &change, &plan)
}

fn make_plan(
    context: &Context,
    layout: &Layout,
    name: &ServiceName,
    service: Option<&Service>,
    purge: bool,
) -> Result<Plan> {
    let root = &context.root;
    let texts = reference::texts(root, layout, name)?;
    let extras: Vec<String> =
        texts.into_iter().flat_map(|texts| texts.extras).map(|extra| extra.path).collect();
    let extras: Vec<&str> = extras.iter().map(String::as_str).collect();
    let leftovers = leftovers(root, service);
    let leftovers: Vec<&str> = leftovers.iter().map(String::as_str).collect();
    let wish = plan::Uninstall { name, extras: &extras, leftovers: &leftovers, purge, force: purge };
    let more: Vec<&str> = extras.iter().chain(&leftovers).copied().collect();
    let existing = survey::existing(root, plan::watched(layout, name, &more))?;
    let installed = survey::installed(root, layout)?;
    plan::uninstall(&wish, layout, &installed, &existing).map_err(|error| change::refused(&error))
}

/// What the service leaves in the tree beside what was installed: its PID file, emptied by a daemon that
/// could not remove it.
fn leftovers(root: &Root, service: Option<&Service>) -> Vec<String> {
    let pid_file = service.map(|service| PathBuf::from(&service.pid_file));
    let inside =
        pid_file.and_then(|path| path.strip_prefix(root.base()).map(|path| Path::new("/").join(path)).ok());
    inside.and_then(|path| path.to_str().map(str::to_owned)).into_iter().collect()
}
