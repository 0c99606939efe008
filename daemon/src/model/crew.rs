//! How many workers each model wants: the rules of its pool as pure functions.

use std::num::NonZero;
use std::sync::Arc;
use std::thread::available_parallelism;

use crate::board::{Board, Figures};
use crate::config::{ModelName, PoolRules, Server};

/// Who takes connections off the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Acceptor {
    /// The master, who gives each connection to a process of its own.
    Master,
    /// The workers.
    Workers,
}

pub(crate) fn acceptor(server: &Server) -> Acceptor {
    match server.model {
        ModelName::Fork => Acceptor::Master,
        _ => Acceptor::Workers,
    }
}

/// How the pool stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Count {
    /// Workers that live.
    pub alive: u32,
    /// Those of them that wait for a connection; for *delayed* those that were not relieved.
    pub idle: u32,
    /// Whether none was ever started.
    pub first: bool,
    /// By how many workers the administrator has grown the pool, or shrunk it.
    pub adjusted: i32,
}

/// How many workers are to be started now.
pub(crate) fn wanted(server: &Server, count: Count) -> u32 {
    let rules = &server.pool;
    match server.model {
        ModelName::Fork => 0,
        ModelName::Iterative | ModelName::Threads | ModelName::Prethreaded => {
            1_u32.saturating_sub(count.alive)
        }
        ModelName::Event => event_workers(rules).saturating_sub(count.alive),
        ModelName::Delayed => u32::from(count.idle == 0 && count.alive < rules.max),
        // The master is one of them.
        ModelName::Prefork if !rules.manager && count.first => rules.start.saturating_sub(1),
        ModelName::Prefork if !rules.manager => 0,
        ModelName::Prefork if count.first => adjusted(rules.start, count).min(rules.max),
        ModelName::Prefork => {
            let spare = adjusted(rules.min_spare, count).max(1);
            spare.saturating_sub(count.idle).min(rules.max.saturating_sub(count.alive))
        }
    }
}

/// Whether the master has to look at the pool when only `idle` workers wait.
pub(crate) fn is_scarce(server: &Server, idle: u32, adjusted_by: i32) -> bool {
    let least = server.pool.min_spare.saturating_add_signed(adjusted_by).max(1);
    server.model == ModelName::Prefork && server.pool.manager && idle < least
}

/// Whether a worker that has served its connection is one too many.
pub(crate) fn too_many(server: &Server, idle: u32, adjusted_by: i32) -> bool {
    let most = i64::from(server.pool.max_spare) + i64::from(adjusted_by);
    server.model == ModelName::Prefork && server.pool.manager && i64::from(idle) >= most.max(1)
}

fn adjusted(number: u32, count: Count) -> u32 {
    number.saturating_add_signed(count.adjusted)
}

/// One for each core if not said.
pub(crate) fn event_workers(rules: &PoolRules) -> u32 {
    let cores = available_parallelism().map_or(1, NonZero::get);
    rules.event_workers.unwrap_or(u32::try_from(cores).unwrap_or(1))
}

/// How many connections the event worker of `slot` may hold: the workers have the numbers from 0 on, since there are no
/// more slots than workers.
pub(crate) fn share(server: &Server, slot: usize) -> u32 {
    let workers = event_workers(&server.pool);
    let rest = server.max_connections % workers;
    server.max_connections / workers + u32::from((slot as u64) < u64::from(rest))
}

/// How many slots the scoreboard of a server needs: one for each context of execution.
fn slots(server: &Server) -> usize {
    let slots = match server.model {
        ModelName::Iterative => 1,
        // Twice as many as can be taken, so that a free one is found after a few looks even in a crowd.
        ModelName::Fork => server.max_connections * 2,
        ModelName::Prefork | ModelName::Delayed => server.pool.max,
        // One for the process, which accepts.
        ModelName::Threads => server.max_connections * 2 + 1,
        ModelName::Prethreaded => server.pool.threads + 1,
        // None is started before the one that it replaces is gone.
        ModelName::Event => return event_workers(&server.pool) as usize,
    };
    // A worker that is ending may still hold its slot while the next one begins.
    slots as usize + 2
}

