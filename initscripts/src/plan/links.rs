//! The steps for links and startpar's files: what `order` wants of the tree minus what is there.

use std::collections::{BTreeMap, BTreeSet};

use super::request::{Existing, Found, PlanError};
use crate::installed::{Entry, Installed, ScriptFile, Tier};
use crate::layout::Layout;
use crate::link::Link;
use crate::name::{Runlevel, Runlevels, Sequence};
use crate::order::{self, Arrangement, Change, Warning};
use crate::step::{Before, Plan, Step};

/// The root as if it had this script, in the place that its name gives it if the others are sorted.
pub(super) fn with_script(installed: &Installed, name: &str, text: &[u8]) -> Installed {
    let mut changed = without_script(installed, name);
    changed.add_script(&ScriptFile::regular(name, text));
    let Installed { names, files, .. } = &mut changed;
    let Some(ours) = files.pop() else { return changed };
    let sorted = files.is_sorted_by(|a, b| names.name(a.name) < names.name(b.name));
    let place = if sorted { files.partition_point(|file| names.name(file.name) < name) } else { files.len() };
    files.insert(place, ours);
    changed
}

/// The root as if it had no such script.
pub(super) fn without_script(installed: &Installed, name: &str) -> Installed {
    let mut changed = installed.clone();
    let Installed { names, files, .. } = &mut changed;
    files.retain(|file| names.name(file.name) != name);
    changed
}

/// The root as if the service had no links.
pub(super) fn without_links(installed: &Installed, name: &str) -> Installed {
    let mut changed = installed.clone();
    let Installed { names, links, .. } = &mut changed;
    links.retain(|link| names.name(link.name) != name);
    changed
}

/// The links of a root.
pub(super) fn links_of(installed: &Installed) -> impl Iterator<Item = Link> {
    installed.links.iter().map(|entry| {
        let name = installed.names.name(entry.name).into();
        let sequence = Sequence::clamped(entry.sequence);
        Link { runlevel: entry.runlevel, kind: entry.kind, sequence, name }
    })
}

/// The runlevels that the header of a script has for starting: that of the administrator's override, of the script,
/// or of the vendor's override, whichever comes first, as for update-rc.d.
pub(super) fn default_start(installed: &Installed, name: &str) -> Option<Runlevels> {
    let names = &installed.names;
    let overriding = |tier: Tier| {
        let found = installed.overrides.iter().find(|o| o.tier == tier && names.name(o.name) == name);
        found.map(|o| o.head)
    };
    let own = || installed.files.iter().find(|file| names.name(file.name) == name).map(|file| file.head);
    let head = overriding(Tier::Administrator).or_else(own).or_else(|| overriding(Tier::Vendor))?;
    installed.heads.get(head as usize)?.start.filter(|levels| !levels.is_empty())
}

/// Whether the links of this root are insserv's: then all of them are renumbered and startpar's files are
/// written, otherwise only the service's own links are touched.
fn is_arranged(layout: &Layout, existing: &Existing) -> bool {
    layout.depend.as_ref().is_some_and(|depend| {
        [depend.boot, depend.start, depend.stop, depend.conf].iter().any(|path| existing.contains_key(*path))
    })
}

/// What insserv would make of the tree, run until it changes no link any more: it goes through the scripts in
/// the order of the links that it finds, so one run is not always enough, and the next change of any package
/// must not renumber what this one has left. With a loop among the scripts it may turn in a circle for ever; then the
/// least of the states that it goes through is taken, so that our own next run takes the same.
fn arrange(layout: &Layout, wish: &Installed, change: &Change) -> Result<Arrangement, PlanError> {
    let links = |arrangement: &Arrangement| arrangement.links().cloned().collect::<BTreeSet<Link>>();
    let mut last = order::arrange(wish, change)?;
    let warnings = last.warnings.clone();
    let mut seen: Vec<(BTreeSet<Link>, Arrangement)> = Vec::new();
    for _ in 0..ROUNDS {
        let next = order::arrange(&with_links(layout, wish, &last), change)?;
        if next.added.is_empty() && next.removed.is_empty() {
            break;
        }
        seen.push((links(&last), last));
        let state = links(&next);
        if let Some(start) = seen.iter().position(|(other, _)| *other == state) {
            // The state came from before the circle when it was seen first; now it comes from within.
            seen[start].1 = next.clone();
            let least = seen.drain(start..).min_by(|(a, _), (b, _)| a.cmp(b));
            last = least.map_or(next, |(_, arrangement)| arrangement);
            break;
        }
        last = next;
    }
    last.warnings = warnings;
    Ok(last)
}

/// Enough for every tree that was tried; one that does not come to rest is left as it is after so many.
const ROUNDS: usize = 8;

/// The root with the links of an arrangement, in the order in which they would be read back.
fn with_links(layout: &Layout, wish: &Installed, arrangement: &Arrangement) -> Installed {
    let mut changed = wish.clone();
    changed.links.clear();
    let old: BTreeMap<Link, &Entry> = links_of(wish).zip(&wish.links).collect();
    let mut links: Vec<(Runlevel, String, &Link)> =
        arrangement.links().map(|link| (link.runlevel, link.to_string(), link)).collect();
    links.sort();
    for (level, entry, link) in links {
        match old.get(link) {
            Some(there) => changed.links.push(Entry { turned: false, ..**there }),
            None => changed.add_link(level, &entry, &layout.target(&link.name)),
        }
    }
    changed
}

/// Whether one of startpar's files names the service as a target.
pub(super) fn is_target(name: &str, layout: &Layout, existing: &Existing) -> bool {
    let Some(depend) = &layout.depend else { return false };
    let names_it = |path: &str| match existing.get(path) {
        Some(Found::File { text, .. }) => String::from_utf8_lossy(text)
            .lines()
            .filter_map(|line| line.strip_prefix("TARGETS ="))
            .any(|targets| targets.split_whitespace().any(|target| target == name)),
        _ => false,
    };
    [depend.boot, depend.start, depend.stop].into_iter().any(names_it)
}

