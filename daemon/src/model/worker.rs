//! The life of a worker process: its beginning, the loop of its model, its end.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};

use foobar_process::child::Leash;
use foobar_process::program::Running;
use foobar_process::syslog::Priority;

use super::{Task, event, one, prethreaded, threads};
use crate::address::Peer;
use crate::config::ModelName;
use crate::connection::local_of;

use super::serve::serve_admitted;
pub(crate) use super::serve::{Datagrams, admitted, is_everyday, serve_watched};

/// What a worker process ends with when something failed that it has told.
pub(crate) const TOLD: i32 = 1;

/// Serves the one connection for which a worker of *fork* was made; returns its exit code. The master tells in the slot who
/// has it, and tells here whether the server was `stopping` at the fork: a new process pays for each page that it touches.
pub(crate) fn serve(
    task: &Task,
    slot: usize,
    connection: (OwnedFd, Peer),
    leash: &Leash<'_>,
    stopping: bool,
) -> i32 {
    if !begin_service(task) {
        return TOLD;
    }
    let (stream, peer) = connection;
    serve_admitted(task, slot, stream, peer, leash, stopping);
    0
}

/// Starts the program that serves a connection in the place of a worker, if the service is one.
pub(crate) fn program(task: &Task, stream: &OwnedFd, peer: &Peer) -> Option<io::Result<Running>> {
    // Only who starts a program asks for it, which is a system call.
    let local = || local_of(stream.as_fd(), peer);
    task.handler.start_program(peer, &local, stream.as_fd())
}

/// The state of a worker's own.
pub(crate) fn begin(task: &Task, slot: usize) -> bool {
    task.board.own(slot, std::process::id());
    begin_service(task)
}

fn begin_service(task: &Task) -> bool {
    let begun = task.handler.begin_worker();
    if let Err(error) = &begun {
        let name = &task.server.name;
        task.log.write(Priority::Err, &format!("{name}: the service could not begin in a worker: {error}"));
    }
    begun.is_ok()
}

/// Runs the worker that owns `slot`; returns its exit code.
pub(crate) fn live(task: &Task, slot: usize, leash: &Leash<'_>) -> i32 {
    if !begin(task, slot) {
        return TOLD;
    }
    let result = match task.server.model {
        // A fork worker serves the one connection that it was made for.
        ModelName::Fork => Ok(()),
        ModelName::Iterative | ModelName::Prefork | ModelName::Delayed => one::run(task, slot, leash),
        ModelName::Threads => threads::run(task, slot, leash),
        ModelName::Prethreaded => prethreaded::run(task, slot, leash),
        ModelName::Event => event::run(task, slot, leash),
    };
    match result {
        Ok(()) => 0,
        Err(error) => {
            task.log
                .write(Priority::Err, &format!("{}: a worker could not go on: {error}", task.server.name));
            TOLD
        }
    }
}
