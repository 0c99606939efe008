//! The discard service of RFC 863: whatever is received is thrown away, and nothing is ever said.

use std::io::{self, Read as _};
use std::net::SocketAddr;

use crate::address::Peer;
use crate::connection::Connection;
use crate::handler::Handler;
use crate::session::{Next, Session};

/// Thrown away at a time.
const CHUNK: usize = 16 * 1024;

/// The service.
#[derive(Debug, Clone, Copy, Default)]
pub struct Discard;

impl Handler for Discard {
    fn serve(&self, connection: &mut Connection<'_>) -> io::Result<()> {
        let mut chunk = [0; CHUNK];
        while connection.read(&mut chunk)? > 0 {}
        Ok(())
    }

    fn takes_datagrams(&self) -> bool {
        true
    }

    fn answer(&self, _request: &[u8], _sender: SocketAddr, _answer: &mut Vec<u8>) -> bool {
        false
    }

    fn has_sessions(&self) -> bool {
        true
    }

    fn session(&self, _peer: &Peer) -> Option<Box<dyn Session>> {
        Some(Box::new(DiscardSession))
    }
}

struct DiscardSession;

impl Session for DiscardSession {
    fn input(&mut self, _input: &[u8], _output: &mut Vec<u8>) -> Next {
        Next::Read
    }
}
