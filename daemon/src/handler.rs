//! What the author of a daemon writes: how one connection is served. How connections are allocated to
//! processes is the business of the models.

use std::io;

use crate::connection::Connection;

/// The service of a daemon.
///
/// One value serves all connections of a server. In the fork model each connection is served by a copy of it,
/// as it was at the moment of the fork: what `serve` changes in it is lost with the worker.
pub trait Handler {
    /// Serves one connection to its end. The connection is closed when this returns.
    ///
    /// # Errors
    /// Whatever went wrong with this connection. A peer that vanished or fell silent is everyday life and
    /// not worth a line in the log; other errors are logged with the peer's address.
    fn serve(&self, connection: &mut Connection<'_>) -> io::Result<()>;

    /// Called once, before privileges are dropped: the place to open what only root may open.
    ///
    /// # Errors
    /// The start fails with this reason.
    fn before_drop(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Called once, after privileges are dropped (or kept, if no user is configured) and before the daemon
    /// is ready.
    ///
    /// # Errors
    /// The start fails with this reason.
    fn after_drop(&mut self) -> io::Result<()> {
        Ok(())
    }
}
