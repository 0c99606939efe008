//! The echo service of RFC 862: whatever is received is sent back, until the peer ends.

use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;

use super::datagram::Caution;
use crate::address::Peer;
use crate::connection::Connection;
use crate::handler::Handler;
use crate::session::{Next, Session};

/// Enough for a short request; a freshly forked process pays for each page of stack that it touches.
const SMALL: usize = 2048;
/// For those who send more than that at a time.
const LARGE: usize = 64 * 1024;

/// The service.
#[derive(Debug, Clone, Default)]
pub struct Echo {
    caution: Caution,
}

impl Echo {
    /// With the caution that its datagrams need.
    #[must_use]
    pub fn new(caution: Caution) -> Echo {
        Echo { caution }
    }
}

impl Handler for Echo {
    fn serve(&self, connection: &mut Connection<'_>) -> io::Result<()> {
        let mut small = [0; SMALL];
        loop {
            match connection.read(&mut small)? {
                0 => return Ok(()),
                SMALL => {
                    connection.write_all(&small)?;
                    break;
                }
                length => connection.write_all(&small[..length])?,
            }
        }
        let mut large = vec![0; LARGE];
        loop {
            match connection.read(&mut large)? {
                0 => return Ok(()),
                length => connection.write_all(&large[..length])?,
            }
        }
    }

    fn takes_datagrams(&self) -> bool {
        true
    }

    fn answer(&self, request: &[u8], sender: SocketAddr, answer: &mut Vec<u8>) -> bool {
        answer.extend_from_slice(request);
        self.caution.allows(sender, request.len(), answer.len())
    }

    fn has_sessions(&self) -> bool {
        true
    }

    fn session(&self, _peer: &Peer) -> Option<Box<dyn Session>> {
        Some(Box::new(EchoSession))
    }
}

/// A connection needs no state: what comes in goes out.
struct EchoSession;

impl Session for EchoSession {
    fn input(&mut self, input: &[u8], output: &mut Vec<u8>) -> Next {
        output.extend_from_slice(input);
        Next::Read
    }
}
