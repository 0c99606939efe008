//! The plan that has init itself start and watch a service: an entry in /etc/inittab in place of an init
//! script and links. What the lines look like is in `inittab`; what else is done with them, in `entry`.

use std::collections::BTreeSet;

use super::install;
use super::request::{Existing, Found, Install, PlanError, Uninstall};
use super::uninstall;
use crate::inittab::{self, Dialect, Entry, PATH, State};
use crate::installed::Installed;
use crate::layout::Layout;
use crate::name::Runlevels;
use crate::script::ScriptError;
use crate::step::{Plan, Step};

/// What makes init run the service. Empty if it does. `taken` are ids of entries in other files than /etc/inittab.
///
/// An entry that was changed by hand is kept and noted unless `force` is set, and so are runlevels that are not those
/// of the service unless these were asked for.
///
/// # Errors
/// [`PlanError`] when there is no such file, the program cannot stay in the foreground, its line cannot be
/// written, somebody else starts it there, or has written an init script of its name.
pub fn respawn(
    wish: &Install<'_>,
    dialect: Dialect,
    taken: &BTreeSet<String>,
    layout: &Layout,
    installed: &Installed,
    existing: &Existing,
) -> Result<Plan, PlanError> {
    let name = wish.service.name.as_str();
    if wish.set_runlevels && dialect == Dialect::Busybox {
        return Err(PlanError::WithoutLevels { layout: layout.name });
    }
    let text = table(existing)?;
    let process = process(wish, dialect)?;
    let mut plan = Plan::default();
    install::files(wish, layout, existing, &mut plan);
    let leave =
        Uninstall { name: &wish.service.name, extras: &[], leftovers: &[], purge: false, force: wish.force };
    let left = uninstall::uninstall(&leave, layout, installed, existing)?;
    let mut scripts = layout.scripts_in(installed, name);
    scripts.push(layout.defaults_file(name));
    let kept = [layout.service_file(name), layout.service_dir.to_owned(), PATH.to_owned()];
    plan.steps.extend(left.steps.into_iter().filter(|step| !kept.iter().any(|path| path == step.path())));
    plan.notes
        .extend(left.notes.into_iter().filter(|note| scripts.iter().any(|script| note.starts_with(script))));

    let entry = inittab::find(text, name);
    if let Some(line) = inittab::stranger(text, name, &wish.service.program) {
        return Err(PlanError::Stranger { path: PATH, line, program: wish.service.program.clone() });
    }
    let new = match &entry {
        None => fresh(wish, dialect, taken, text, &process)?,
        Some(entry) => match changed(wish, dialect, entry, taken, text, &process, &mut plan)? {
            Some(new) => new,
            None => return Ok(plan),
        },
    };
    let old = entry.map(|entry| entry.text).unwrap_or_default();
    plan.steps.push(Step::Edit { path: PATH.to_owned(), old, new: new.into_bytes() });
    Ok(plan)
}

fn table(existing: &Existing) -> Result<&[u8], PlanError> {
    match existing.get(PATH) {
        Some(Found::File { text, .. }) => Ok(text),
        Some(_) => Err(PlanError::NoTable { path: PATH, why: "is no regular file" }),
        None => Err(PlanError::NoTable { path: PATH, why: "does not exist" }),
    }
}

fn process(wish: &Install<'_>, dialect: Dialect) -> Result<String, PlanError> {
    if wish.service.is_supervised() {
        return Err(PlanError::Supervised { name: wish.service.name.to_string() });
    }
    if wish.service.foreground_arguments.is_empty() {
        return Err(PlanError::NoForeground { name: wish.service.name.to_string() });
    }
    let process = inittab::process(wish.service).map_err(ScriptError::from)?;
    let most = dialect.longest_process();
    if process.len() > most {
        return Err(PlanError::LongProcess { process, most });
    }
    match process.contains(|c: char| c.is_control()) {
        true => Err(ScriptError::Path(process).into()),
        false => Ok(process),
    }
}

/// The runlevels of the entry.
fn wanted(wish: &Install<'_>, dialect: Dialect) -> Runlevels {
    match dialect {
        Dialect::SysV => wish.service.runlevels,
        Dialect::Busybox => Runlevels::BOOT,
    }
}

fn fresh(
    wish: &Install<'_>,
    dialect: Dialect,
    taken: &BTreeSet<String>,
    text: &[u8],
    process: &str,
) -> Result<String, PlanError> {
    let name = wish.service.name.as_str();
    let mut taken = taken.clone();
    taken.extend(inittab::ids(text));
    let id = inittab::free_id(dialect, &taken, name).ok_or(PlanError::NoId { path: PATH })?;
    let levels = wanted(wish, dialect);
    Ok(inittab::render(dialect, name, &id, levels, !levels.is_empty(), process))
}

/// The entry as it is to be, if it is to be changed.
fn changed(
    wish: &Install<'_>,
    dialect: Dialect,
    entry: &Entry,
    taken: &BTreeSet<String>,
    text: &[u8],
    process: &str,
    plan: &mut Plan,
) -> Result<Option<String>, PlanError> {
    let name = wish.service.name.as_str();
    if entry.edited && !wish.force {
        let how = if entry.state == State::Gone { "was removed by hand" } else { "was changed by hand" };
        plan.notes.push(format!(
            "the entry of {name} in {PATH}, line {}, {how}, which is respected: --force writes it anew",
            entry.line
        ));
        return Ok(None);
    }
    if entry.state == State::Gone || entry.dialect != dialect {
        return fresh(wish, dialect, taken, text, process).map(Some);
    }
    let wanted = wanted(wish, dialect);
    let same = entry.active() == wanted || (wanted.is_empty() && entry.state == State::Off);
    let (levels, on) = if same || wish.set_runlevels || wish.force {
        (wanted, !wanted.is_empty())
    } else if dialect == Dialect::Busybox {
        plan.notes.push(format!("{name} stays disabled in {PATH}: enable or --force starts it again"));
        (entry.runlevels, false)
    } else {
        plan.notes.push(format!(
            "{name} keeps the runlevels of its entry in {PATH}, which are not those of its service file: \
             --runlevels or --force replaces them"
        ));
        (entry.runlevels, entry.state == State::On)
    };
    let new = inittab::render(dialect, name, &entry.id, levels, on, process);
    Ok((new.as_bytes() != entry.text).then_some(new))
}
