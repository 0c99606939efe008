//! The plan that uninstalls a service: what makes it run at boot first, then script, service file and what
//! came with it, so that a crash after any step leaves nothing that points nowhere.

use super::entry;
use super::hooks;
use super::openrc;
use super::put::drop_file;
use super::rcs;
use super::request::{Existing, Found, PlanError, Uninstall};
use super::sysv;
use crate::installed::Installed;
use crate::layout::Layout;
use crate::layout::facts::Scheme;
use crate::step::{Plan, Step};

/// What makes the root forget the service. Empty if it does not know it.
///
/// What an administrator has changed by hand is kept and noted, unless `purge` is set.
///
/// # Errors
/// [`PlanError::NotOurs`] when somebody else wrote the init script and `force` is not set, and when the root's
/// scripts have no order.
pub fn uninstall(
    wish: &Uninstall<'_>,
    layout: &Layout,
    installed: &Installed,
    existing: &Existing,
) -> Result<Plan, PlanError> {
    let name = wish.name.as_str();
    let mut plan = Plan::default();
    entry::remove(name, wish.purge || wish.force, existing, &mut plan);
    match layout.scheme {
        Scheme::SysV(sysv) => sysv::Tree { sysv, layout, installed, existing }.uninstall(wish, &mut plan)?,
        Scheme::Rcs(rcs) => rcs::Tree { rcs, layout, installed, existing }.uninstall(wish, &mut plan)?,
        Scheme::OpenRc(openrc) => openrc::Tree { openrc, layout, existing }.uninstall(wish, &mut plan)?,
        Scheme::Hooks(hooks) => {
            hooks::Tree { hooks, layout, installed, existing }.uninstall(wish, &mut plan)?
        }
    }
    let service_file = layout.service_file(name);
    let had_file = plan.steps.len();
    drop_file(&service_file, wish.purge, existing, &mut plan);
    let emptied = plan.steps.len() > had_file;
    for path in wish.extras {
        drop_file(path, wish.purge, existing, &mut plan);
    }
    for path in wish.leftovers {
        match existing.get(*path) {
            Some(Found::Directory) => plan.steps.push(Step::RemoveDir { path: (*path).to_owned() }),
            _ => drop_file(path, true, existing, &mut plan),
        }
    }
    if emptied {
        plan.steps.push(Step::RemoveDir { path: layout.service_dir.to_owned() });
    }
    if plan.steps.is_empty() && plan.notes.is_empty() {
        plan.notes.push(format!("{name} is not installed"));
    }
    Ok(plan)
}
