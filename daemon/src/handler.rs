//! What the author of a daemon writes: how one connection, or one datagram, is served. How they are allocated
//! to processes and threads is the business of the models.

use std::io;
use std::net::SocketAddr;
use std::os::fd::BorrowedFd;
use std::sync::Arc;

use foobar_process::program::Running;

use crate::address::Peer;
use crate::config::Server;
use crate::connection::Connection;
use crate::session::Session;

/// The service of a server.
///
/// One value serves all connections of a server. Where the model works with processes, each has a copy of it as it
/// was at the fork: what a worker changes in it is the worker's own, and lost with it. Where it works with
/// threads, all of them share it.
pub trait Handler: Send + Sync {
    /// Serves one connection to its end. The connection is closed when this returns.
    ///
    /// # Errors
    /// Whatever went wrong with this connection. A peer that vanished or fell silent is everyday life and
    /// not worth a line in the log; other errors are logged with the peer's address.
    fn serve(&self, connection: &mut Connection<'_>) -> io::Result<()>;

    /// Whether [`Handler::answer`] is there: only then may a server listen on UDP.
    fn takes_datagrams(&self) -> bool {
        false
    }

    /// Answers one datagram: writes into `answer`, which is empty, and returns true, or returns false for silence.
    fn answer(&self, request: &[u8], sender: SocketAddr, answer: &mut Vec<u8>) -> bool {
        let _ = (request, sender, answer);
        false
    }

    /// Whether [`Handler::session`] is there: only then may a server have the model *event*.
    fn has_sessions(&self) -> bool {
        false
    }

    /// The same service as a state machine, which the *event* model drives for thousands of connections in one
    /// process; none if it has no such form.
    fn session(&self, peer: &Peer) -> Option<Box<dyn Session>> {
        let _ = peer;
        None
    }

    /// Starts a program that serves a connection of `peer` to `local` in the place of [`Handler::serve`], where a model
    /// starts a process for each connection anyway; none if that is not how this service works. The caller waits for its
    /// end.
    fn start_program(
        &self,
        peer: &Peer,
        local: &dyn Fn() -> Peer,
        connection: BorrowedFd<'_>,
    ) -> Option<io::Result<Running>> {
        let _ = (peer, local, connection);
        None
    }

    /// A pipe whose lines the master writes to the log, such as the standard error of programs: its reading end, which
    /// does not block. Asked for before the first worker is started.
    ///
    /// # Errors
    /// No free descriptor.
    fn diagnostics(&self) -> io::Result<Option<BorrowedFd<'_>>> {
        Ok(None)
    }

    /// Called once at start, before privileges are dropped: the place to open what only root may open. Not called
    /// for a service that a reload brings.
    ///
    /// # Errors
    /// The start fails with this reason.
    fn before_drop(&self) -> io::Result<()> {
        Ok(())
    }

    /// Called once at start, after privileges are dropped (or kept, if no user is configured) and before the
    /// daemon is ready.
    ///
    /// # Errors
    /// The start fails with this reason.
    fn after_drop(&self) -> io::Result<()> {
        Ok(())
    }

    /// Called in each worker process before its first connection: the place for state of its own, such as a
    /// connection to a database.
    ///
    /// # Errors
    /// The worker ends, the reason is logged, and another is tried after a pause that grows.
    fn begin_worker(&self) -> io::Result<()> {
        Ok(())
    }
}

impl<F> Handler for F
where
    F: Fn(&mut Connection<'_>) -> io::Result<()> + Send + Sync,
{
    fn serve(&self, connection: &mut Connection<'_>) -> io::Result<()> {
        self(connection)
    }
}

/// From the configuration of a server to its service: called for each server at start and at each reload.
///
/// # Errors
/// Why that server cannot be served so; the configuration is refused with this reason.
pub type Services<'s> = &'s dyn Fn(&Server) -> Result<Arc<dyn Handler>, String>;
