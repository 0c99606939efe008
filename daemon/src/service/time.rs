//! The time service of RFC 868: the seconds since 1900 as 32 bits, most significant byte first.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use super::datagram::Caution;
use crate::address::Peer;
use crate::connection::Connection;
use crate::handler::Handler;
use crate::session::{Next, Session};

/// Seconds from the begin of 1900 to the begin of 1970: RFC 868 gives this number.
const TO_1970: u64 = 2_208_988_800;

/// The service.
#[derive(Debug, Clone, Default)]
pub struct Time {
    caution: Caution,
}

impl Time {
    /// With the caution that its datagrams need.
    #[must_use]
    pub fn new(caution: Caution) -> Time {
        Time { caution }
    }
}

/// The seconds at this moment. In 2036 the number begins anew, as the RFC has it.
fn seconds() -> [u8; 4] {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    ((now.as_secs() + TO_1970) as u32).to_be_bytes()
}

impl Handler for Time {
    fn serve(&self, connection: &mut Connection<'_>) -> io::Result<()> {
        connection.write_all(&seconds())?;
        connection.farewell()
    }

    fn takes_datagrams(&self) -> bool {
        true
    }

    fn answer(&self, request: &[u8], sender: SocketAddr, answer: &mut Vec<u8>) -> bool {
        answer.extend_from_slice(&seconds());
        self.caution.allows(sender, request.len(), answer.len())
    }

    fn has_sessions(&self) -> bool {
        true
    }

    fn session(&self, _peer: &Peer) -> Option<Box<dyn Session>> {
        Some(Box::new(TimeSession))
    }
}

struct TimeSession;

impl Session for TimeSession {
    fn begin(&mut self, output: &mut Vec<u8>) -> Next {
        output.extend_from_slice(&seconds());
        Next::Close
    }

    fn input(&mut self, _input: &[u8], _output: &mut Vec<u8>) -> Next {
        Next::Close
    }
}
