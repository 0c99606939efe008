//! Numbers of links where insserv does not give them: a usual number, moved as far as dependencies ask for it. The
//! dependencies are those of the LSB headers, whoever reads them at boot.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::request::PlanError;
use crate::installed::Installed;
use crate::layout::Layout;
use crate::layout::facts::{Numbers, SysV};
use crate::link::{Kind, Link, Usual};
use crate::name::{Runlevel, Runlevels, Sequence};
use crate::order::{self, Change};
use crate::step::Plan;

/// The greatest number that two digits have.
const LAST: u8 = 99;

/// Where a script with these runlevels in its header has links, and which.
///
/// chkconfig stops a service wherever it does not start it; others go by the header.
pub(super) fn levels(
    sysv: SysV,
    layout: &Layout,
    start: Runlevels,
    stop: Runlevels,
) -> BTreeSet<(Runlevel, Kind)> {
    let all: Runlevels = layout.runlevels.iter().copied().collect();
    let stop = match sysv.numbers {
        Numbers::Chkconfig(_) => Runlevels::NORMAL.without(start),
        // As `Installed::suse` has read the header.
        Numbers::Suse => stop,
        Numbers::Insserv | Numbers::Fixed(_) => stop,
    };
    let starts = start.iter().map(|level| (level, Kind::Start));
    let stops = stop.iter().map(|level| (level, Kind::Kill));
    starts.chain(stops).filter(|(level, _)| all.contains(*level)).collect()
}

/// Gives the service its numbers, in links that it has not had, and moves what has to come later.
pub(super) fn place(
    sysv: SysV,
    layout: &Layout,
    old: &BTreeSet<Link>,
    wish: &Installed,
    name: &str,
    new: &mut BTreeSet<Link>,
    plan: &mut Plan,
) -> Result<(), PlanError> {
    let (Numbers::Chkconfig(usual) | Numbers::Fixed(usual)) = sysv.numbers else { return Ok(()) };
    let moves = matches!(sysv.numbers, Numbers::Chkconfig(_));
    if moves {
        drop_left_behind(new);
    }
    let usual = wish.chkconfig(name).filter(|_| moves).map_or(usual, |line| line.usual);
    let mut wanted: Vec<Link> = new.iter().filter(|link| &*link.name == name).cloned().collect();
    if !wanted.is_empty() && !moves {
        return first_start(old, wish, name, new, plan);
    }
    if wanted.is_empty() {
        let (start, stop) = wish.default_levels(name);
        let any = Sequence::clamped(0);
        let link = |(runlevel, kind)| Link { runlevel, kind, sequence: any, name: name.into() };
        wanted = levels(sysv, layout, start, stop).into_iter().map(link).collect();
    }
    let needs = Needs::new(wish, name)?;
    for kind in [Kind::Start, Kind::Kill] {
        let (kept, made): (Vec<&Link>, Vec<&Link>) =
            wanted.iter().filter(|link| link.kind == kind).partition(|link| old.contains(link));
        let base = kept.first().map_or(side(usual, kind), |link| link.sequence.get());
        let mut found = needs.fit(kind, new, name, base, moves, plan);
        let own = found.remove(name).unwrap_or(base);
        for link in made.into_iter().chain(kept.into_iter().filter(|_| moves)) {
            new.remove(link);
            new.insert(Link { sequence: Sequence::clamped(own), ..link.clone() });
        }
        for (other, number) in found {
            let theirs: Vec<Link> =
                new.iter().filter(|link| *link.name == *other && link.kind == kind).cloned().collect();
            for link in theirs {
                new.remove(&link);
                new.insert(Link { sequence: Sequence::clamped(number), ..link });
            }
        }
    }
    Ok(())
}

/// Numbers given by hand: a link that is turned keeps its own, so that it has it again when it is turned back. But one that
/// has the number by which the service is stopped in 0, 1 and 6 need not have been a start link ever: it keeps its number as
/// far as that fits a start, and gets another where it does not.
///
/// The scripts of the LFS book add up to 100, so a late kill number means an early start.
fn first_start(
    old: &BTreeSet<Link>,
    wish: &Installed,
    name: &str,
    new: &mut BTreeSet<Link>,
    plan: &mut Plan,
) -> Result<(), PlanError> {
    const LATE: u8 = 75;
    let own = |links: &BTreeSet<Link>, kind: Kind| -> Vec<Link> {
        links.iter().filter(|link| &*link.name == name && link.kind == kind).cloned().collect()
    };
    let (kills, started) = (own(old, Kind::Kill), own(new, Kind::Start));
    let fixed = [Runlevel::R0, Runlevel::R1, Runlevel::R6];
    let stop = kills.iter().find(|link| fixed.contains(&link.runlevel)).map(|link| link.sequence);
    let (Some(stop), true) = (stop, own(old, Kind::Start).is_empty()) else { return Ok(()) };
    if started.is_empty() || started.iter().any(|link| link.sequence != stop) {
        return Ok(());
    }
    let said = wish.chkconfig(name).map(|line| line.usual.start);
    let late = Some(stop.get()).filter(|stop| *stop >= LATE).map(|stop| LAST + 1 - stop);
    let base = said.or(late).unwrap_or(stop.get());
    let found = Needs::new(wish, name)?.fit(Kind::Start, new, name, base, false, plan);
    let number = found.get(name).copied().unwrap_or(base);
    for link in started {
        new.remove(&link);
        new.insert(Link { sequence: Sequence::clamped(number), ..link });
    }
    Ok(())
}

