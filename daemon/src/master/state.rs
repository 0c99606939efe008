//! What a master knows, and how it begins.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Instant;

use foobar_process::child;
use foobar_process::signal::Signals;
use foobar_process::syslog::Priority;
use nix::sys::eventfd::{EfdFlags, EventFd};

use crate::address::Peer;
use crate::config::Source;
use crate::diagnostics::Diagnostics;
use crate::ending::Ending;
use crate::gate::Gate;
use crate::handler::Services;
use crate::log::Log;
use crate::pause::Pause;
use crate::pool::{Pool, Surroundings};
use crate::reload::Generation;

pub(super) const SIGNALS: u64 = u64::MAX;
pub(super) const WAKE: u64 = u64::MAX - 1;
/// Tokens of the clocks of *delayed*: this and the number of the pool.
pub(super) const CLOCK: u64 = 1 << 62;
/// Tokens of what programs say: this and the number of the pool.
pub(super) const HEARD: u64 = 1 << 61;

/// A running server.
pub(crate) struct Master<'s> {
    pub(super) source: &'s Source,
    pub(super) services: Services<'s>,
    pub(super) signals: &'s Signals,
    /// Descriptors that no worker may hold.
    pub(super) private: &'s [BorrowedFd<'s>],
    pub(super) around: Surroundings,
    pub(super) generation: Generation,
    /// Each pool under a number that no other ever had. Those of earlier generations are among them until their last
    /// worker has left.
    pub(super) pools: HashMap<u64, Pool>,
    /// Where the master itself accepts: from the key of a door to the number of its pool.
    pub(super) doors: HashMap<u64, u64>,
    pub(super) numbers: u64,
    /// What the programs of a pool say, under its number.
    pub(super) heard: HashMap<u64, Diagnostics>,
    pub(super) gate: Gate,
    /// Of accepting.
    pub(super) pause: Pause,
    /// A connection for which there is no process yet: it is kept, not dropped, until a fork succeeds.
    pub(super) kept: Option<(u64, OwnedFd, Peer)>,
    pub(super) ending: Option<Ending>,
}

impl<'s> Master<'s> {
    /// The master of a server that is about to serve its first generation.
    ///
    /// # Errors
    /// No free descriptor, no memory.
    pub(crate) fn new(
        generation: Generation,
        source: &'s Source,
        services: Services<'s>,
        signals: &'s Signals,
        log: Arc<Log>,
        private: &'s [BorrowedFd<'s>],
    ) -> io::Result<Master<'s>> {
        let gate = Gate::new(false)?;
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        let wake = Arc::new(EventFd::from_value_and_flags(0, flags)?);
        gate.watch(signals.as_fd(), SIGNALS)?;
        gate.watch(wake.as_fd(), WAKE)?;
        let mut master = Master {
            source,
            services,
            signals,
            private,
            around: Surroundings { log, wake },
            generation,
            pools: HashMap::new(),
            doors: HashMap::new(),
            numbers: 0,
            heard: HashMap::new(),
            gate,
            pause: Pause::default(),
            kept: None,
            ending: None,
        };
        let pools = master.pools_of(&master.generation)?;
        if pools.iter().any(Pool::is_unmanaged) {
            child::ignore_children()?;
        }
        master.enter(pools)?;
        Ok(master)
    }

    /// Begins a pause, since trying again at once would only burn time; says so once.
    pub(super) fn exhausted(&mut self, what: &str, error: &io::Error) {
        self.gate.settle();
        if self.pause.begin(Instant::now()) {
            let text =
                format!("cannot {what}: {error}: pausing until a connection ends or the machine has room");
            self.say(Priority::Warning, &text);
        }
    }

    pub(super) fn say(&self, priority: Priority, text: &str) {
        self.around.log.write(priority, text);
    }
}