/// A scoreboard for a server with these figures.
///
/// # Errors
/// No memory.
pub(crate) fn board(server: &Server, figures: Arc<Figures>) -> std::io::Result<Board> {
    match server.model {
        ModelName::Event => Board::with_ledgers(slots(server), figures),
        _ => Board::new(slots(server), figures),
    }
}

/// After how many connections a worker is to leave: as configured, give or take an eighth, so that those who began
/// together do not leave together. `seed` differs from worker to worker.
pub(crate) fn retirement(rules: &PoolRules, seed: u64) -> Option<u64> {
    let requests = u64::from(rules.requests?);
    let spread = requests / 4;
    let shift = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
    Some((requests - spread / 2 + shift % (spread + 1)).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(model: ModelName) -> Server {
        Server { model, ..Server::default() }
    }

    fn count(alive: u32, idle: u32) -> Count {
        Count { alive, idle, first: false, adjusted: 0 }
    }

    #[test]
    fn prefork_keeps_its_spare_workers_within_its_bounds() {
        let server = server(ModelName::Prefork);
        assert_eq!(wanted(&server, Count { first: true, ..count(0, 0) }), 4);
        assert_eq!(wanted(&server, count(4, 4)), 0);
        assert_eq!(wanted(&server, count(4, 0)), 2);
        assert_eq!(wanted(&server, count(63, 0)), 1);
        assert_eq!(wanted(&server, count(64, 0)), 0);
        assert_eq!(wanted(&server, Count { adjusted: 5, ..count(6, 2) }), 5);
        assert_eq!(wanted(&server, Count { adjusted: -9, ..count(0, 0) }), 1);
        assert!(is_scarce(&server, 1, 0) && !is_scarce(&server, 2, 0) && is_scarce(&server, 2, 1));
        assert!(too_many(&server, 8, 0) && !too_many(&server, 7, 0) && !too_many(&server, 8, 1));
    }

    #[test]
    fn without_a_manager_nobody_is_replaced() {
        let mut server = server(ModelName::Prefork);
        server.pool.manager = false;
        assert_eq!(wanted(&server, Count { first: true, ..count(0, 1) }), 3, "and the master");
        assert_eq!(wanted(&server, count(0, 1)), 0);
    }

    #[test]
    fn delayed_wants_one_acceptor() {
        let server = server(ModelName::Delayed);
        assert_eq!(wanted(&server, count(5, 0)), 1);
        assert_eq!(wanted(&server, count(5, 1)), 0);
        assert_eq!(wanted(&server, count(64, 0)), 0);
    }

    #[test]
    fn event_workers_divide_the_connections() {
        let mut server = server(ModelName::Event);
        for (workers, most) in [(1, 5), (2, 5), (3, 256), (8, 3)] {
            (server.pool.event_workers, server.max_connections) = (Some(workers), most);
            let shares: Vec<u32> = (0..slots(&server)).map(|slot| share(&server, slot)).collect();
            assert_eq!((shares.len(), shares.iter().sum::<u32>()), (workers as usize, most));
            assert!(shares.iter().all(|share| shares[0] - share <= 1));
        }
    }

    #[test]
    fn workers_do_not_retire_together() {
        let rules = PoolRules { requests: Some(1000), ..PoolRules::default() };
        let ends: Vec<u64> = (0..64).map(|seed| retirement(&rules, seed).unwrap()).collect();
        assert!(ends.iter().all(|end| (875..=1125).contains(end)));
        let distinct: std::collections::BTreeSet<u64> = ends.iter().copied().collect();
        assert!(distinct.len() > 32);
        assert_eq!(retirement(&PoolRules { requests: Some(1), ..rules }, 9), Some(1));
        assert_eq!(retirement(&PoolRules::default(), 9), None);
    }
}
