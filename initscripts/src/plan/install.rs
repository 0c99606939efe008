//! The plan that installs a service: directories, files, script, links, startpar's files, in this order, so
//! that a crash after any step leaves nothing that points nowhere.

use std::collections::BTreeSet;

use super::links::{self, LinkSteps};
use super::request::{Existing, Found, Install, PlanError, ancestors, directories};
use crate::installed::Installed;
use crate::layout::Layout;
use crate::link::Kind;
use crate::lsb;
use crate::order::Change;
use crate::script;
use crate::seal::{self, Origin};
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
    let name = wish.service.name.as_str();
    let mut plan = Plan::default();
    make_directories(wish, layout, existing, &mut plan);
    for extra in wish.extras.iter().filter(|extra| !existing.contains_key(&extra.path)) {
        plan.steps.push(Step::Write {
            path: extra.path.clone(),
            mode: extra.mode,
            text: seal::add(&extra.text),
            before: Before::Absent,
        });
    }
    if let Some(text) = wish.service_file {
        put(&layout.service_file(name), 0o644, seal::add(text), existing, wish.force, &mut plan);
    }
    let wanted = script::render(wish.service, layout, wish.style, wish.caller)?;
    let path = layout.script(name);
    let written = put(&path, 0o755, wanted.clone(), existing, wish.force, &mut plan);
    let header = match existing.get(&path) {
        Some(Found::File { text, .. }) if !written => text.clone(),
        _ => wanted.into_bytes(),
    };
    let mut after = links::with_script(installed, name, &header);
    match standing(name, &header, layout, installed, existing) {
        Standing::None => {}
        Standing::Unfinished => after = links::without_links(&after, name),
        Standing::Other if wish.set_runlevels || wish.force => after = links::without_links(&after, name),
        Standing::Other => plan.notes.push(format!(
            "{name} keeps its links, which are not those of its header: --runlevels or --force replaces them"
        )),
    }
    let change = Change::add(name).forced();
    let LinkSteps { make, depend, remove } =
        links::steps(layout, existing, installed, &after, &change, name, &mut plan)?;
    plan.steps.extend(make);
    plan.steps.extend(depend);
    plan.steps.extend(remove);
    Ok(plan)
}

/// The links that a service has, beside those that its header wants.
enum Standing {
    /// None, or exactly those.
    None,
    /// Some of those: an installation was killed before it had made them all.
    Unfinished,
    /// Others too, such as a start link turned into a kill link: an administrator's choice.
    Other,
}

/// On an arranged machine startpar's files are written after all links, so a service that has links and is
/// in one of the files was installed completely, and what is missing was removed by someone.
fn standing(
    name: &str,
    script: &[u8],
    layout: &Layout,
    installed: &Installed,
    existing: &Existing,
) -> Standing {
    let (header, _) = lsb::parse(script);
    let starts = header.default_start.iter().map(|level| (level, Kind::Start));
    let wanted: BTreeSet<_> =
        starts.chain(header.default_stop.iter().map(|level| (level, Kind::Kill))).collect();
    let ours = links::links_of(installed).filter(|link| &*link.name == name);
    let there: BTreeSet<_> = ours.map(|link| (link.runlevel, link.kind)).collect();
    if there.is_empty() || there == wanted {
        Standing::None
    } else if there.is_subset(&wanted) && !links::is_target(name, layout, existing) {
        Standing::Unfinished
    } else {
        Standing::Other
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

/// Writes a file of ours unless it is there already or an administrator has had a hand in it. Says
/// whether the file will have this text.
fn put(path: &str, mode: u32, text: String, existing: &Existing, force: bool, plan: &mut Plan) -> bool {
    let before = existing.get(path).map_or(Before::Absent, Found::before);
    let kept = match existing.get(path) {
        None => None,
        Some(Found::File { mode: there, text: old }) => {
            let runnable = mode & 0o100 == 0 || there & 0o100 != 0;
            match seal::origin(old) {
                _ if *old == text.as_bytes() && runnable => return true,
                Origin::Ours if runnable => None,
                Origin::Ours => Some("is not executable"),
                Origin::Edited => Some("was changed by hand"),
                Origin::Foreign => Some("was not written by foobarctl"),
            }
        }
        Some(Found::Directory | Found::Other) => Some("is no regular file"),
    };
    match kept {
        Some(why) if !force => {
            plan.notes.push(format!("{path} {why} and is kept: --force replaces it"));
            false
        }
        _ => {
            plan.steps.push(Step::Write { path: path.to_owned(), mode, text, before });
            true
        }
    }
}
