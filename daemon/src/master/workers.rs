//! Starting workers, and collecting those that have ended.

use std::io;
use std::os::fd::{AsFd as _, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Instant;

use foobar_process::Pid;
use foobar_process::child;
use foobar_process::syslog::Priority;
use nix::sys::timer::TimerSetTimeFlags;
use nix::sys::timerfd::Expiration;

use super::state::Master;
use crate::address::Peer;
use crate::control::Control;
use crate::model::crew::{self, Acceptor};
use crate::model::worker;
use crate::pool::Pool;
use crate::upgrade::Upgrade;

impl Master<'_> {
    /// Forks a worker for the connection. Without a process to be had it is kept and a pause begins.
    pub(super) fn hand_over(&mut self, number: u64, stream: OwnedFd, peer: Peer) {
        let Some(pool) = self.pools.get_mut(&number) else { return };
        let task = Arc::clone(&pool.task);
        let Some(slot) = task.board.claim() else {
            self.kept = Some((number, stream, peer));
            return self.exhausted("serve", &io::Error::other("all slots are taken"));
        };
        task.board.begin(slot, &peer);
        if !worker::admitted(&task, slot, &peer) {
            return task.board.release(slot);
        }
        // Taken in the worker only.
        let mut kept = Some((stream, peer));
        let program = kept.as_ref().and_then(|(stream, peer)| worker::program(&task, stream, peer));
        let started = match program {
            Some(Ok(running)) => Ok((running.pid(), kept.take().map(|(_, peer)| (running, peer)))),
            Some(Err(error)) => Err(error),
            None => {
                let stopping = task.board.is_ending();
                let body = |leash: &child::Leash<'_>| {
                    kept.take().map_or(0, |it| worker::serve(&task, slot, it, leash, stopping))
                };
                self.fork(number, body).map(|pid| (pid, None))
            }
        };
        match started {
            Ok((pid, program)) => {
                if let Some(pool) = self.pools.get_mut(&number) {
                    pool.enter(pid, Some(slot), program);
                }
            }
            Err(error) => {
                task.board.release(slot);
                self.kept = kept.map(|(stream, peer)| (number, stream, peer));
                self.exhausted("start a worker", &error);
            }
        }
    }

    /// Starts a worker that accepts by itself; false if there is none to be had.
    pub(super) fn start(&mut self, number: u64) -> bool {
        let Some(task) = self.pools.get(&number).map(|pool| Arc::clone(&pool.task)) else { return false };
        let Some(slot) = task.board.claim() else { return false };
        // It counts as idle from now on, or another would be started in its place before it has begun.
        task.board.idle(slot);
        let started = self.fork(number, |leash| worker::live(&task, slot, leash));
        let now = Instant::now();
        let Some(pool) = self.pools.get_mut(&number) else { return false };
        match started {
            Ok(pid) => {
                pool.enter(pid, Some(slot), None);
                true
            }
            Err(error) => {
                task.board.release(slot);
                let text = format!("{}: cannot start a worker: {error}: trying again", task.server.name);
                if pool.pause.begin(now) {
                    self.say(Priority::Warning, &text);
                }
                false
            }
        }
    }

    /// Forks a worker of a pool. It holds its own listening sockets if it accepts by itself, and nothing else of the
    /// master's: a socket that lives on in a worker would swallow clients after the master let go of it.
    pub(super) fn fork(&self, number: u64, body: impl FnOnce(&child::Leash<'_>) -> i32) -> io::Result<Pid> {
        let pool = self.pools.get(&number);
        let lifeline =
            pool.and_then(Pool::lifeline).ok_or_else(|| io::Error::other("the server is ending"))?;
        let accepts = pool.is_some_and(|pool| crew::acceptor(&pool.task.server) == Acceptor::Workers);
        // Chained and not gathered: whatever the master writes while workers live is a page to be copied.
        let of_pools =
            self.pools.iter().filter(move |row| *row.0 != number).filter_map(|row| row.1.private());
        let listeners = || self.pools.values().flat_map(|pool| &pool.task.listeners);
        let listened = move |fd: &BorrowedFd<'_>| {
            listeners().any(|listener| listener.as_fd().as_raw_fd() == fd.as_raw_fd())
        };
        // A door stands in the gate and in its pool: once is enough.
        let doors = self.gate.sockets().filter(move |fd| !listened(fd));
        let sockets = listeners().map(|listener| listener.as_fd()).chain(doors);
        let private = std::iter::once(self.ground.pid_file.as_fd())
            .chain(self.control.iter().flat_map(Control::private))
            .chain(self.upgrade.as_ref().and_then(Upgrade::private))
            .chain(self.elders.private())
            .chain(of_pools)
            .chain(self.pipes())
            .chain(self.in_hand.iter().map(|hand| hand.1.as_fd()))
            .chain(sockets.filter(move |fd| !(accepts && self.listens(number, fd))));
        child::fork_worker(lifeline, private, |leash| body(&leash))
    }

    /// Whether the pool listens on this very socket, which two generations may share.
    pub(super) fn listens(&self, number: u64, fd: &BorrowedFd<'_>) -> bool {
        let listeners = self.pools.get(&number).map(|pool| &pool.task.listeners);
        listeners
            .is_some_and(|list| list.iter().any(|listener| listener.as_fd().as_raw_fd() == fd.as_raw_fd()))
    }

    /// The clock of a pool of *delayed* has fired.
    pub(super) fn clock(&mut self, number: u64) {
        let Some(pool) = self.pools.get_mut(&number) else { return };
        let Some(timer) = pool.task.timer.clone() else { return };
        // A non-blocking read; what matters is that it is no longer readable.
        let _ = timer.wait();
        if let Some(left) = pool.relieve() {
            let _ = timer.set(Expiration::OneShot(left.into()), TimerSetTimeFlags::empty());
        }
    }

    pub(super) fn reap(&mut self) {
        self.pause.cut();
        self.collect();
        self.forget_empty();
    }

    /// Takes those who have ended out of the tables.
    pub(super) fn collect(&mut self) {
        while let Some(exit) = child::reap_one() {
            if self.upgrade.as_ref().is_some_and(|upgrade| upgrade.is_rehearsal(exit.pid)) {
                self.rehearsed(exit.how);
                continue;
            }
            self.elders.leave(exit);
            // A child of no pool was left by whoever executed this program.
            let told = self.pools.values_mut().find_map(|pool| pool.leave(exit));
            if let Some(Some(text)) = told {
                self.say(Priority::Warning, &text);
            }
        }
    }
}
