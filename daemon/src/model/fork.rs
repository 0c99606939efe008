//! The fork model: a process for each connection, while the master goes on accepting.

use std::net::{SocketAddr, TcpStream};

use super::stage::{Stage, Turn};

/// Forks for each connection until the stage is to be left.
pub(crate) fn run(stage: &mut Stage<'_>) {
    // A connection for which there is no process yet: it is kept, not dropped, until a fork succeeds.
    let mut kept: Option<(TcpStream, SocketAddr)> = None;
    loop {
        if let Some(connection) = kept.take() {
            kept = stage.hand_over(connection);
        }
        let room = kept.is_none() && stage.has_room();
        match stage.next(room) {
            Turn::Connection(stream, peer) => kept = Some((stream, peer)),
            Turn::Again => {}
            Turn::Leave => {
                if let Some(connection) = kept {
                    stage.hand_over(connection);
                }
                return;
            }
        }
    }
}
