//! Links as insserv numbers them, and startpar's files: what `order` wants of the tree minus what is there.

use std::collections::{BTreeMap, BTreeSet};

use super::links::{LinkSteps, difference};
use super::request::{Existing, Found, PlanError};
use crate::entry::Entry;
use crate::installed::Installed;
use crate::layout::Layout;
use crate::layout::facts::{Numbers, Scheme, SysV};
use crate::link::{Kind, Link};
use crate::name::{Runlevel, Runlevels, Sequence};
use crate::order::{self, Arrangement, Change, Warning};
use crate::step::{Before, Plan, Step};

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
fn arrange(layout: &Layout, wish: &Installed, change: &Change) -> Result<Wanted, PlanError> {
    let mut last = Wanted::from(order::arrange(wish, change)?);
    let warnings = last.warnings.clone();
    let mut seen: Vec<Wanted> = Vec::new();
    for _ in 0..ROUNDS {
        let linked = with_links(layout, wish, &last.links);
        let next = order::arrange(&linked, change)?;
        if next.added().next().is_none() && next.removed().next().is_none() {
            break;
        }
        let next = Wanted::from(next);
        seen.push(last);
        if let Some(start) = seen.iter().position(|other| other.links == next.links) {
            // The state came from before the circle when it was seen first; now it comes from within.
            seen[start] = next.clone();
            let least = seen.drain(start..).min_by(|a, b| a.links.cmp(&b.links));
            last = least.unwrap_or(next);
            break;
        }
        last = next;
    }
    last.warnings = warnings;
    Ok(last)
}

/// What the tree is to become.
#[derive(Debug, Clone)]
struct Wanted {
    links: BTreeSet<Link>,
    boot: String,
    start: String,
    stop: String,
    halt: String,
    warnings: Vec<Warning>,
}

impl From<Arrangement<'_>> for Wanted {
    fn from(found: Arrangement<'_>) -> Wanted {
        let links = found.links().map(Link::owned).collect();
        let Arrangement { boot, start, stop, halt, warnings, .. } = found;
        Wanted { links, boot, start, stop, halt, warnings }
    }
}

impl Wanted {
    /// SUSE has start links and kill links in one directory, each with a number of its own order: two arrangements that
    /// know nothing of each other.
    fn on_suse(layout: &Layout, wish: &Installed, change: &Change) -> Result<Wanted, PlanError> {
        let [starts, stops] = [Kind::Start, Kind::Kill].map(|kind| {
            let mut change = change.clone();
            for argument in &mut change.arguments {
                let side = if kind == Kind::Start { &mut argument.stop } else { &mut argument.start };
                *side = side.map(|_| Runlevels::NONE);
            }
            arrange(layout, &wish.only(kind), &change)
        });
        let (starts, stops) = (starts?, stops?);
        let links = starts.links.union(&stops.links).cloned().collect();
        Ok(Wanted { links, stop: stops.stop, halt: stops.halt, ..starts })
    }
}

/// Enough for every tree that was tried; one that does not come to rest is left as it is after so many.
const ROUNDS: usize = 8;

/// The root with these links, in the order in which they would be read back.
fn with_links(layout: &Layout, wish: &Installed, links: &BTreeSet<Link>) -> Installed {
    let mut changed = wish.clone();
    changed.links.clear();
    let old: BTreeMap<Link<&str>, &Entry> =
        wish.links.iter().map(|entry| (wish.link(entry), entry)).collect();
    // Of one runlevel in the order of their names: `Kill` is after `Start` by its value, and before it by its letter.
    let of_kind = |level, kind| links.iter().filter(move |link| (link.runlevel, link.kind) == (level, kind));
    let levels = Runlevel::ALL.into_iter();
    let sorted = levels.flat_map(|level| of_kind(level, Kind::Kill).chain(of_kind(level, Kind::Start)));
    for link in sorted {
        match old.get(&link.lent()) {
            Some(there) => changed.links.push(Entry { turned: false, ..**there }),
            None => changed.add_link(link.runlevel, &link.to_string(), &layout.target(&link.name)),
        }
    }
    changed
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
    let arrangement = match layout.scheme {
        Scheme::SysV(SysV { numbers: Numbers::Suse, .. }) => Wanted::on_suse(layout, wish, change)?,
        _ => arrange(layout, wish, change)?,
    };
    let arranged = is_arranged(layout, existing);
    let old: BTreeSet<Link> = before.links().collect();
    let mut new = arrangement.links.clone();
    if !arranged {
        new = only_own(&old, &new, wish, name);
    }
    note(&arrangement, arranged, name, plan);
    let mut steps = difference(layout, existing, &old, &new);
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
    let kept: BTreeSet<Link> = wish.links().filter(|link| is_own(&link)).collect();
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
fn depend(layout: &Layout, existing: &Existing, arrangement: &Wanted, settled: bool) -> Vec<Step> {
    let Some(files) = &layout.depend else { return Vec::new() };
    let wanted =
        [(files.boot, &arrangement.boot), (files.start, &arrangement.start), (files.stop, &arrangement.stop)];
    let halt = files.halt.map(|path| (path, &arrangement.halt));
    let differs = |path: &str, text: &str| match existing.get(path) {
        Some(Found::File { text: there, .. }) if settled => {
            sorted(&String::from_utf8_lossy(there)) != sorted(text)
        }
        Some(Found::File { text: there, .. }) => there != text.as_bytes(),
        _ => true,
    };
    wanted
        .into_iter()
        .chain(halt)
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
fn note(arrangement: &Wanted, arranged: bool, name: &str, plan: &mut Plan) {
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
