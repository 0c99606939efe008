//! What a master knows, and how it begins.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;
use std::time::Instant;

use foobar_process::child;
use foobar_process::pidfile::PidFile;
use foobar_process::signal::Signals;
use foobar_process::syslog::Priority;
use nix::sys::eventfd::{EfdFlags, EventFd};

use crate::address::Peer;
use crate::config::Source;
use crate::control::Control;
use crate::diagnostics::Diagnostics;
use crate::elders::Elders;
use crate::ending::Ending;
use crate::gate::Gate;
use crate::handler::Services;
use crate::log::Log;
use crate::pause::Pause;
use crate::pool::{Pool, Surroundings};
use crate::reload::{Generation, Means};
use crate::statistics::Statistics;
use crate::upgrade::{Program, Upgrade};

pub(super) const SIGNALS: u64 = u64::MAX;
pub(super) const WAKE: u64 = u64::MAX - 1;
pub(super) const CONTROL: u64 = u64::MAX - 2;
/// Tokens of the clocks of *delayed*: this and the number of the pool.
pub(super) const CLOCK: u64 = 1 << 62;
/// Tokens of what programs say: this and the number of the pool.
pub(super) const HEARD: u64 = 1 << 61;

/// What a server stands on as long as it runs.
#[derive(Clone, Copy)]
pub(crate) struct Ground<'s> {
    pub(crate) source: &'s Source,
    pub(crate) services: Services<'s>,
    pub(crate) signals: &'s Signals,
    pub(crate) pid_file: &'s PidFile,
    pub(crate) program: &'s Program,
}

/// A running server.
pub(crate) struct Master<'s> {
    pub(super) ground: Ground<'s>,
    pub(super) around: Surroundings,
    pub(super) control: Option<Control>,
    pub(super) upgrade: Option<Upgrade>,
    pub(super) elders: Elders,
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
    /// The connection that the master itself serves, where nobody manages, and the pool that it belongs to. No worker may hold
    /// it.
    pub(super) in_hand: Option<(u64, Arc<OwnedFd>)>,
    pub(super) ending: Option<Ending>,
}

impl<'s> Master<'s> {
    /// The master of a server that is about to serve its first generation.
    ///
    /// # Errors
    /// No free descriptor, no memory.
    pub(crate) fn new(
        generation: Generation,
        ground: Ground<'s>,
        log: Arc<Log>,
        statistics: Arc<Statistics>,
        control: Option<Control>,
    ) -> io::Result<Master<'s>> {
        let gate = Gate::new(false)?;
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        let wake = Arc::new(EventFd::from_value_and_flags(0, flags)?);
        gate.watch(ground.signals.as_fd(), SIGNALS)?;
        gate.watch(wake.as_fd(), WAKE)?;
        if let Some(control) = &control {
            gate.watch(control.descriptor(), CONTROL)?;
        }
        let mut master = Master {
            ground,
            around: Surroundings { log, wake, statistics },
            control,
            upgrade: None,
            elders: Elders::default(),
            generation,
            pools: HashMap::new(),
            doors: HashMap::new(),
            numbers: 0,
            heard: HashMap::new(),
            gate,
            pause: Pause::default(),
            kept: None,
            in_hand: None,
            ending: None,
        };
        let pools = master.pools_of(&master.generation)?;
        // Nobody is reaped yet: there may be workers of a former program that are still to be taken over.
        if pools.iter().any(Pool::is_unmanaged) {
            child::ignore_children()?;
        }
        master.enter(pools)?;
        Ok(master)
    }

    /// What generations are made with.
    pub(super) fn means(&self) -> Means<'_> {
        Means { services: self.ground.services, statistics: &self.around.statistics }
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
