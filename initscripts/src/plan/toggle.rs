//! The plans that enable and disable a service, which stays installed: with links of runlevels as
//! `update-rc.d NAME enable|disable` does it, elsewhere as the users of the layout do.

use super::entry;
use super::hooks;
use super::openrc;
use super::rcs;
use super::request::{Existing, PlanError, Toggle};
use super::sysv;
use crate::installed::Installed;
use crate::layout::Layout;
use crate::layout::facts::Scheme;
use crate::link::Kind;
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
    if let Some(plan) = entry::toggle(wish, kind, layout, existing) {
        return plan;
    }
    let mut plan = Plan::default();
    match layout.scheme {
        Scheme::SysV(sysv) => {
            sysv::Tree { sysv, layout, installed, existing }.toggle(wish, kind, &mut plan)?;
        }
        Scheme::Rcs(rcs) => {
            rcs::Tree { rcs, layout, installed, existing }.toggle(wish, kind, &mut plan)?;
        }
        Scheme::OpenRc(openrc) => {
            openrc::Tree { openrc, layout, existing }.toggle(wish, kind, &mut plan)?;
        }
        Scheme::Hooks(hooks) => {
            hooks::Tree { hooks, layout, installed, existing }.toggle(wish, kind, &mut plan)?;
        }
    }
    Ok(plan)
}
