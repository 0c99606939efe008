//! A worker that serves one connection after the other: *iterative* has one of them, *prefork* a pool, *delayed* one
//! that is relieved when a connection takes long. The threads of *prethreaded* do the same.

use foobar_process::child::Leash;

use super::Task;
use super::accepting::{Accepting, Turn};
use super::crew;
use super::serve::{Datagrams, serve};

/// Accepts and serves until there is a reason to leave.
pub(crate) fn run(task: &Task, slot: usize, leash: &Leash<'_>) -> std::io::Result<()> {
    let mut accepting = Accepting::new(task, leash)?;
    let mut datagrams = Datagrams::default();
    let retirement = crew::retirement(&task.server.pool, u64::from(std::process::id()));
    let mut served = 0;
    task.board.idle(slot);
    loop {
        match accepting.next(true, None) {
            Turn::Connection(stream, peer) => {
                let idle = task.board.begin(slot, &peer);
                if crew::is_scarce(&task.server, idle, task.board.adjusted()) && !task.board.is_complete() {
                    task.wake_master();
                }
                task.start_clock(task.server.pool.delay);
                serve(task, slot, stream, peer, leash);
                served += 1;
                let retires = retirement.is_some_and(|most| served >= most);
                let idle = task.board.idle_count();
                if retires
                    || task.board.is_relieved(slot)
                    || crew::too_many(&task.server, idle, task.board.adjusted())
                {
                    return Ok(());
                }
                task.board.idle(slot);
            }
            Turn::Datagram(listener) => datagrams.serve(task, slot, &listener),
            Turn::Ending | Turn::Token(_) | Turn::Time => {}
            Turn::Leave => return Ok(()),
        }
    }
}
