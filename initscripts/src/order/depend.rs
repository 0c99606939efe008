//! The texts of `.depend.boot`, `.depend.start`, `.depend.stop` and SUSE's `.depend.halt`, which startpar reads: the scripts
//! that have links, in order, and for each the scripts it waits for.

use super::graph::{Graph, Phase, flag, list};
use crate::name::Runlevels;
use crate::symbols::{NONE, Symbol, Symbols};

/// How many dependencies of one script insserv remembers to leave out what they imply.
const REMEMBERED: usize = 100;

/// How long a line is, generously.
const LINE: usize = 48;

/// The texts.
#[derive(Debug, Default)]
pub(super) struct Texts {
    pub boot: String,
    pub start: String,
    pub stop: String,
    pub halt: String,
}

/// Writes the texts of a graph whose numbers are final.
pub(super) struct Writer<'a> {
    names: &'a Symbols,
    graph: &'a Graph,
    greatest: [u8; 2],
    /// For each service, who remembers to require it, as (writer of the line, place among the remembered).
    implied: Vec<(u32, u8)>,
    /// For each node, whose list it is in.
    listed: Vec<u32>,
    /// The needs of the script whose line is written, each with its key.
    sorted: Vec<(u8, u32)>,
    /// Those of them that are remembered.
    remembered: Vec<u32>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(names: &'a Symbols, graph: &'a Graph, greatest: [u8; 2]) -> Writer<'a> {
        let count = graph.services.len();
        let (implied, listed) = (vec![(NONE, 0); count], vec![NONE; count]);
        Writer { names, graph, greatest, implied, listed, sorted: Vec::new(), remembered: Vec::new() }
    }

    /// `order` is the order of the nodes.
    pub(super) fn write(&mut self, mut order: Vec<u32>) -> Texts {
        let mut texts = Texts::default();
        // A line for each script and a word for each that it waits for, about: only what is written to is touched.
        let room = order.len() * LINE;
        texts.start.reserve_exact(room);
        texts.stop.reserve_exact(room);
        order.sort_by_key(|&node| self.place(node, Phase::Start));
        let boot = self.scripts(&order, Phase::Start, Runlevels::BOOT);
        let normal = self.scripts(&order, Phase::Start, Runlevels::NORMAL);
        self.line(&mut texts.boot, "TARGETS =", &boot);
        self.line(&mut texts.start, "TARGETS =", &normal);
        let all = self.scripts(&order, Phase::Start, Runlevels::BOOT.union(Runlevels::NORMAL));
        let (at_boot, later): (Vec<u32>, Vec<u32>) =
            all.iter().partition(|&&s| self.in_boot(s, Phase::Start));
        for (text, scripts) in [(&mut texts.boot, at_boot), (&mut texts.start, later)] {
            let interactive: Vec<u32> = scripts.iter().copied().filter(|&s| self.is_interactive(s)).collect();
            self.line(text, "INTERACTIVE =", &interactive);
            scripts.iter().for_each(|&service| self.rule(text, service, Phase::Start));
        }
        self.listed.fill(NONE);
        self.implied.fill((NONE, 0));
        order.sort_by_key(|&node| self.place(node, Phase::Stop));
        let normal = self.scripts(&order, Phase::Stop, Runlevels::NORMAL);
        self.line(&mut texts.stop, "TARGETS =", &normal);
        for service in normal {
            if !self.in_boot(service, Phase::Stop) {
                self.rule(&mut texts.stop, service, Phase::Stop);
            }
        }
        let boot = self.scripts(&order, Phase::Stop, Runlevels::BOOT);
        self.line(&mut texts.halt, "TARGETS =", &boot);
        boot.iter().for_each(|&service| self.rule(&mut texts.halt, service, Phase::Stop));
        texts
    }

    /// The sort key; insserv leaves what is beyond the greatest number of runlevels 0 to 6 at the end, unsorted.
    fn place(&self, node: u32, phase: Phase) -> u8 {
        let depth = self.graph.side(node, phase).depth;
        if depth <= self.greatest[phase as usize] { depth } else { u8::MAX }
    }

    fn scripts(&self, order: &[u32], phase: Phase, levels: Runlevels) -> Vec<u32> {
        let wanted = |&&node: &&u32| {
            let service = self.graph.services[node as usize];
            service.script != NONE && service.links > 0 && self.graph.side(node, phase).levels.meets(levels)
        };
        order.iter().filter(wanted).copied().collect()
    }

    fn in_boot(&self, service: u32, phase: Phase) -> bool {
        self.graph.levels(service, phase).meets(Runlevels::BOOT)
    }

    fn is_interactive(&self, service: u32) -> bool {
        self.graph.has(service, flag::INTERACTIVE) && !self.graph.needs.is_empty(list(service, Phase::Start))
    }

    fn script(&self, service: u32) -> Symbol {
        self.graph.services[service as usize].script
    }

    fn line(&self, text: &mut String, head: &str, services: &[u32]) {
        text.push_str(head);
        for &service in services {
            text.push(' ');
            append(text, self.names.name(self.script(service)));
        }
        text.push('\n');
    }

    /// The line of one script, if it has anything to wait for.
    fn rule(&mut self, text: &mut String, service: u32, phase: Phase) {
        let mut begun = false;
        self.remembered.clear();
        self.sort_needs(service, phase);
        for at in 0..self.sorted.len() {
            let (_, need) = self.sorted[at];
            if !self.counts(service, need, phase) {
                continue;
            }
            if !begun {
                begun = true;
                append(text, self.names.name(self.script(service)));
                text.push(':');
            }
            if self.is_implied(service, need, phase) {
                continue;
            }
            text.push(' ');
            append(text, self.names.name(self.script(need)));
            if self.remembered.len() < REMEMBERED {
                self.remember(service, need, phase, self.remembered.len() as u8);
                self.remembered.push(need);
            }
        }
        if begun {
            text.push('\n');
        }
    }

    fn counts(&self, service: u32, need: u32, phase: Phase) -> bool {
        let entry = self.graph.services[need as usize];
        let own = phase == Phase::Start && (need == service || entry.flags & flag::LAST != 0);
        let levels = self.graph.levels(service, phase).meets(self.graph.levels(need, phase));
        entry.flags & flag::ALIAS == 0 && entry.links > 0 && entry.script != NONE && levels && !own
    }

    /// The needs by descending number, each once, other names replaced by the service's own.
    fn sort_needs(&mut self, service: u32, phase: Phase) {
        self.sorted.clear();
        for need in self.graph.needs.iter(list(service, phase)) {
            let node = self.graph.original(need);
            match self.place(node, phase) {
                u8::MAX => self.sorted.push((u8::MAX, need)),
                _ if self.listed[node as usize] == service => {}
                depth => {
                    self.listed[node as usize] = service;
                    self.sorted.push((u8::MAX - 1 - depth, node));
                }
            }
        }
        self.sorted.sort_by_key(|&(key, _)| key);
    }

    /// Notes all that a dependency requires itself.
    fn remember(&mut self, service: u32, need: u32, phase: Phase, place: u8) {
        for inner in self.graph.needs.iter(list(need, phase)) {
            let node = self.graph.original(inner);
            let inner = if self.place(node, phase) == u8::MAX { inner } else { node };
            let entry = &mut self.implied[inner as usize];
            if entry.0 != service {
                *entry = (service, place);
            }
        }
    }

    /// Whether a dependency with a greater number requires this one anyway.
    fn is_implied(&self, service: u32, need: u32, phase: Phase) -> bool {
        let depth = |service: u32| self.graph.side(self.graph.original(service), phase).depth;
        let own = depth(need);
        let deeper = self.remembered.iter().take_while(|&&other| depth(other) > own).count();
        let (by, place) = self.implied[need as usize];
        // In the file of stopping, too, it is the start runlevels that insserv looks at.
        let starts = |service: u32| self.graph.levels(service, Phase::Start);
        by == service && usize::from(place) < deeper && starts(service).meets(starts(need))
    }
}

/// Letter by letter: a name is short, and the C library's way to copy many bytes takes longer to begin.
fn append(text: &mut String, name: &str) {
    name.chars().for_each(|letter| text.push(letter));
}
