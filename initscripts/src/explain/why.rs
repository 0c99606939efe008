//! Why a script has its number: the longest chain of scripts that come before it, and for each link of the chain the
//! line of a header that made it.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use crate::layout::Layout;
use crate::layout::facts::Scheme;
use crate::link::Kind;
use crate::name::Runlevels;
use crate::order::{Cause, Edge, Outline};

/// The explanation of one number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Why {
    /// The script, or the name that no script provides.
    pub name: String,
    /// Whether it is the order of stopping that is explained.
    pub stopping: bool,
    /// Whether no script provides the name.
    pub missing: bool,
    /// Whether there are links of it; if not, the number is the one that it would get.
    pub linked: bool,
    /// The number.
    pub sequence: u8,
    /// The runlevels that it has this number in: `2 3 4 5`.
    pub runlevels: String,
    /// From the first of the chain to the script itself.
    pub chain: Vec<Step>,
}

/// One of the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Its number.
    pub sequence: u8,
    /// The script, or the name that no script provides.
    pub name: String,
    /// Whether no script provides the name.
    pub missing: bool,
    /// What puts it after the one before in the chain; for the first, why there is none before.
    pub reason: Reason,
}

/// Why one comes after another, or why nothing comes before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// Nothing has to come before it.
    First,
    /// A header says so.
    Header(Place),
    /// It follows from that by way of others that do not count where this one runs: names that no script provides,
    /// and scripts of other runlevels.
    Over {
        /// Them, in order.
        names: Vec<String>,
        /// Why the one before comes before the first of them.
        first: Place,
        /// Why this comes after the last of them.
        then: Place,
    },
    /// The one before it is interactive, and nothing else may start beside that.
    Alone,
    /// No script provides it; it is counted just before the first that waits for it.
    Missing,
    /// No single reason: it was counted in a loop, or by way of a name that several scripts provide.
    Unclear,
}

/// A word in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The script or the override.
    pub file: String,
    /// The line, counted from 1; 0 where insserv assumes what no line says.
    pub line: u32,
    /// The key.
    pub key: &'static str,
    /// The word.
    pub word: String,
}

impl Place {
    /// The place of a cause in a tree of this layout.
    #[must_use]
    pub fn of(cause: &Cause, layout: &Layout) -> Place {
        let directory = match (cause.tier, &layout.depend) {
            (Some(tier), Some(depend)) => depend.overrides[tier as usize],
            _ => layout.script_dir,
        };
        let prefix = match layout.scheme {
            Scheme::Hooks(hooks) => hooks.prefix,
            _ => "",
        };
        let file = format!("{directory}/{prefix}{}", cause.script);
        Place { file, line: cause.line, key: cause.key, word: cause.word.clone() }
    }
}

impl fmt::Display for Place {
    /// `/etc/init.d/cron:5: Required-Start: $syslog`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { file, line, key, word } = self;
        match line {
            0 => write!(f, "{file}: taken for granted: {key}: {word}"),
            _ => write!(f, "{file}:{line}: {key}: {word}"),
        }
    }
}

/// Explains the number of a node of the outline; `None` when it has none in that order.
///
/// ```
/// use foobar_initscripts::explain::why;
/// use foobar_initscripts::installed::{Installed, ScriptFile};
/// use foobar_initscripts::layout::DEFAULT;
/// use foobar_initscripts::link::Kind;
/// use foobar_initscripts::order::{Change, outline};
/// let text = "### BEGIN INIT INFO\n# Provides: b\n# Required-Start: a\n# Default-Start: 2\n### END INIT INFO\n";
/// let mut installed = Installed::new();
/// installed.add_script(&ScriptFile::regular("a", text.replace("Start: a", "Start:").replace(": b", ": a").as_bytes()));
/// installed.add_script(&ScriptFile::regular("b", text.as_bytes()));
/// let order = outline(&installed, &Change::nothing())?;
/// let why = why(&order, DEFAULT, order.find("b").unwrap(), Kind::Start).unwrap();
/// assert!(why.to_string().ends_with("02 b  after a (/etc/init.d/b:3: Required-Start: a)"));
/// # Ok::<(), foobar_initscripts::order::OrderError>(())
/// ```
#[must_use]
pub fn why(outline: &Outline, layout: &Layout, node: usize, kind: Kind) -> Option<Why> {
    let this = outline.nodes.get(node)?;
    let place = this.place(kind);
    if place.sequence == 0 || place.levels.is_empty() {
        return None;
    }
    let mut chain = Vec::new();
    let mut at = node;
    loop {
        let (before, reason) = before(outline, layout, at, kind);
        let Some(own) = outline.nodes.get(at) else { break };
        chain.push(Step {
            sequence: own.place(kind).sequence,
            name: own.label().to_owned(),
            missing: own.script.is_none(),
            reason,
        });
        match before {
            Some(before) => at = before,
            None => break,
        }
    }
    chain.reverse();
    Some(Why {
        name: this.label().to_owned(),
        stopping: kind == Kind::Kill,
        missing: this.script.is_none(),
        linked: this.linked,
        sequence: place.sequence,
        runlevels: place.levels.to_string(),
        chain,
    })
}

