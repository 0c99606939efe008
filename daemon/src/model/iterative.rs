//! The iterative model: one connection after the other, in the master itself; who comes meanwhile waits in
//! the backlog. For requests of a very short duration.

use std::cell::RefCell;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::Instant;

use foobar_process::signal::Signals;

use super::serve::serve;
use super::stage::{Stage, Turn};
use crate::connection::{Order, Watch};

/// Serves in place until the stage is to be left.
pub(crate) fn run(stage: &mut Stage<'_>) {
    loop {
        match stage.next(true) {
            Turn::Connection(stream, peer) => {
                let signals = stage.signals();
                let handler = stage.handler();
                let log = stage.log();
                let idle = stage.config().idle_timeout;
                let watch = InPlace { signals, stage: RefCell::new(stage) };
                serve(handler, log, (stream, peer), idle, &watch);
            }
            Turn::Again => {}
            Turn::Leave => return,
        }
    }
}

/// Signals must not wait behind a slow peer: the master reads them while it waits for him.
struct InPlace<'a, 's> {
    signals: &'s Signals,
    stage: RefCell<&'a mut Stage<'s>>,
}

impl Watch for InPlace<'_, '_> {
    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        Some(self.signals.as_fd())
    }

    fn deadline(&self) -> Option<Instant> {
        self.stage.borrow().deadline()
    }

    fn order(&self) -> Order {
        let mut stage = self.stage.borrow_mut();
        stage.take_signal();
        match stage.deadline() {
            None => Order::Continue,
            Some(deadline) if Instant::now() < deadline => Order::Finish,
            Some(_) => Order::Abandon,
        }
    }
}
