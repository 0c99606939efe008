//! Links whose numbers are not insserv's: what a change makes of them, and what it moves among those of others, which is
//! written down beside the service file, so that they can be moved back when the service goes. `chkconfig --del` leaves them where they are.

use std::collections::{BTreeMap, BTreeSet};

use super::links::{LinkSteps, difference};
use super::numbers::{self, Needs, mirrored};
use super::request::{Existing, Found, PlanError};
use crate::installed::Installed;
use crate::layout::Layout;
use crate::layout::facts::SysV;
use crate::link::{Kind, Link};
use crate::name::{Runlevel, Sequence};
use crate::order::Change;
use crate::step::{Before, Plan, Step};

/// Where a link is, and whose.
type Place = (Runlevel, Kind, String);

/// Links that were moved, and their numbers before and now.
type Moves = BTreeMap<Place, (u8, u8)>;

/// What turns the links of `before` into those that `change` makes of `wish`, which is `before` as it is to be taken
/// for. A change of nothing is the end of the service `name`: what it has moved goes back.
pub(super) fn steps(
    sysv: SysV,
    layout: &Layout,
    existing: &Existing,
    before: &Installed,
    wish: &Installed,
    (change, name): (&Change, &str),
    plan: &mut Plan,
) -> Result<LinkSteps, PlanError> {
    let old: BTreeSet<Link> = before.links().collect();
    let mut new: BTreeSet<Link> = wish.links().collect();
    if change.arguments.is_empty() {
        let needs = Needs::asked(wish, change)?;
        let done = restore(layout, existing, name, &needs, &mut new);
        let mut steps = difference(layout, existing, &old, &new);
        steps.remove.extend(done);
        return Ok(steps);
    }
    numbers::place(sysv, layout, &old, wish, name, &mut new, plan)?;
    let mut steps = difference(layout, existing, &old, &new);
    steps.make.splice(..0, note(layout, existing, name, &old, &new));
    Ok(steps)
}

/// The step that writes down what turns `old` into `new`, beside what was moved earlier. To be done before that: a run that
/// is killed must not leave what nobody knows of.
fn note(
    layout: &Layout,
    existing: &Existing,
    name: &str,
    old: &BTreeSet<Link>,
    new: &BTreeSet<Link>,
) -> Option<Step> {
    let path = layout.moved_file(name)?;
    let mut moves = read(existing, &path);
    for link in new.difference(old).filter(|link| &*link.name != name) {
        let same = |other: &&Link| (other.runlevel, other.kind) == (link.runlevel, link.kind);
        let gone = old.difference(new).filter(same).find(|other| other.name == link.name);
        let Some(before) = gone.map(|other| other.sequence.get()) else { continue };
        let key = (link.runlevel, link.kind, link.name.to_string());
        moves.entry(key).or_insert((before, 0)).1 = link.sequence.get();
    }
    let text = render(name, &moves);
    let there = existing.get(&path);
    if moves.is_empty() || matches!(there, Some(Found::File { text: there, .. }) if *there == text.as_bytes())
    {
        return None;
    }
    let before = there.map_or(Before::Absent, Found::before);
    Some(Step::Write { path, mode: 0o644, text, before })
}

/// Moves back among `links` what still has the number that it was given, as far as what it needs allows. `needs` are those
/// of the others. Returns the step that removes the file, for the end.
fn restore(
    layout: &Layout,
    existing: &Existing,
    name: &str,
    needs: &Needs,
    links: &mut BTreeSet<Link>,
) -> Option<Step> {
    let path = layout.moved_file(name)?;
    let found = existing.get(&path)?;
    for kind in [Kind::Start, Kind::Kill] {
        let mut moves: Vec<_> =
            read(existing, &path).into_iter().filter(|((_, own, _), _)| *own == kind).collect();
        // What is needed has the lesser number, and goes first.
        moves.sort_by_key(|(_, (before, _))| mirrored(kind, *before));
        for ((runlevel, _, script), (before, now)) in moves {
            let link = |number: u8| Link {
                runlevel,
                kind,
                sequence: Sequence::clamped(number),
                name: script.as_str().into(),
            };
            let least = needs.floor(kind, links, &script).map_or(0, |floor| floor.saturating_add(1));
            let wanted = mirrored(kind, before).max(least);
            if wanted < mirrored(kind, now) && links.remove(&link(now)) {
                links.insert(link(mirrored(kind, wanted)));
            }
        }
    }
    Some(Step::Remove { before: found.before(), path })
}

fn read(existing: &Existing, path: &str) -> Moves {
    let Some(Found::File { text, .. }) = existing.get(path) else { return Moves::new() };
    String::from_utf8_lossy(text).lines().filter_map(line).collect()
}

/// `3 S50zope S51zope`: runlevel, what it was called, what it is called now.
fn line(text: &str) -> Option<(Place, (u8, u8))> {
    let [level, before, now] = text.split(' ').collect::<Vec<_>>().try_into().ok()?;
    let level = level.chars().next().filter(|_| level.len() == 1).and_then(Runlevel::from_letter)?;
    let [before, now] = [before, now].map(|entry| Link::parse(level, entry));
    let (before, now) = (before?, now?);
    let same = before.kind == now.kind && before.name == now.name;
    same.then(|| ((level, now.kind, now.name.to_string()), (before.sequence.get(), now.sequence.get())))
}

fn render(name: &str, moves: &Moves) -> String {
    let mut text = format!(
        "# Links of others that the numbers of {name} have moved: runlevel, link before, link now. foobarctl uninstall moves\n\
         # back what is still called so.\n"
    );
    for ((level, kind, script), (before, now)) in moves {
        let letter = kind.letter();
        text.push_str(&format!("{} {letter}{before:02}{script} {letter}{now:02}{script}\n", level.letter()));
    }
    text
}