/// What stands before a node in the chain, always with a smaller number, and why.
fn before(outline: &Outline, layout: &Layout, node: usize, kind: Kind) -> (Option<usize>, Reason) {
    let own = outline.nodes[node].place(kind);
    if own.sequence <= 1 {
        return (None, Reason::First);
    }
    let number = |edge: &Edge| outline.nodes[edge.first].place(kind).sequence;
    let all = outline.edges.iter().filter(|edge| edge.kind == kind && edge.then == node);
    let smaller: Vec<&Edge> = all.filter(|edge| number(edge) < own.sequence).collect();
    let just = |edge: &&&Edge| number(edge) + 1 == own.sequence;
    let real = |edge: &&&Edge| outline.counts(edge);
    let script = |edge: &&&Edge| outline.nodes[edge.first].script.is_some();
    let found = smaller.iter().find(|edge| real(edge) && just(edge) && script(edge));
    if found.is_none() {
        if let Some((before, reason)) = over(outline, layout, node, kind) {
            return (Some(before), reason);
        }
    }
    let found = found.or_else(|| smaller.iter().find(|edge| real(edge) && just(edge)));
    let found = found.or_else(|| smaller.iter().find(just));
    if let Some(edge) = found {
        return (Some(edge.first), Reason::Header(Place::of(&edge.cause, layout)));
    }
    if outline.nodes[node].script.is_none() {
        return (None, Reason::Missing);
    }
    if own.least > 1 && own.least == own.sequence {
        if let Some(alone) = interactive_before(outline, own.sequence, own.levels, kind) {
            return (Some(alone), Reason::Alone);
        }
    }
    match smaller.iter().filter(real).max_by_key(|edge| number(edge)) {
        Some(edge) if !outline.looped[usize::from(kind == Kind::Kill)] => {
            (Some(edge.first), Reason::Header(Place::of(&edge.cause, layout)))
        }
        _ => (None, Reason::Unclear),
    }
}

/// A script with the number before that leads here over what does not count here.
fn over(outline: &Outline, layout: &Layout, node: usize, kind: Kind) -> Option<(usize, Reason)> {
    let own = outline.nodes[node].place(kind);
    let into = |to: usize| outline.edges.iter().filter(move |edge| edge.kind == kind && edge.then == to);
    let counts = |at: usize| outline.nodes[at].place(kind).levels.meets(own.levels);
    let is_script = |at: usize| outline.nodes[at].script.is_some();
    let (mut seen, mut found) = (BTreeSet::from([node]), Vec::new());
    // For each step backwards the edge, and the place of the one after it.
    let mut way: Vec<(&Edge, Option<usize>)> = into(node).map(|edge| (edge, None)).collect();
    let mut at = 0;
    while let Some(&(edge, after)) = way.get(at) {
        let (this, before) = (at, edge.first);
        at += 1;
        if !seen.insert(before) {
            continue;
        }
        let number = outline.nodes[before].place(kind).sequence;
        if after.is_some() && counts(before) && is_script(before) && number + 1 == own.sequence {
            found = chain_of(&way, this);
            break;
        }
        if !counts(before) || !is_script(before) {
            way.extend(into(before).map(|edge| (edge, Some(this))));
        }
    }
    let (first, then) = (*found.first()?, *found.last()?);
    let names = found.iter().skip(1).map(|edge| outline.nodes[edge.first].label().to_owned()).collect();
    let [first_place, then_place] = [first, then].map(|edge| Place::of(&edge.cause, layout));
    Some((first.first, Reason::Over { names, first: first_place, then: then_place }))
}

/// The edges from one that was found to where the search began.
fn chain_of<'a>(way: &[(&'a Edge, Option<usize>)], from: usize) -> Vec<&'a Edge> {
    let mut next = Some(from);
    std::iter::from_fn(|| {
        let (edge, after) = *way.get(next?)?;
        next = after;
        Some(edge)
    })
    .collect()
}

/// The interactive script that has the number before.
fn interactive_before(outline: &Outline, sequence: u8, levels: Runlevels, kind: Kind) -> Option<usize> {
    outline.nodes.iter().position(|node| {
        let place = node.place(kind);
        node.interactive
            && node.script.is_some()
            && place.sequence + 1 == sequence
            && place.levels.meets(levels)
    })
}

impl fmt::Display for Why {
    /// Some lines of plain words, without the last newline.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Why { name, sequence, runlevels, .. } = self;
        let verb = if self.stopping { "stopped" } else { "started" };
        let several = if runlevels.contains(' ') { "runlevels" } else { "runlevel" };
        if self.missing {
            write!(f, "{name} is provided by no script; its place would be {sequence:02}")?;
        } else if self.linked {
            write!(f, "{name} is {verb} as number {sequence:02} in {several} {runlevels}")?;
        } else {
            write!(
                f,
                "{name} has no links; enabled it would be {verb} as number {sequence:02} in {several} {runlevels}"
            )?;
        }
        let width = self.chain.iter().map(|step| step.name.len()).max().unwrap_or(0);
        for (at, step) in self.chain.iter().enumerate() {
            let before = at.checked_sub(1).and_then(|at| self.chain.get(at));
            let before = before.map_or("", |step| step.name.as_str());
            write!(f, "\n  {:02} {:width$}  ", step.sequence, step.name)?;
            match &step.reason {
                Reason::First => write!(f, "nothing has to be {verb} before it")?,
                Reason::Header(place) => write!(f, "after {before} ({place})")?,
                Reason::Over { names, first, then } => {
                    write!(f, "after {before} by way of {} ({first}; {then})", names.join(", "))?;
                }
                Reason::Alone => {
                    write!(f, "after {before}, which is interactive: nothing may start beside it")?
                }
                Reason::Missing => f.write_str("counted before the first that waits for it")?,
                Reason::Unclear => f.write_str(
                    "no single reason: counted in a loop, or over a name that several scripts provide",
                )?,
            }
            if step.missing {
                f.write_str(" [no script provides it]")?;
            }
        }
        Ok(())
    }
}
