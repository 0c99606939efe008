//! One connection, served: by whichever process a model has chosen, and with its error told if it is news.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use foobar_process::syslog::Priority;

use crate::connection::{Connection, Watch};
use crate::handler::Handler;
use crate::log::Log;

/// Serves `connection` to its end and closes it.
pub(crate) fn serve(
    handler: &dyn Handler,
    log: &Log,
    connection: (TcpStream, SocketAddr),
    idle: Option<Duration>,
    watch: &dyn Watch,
) {
    let (stream, peer) = connection;
    match handler.serve(&mut Connection::new(stream, peer, idle, watch)) {
        Ok(()) => {}
        Err(error) if is_everyday(error.kind()) => {}
        Err(error) => log.write(Priority::Warning, &format!("connection of {peer}: {error}")),
    }
}

/// Peers vanish, fall silent and are cut off at the end of a server; a line for each would let anybody fill
/// the log.
fn is_everyday(kind: ErrorKind) -> bool {
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