/// A script that was being moved when a run was killed has two numbers in one runlevel: the one nearer to the other end
/// is the new one.
fn drop_left_behind(links: &mut BTreeSet<Link>) {
    let mut newest: BTreeMap<(Runlevel, Kind, Arc<str>), Sequence> = BTreeMap::new();
    for link in links.iter() {
        let place = newest.entry((link.runlevel, link.kind, Arc::clone(&link.name))).or_insert(link.sequence);
        *place = match link.kind {
            Kind::Start => link.sequence.max(*place),
            Kind::Kill => link.sequence.min(*place),
        };
    }
    links.retain(|link| {
        newest.get(&(link.runlevel, link.kind, Arc::clone(&link.name))) == Some(&link.sequence)
    });
}

/// Kill numbers are counted from the other end, so that what is needed has the smaller number in both.
pub(super) fn mirrored(kind: Kind, number: u8) -> u8 {
    if kind == Kind::Start { number } else { LAST - number.min(LAST) }
}

fn side(usual: Usual, kind: Kind) -> u8 {
    match kind {
        Kind::Start => usual.start,
        Kind::Kill => usual.stop,
    }
}

/// Which scripts need which: pairs of names, the one that is needed first. For stopping it is the one that stops later.
#[derive(Debug, Default)]
pub(super) struct Needs {
    start: Vec<(String, String)>,
    stop: Vec<(String, String)>,
}

impl Needs {
    /// Those that the headers ask for, with the script `name` as if it were installed.
    pub(super) fn new(wish: &Installed, name: &str) -> Result<Needs, PlanError> {
        Needs::asked(wish, &Change::add(name).forced())
    }

    /// Those that the headers ask for in a root that `change` is made of.
    pub(super) fn asked(wish: &Installed, change: &Change) -> Result<Needs, PlanError> {
        let outline = order::outline(wish, change)?;
        let mut needs = Needs::default();
        for edge in &outline.edges {
            let [first, then] = [edge.first, edge.then].map(|node| outline.nodes[node].script.clone());
            let (Some(first), Some(then)) = (first, then) else { continue };
            match edge.kind {
                Kind::Start => needs.start.push((first, then)),
                Kind::Kill => needs.stop.push((then, first)),
            }
        }
        Ok(needs)
    }

    /// The pairs for starting or for stopping, what is needed first.
    pub(super) fn of(&self, kind: Kind) -> impl Iterator<Item = (&str, &str)> {
        let pairs = if kind == Kind::Start { &self.start } else { &self.stop };
        pairs.iter().map(|(first, then)| (first.as_str(), then.as_str()))
    }

    /// The number of `name` in links of one kind and, if `moves`, the numbers of others that have to follow it.
    fn fit(
        &self,
        kind: Kind,
        links: &BTreeSet<Link>,
        name: &str,
        base: u8,
        moves: bool,
        plan: &mut Plan,
    ) -> BTreeMap<String, u8> {
        let mirrored = |number: u8| mirrored(kind, number);
        let pairs = if kind == Kind::Start { &self.start } else { &self.stop };
        let mut numbers: BTreeMap<&str, Range> = BTreeMap::new();
        for link in links.iter().filter(|link| link.kind == kind && &*link.name != name) {
            let number = mirrored(link.sequence.get());
            numbers.entry(&*link.name).or_insert(Range { least: number, greatest: number }).include(number);
        }
        let own = between(pairs, &numbers, name, mirrored(base), !moves);
        plan.notes.extend(own.note(kind, name, mirrored));
        let mut found = BTreeMap::from([(name.to_owned(), own.number)]);
        if moves {
            follow(pairs, &numbers, &mut found);
        }
        found.into_iter().map(|(name, number)| (name, mirrored(number))).collect()
    }

