//! The plans that enable and disable a service as `update-rc.d NAME enable|disable` does: start links are
//! turned into kill links and back, then all numbers are brought up to date.

use super::links::{self, LinkSteps};
use super::request::{Existing, PlanError, Toggle};
use crate::installed::Installed;
use crate::layout::Layout;
use crate::link::Kind;
use crate::name::{Runlevel, Runlevels};
use crate::order::Change;
use crate::step::Plan;

/// Makes the service start in its runlevels again. Empty if it does.
///
/// # Errors
/// [`PlanError`] when there is no script, no runlevel or no link to turn.
pub fn enable(
    wish: &Toggle<'_>,
    layout: &Layout,
    installed: &Installed,
    existing: &Existing,
) -> Result<Plan, PlanError> {
    toggle(wish, Kind::Start, layout, installed, existing)
}

/// Keeps the service from starting in its runlevels, without forgetting it. Empty if it does not start.
///
/// # Errors
/// [`PlanError`] when there is no script, no runlevel or no link to turn.
pub fn disable(
    wish: &Toggle<'_>,
    layout: &Layout,
    installed: &Installed,
    existing: &Existing,
) -> Result<Plan, PlanError> {
    toggle(wish, Kind::Kill, layout, installed, existing)
}

fn toggle(
    wish: &Toggle<'_>,
    kind: Kind,
    layout: &Layout,
    installed: &Installed,
    existing: &Existing,
) -> Result<Plan, PlanError> {
    let name = wish.name.as_str();
    let path = layout.script(name);
    if !installed.has_script(name) {
        return Err(PlanError::NoScript { path });
    }
    let asked = match wish.runlevels {
        Some(levels) => levels,
        None => links::default_start(installed, name).ok_or(PlanError::NoRunlevels { path })?,
    };
    let mut plan = Plan::default();
    let fixed: Runlevels = [Runlevel::R0, Runlevel::R1, Runlevel::R6].into_iter().collect();
    for level in asked.iter().filter(|level| fixed.contains(*level)) {
        plan.notes
            .push(format!("links in runlevel {level} are not turned: it halts, reboots or is for repair"));
    }
    let levels = asked.without(fixed);
    if !links::links_of(installed).any(|link| &*link.name == name && levels.contains(link.runlevel)) {
        return Err(PlanError::NoLinks { name: name.to_owned(), runlevels: asked });
    }
    let mut after = installed.clone();
    after.turn_links(name, levels, kind);
    let change = Change::add(name).forced();
    let LinkSteps { make, depend, remove } =
        links::steps(layout, existing, installed, &after, &change, name, &mut plan)?;
    plan.steps.extend(make);
    plan.steps.extend(depend);
    plan.steps.extend(remove);
    Ok(plan)
}
