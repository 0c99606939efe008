//! One process with a pool of threads that accept side by side.

use std::sync::mpsc;
use std::thread;

use foobar_process::child::Leash;

use super::Task;
use super::one;

/// Each thread is an address space's guest: what it needs beyond this it takes from the heap.
pub(super) const STACK: usize = 256 * 1024;

/// Runs the threads of the pool, this one among them, until all have left.
pub(crate) fn run(task: &Task, slot: usize, leash: &Leash<'_>) -> std::io::Result<()> {
    thread::scope(|scope| {
        let (tell, told) = mpsc::channel();
        for _ in 1..task.server.pool.threads {
            let Some(own) = task.board.claim() else { break };
            let tell = tell.clone();
            task.board.own(own, std::process::id());
            let begun = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, move || {
                let result = one::run(task, own, leash);
                task.board.release(own);
                // The receiver waits for all of them.
                let _ = tell.send(result);
            });
            if let Err(error) = begun {
                task.board.release(own);
                let text = format!("cannot start all {} threads: {error}", task.server.pool.threads);
                task.log.write(foobar_process::syslog::Priority::Warning, &text);
                break;
            }
        }
        drop(tell);
        one::run(task, slot, leash)?;
        told.into_iter().collect()
    })
}