    /// The greatest number among those of the scripts that `name` needs, counted from the other end for kill links.
    pub(super) fn floor(&self, kind: Kind, links: &BTreeSet<Link>, name: &str) -> Option<u8> {
        let pairs = if kind == Kind::Start { &self.start } else { &self.stop };
        let needed: BTreeSet<&str> =
            pairs.iter().filter(|(_, then)| then == name).map(|(first, _)| first.as_str()).collect();
        let theirs = links.iter().filter(|link| link.kind == kind && needed.contains(&*link.name));
        theirs.map(|link| mirrored(kind, link.sequence.get())).max()
    }

    /// One number for a script that is stopped in the opposite order of starting.
    pub(super) fn single(&self, installed: &Installed, name: &str, base: u8, plan: &mut Plan) -> u8 {
        let links: Vec<Link> =
            installed.links().filter(|link| link.kind == Kind::Start && &*link.name != name).collect();
        let mut numbers: BTreeMap<&str, Range> = BTreeMap::new();
        for link in &links {
            let number = link.sequence.get();
            numbers.entry(&*link.name).or_insert(Range { least: number, greatest: number }).include(number);
        }
        let pairs: Vec<(String, String)> = self.start.iter().chain(&self.stop).cloned().collect();
        let own = between(&pairs, &numbers, name, base, true);
        plan.notes.extend(own.note(Kind::Start, name, |number| number));
        own.number
    }
}

/// The numbers that a script has in several runlevels.
#[derive(Debug, Clone, Copy)]
struct Range {
    least: u8,
    greatest: u8,
}

impl Range {
    fn include(&mut self, number: u8) {
        self.least = self.least.min(number);
        self.greatest = self.greatest.max(number);
    }
}

/// A number, and what keeps it from being as good as it should.
#[derive(Debug)]
struct Fitted<'a> {
    number: u8,
    /// What must come before and does not.
    before: Option<(&'a str, u8)>,
    /// What must come after and does not.
    after: Option<(&'a str, u8)>,
}

impl Fitted<'_> {
    fn note(&self, kind: Kind, name: &str, shown: impl Fn(u8) -> u8) -> Option<String> {
        let letter = kind.letter();
        let own = shown(self.number);
        let says = |(other, number): (&str, u8), relation: &str| {
            format!(
                "{name} gets the number {letter}{own:02}, and {other}, which must come {relation} it, has \
                 {letter}{:02}: give one of them another",
                shown(number)
            )
        };
        let (first, second) = if kind == Kind::Start { ("before", "after") } else { ("after", "before") };
        let before = self.before.map(|other| says(other, first));
        before.or_else(|| self.after.map(|other| says(other, second)))
    }
}

/// A number above all that are needed and, if asked, below all that need it; as near to `base` as can be. Where both
/// cannot be, what is needed counts more.
fn between<'a>(
    pairs: &'a [(String, String)],
    numbers: &BTreeMap<&str, Range>,
    name: &str,
    base: u8,
    below: bool,
) -> Fitted<'a> {
    let needed = pairs.iter().filter(|(_, then)| then == name).map(|(first, _)| first.as_str());
    let floor = needed
        .filter_map(|other| Some((other, numbers.get(other)?.greatest)))
        .max_by_key(|(_, number)| *number);
    let needing = pairs.iter().filter(|(first, _)| below && first == name).map(|(_, then)| then.as_str());
    let ceiling = needing
        .filter_map(|other| Some((other, numbers.get(other)?.least)))
        .min_by_key(|(_, number)| *number);
    let least = floor.map_or(0, |(_, number)| number.saturating_add(1));
    let wanted = ceiling.map_or(base, |(_, number)| base.min(number.saturating_sub(1)));
    let number = wanted.max(least).min(LAST);
    Fitted {
        number,
        before: floor.filter(|(_, other)| *other >= number),
        after: ceiling.filter(|(_, other)| *other <= number),
    }
}

/// Moves what needs one of the found to a number above it, and what needs that, until all fits or there is no number
/// left, as in a loop. What fits is looked beyond as well: a run that was killed may have moved it and no more.
fn follow(pairs: &[(String, String)], numbers: &BTreeMap<&str, Range>, found: &mut BTreeMap<String, u8>) {
    let mut todo: Vec<(String, u8)> = found.iter().map(|(name, number)| (name.clone(), *number)).collect();
    let mut seen: BTreeMap<String, u8> = found.clone();
    while let Some((name, number)) = todo.pop() {
        for (_, then) in pairs.iter().filter(|(first, _)| *first == name) {
            let Some(theirs) = numbers.get(then.as_str()) else { continue };
            let now = found.get(then).copied().unwrap_or(theirs.least);
            let fits = now > number || number == LAST;
            let wanted = if fits { theirs.greatest.max(now) } else { theirs.greatest.max(number + 1) };
            if !fits {
                found.insert(then.clone(), wanted);
            }
            if seen.get(then).is_none_or(|before| *before < wanted) {
                seen.insert(then.clone(), wanted);
                todo.push((then.clone(), wanted));
            }
        }
    }
}
