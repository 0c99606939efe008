//! From one generation to the next: pools and doors of the new one enter, those of the old one leave when their last
//! connection has ended.

use std::io;
use std::os::fd::AsFd as _;
use std::sync::Arc;

use foobar_process::child;
use foobar_process::syslog::Priority;

use super::state::{CLOCK, Master};
use crate::exit::Failure;
use crate::model::crew::{self, Acceptor};
use crate::pool::Pool;
use crate::reload::{self, Generation, Reload};

impl Master<'_> {
    /// Goes over to the next generation, or stays with this one. Returns exit code and text of the outcome.
    pub(super) fn reload(&mut self) -> (u8, String) {
        if self.ending.is_some() {
            return (1, "reload refused: the daemon is ending".to_owned());
        }
        let outcome = reload::next(self.ground.source, self.means(), &self.generation, &self.around.log);
        let outcome = match outcome {
            Reload::Applied(next, remarks) => match self.pools_of(&next) {
                Ok(pools) => return (0, self.go_over(Reload::Applied(next, remarks), pools)),
                Err(error) => Reload::Refused(Failure::io("cannot prepare the workers", &error)),
            },
            refused @ Reload::Refused(_) => refused,
        };
        let text = outcome.to_string();
        self.say(Priority::Err, &text);
        (if let Reload::Refused(failure) = outcome { failure.code } else { 1 }, text)
    }

    fn go_over(&mut self, outcome: Reload, pools: Vec<Pool>) -> String {
        let text = outcome.to_string();
        let Reload::Applied(next, remarks) = outcome else { return text };
        self.say(Priority::Notice, &text);
        remarks.iter().for_each(|remark| self.say(Priority::Warning, remark));
        self.retire(&next);
        self.generation = *next;
        if let Err(error) = self.enter(pools) {
            self.say(Priority::Err, &format!("cannot listen: {error}"));
        }
        self.mind_children();
        self.forget_empty();
        text
    }

    /// Ignores SIGCHLD once there are only pools that nobody manages, and hears of ended workers as long as there are others.
    pub(super) fn mind_children(&mut self) {
        if self.pools.values().all(Pool::is_unmanaged) {
            if let Err(error) = child::ignore_children() {
                self.say(Priority::Err, &format!("cannot ignore children: {error}"));
            }
        } else {
            child::default_children();
            self.pools.values_mut().for_each(Pool::forget_gone);
        }
        // To ignore does not reap those that had ended already, and to set the default throws their signal away: sigaction(2).
        self.collect();
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
            if self.in_hand.as_ref().is_none_or(|hand| hand.0 != *number) {
                pool.withdraw();
            }
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
        generation.all().map(|serving| Pool::new(serving, &self.around)).collect()
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
            if crew::acceptor(&pool.task.server) == Acceptor::Master || pool.is_unmanaged() {
                for listener in &pool.task.listeners {
                    self.numbers += 1;
                    self.gate.add(self.numbers, Arc::clone(listener))?;
                    self.doors.insert(self.numbers, number);
                }
            }
            self.around.statistics.enter(number, Arc::clone(&pool.task.server), Arc::clone(&pool.task.board));
            self.pools.insert(number, pool);
        }
        self.around.statistics.set_generation(self.generation.number);
        Ok(())
    }

    /// Forgets pools of earlier generations that have no worker and no door any more. Their figures are those of the
    /// server, and stay.
    pub(super) fn forget_empty(&mut self) {
        let done = |number: &u64, pool: &Pool| {
            let served = self.in_hand.as_ref().is_some_and(|hand| hand.0 == *number);
            let doors = self.doors.values().any(|other| other == number);
            pool.is_retired() && pool.alive() == 0 && !doors && !served
        };
        let gone: Vec<u64> =
            self.pools.iter().filter(|(number, pool)| done(number, pool)).map(|row| *row.0).collect();
        if self.ending.is_some() {
            return;
        }
        let turned = !gone.is_empty();
        for number in gone {
            if self.kept.as_ref().is_some_and(|kept| kept.0 == number) {
                continue;
            }
            self.hear_out(number);
            let Some(old) = self.pools.remove(&number) else { continue };
            if let Some(timer) = &old.task.timer {
                self.gate.unwatch(timer.as_fd());
            }
            self.around.statistics.leave(number);
        }
        if turned {
            self.mind_children();
        }
        for number in self.elders.empty() {
            self.hear_out(number);
            self.elders.remove(number);
        }
    }
}
