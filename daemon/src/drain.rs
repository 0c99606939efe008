//! The end of a server: workers finish what they have in hand within the grace, and none outlives it.

use std::time::{Duration, Instant};

use foobar_process::Signal;
use foobar_process::signal::Signals;
use foobar_process::syslog::Priority;

use crate::event::{self, Event};
use crate::log::Log;
use crate::workers::Workers;

/// How long a worker may take to end by TERM before it is killed. Grace and this fit into init's 5 seconds.
const TERM_GRACE: Duration = Duration::from_millis(300);
/// How long is waited for those that were killed: only a process stuck in the kernel takes any time.
const KILL_GRACE: Duration = Duration::from_millis(500);

/// Lets `workers` finish until `deadline`, ends the rest, and returns when none is left.
pub fn drain(mut workers: Workers, signals: &Signals, log: &Log, deadline: Instant) {
    workers.finish();
    if wait(&mut workers, signals, deadline) {
        return;
    }
    log.write(
        Priority::Warning,
        &format!("{} connections did not finish in time: ended by TERM", workers.count()),
    );
    workers.signal(Signal::SIGTERM);
    if wait(&mut workers, signals, Instant::now() + TERM_GRACE) {
        return;
    }
    log.write(Priority::Warning, &format!("{} workers did not end by TERM: killed", workers.count()));
    workers.signal(Signal::SIGKILL);
    wait(&mut workers, signals, Instant::now() + KILL_GRACE);
}

/// Whether all have ended before `deadline`. QUIT cuts the wait short.
fn wait(workers: &mut Workers, signals: &Signals, deadline: Instant) -> bool {
    loop {
        workers.reap();
        if workers.count() == 0 {
            return true;
        }
        // Asked here as well, for a storm of signals would never let the wait below come to its end.
        if Instant::now() >= deadline {
            return false;
        }
        match signals.next(Some(deadline)).map(|signal| signal.map(event::from)) {
            Ok(Some(Some(Event::StopNow)) | None) | Err(_) => return false,
            Ok(Some(_)) => {}
        }
    }
}
