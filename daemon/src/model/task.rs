//! What the workers of a server are born with: everything in one value, copied by the fork or shared by threads.

use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::time::Duration;

use foobar_process::syslog::Priority;
use nix::sys::eventfd::EventFd;
use nix::sys::timer::TimerSetTimeFlags;
use nix::sys::timerfd::{Expiration, TimerFd};

use crate::board::Board;
use crate::config::Server;
use crate::gate::Gate;
use crate::handler::Handler;
use crate::listener::Listener;
use crate::log::Log;

/// The work of one server, as its workers see it.
#[derive(Clone)]
pub(crate) struct Task {
    pub(crate) server: Arc<Server>,
    pub(crate) handler: Arc<dyn Handler>,
    pub(crate) listeners: Vec<Arc<Listener>>,
    pub(crate) board: Arc<Board>,
    pub(crate) log: Arc<Log>,
    /// Wakes the master, who then looks whether there are workers enough.
    pub(crate) wake: Arc<EventFd>,
    /// Each count of it sends one idle worker away.
    pub(crate) dismiss: Arc<EventFd>,
    /// Whether all connections come as [`Listener::naps`] tells.
    pub(crate) naps: bool,
    /// Fires in the master when a connection of *delayed* outlives the grace.
    pub(crate) timer: Option<Arc<TimerFd>>,
}

/// Tokens of a worker's gate; its doors are numbered from 0.
pub(crate) const LEASH: u64 = 1 << 32;
pub(crate) const DISMISS: u64 = LEASH + 1;

impl Task {
    /// A gate with all doors of the server.
    pub(crate) fn gate(&self) -> std::io::Result<Gate> {
        let mut gate = Gate::new(true)?;
        for (door, listener) in self.listeners.iter().enumerate() {
            gate.add(door as u64, Arc::clone(listener))?;
        }
        gate.watch_shared(self.dismiss.as_fd(), DISMISS)?;
        Ok(gate)
    }

    /// Whether this worker is the one that the master has sent away.
    pub(crate) fn is_dismissed(&self) -> bool {
        self.dismiss.read().is_ok()
    }

    /// Gives the count of [`Task::dismiss`] back, for the next worker.
    pub(crate) fn pass_dismissal_on(&self) {
        let _ = self.dismiss.write(1);
    }

    /// Has the master look at the pool.
    pub(crate) fn wake_master(&self) {
        // It fails only when the count is at its end: then the master has news enough.
        let _ = self.wake.write(1);
    }

    /// Starts the clock of the connection that begins, unless it runs.
    pub(crate) fn start_clock(&self, delay: Duration) {
        if let Some(timer) = &self.timer {
            if self.board.arm() {
                let once = Expiration::OneShot(delay.into());
                if let Err(error) = timer.set(once, TimerSetTimeFlags::empty()) {
                    self.log.write(Priority::Err, &format!("cannot set a timer: {error}"));
                }
            }
        }
    }
}
