//! The plan that uninstalls a service: startpar's files first, then links, script, service file and what
//! came with it, so that a crash after any step leaves nothing that points nowhere.

use super::links::{self, LinkSteps};
use super::request::{Existing, Found, PlanError, Uninstall};
use crate::installed::Installed;
use crate::layout::Layout;
use crate::order::Change;
use crate::seal::{self, Origin};
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
    let script = layout.script(name);
    let mut after = links::without_links(installed, name);
    match existing.get(&script) {
        Some(found) if is_foreign(found) && !wish.force => {
            return Err(PlanError::NotOurs { path: script });
        }
        Some(found) if is_kept(found) && !wish.purge && !wish.force => {}
        _ => after = links::without_script(&after, name),
    }
    let change = Change::nothing().forced();
    let LinkSteps { make, depend, remove } =
        links::steps(layout, existing, installed, &after, &change, name, &mut plan)?;
    let service_file = layout.service_file(name);
    let ours = [script.as_str(), &service_file].iter().any(|path| existing.contains_key(*path));
    let linked = links::links_of(installed).any(|link| &*link.name == name);
    if ours || linked {
        plan.steps.extend(make);
        plan.steps.extend(depend);
        plan.steps.extend(remove);
    }
    drop_file(&script, wish.purge || wish.force, existing, &mut plan);
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

fn is_foreign(found: &Found) -> bool {
    match found {
        Found::File { text, .. } => seal::origin(text) == Origin::Foreign,
        Found::Directory | Found::Other => true,
    }
}

fn is_kept(found: &Found) -> bool {
    match found {
        Found::File { text, .. } => seal::origin(text) != Origin::Ours,
        Found::Directory | Found::Other => true,
    }
}

fn drop_file(path: &str, whatever: bool, existing: &Existing, plan: &mut Plan) {
    match existing.get(path) {
        None => {}
        Some(Found::Directory) => plan.notes.push(format!("{path} is a directory and is kept")),
        Some(found) if is_kept(found) && !whatever => {
            plan.notes.push(format!("{path} was written or changed by hand and is kept: --purge removes it"));
        }
        Some(found) => plan.steps.push(Step::Remove { path: path.to_owned(), before: found.before() }),
    }
}
