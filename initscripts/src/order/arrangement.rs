//! The result, and the one function that leads to it: read, number, refuse or link, write.

use super::change::{Action, Arguments, Change};
use super::cycle;
use super::depend::{Texts, Writer};
use super::error::{OrderError, Warning};
use super::facilities::{Facilities, Weaver};
use super::graph::{Graph, PHASES, Phase, flag};
use super::links::{Linker, New};
use super::lists::Lists;
use super::read::Reader;
use super::refuse;
use super::trace::Trace;
use super::walk::Walker;
use crate::entry::Entry;
use crate::installed::Installed;
use crate::link::{Kind, Link};
use crate::name::Sequence;
use crate::symbols::NONE;

/// What the tree is to become.
#[derive(Debug, Clone)]
pub struct Arrangement<'a> {
    installed: &'a Installed,
    /// For each link of the root, whether it stays.
    alive: Vec<bool>,
    new: Vec<New>,
    /// The whole text of `.depend.boot`.
    pub boot: String,
    /// The whole text of `.depend.start`.
    pub start: String,
    /// The whole text of `.depend.stop`.
    pub stop: String,
    /// The whole text of `.depend.halt`, which SUSE has beside them: in which order what was started once at boot is stopped.
    pub halt: String,
    /// What insserv would warn of.
    pub warnings: Vec<Warning>,
}

impl<'a> Arrangement<'a> {
    /// Links to remove, before any is made.
    pub fn removed(&self) -> impl Iterator<Item = Link<&'a str>> + Clone {
        let gone = self.before().filter(|(entry, stays)| !stays || entry.turned);
        gone.map(|(entry, _)| {
            let kind = if entry.turned { opposite(entry.kind) } else { entry.kind };
            Link { kind, ..self.link(entry) }
        })
    }

    /// Links to make; their text is `../init.d/NAME`.
    pub fn added(&self) -> impl Iterator<Item = Link<&'a str>> + Clone {
        let turned = self.before().filter(|(entry, stays)| *stays && entry.turned);
        turned.map(|(entry, _)| self.link(entry)).chain(self.made())
    }

    /// All links as they are afterwards, in no particular order.
    pub fn links(&self) -> impl Iterator<Item = Link<&'a str>> + Clone {
        self.before().filter(|(_, stays)| *stays).map(|(entry, _)| self.link(entry)).chain(self.made())
    }

    fn before(&self) -> impl Iterator<Item = (&'a Entry, bool)> + Clone {
        self.installed.links.iter().zip(self.alive.iter().copied())
    }

    fn made(&self) -> impl Iterator<Item = Link<&'a str>> + Clone {
        self.new.iter().map(|&New { name, runlevel, kind, sequence }| {
            let sequence = Sequence::clamped(sequence);
            Link { runlevel, kind, sequence, name: self.installed.names.name(name) }
        })
    }

    fn link(&self, entry: &Entry) -> Link<&'a str> {
        self.installed.link(entry)
    }
}

/// Computes the links and `.depend.*` files that `insserv` with the options of `change` would leave behind.
///
/// ```
/// use foobar_initscripts::installed::{Installed, ScriptFile};
/// use foobar_initscripts::order::{Change, arrange};
/// let text = "### BEGIN INIT INFO\n# Provides: a\n# Default-Start: 2\n### END INIT INFO\n";
/// let mut installed = Installed::new();
/// installed.add_script(&ScriptFile::regular("a", text.as_bytes()));
/// let arrangement = arrange(&installed, &Change::add("a"))?;
/// assert_eq!(arrangement.added().next().unwrap().path(), "rc2.d/S01a");
/// assert_eq!(arrangement.start, "TARGETS = a\nINTERACTIVE =\n");
/// # Ok::<(), foobar_initscripts::order::OrderError>(())
/// ```
///
/// # Errors
/// When insserv would refuse; nothing is to be changed then.
pub fn arrange<'a>(installed: &'a Installed, change: &Change) -> Result<Arrangement<'a>, OrderError> {
    let facilities = Facilities::new(&installed.conf, &installed.names)?;
    let numbered = number(installed, change, &facilities, Trace::Off)?;
    let Numbered { mut weaver, order, greatest, looped, mut warnings, refusal, dangling, arguments } =
        numbered;
    for phase in PHASES.into_iter().filter(|&phase| looped[phase as usize]) {
        let cycle = cycle::shortest(&weaver.graph, weaver.names, &order, phase);
        let stopping = phase == Phase::Stop;
        if !change.force {
            return Err(OrderError::Loop { cycle, stopping });
        }
        warnings.push(Warning::Loop { cycle, stopping });
    }
    if let Some(error) = refusal {
        return Err(error);
    }
    if change.action == Action::Add && !change.force {
        if let Some(reason) = refuse::levels(&weaver.graph) {
            return Err(reason.error(&weaver));
        }
    }

    // Numbers are final: what comes after what has led to them, and is not asked for again.
    weaver.graph.after = Lists::default();
    let mut linker = Linker::new(installed, change, &mut weaver.graph, &dangling);
    linker.run(&order, &arguments);
    let Linker { alive, new, .. } = linker;
    warnings.extend(dangling.into_iter().map(|place| {
        let path = installed.link(&installed.links[place as usize]).path();
        Warning::Dangling { path }
    }));
    let Texts { boot, start, stop, halt } = Writer::new(weaver.names, &weaver.graph, greatest).write(order);
    Ok(Arrangement { installed, alive, new, boot, start, stop, halt, warnings })
}

