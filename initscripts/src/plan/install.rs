//! The plan that installs a service: directories, files, script, and what makes it run at boot, in this order, so
//! that a crash after any step leaves nothing that points nowhere.

use super::hooks;
use super::openrc;
use super::put::put;
use super::rcs;
use super::request::{Existing, Install, PlanError, ancestors, directories};
use super::sysv;
use crate::installed::Installed;
use crate::layout::Layout;
use crate::layout::facts::Scheme;
use crate::seal;
use crate::step::{Before, Plan, Step};

/// What makes the root have the service. Empty if it has it already.
///
/// What an administrator has changed by hand is kept and noted unless `force` is set: an edited service file or
/// script, a script that is not executable, start links turned into kill links.
///
/// # Errors
/// [`PlanError`] when the script cannot be written or the root's scripts have no order.
pub fn install(
    wish: &Install<'_>,
    layout: &Layout,
    installed: &Installed,
    existing: &Existing,
) -> Result<Plan, PlanError> {
    let mut plan = Plan::default();
    files(wish, layout, existing, &mut plan);
    match layout.scheme {
        Scheme::SysV(sysv) => sysv::Tree { sysv, layout, installed, existing }.install(wish, &mut plan)?,
        Scheme::Rcs(rcs) => rcs::Tree { rcs, layout, installed, existing }.install(wish, &mut plan)?,
        Scheme::OpenRc(openrc) => openrc::Tree { openrc, layout, existing }.install(wish, &mut plan)?,
        Scheme::Hooks(hooks) => {
            hooks::Tree { hooks, layout, installed, existing }.install(wish, &mut plan)?
        }
    }
    Ok(plan)
}

/// Directories, what comes with the service, and its service file.
pub(super) fn files(wish: &Install<'_>, layout: &Layout, existing: &Existing, plan: &mut Plan) {
    make_directories(wish, layout, existing, plan);
    for extra in wish.extras.iter().filter(|extra| !existing.contains_key(&extra.path)) {
        plan.steps.push(Step::Write {
            path: extra.path.clone(),
            mode: extra.mode,
            text: seal::add(&extra.text),
            before: Before::Absent,
        });
    }
    if let Some(text) = wish.service_file {
        let path = layout.service_file(wish.service.name.as_str());
        put(&path, 0o644, seal::add(text), existing, wish.force, plan);
    }
}

fn make_directories(wish: &Install<'_>, layout: &Layout, existing: &Existing, plan: &mut Plan) {
    let levels = layout.runlevels.iter().map(|level| layout.runlevel_dir(*level)).collect::<Vec<_>>();
    let mut wanted = directories(layout);
    // Directories of links are made with the first link in them.
    wanted.retain(|directory| !levels.contains(directory));
    let parents = wish.extras.iter().filter_map(|extra| extra.path.rsplit_once('/'));
    wanted.extend(parents.map(|(parent, _)| parent.to_owned()).filter(|parent| !parent.is_empty()));
    let mut made: Vec<String> = Vec::new();
    for directory in wanted {
        for path in ancestors(&directory).into_iter().chain([directory.clone()]) {
            if !existing.contains_key(&path) && !made.contains(&path) {
                plan.steps.push(Step::MakeDir { path: path.clone(), mode: 0o755 });
                made.push(path);
            }
        }
    }
}
