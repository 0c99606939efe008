//! The table of worker processes: started, collected, and at the end of the server finished within its
//! grace. When a worker is started, and for what, is decided by the models.

use std::cell::Cell;
use std::collections::HashSet;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::Instant;

use foobar_process::child::{self, Exit, Leash, Lifeline};
use foobar_process::{Pid, Signal};
use nix::sys::signal::kill;

use crate::connection::{Order, Watch};

/// The workers of one master.
#[derive(Debug)]
pub struct Workers {
    table: HashSet<Pid>,
    /// Let go of when the server ends, which every worker sees as the end of a pipe, just as it would see the
    /// end of the master.
    lifeline: Option<Lifeline>,
}

impl Workers {
    /// An empty table.
    ///
    /// # Errors
    /// No free descriptor.
    pub fn new() -> io::Result<Workers> {
        Ok(Workers { table: HashSet::new(), lifeline: Some(Lifeline::new()?) })
    }

    /// How many are at work.
    #[must_use]
    pub fn count(&self) -> usize {
        self.table.len()
    }

    /// Forks a worker that does `body`; it is told by the watch when the server ends. It ends with its master
    /// (PDEATHSIG), and holds none of the `private` descriptors.
    ///
    /// # Errors
    /// What fork(2) says; `Other` once the server is ending.
    pub fn start(
        &mut self,
        private: &[BorrowedFd<'_>],
        body: impl FnOnce(&dyn Watch) -> i32,
    ) -> io::Result<Pid> {
        let Some(lifeline) = &self.lifeline else { return Err(io::Error::other("the server is ending")) };
        let pid = child::fork_worker(lifeline, private, |leash| body(&Told::new(leash)))?;
        self.table.insert(pid);
        Ok(pid)
    }

    /// Collects those that have ended.
    pub fn reap(&mut self) -> Vec<Exit> {
        let mut ended = child::reap();
        // A child that is not of this table was left by whoever executed this program.
        ended.retain(|exit| self.table.remove(&exit.pid));
        ended
    }

    /// Tells all of them to finish the request in flight; none can be started from now on.
    pub fn finish(&mut self) {
        self.lifeline = None;
    }

    /// Signals all of them. They are children that were not yet waited for, so no PID can be a stranger's.
    pub fn signal(&self, signal: Signal) {
        for pid in &self.table {
            // One that has ended this very moment is no concern.
            let _ = kill(*pid, signal);
        }
    }
}

/// What a worker knows of its server: the pipe is open, or it is at its end.
struct Told {
    leash: Leash,
    ended: Cell<bool>,
}

impl Told {
    fn new(leash: Leash) -> Told {
        Told { leash, ended: Cell::new(false) }
    }
}

impl Watch for Told {
    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        // At its end a pipe is readable for ever: once is enough.
        (!self.ended.get()).then(|| self.leash.as_fd())
    }

    /// The grace is watched by the master, who ends by a signal whoever exceeds it.
    fn deadline(&self) -> Option<Instant> {
        None
    }

    fn order(&self) -> Order {
        self.ended.set(true);
        Order::Finish
    }
}