/// Everything read, woven and numbered; nothing refused or linked yet.
pub(super) struct Numbered<'a> {
    pub weaver: Weaver<'a>,
    /// The nodes in the order of their first mention.
    pub order: Vec<u32>,
    pub greatest: [u8; 2],
    /// Whether a loop was met, for start and stop.
    pub looped: [bool; 2],
    pub warnings: Vec<Warning>,
    pub refusal: Option<OrderError>,
    pub dangling: Vec<u32>,
    pub arguments: Arguments,
}

/// Reads and numbers; this much is common to arranging and to explaining.
///
/// # Errors
/// What makes insserv stop while it reads.
pub(super) fn number<'a>(
    installed: &'a Installed,
    change: &'a Change,
    facilities: &'a Facilities,
    trace: Trace,
) -> Result<Numbered<'a>, OrderError> {
    let names = &installed.names;
    let removes = change.action == Action::Remove;
    let graph = Graph::new(names.len(), installed.files.len(), installed.words.len(), removes);
    let weaver = Weaver { names, facilities, graph, unknown: Vec::new(), trace };
    let mut reader = Reader::new(installed, change, weaver);
    reader.read()?;
    reader.scripts()?;
    reader.weaver.graph.drop_united();
    reader.tell();
    order_around_all(&mut reader.weaver);
    let Reader { mut weaver, warnings, refusal, dangling, arguments, .. } = reader;

    let order = weaver.graph.order();
    let mut walker = Walker::new(&mut weaver.graph, &order);
    walker.number_all();
    let looped = PHASES.map(|phase| walker.reported(phase));
    if looped == [false; 2] || change.force {
        walker.isolate_interactive();
    }
    let greatest = walker.greatest;
    Ok(Numbered { weaver, order, greatest, looped, warnings, refusal, dangling, arguments })
}

/// Scripts that require `$all` wait for every other that shares a runlevel with them.
fn order_around_all(weaver: &mut Weaver<'_>) {
    for (flag, phase) in [(flag::FIRST, Phase::Stop), (flag::LAST, Phase::Start)] {
        for service in 0..weaver.graph.services.len() as u32 {
            let script = weaver.graph.services[service as usize].script;
            if script == NONE || !weaver.graph.has(service, flag) || weaver.graph.has(service, flag::ALIAS) {
                continue;
            }
            let levels = weaver.graph.levels(service, phase);
            weaver.trace.recall(service, phase);
            for other in 0..weaver.graph.services.len() as u32 {
                let same = other == service || weaver.graph.has(other, flag | flag::ALIAS);
                if !same && levels.meets(weaver.graph.levels(other, phase)) {
                    let name = weaver.graph.services[other as usize].name;
                    weaver.require(service, false, phase, &[name]);
                }
            }
            if let Some(node) = weaver.graph.node_of_script(script).filter(|_| phase == Phase::Stop) {
                let side = weaver.graph.side_mut(node, phase);
                side.depth = side.depth.max(1);
            }
        }
    }
}

fn opposite(kind: Kind) -> Kind {
    match kind {
        Kind::Start => Kind::Kill,
        Kind::Kill => Kind::Start,
    }
}