/// Steps for links and startpar's files, in the three groups between which other steps may stand.
#[derive(Debug, Default)]
pub(super) struct LinkSteps {
    /// New links, and the directories for them.
    pub make: Vec<Step>,
    /// startpar's files.
    pub depend: Vec<Step>,
    /// Links that are no longer wanted.
    pub remove: Vec<Step>,
}

/// What turns the links of `before` into those that `change` makes of `wish`, which is `before` as it is
/// to be taken for. Notes about the service `name` go into the plan.
pub(super) fn steps(
    layout: &Layout,
    existing: &Existing,
    before: &Installed,
    wish: &Installed,
    change: &Change,
    name: &str,
    plan: &mut Plan,
) -> Result<LinkSteps, PlanError> {
    let arrangement = arrange(layout, wish, change)?;
    let arranged = is_arranged(layout, existing);
    let old: BTreeSet<Link> = links_of(before).collect();
    let mut new: BTreeSet<Link> = arrangement.links().cloned().collect();
    if !arranged {
        new = only_own(&old, &new, wish, name);
    }
    note(&arrangement, arranged, name, plan);
    let mut steps = LinkSteps::default();
    let mut made = BTreeSet::new();
    for link in new.difference(&old) {
        let directory = layout.runlevel_dir(link.runlevel);
        if !existing.contains_key(&directory) && made.insert(directory.clone()) {
            steps.make.push(Step::MakeDir { path: directory, mode: 0o755 });
        }
        let target = layout.target(&link.name);
        steps.make.push(Step::Symlink { path: layout.link(link), target, before: Before::Absent });
    }
    for link in old.difference(&new) {
        steps.remove.push(Step::Remove { path: layout.link(link), before: Before::Link });
    }
    if arranged {
        let settled = steps.make.is_empty() && steps.remove.is_empty();
        steps.depend = depend(layout, existing, &arrangement, settled);
    }
    Ok(steps)
}

/// The wanted links of the service beside the links of all others as they are. Its numbers are higher than
/// those of all that are wanted before it, whatever these are numbered here. What it has already is kept.
fn only_own(old: &BTreeSet<Link>, wanted: &BTreeSet<Link>, wish: &Installed, name: &str) -> BTreeSet<Link> {
    let is_own = |link: &&Link| &*link.name == name;
    let kept: BTreeSet<Link> = links_of(wish).filter(|link| is_own(&link)).collect();
    let mut links: BTreeSet<Link> = old.iter().filter(|link| !is_own(link)).cloned().collect();
    for own in wanted.iter().filter(is_own) {
        let same_place = |link: &&Link| link.runlevel == own.runlevel && link.kind == own.kind;
        if let Some(link) = kept.iter().find(same_place) {
            links.insert(link.clone());
            continue;
        }
        let is_before = |link: &&Link| {
            let theirs = wanted.iter().filter(same_place).find(|other| other.name == link.name);
            theirs.is_some_and(|theirs| theirs.sequence < own.sequence)
        };
        let highest = old.iter().filter(same_place).filter(is_before).map(|link| link.sequence.get()).max();
        let number = highest.map_or(1, |highest| (u32::from(highest) + 1).min(99));
        let sequence = Sequence::new(number).unwrap_or(own.sequence);
        links.insert(Link { sequence, ..own.clone() });
    }
    links
}

/// The files that differ. insserv's order of equals depends on the numbers that links had before, so that
/// a second run may turn them over; where no link changes (`settled`), another order is no difference.
fn depend(layout: &Layout, existing: &Existing, arrangement: &Arrangement, settled: bool) -> Vec<Step> {
    let Some(files) = &layout.depend else { return Vec::new() };
    let wanted =
        [(files.boot, &arrangement.boot), (files.start, &arrangement.start), (files.stop, &arrangement.stop)];
    let differs = |path: &str, text: &str| match existing.get(path) {
        Some(Found::File { text: there, .. }) if settled => {
            sorted(&String::from_utf8_lossy(there)) != sorted(text)
        }
        Some(Found::File { text: there, .. }) => there != text.as_bytes(),
        _ => true,
    };
    wanted
        .into_iter()
        .filter(|(path, text)| differs(path, text))
        .map(|(path, text)| Step::Write {
            path: path.to_owned(),
            mode: 0o644,
            text: text.clone(),
            before: existing.get(path).map_or(Before::Absent, Found::before),
        })
        .collect()
}

/// The lines of one of startpar's files without regard to order.
fn sorted(text: &str) -> BTreeSet<BTreeSet<&str>> {
    text.lines().map(|line| line.split_whitespace().collect()).collect()
}

/// What concerns the service or is changed beside it. insserv's complaints about other scripts are not
/// for the one who installs this service.
fn note(arrangement: &Arrangement, arranged: bool, name: &str, plan: &mut Plan) {
    let concerns = |warning: &&Warning| match warning {
        Warning::NoHeader { script } => script == name,
        // Without insserv nobody defines facilities.
        Warning::UnknownFacility { script, .. } => arranged && script == name,
        Warning::AlreadyProvided { script, owner, .. } => script == name || owner == name,
        Warning::Loop { cycle, .. } => cycle.iter().any(|step| step == name),
        Warning::Dangling { path } => !path.ends_with(name),
        Warning::Undefined { .. } => true,
        // Whoever turns links knows; whoever installs is told in other words.
        Warning::Overridden { .. } => false,
    };
    plan.notes.extend(arrangement.warnings.iter().filter(concerns).map(ToString::to_string));
}
