//! Signals as data: blocked, and read from a descriptor (signalfd(2)), so that no handler ever runs and nothing is
//! interrupted at a bad moment.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Instant;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use crate::identity::timeout;
use crate::sys;

/// A set of signals that arrive here and nowhere else.
///
/// They stay blocked when the value is dropped: one that comes late must not kill a daemon that is about to exit. Children
/// made through `child` start with an empty mask.
#[derive(Debug)]
pub struct Signals {
    descriptor: SignalFd,
}

impl Signals {
    /// Blocks `set` in the calling thread, and in the threads that it starts later, and opens the descriptor. What was sent
    /// before and not yet delivered is read from it too.
    ///
    /// # Errors
    /// As sigprocmask(2) and signalfd(2): no free descriptor.
    pub fn block(set: &[Signal]) -> io::Result<Signals> {
        let set: SigSet = set.iter().copied().collect();
        set.thread_block()?;
        let descriptor = SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        Ok(Signals { descriptor })
    }

    /// The next signal; `None` when `deadline` is over. Without a deadline it waits for ever, with one in the past it
    /// only looks.
    ///
    /// # Errors
    /// When the descriptor cannot be read, which does not happen in practice. EINTR is harmless.
    pub fn next(&self, deadline: Option<Instant>) -> io::Result<Option<Signal>> {
        loop {
            match self.descriptor.read_signal() {
                // A number without a name is a real-time signal, which nobody can have asked for.
                Ok(Some(info)) => match Signal::try_from(info.ssi_signo as i32) {
                    Ok(signal) => return Ok(Some(signal)),
                    Err(_) => continue,
                },
                Ok(None) | Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
            let limit = match deadline {
                None => PollTimeout::NONE,
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return Ok(None);
                    }
                    timeout(left)
                }
            };
            match poll(&mut [PollFd::new(self.as_fd(), PollFlags::POLLIN)], limit) {
                Ok(_) | Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

/// Lets go of what the caller of this program may have blocked: an empty mask for the calling thread.
///
/// # Errors
/// None in practice.
pub fn unblock_all() -> io::Result<()> {
    Ok(SigSet::empty().thread_set_mask()?)
}

/// Sets every signal to its default action, and SIGPIPE to "ignored", as in every Rust program: what the caller of this program
/// has ignored, and what the runtime handles. Workers forked afterwards have nothing to set back.
pub fn default_actions() {
    sys::default_signals();
}
