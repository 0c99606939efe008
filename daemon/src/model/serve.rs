//! One connection or datagram, served: admitted, counted, given to the service, and told if it is news.

use std::io::{self, ErrorKind};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use foobar_process::child::Leash;
use foobar_process::syslog::Priority;

use super::Task;
use crate::address::Peer;
use crate::board::{self, Counter};
use crate::config::Server;
use crate::connection::{Connection, Watch};
use crate::listener::Listener;
use crate::rate;
use crate::told::Told;

/// Serves `stream` to its end and closes it. The slot says so meanwhile, and is the caller's again afterwards.
pub(crate) fn serve(task: &Task, slot: usize, stream: OwnedFd, peer: Peer, leash: &Leash<'_>) {
    if admitted(task, slot, &peer) {
        let stopping = task.board.is_ending();
        serve_admitted(task, slot, stream, peer, leash, stopping);
    }
}

/// The same for a peer that was admitted already. `stopping`: the server wants to end.
pub(crate) fn serve_admitted(
    task: &Task,
    slot: usize,
    stream: OwnedFd,
    peer: Peer,
    leash: &Leash<'_>,
    stopping: bool,
) {
    let told = Told::new(leash, &task.board, slot);
    serve_watched(task, slot, stream.as_fd(), peer, &told, stopping);
}

/// The same by one who learns in another way what the server wants. The stream stays open.
pub(crate) fn serve_watched(
    task: &Task,
    slot: usize,
    stream: BorrowedFd<'_>,
    peer: Peer,
    watch: &dyn Watch,
    stopping: bool,
) {
    let mut connection = Connection::new(stream, peer, task.server.limits, watch);
    if stopping {
        connection.stop();
    }
    if task.naps {
        connection.set_naps();
    }
    let result = task.handler.serve(&mut connection);
    let lasted = connection.since().elapsed();
    let (received, sent) = connection.bytes();
    ended(task, slot, Ended { peer: connection.peer(), lasted, received, sent, result });
}

/// Whether the peer of `slot` may be served.
pub(crate) fn admitted(task: &Task, slot: usize, peer: &Peer) -> bool {
    admitted_if(task, peer, |most| task.board.admit(slot, peer, most))
}

/// Whether `peer` may be served, `room` telling whether an address that may have so many connections may have this one:
/// a connection taken is counted, and one too many is closed without a word, which costs him more than us.
pub(crate) fn admitted_if(task: &Task, peer: &Peer, room: impl FnOnce(u32) -> bool) -> bool {
    let (server, board) = (&task.server, &task.board);
    board.count(Counter::Accepted, 1);
    if let Some(rate) = server.accept_rate {
        rate::take(board.rate(), rate, board::now());
    }
    let admitted = is_welcome(server, peer) && server.max_per_address.is_none_or(room);
    if !admitted {
        board.count(Counter::Refused, 1);
        if server.access_log {
            task.log.write(Priority::Info, &format!("{}: {peer} refused", server.name));
        }
    }
    admitted
}

/// Whether the lists let `peer` in.
fn is_welcome(server: &Server, peer: &Peer) -> bool {
    let Some(ip) = peer.ip() else { return true };
    let listed = |list: &[crate::config::Network]| list.iter().any(|network| network.contains(ip));
    (server.allow.is_empty() || listed(&server.allow)) && !listed(&server.deny)
}

/// A connection that is over.
pub(crate) struct Ended<'e> {
    pub(crate) peer: &'e Peer,
    pub(crate) lasted: Duration,
    pub(crate) received: u64,
    pub(crate) sent: u64,
    pub(crate) result: io::Result<()>,
}

/// Counts a connection that is over, and tells what is worth a line.
pub(crate) fn ended(task: &Task, slot: usize, connection: Ended<'_>) {
    let Ended { peer, lasted, received, sent, result } = connection;
    task.board.count(Counter::Received, received);
    task.board.count(Counter::Sent, sent);
    task.board.end(slot, lasted);
    let name = &task.server.name;
    if let Err(error) = &result {
        task.board.count(Counter::Failed, 1);
        if !is_everyday(error.kind()) {
            task.log.write(Priority::Warning, &format!("{name}: connection of {peer}: {error}"));
        }
    }
    if task.server.access_log {
        let outcome = result.map_or_else(|error| error.to_string(), |()| "done".to_owned());
        let seconds = lasted.as_secs_f64();
        let line = format!("{name}: {peer} {received} bytes in, {sent} out, {seconds:.3} s: {outcome}");
        task.log.write(Priority::Info, &line);
    }
}

/// Peers vanish, fall silent and are cut off at the end of a server; a line for each would let anybody fill
/// the log.
pub(crate) fn is_everyday(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe
            | ErrorKind::NotConnected
            | ErrorKind::TimedOut
            | ErrorKind::UnexpectedEof
    )
}

/// The largest payload of a datagram over IPv4: 65,535 bytes less the headers.
const LARGEST: usize = 65_507;

/// What a worker needs to answer datagrams, kept from one to the next.
#[derive(Debug, Default)]
pub(crate) struct Datagrams {
    request: Vec<u8>,
    answer: Vec<u8>,
}

impl Datagrams {
    /// Takes one datagram from `listener`, if no other worker was first, and answers it.
    pub(crate) fn serve(&mut self, task: &Task, slot: usize, listener: &Listener) {
        self.request.resize(LARGEST, 0);
        let Ok((length, sender)) = listener.receive(&mut self.request) else { return };
        let began = Instant::now();
        let peer = Peer::inet(sender);
        task.board.begin(slot, &peer);
        if admitted(task, slot, &peer) {
            task.board.count(Counter::Received, length as u64);
            self.answer.clear();
            let speaks = task.handler.answer(&self.request[..length], sender, &mut self.answer);
            // Who asked may be gone, or never have been there: that is his affair.
            if speaks && listener.send(&self.answer, sender).is_ok() {
                task.board.count(Counter::Sent, self.answer.len() as u64);
            }
            task.board.end(slot, began.elapsed());
        }
        task.board.idle(slot);
    }
}
