//! From one generation to the next: pools and doors of the new one enter, those of the old one leave when their last
//! connection has ended.

use std::io;
use std::os::fd::AsFd as _;
use std::sync::Arc;

use foobar_process::syslog::Priority;

use super::state::{CLOCK, Master};
use crate::model::crew::{self, Acceptor};
use crate::pool::Pool;
use crate::reload::{self, Generation, Reload};

impl Master<'_> {
    /// Goes over to the next generation, or stays with this one.
    pub(super) fn reload(&mut self) {
        let outcome = reload::next(self.source, self.services, &self.generation, &self.around.log);
        let (next, remarks) = match outcome {
            Reload::Refused(_) => return self.say(Priority::Err, &outcome.to_string()),
            Reload::Applied(ref next, ref remarks) => match self.pools_of(next) {
                Ok(pools) => {
                    self.say(Priority::Notice, &outcome.to_string());
                    (pools, remarks.clone())
                }
                Err(error) => {
                    return self.say(Priority::Err, &Reload::Refused(error.to_string()).to_string());
                }
            },
        };
        remarks.iter().for_each(|remark| self.say(Priority::Warning, remark));
        let Reload::Applied(generation, _) = outcome else { return };
        self.retire(&generation);
        self.generation = *generation;
        if let Err(error) = self.enter(next) {
            self.say(Priority::Err, &format!("cannot listen: {error}"));
        }
        self.forget_empty();
    }

    /// The present pools leave the field to those of `next`.
    pub(super) fn retire(&mut self, next: &Generation) {
        let mut last_calls = Vec::new();
        for (number, pool) in self.pools.iter_mut().filter(|(_, pool)| !pool.is_retired()) {
            let mut bits = 0;
            for (index, listener) in pool.task.listeners.iter().enumerate() {
                let stays = next.listeners().any(|other| Arc::ptr_eq(listener, other));
                if !stays {
                    bits |= 1 << index.min(63);
                }
                last_calls.push((*number, Arc::clone(listener), stays, pool.task.server.sockets.backlog));
            }
            pool.retire(bits);
        }
        let keys: Vec<(u64, u64)> = self.doors.iter().map(|row| (*row.0, *row.1)).collect();
        for (key, number) in keys {
            let door = last_calls.iter().find(|row| row.0 == number && self.gate.is_at(key, &row.1));
            match door {
                Some((_, _, false, backlog)) => self.gate.last_call(key, *backlog),
                _ => {
                    self.gate.remove(key);
                    self.doors.remove(&key);
                }
            }
        }
    }

    pub(super) fn pools_of(&self, generation: &Generation) -> io::Result<Vec<Pool>> {
        generation.servers.iter().map(|serving| Pool::new(serving, &self.around)).collect()
    }

    /// Takes pools into the loop.
    pub(super) fn enter(&mut self, pools: Vec<Pool>) -> io::Result<()> {
        for pool in pools {
            self.numbers += 1;
            let number = self.numbers;
            if let Some(timer) = &pool.task.timer {
                self.gate.watch(timer.as_fd(), CLOCK + number)?;
            }
            self.hear(number, &pool)?;
            if crew::acceptor(&pool.task.server) == Acceptor::Master {
                for listener in &pool.task.listeners {
                    self.numbers += 1;
                    self.gate.add(self.numbers, Arc::clone(listener))?;
                    self.doors.insert(self.numbers, number);
                }
            }
            self.pools.insert(number, pool);
        }
        Ok(())
    }

    /// Pools of earlier generations that have no worker and no door any more leave their figures to the present one.
    pub(super) fn forget_empty(&mut self) {
        let done = |number: &u64, pool: &Pool| {
            pool.is_retired() && pool.alive() == 0 && !self.doors.values().any(|other| other == number)
        };
        let gone: Vec<u64> =
            self.pools.iter().filter(|(number, pool)| done(number, pool)).map(|row| *row.0).collect();
        if self.ending.is_some() {
            return;
        }
        for number in gone {
            if self.kept.as_ref().is_some_and(|kept| kept.0 == number) {
                continue;
            }
            self.hear_out(number);
            let Some(old) = self.pools.remove(&number) else { continue };
            if let Some(timer) = &old.task.timer {
                self.gate.unwatch(timer.as_fd());
            }
            let name = &old.task.server.name;
            let heir = self.pools.values().find(|pool| !pool.is_retired() && pool.task.server.name == *name);
            if let Some(heir) = heir {
                heir.task.board.inherit(&old.task.board);
            }
        }
    }
}
