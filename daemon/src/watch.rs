//! What a connection is told by its server.

use std::os::fd::BorrowedFd;
use std::time::Instant;

/// What the server wants of a connection that is being served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Go on.
    Continue,
    /// Finish the request in flight, then end.
    Finish,
    /// End now.
    Abandon,
}

/// Where a connection that waits for its peer learns that the server wants something else.
pub trait Watch {
    /// Readable when [`Watch::order`] may have changed; none when nothing more can come.
    fn descriptor(&self) -> Option<BorrowedFd<'_>>;
    /// When to ask for the order even if the descriptor says nothing.
    fn deadline(&self) -> Option<Instant>;
    /// The order in force.
    fn order(&self) -> Order;
    /// Whether it is enough to learn of it within a quarter of a second: then the descriptor need not be looked at before each
    /// request.
    fn is_patient(&self) -> bool {
        false
    }
    /// The connection begins or ends to wait for bytes of its peer.
    fn reading(&self, reading: bool) {
        let _ = reading;
    }
}
