//! What the verbs that change a tree have in common: carrying the plan out or printing it, and telling the
//! end in one line.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Result;
use foobar_initscripts::exit::Action;
use foobar_initscripts::layout::Layout;
use foobar_initscripts::layout::facts::Scheme;
use foobar_initscripts::name::ServiceName;
use foobar_initscripts::plan::{Plan, PlanError};
use serde::Serialize;

use crate::apply;
use crate::cli::Format;
use crate::context::Context;
use crate::control::kept;
use crate::failure::Failure;
use crate::machine::{self, Init};
use crate::output;
use crate::root::Scope;

/// What `--format json` prints.
#[derive(Debug, Serialize)]
struct Facts<'a> {
    service: &'a str,
    action: &'a str,
    /// Whether anything was changed, or would be.
    changed: bool,
    dry_run: bool,
    message: &'a str,
    /// The directory that the paths of the plan are below.
    root: String,
    #[serde(flatten)]
    plan: &'a Plan,
}

/// A change to be told about.
#[derive(Debug)]
pub struct Change<'a> {
    /// The verb.
    pub verb: &'a str,
    /// The service.
    pub name: &'a ServiceName,
    /// The line for a change that was made.
    pub done: String,
    /// The line when there was nothing to do.
    pub idle: String,
}

/// Carries a plan out, or prints it for `--dry-run`.
///
/// # Errors
/// Those of applying it.
pub fn carry_out(context: &Context, layout: &Layout, change: &Change<'_>, plan: &Plan) -> Result<Action> {
    if !context.dry_run {
        apply::run(&context.root, plan, &places(layout, plan), context.output)?;
        kept::tell_init(context, plan, change.name)?;
    }
    let text = match (context.dry_run, plan.is_empty()) {
        (true, false) => foretold(context, change, plan),
        (_, true) => change.idle.clone(),
        (false, false) => change.done.clone(),
    };
    // With --quiet too: what an administrator changed and what was kept of it must be heard of.
    if context.output.format == Format::Text {
        for note in &plan.notes {
            output::complain(format_args!("note: {note}"));
        }
    }
    let facts = Facts {
        service: change.name.as_str(),
        action: change.verb,
        changed: !plan.is_empty(),
        dry_run: context.dry_run,
        message: if context.dry_run && !plan.is_empty() { "nothing was touched" } else { &text },
        root: context.root.base().display().to_string(),
        plan,
    };
    context.output.result(&text, &facts)?;
    Ok(Action::Ok)
}

/// How many steps a plan has, in words.
pub fn count(plan: &Plan) -> String {
    let steps = plan.steps.len();
    if steps == 1 { "1 change".to_owned() } else { format!("{steps} changes") }
}

/// The exit code for a plan that cannot be.
pub fn refused(error: &PlanError) -> anyhow::Error {
    let action = match error {
        PlanError::NoScript { .. } => Action::NotInstalled,
        PlanError::Script(_)
        | PlanError::NoRunlevels { .. }
        | PlanError::NoLinks { .. }
        | PlanError::NotALevel { .. }
        | PlanError::NoTable { .. }
        | PlanError::NoForeground { .. }
        | PlanError::Supervised { .. }
        | PlanError::LongProcess { .. } => Action::NotConfigured,
        PlanError::WithoutLevels { .. } | PlanError::OneForAll { .. } | PlanError::Reserved { .. } => {
            Action::Usage
        }
        PlanError::Order(_)
        | PlanError::NotOurs { .. }
        | PlanError::Several { .. }
        | PlanError::NoId { .. }
        | PlanError::Stranger { .. } => Action::Error,
    };
    Failure::error(action, error.to_string())
}

/// Says so when what was laid into the tree will not be run by what boots this machine.
pub fn warn_of_other_init(context: &Context, layout: &Layout) {
    if context.root.scope() != Scope::Machine {
        return;
    }
    let (init, what) = match layout.scheme {
        Scheme::SysV(_) => ("sysvinit", "links in rcN.d are"),
        Scheme::Hooks(_) => ("sysvinit", "rc.local is"),
        Scheme::Rcs(_) => ("busybox", "rcS is"),
        Scheme::OpenRc(_) => ("sysvinit, busybox or openrc-init", "OpenRC's runlevels are"),
    };
    let name = match machine::init() {
        Init::Sysv => return,
        Init::Busybox if matches!(layout.scheme, Scheme::Rcs(_) | Scheme::OpenRc(_)) => return,
        Init::Busybox => "busybox".to_owned(),
        Init::Other(name) if name == "openrc-init" && matches!(layout.scheme, Scheme::OpenRc(_)) => return,
        Init::Other(name) => name,
    };
    context.output.warn(format_args!(
        "PID 1 is {name}, not {init}: {what} not run at boot by it; the other verbs work"
    ));
}

fn foretold(context: &Context, change: &Change<'_>, plan: &Plan) -> String {
    let mut lines = vec![format!(
        "{} {} would do this below {}:",
        change.verb,
        change.name,
        context.root.base().display()
    )];
    lines.extend(plan.steps.iter().map(ToString::to_string));
    lines.join("\n")
}

/// The directories in which a run that was killed may have left something.
pub fn places(layout: &Layout, plan: &Plan) -> BTreeSet<PathBuf> {
    let mut found: BTreeSet<PathBuf> =
        layout.runlevels.iter().map(|level| PathBuf::from(layout.runlevel_dir(*level))).collect();
    found.extend([layout.script_dir, layout.service_dir, "/etc"].map(PathBuf::from));
    found.extend(plan.steps.iter().filter_map(|step| Path::new(step.path()).parent()).map(Path::to_owned));
    found
}
