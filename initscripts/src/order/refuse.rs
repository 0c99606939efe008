//! The reasons for which insserv refuses a change that is not forced.

use super::error::OrderError;
use super::facilities::Weaver;
use super::graph::{Graph, Phase, flag, list};
use crate::name::Runlevels;

/// A reason, with the services by number.
#[derive(Debug, Clone, Copy)]
pub(super) enum Refusal {
    NotEnabled { needed: u32, by: u32 },
    StillNeeded { needed: u32, by: u32 },
    NotInstalled { needed: u32, by: u32 },
    NotInLevels { needed: u32, by: u32, levels: Runlevels },
}

impl Refusal {
    /// With the names.
    pub(super) fn error(self, weaver: &Weaver<'_>) -> OrderError {
        let text = |service: u32| weaver.names.name(weaver.graph.services[service as usize].name).to_owned();
        match self {
            Refusal::NotEnabled { needed, by } => {
                OrderError::NotEnabled { needed: text(needed), by: text(by) }
            }
            Refusal::StillNeeded { needed, by } => {
                OrderError::StillNeeded { needed: text(needed), by: text(by) }
            }
            Refusal::NotInstalled { needed, by } => {
                OrderError::NotInstalled { needed: text(needed), by: text(by) }
            }
            Refusal::NotInLevels { needed, by, levels } => {
                OrderError::NotInLevels { needed: text(needed), by: text(by), levels }
            }
        }
    }
}

/// What a service must have (not: should) before it can start.
fn musts(graph: &Graph, service: u32) -> impl Iterator<Item = u32> {
    graph.needs.marked(list(service, Phase::Start)).filter(|(_, must)| *must).map(|(need, _)| need)
}

/// An argument needs something that is neither linked nor an argument.
pub(super) fn not_enabled(graph: &Graph, service: u32) -> Option<Refusal> {
    let by = graph.original(service);
    let ready = flag::ARGUMENT | flag::ENABLED;
    let missing = musts(graph, by).find(|&need| !graph.has(graph.original(need), ready));
    missing.map(|needed| Refusal::NotEnabled { needed, by })
}

/// Something that is linked needs what is to be removed. insserv names the first that it has met.
pub(super) fn still_needed(graph: &Graph, service: u32) -> Option<Refusal> {
    let linked = |by: &u32| graph.has(*by, flag::ENABLED) && !graph.has(*by, flag::ALIAS);
    let stays = |by: &u32| !graph.has(*by, flag::ARGUMENT) || !graph.has(service, flag::ARGUMENT);
    let in_the_way = graph.needed_by(service).filter(linked).filter(stays);
    in_the_way.min().map(|by| Refusal::StillNeeded { needed: service, by })
}

/// What is linked, or an argument, needs something that does not start wherever it does itself.
pub(super) fn levels(graph: &Graph) -> Option<Refusal> {
    (0..graph.services.len() as u32).find_map(|service| levels_of(graph, service))
}

fn levels_of(graph: &Graph, service: u32) -> Option<Refusal> {
    let by = graph.original(service);
    let wanted = graph.levels(service, Phase::Start);
    let argument = graph.has(by, flag::ARGUMENT);
    if !argument && !graph.has(by, flag::ENABLED) {
        return None;
    }
    musts(graph, by).find_map(|need| {
        let needed = graph.original(need);
        if !argument && !graph.has(needed, flag::ARGUMENT | flag::KNOWN) {
            return Some(Refusal::NotInstalled { needed, by });
        }
        if !graph.has(needed, flag::ENABLED) {
            return None;
        }
        let has = graph.levels(needed, Phase::Start);
        let at_boot = has.meets(Runlevels::BOOT) && !wanted.meets(Runlevels::BOOT);
        let levels = wanted.without(has);
        (!at_boot && !levels.is_empty()).then_some(Refusal::NotInLevels { needed, by, levels })
    })
}
