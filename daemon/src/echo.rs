//! The echo service of RFC 862 over TCP: whatever is received is sent back, until the peer ends.

use std::io::{self, Read as _, Write as _};

use crate::connection::Connection;
use crate::handler::Handler;

/// Enough for a short request; a freshly forked process pays for each page of stack that it touches.
const SMALL: usize = 2048;
/// For those who send more than that at a time.
const LARGE: usize = 64 * 1024;

/// foobard's own service.
#[derive(Debug, Clone, Copy, Default)]
pub struct Echo;

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
}
