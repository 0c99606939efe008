//! The pool that nobody manages: the article's master may leave once it has forked, since with SIGCHLD ignored there is nothing
//! left for it to do. Here it is one of the pool from then on, so that no process is there that does not serve, and the PID file
//! still names one that lives as long as the service. It has one connection at a time, and does its other duties whenever that
//! one waits for its peer.

use std::cell::RefCell;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Instant;

use nix::sys::epoll::Epoll;

use super::state::Master;
use crate::address::Peer;
use crate::board::Board;
use crate::connection::{Order, Watch};
use crate::listener::Listener;
use crate::model::Task;
use crate::model::worker::{self, Datagrams};

impl Master<'_> {
    /// Serves a connection of a pool of which this process is one.
    pub(super) fn serve_here(&mut self, number: u64, stream: OwnedFd, peer: Peer) {
        let Some((slot, task)) = self.begin_here(number) else { return };
        let stream = Arc::new(stream);
        self.in_hand = Some((number, Arc::clone(&stream)));
        task.board.begin(slot, &peer);
        if worker::admitted(&task, slot, &peer) {
            let news = self.gate.news();
            let duties = Duties { news: &news, board: &task.board, slot, master: RefCell::new(self) };
            let stopping = task.board.is_ending();
            worker::serve_watched(&task, slot, stream.as_fd(), peer, &duties, stopping);
        }
        self.in_hand = None;
        drop(stream);
        task.board.idle(slot);
        // At the end of the server it serves those who wait already, as the others do.
        let leaves = self.ending.is_none();
        if let Some(pool) = self.pools.get_mut(&number).filter(|pool| leaves && pool.is_retired()) {
            pool.withdraw();
        }
        self.forget_empty();
    }

    /// Takes a datagram for the one pool whose datagrams come to the master.
    pub(super) fn answer_here(&mut self, listener: &Listener) {
        let number = self.pools.iter().find(|row| row.1.own().is_some()).map(|row| *row.0);
        if let Some((slot, task)) = number.and_then(|number| self.begin_here(number)) {
            Datagrams::default().serve(&task, slot, listener);
        }
    }

    /// Has the service begin in this process, if it has not yet. If it cannot, which it tells, the master serves no more.
    fn begin_here(&mut self, number: u64) -> Option<(usize, Arc<Task>)> {
        let pool = self.pools.get_mut(&number)?;
        let (slot, task) = (pool.own()?, Arc::clone(&pool.task));
        if !pool.begun {
            pool.begun = worker::begin(&task, slot);
            if !pool.begun {
                pool.withdraw();
                let own: Vec<u64> =
                    self.doors.iter().filter(|row| *row.1 == number).map(|row| *row.0).collect();
                for door in own {
                    self.gate.remove(door);
                    self.doors.remove(&door);
                }
                return None;
            }
        }
        Some((slot, task))
    }

    /// What is to become of the connection in hand.
    fn order(&mut self) -> Order {
        let over = self.turn(false).is_some();
        // What has just come may ask for workers, and the next turn is only due with the next news.
        self.tend(Instant::now());
        let due = self.upgrade.as_ref().is_some_and(|upgrade| upgrade.is_due(false, Instant::now()));
        match &self.ending {
            Some(ending) if over || ending.is_overdue() => Order::Abandon,
            Some(_) => Order::Finish,
            None if due => Order::Finish,
            None => Order::Continue,
        }
    }
}

/// What a master has to do while it serves.
struct Duties<'d, 'm, 's> {
    news: &'d Epoll,
    board: &'d Board,
    slot: usize,
    master: RefCell<&'m mut Master<'s>>,
}

impl Watch for Duties<'_, '_, '_> {
    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        // At its own doors there is no news, as they are shut meanwhile.
        Some(self.news.0.as_fd())
    }

    fn deadline(&self) -> Option<Instant> {
        self.master.borrow().next_time(Instant::now())
    }

    fn order(&self) -> Order {
        self.master.borrow_mut().order()
    }

    fn reading(&self, reading: bool) {
        self.board.reading(self.slot, reading);
    }
}
