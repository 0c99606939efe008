//! `enable` and `disable`: whether an installed service starts at boot, as update-rc.d does it. Works on the
//! services of others, too.

use anyhow::Result;
use foobar_initscripts::exit::Action;
use foobar_initscripts::installed::Installed;
use foobar_initscripts::layout::Layout;
use foobar_initscripts::name::{Runlevels, ServiceName};
use foobar_initscripts::plan::{self, Existing, Plan, PlanError, Toggle};

use crate::cli::{Disable, Enable};
use crate::command::change::{self, Change};
use crate::command::install::levels;
use crate::context::Context;
use crate::lock::TreeLock;
use crate::survey;

/// [`plan::enable`] or [`plan::disable`].
pub type Planner = fn(&Toggle<'_>, &Layout, &Installed, &Existing) -> Result<Plan, PlanError>;

/// Makes a service start at boot.
pub fn enable(context: &Context, arguments: &Enable) -> Result<Action> {
    let action =
        toggle(context, "enable", &arguments.service.name, arguments.runlevels.as_deref(), plan::enable)?;
    change::warn_of_other_init(context, context.layout()?);
    Ok(action)
}

/// Makes a service not start at boot.
pub fn disable(context: &Context, arguments: &Disable) -> Result<Action> {
    toggle(context, "disable", &arguments.service.name, arguments.runlevels.as_deref(), plan::disable)
}

fn toggle(
    context: &Context,
    verb: &str,
    name: &str,
    asked: Option<&str>,
    planner: Planner,
) -> Result<Action> {
    let name = Context::name(name)?;
    let runlevels = asked.map(levels).transpose()?;
    context.may_change(verb)?;
    let layout = context.layout()?;
    let _lock = if context.dry_run { None } else { Some(TreeLock::acquire(&context.root)?) };
    let plan = planned(context, layout, &name, runlevels, planner)?;
    let change = Change {
        verb,
        name: &name,
        done: format!("{verb}d {name} ({})", change::count(&plan)),
        idle: format!("{name} is {verb}d already, nothing to do"),
    };
    change::carry_out(context, layout, &change, &plan)
}

/// What is to be done, by [`plan::enable`] or [`plan::disable`].
///
/// # Errors
/// Those of the plan.
pub fn planned(
    context: &Context,
    layout: &Layout,
    name: &ServiceName,
    runlevels: Option<Runlevels>,
    planner: Planner,
) -> Result<Plan> {
    let installed = survey::installed(&context.root, layout)?;
    let existing = survey::existing(&context.root, plan::watched(layout, &installed, name, &[]))?;
    planner(&Toggle { name, runlevels }, layout, &installed, &existing)
        .map_err(|error| change::refused(&error))
}
