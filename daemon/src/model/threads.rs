//! One process with a thread for each connection. A thread that has served its connection waits a moment for the
//! next one before it ends, since making a thread costs more than keeping one.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use foobar_process::child::Leash;
use foobar_process::syslog::Priority;
use nix::sys::eventfd::{EfdFlags, EventFd};

use super::Task;
use super::accepting::{Accepting, Turn};
use super::prethreaded::STACK;
use super::serve::serve;
use super::task::DISMISS;
use crate::address::Peer;
use crate::pause::Pause;

/// How long a thread without a connection is kept.
const KEPT: Duration = Duration::from_millis(500);
/// Told when a place has become free.
const FREED: u64 = DISMISS + 1;

/// What the threads share.
struct Shared {
    state: Mutex<State>,
    arrival: Condvar,
    freed: EventFd,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<(OwnedFd, Peer)>,
    /// Threads without a connection, less those that a waiting connection is meant for.
    idle: usize,
    /// Connections in hand or waiting for a thread.
    connections: usize,
    /// Whether the acceptor waits for a place.
    full: bool,
    ending: bool,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next connection for a thread that has none; none if there is nothing to do for it.
    fn next(&self) -> Option<(OwnedFd, Peer)> {
        let mut state = self.state();
        loop {
            if let Some(connection) = state.waiting.pop_front() {
                return Some(connection);
            }
            if state.ending {
                return None;
            }
            let (guard, timeout) =
                self.arrival.wait_timeout(state, KEPT).unwrap_or_else(PoisonError::into_inner);
            state = guard;
            if timeout.timed_out() && state.waiting.is_empty() {
                state.idle -= 1;
                return None;
            }
        }
    }

    /// Whether another connection may be served; if not, the acceptor is told when that changes.
    fn has_room(&self, most: u32) -> bool {
        let mut state = self.state();
        state.full = state.connections >= most as usize;
        !state.full
    }

    /// Gives a connection to a thread that waits, or to a new one. Given back if there can be none.
    fn hand_over(
        &self,
        connection: (OwnedFd, Peer),
        spawn: impl FnOnce() -> io::Result<()>,
    ) -> Result<(), ((OwnedFd, Peer), io::Error)> {
        let mut state = self.state();
        state.waiting.push_back(connection);
        state.connections += 1;
        if state.idle > 0 {
            state.idle -= 1;
            drop(state);
            self.arrival.notify_one();
            return Ok(());
        }
        drop(state);
        let Err(error) = spawn() else { return Ok(()) };
        let mut state = self.state();
        match state.waiting.pop_back() {
            Some(connection) => {
                state.connections -= 1;
                Err((connection, error))
            }
            // A thread that has become free was quicker.
            None => Ok(()),
        }
    }

    /// A connection has ended; its thread is free.
    fn done(&self) {
        let mut state = self.state();
        state.connections -= 1;
        state.idle += 1;
        if std::mem::take(&mut state.full) {
            let _ = self.freed.write(1);
        }
    }
}

/// Accepts until there is a reason to leave, and returns when the last thread has ended.
pub(crate) fn run(task: &Task, slot: usize, leash: &Leash<'_>) -> io::Result<()> {
    let freed = EventFd::from_value_and_flags(0, EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
    let shared = Shared { state: Mutex::default(), arrival: Condvar::new(), freed };
    let mut accepting = Accepting::new(task, leash)?;
    accepting.gate().watch(shared.freed.as_fd(), FREED)?;
    task.board.idle(slot);
    thread::scope(|scope| {
        let mut pause = Pause::default();
        // A connection for which there is no thread to be had: it is kept, not dropped, until there is one.
        let mut kept = None;
        loop {
            if let Some(connection) = kept.take() {
                let spawn = || {
                    let builder = thread::Builder::new().stack_size(STACK);
                    builder.spawn_scoped(scope, || work(task, &shared, leash)).map(drop)
                };
                match shared.hand_over(connection, spawn) {
                    Ok(()) if pause.end() => task.log.write(Priority::Notice, "starting threads again"),
                    Ok(()) => {}
                    Err((connection, error)) => {
                        kept = Some(connection);
                        if pause.begin(Instant::now()) {
                            let text = format!("cannot start a thread: {error}: pausing until there is room");
                            task.log.write(Priority::Warning, &text);
                        }
                    }
                }
            }
            let room = shared.has_room(task.server.max_connections);
            match accepting.next(room && kept.is_none(), pause.until(Instant::now())) {
                Turn::Connection(stream, peer) => kept = Some((stream, peer)),
                Turn::Token(_) => drop(shared.freed.read()),
                Turn::Datagram(_) | Turn::Ending | Turn::Time => {}
                Turn::Leave if kept.is_none() => break,
                Turn::Leave => {}
            }
        }
        shared.state().ending = true;
        shared.arrival.notify_all();
        Ok(())
    })
}

/// The life of a thread.
fn work(task: &Task, shared: &Shared, leash: &Leash<'_>) {
    let Some(slot) = task.board.claim() else { return };
    task.board.own(slot, std::process::id());
    while let Some((stream, peer)) = shared.next() {
        task.board.begin(slot, &peer);
        serve(task, slot, stream, peer, leash);
        task.board.idle(slot);
        shared.done();
    }
    task.board.release(slot);
}
