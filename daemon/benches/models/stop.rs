//! Ctrl-C and TERM end the bench in good order: what waits asks here whether it still should.

use std::sync::atomic::{AtomicBool, Ordering};

use nix::sys::signal::{SigSet, Signal};

static WANTED: AtomicBool = AtomicBool::new(false);

/// Listens for INT, TERM and HUP from now on. To be called before there are other threads.
///
/// # Errors
/// What pthread_sigmask(3) says.
pub fn listen() -> Result<(), String> {
    let signals: SigSet = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP].into_iter().collect();
    signals.thread_block().map_err(|errno| format!("cannot block signals: {errno}"))?;
    std::thread::spawn(move || {
        if signals.wait().is_ok() {
            WANTED.store(true, Ordering::Relaxed);
        }
    });
    Ok(())
}

/// An error once the bench is to end.
///
/// # Errors
/// That it is to end.
pub fn check() -> Result<(), String> {
    if WANTED.load(Ordering::Relaxed) { Err("interrupted".to_owned()) } else { Ok(()) }
}
