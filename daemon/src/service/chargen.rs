//! The character generator of RFC 864: lines of 72 characters, each begun one character later than the one before, for as
//! long as the peer takes them; over UDP up to 512 characters for each datagram. What is received is thrown away.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use super::datagram::Caution;
use crate::address::Peer;
use crate::connection::Connection;
use crate::handler::Handler;
use crate::session::{Next, Session};

/// The printing characters of ASCII, space among them.
const CHARACTERS: usize = 95;
/// Characters of a line, and with them carriage return and line feed.
const WIDTH: usize = 72;
const LINE: usize = WIDTH + 2;
/// The longest answer over UDP.
const MOST: usize = 512;

/// All lines there are: the next one would be the first again.
static PATTERN: [u8; CHARACTERS * LINE] = pattern();

const fn pattern() -> [u8; CHARACTERS * LINE] {
    let mut pattern = [b'\n'; CHARACTERS * LINE];
    let mut at = 0;
    while at < pattern.len() {
        let (line, column) = (at / LINE, at % LINE);
        if column < WIDTH {
            pattern[at] = b' ' + ((line + column) % CHARACTERS) as u8;
        } else if column == WIDTH {
            pattern[at] = b'\r';
        }
        at += 1;
    }
    pattern
}

/// The service.
#[derive(Debug, Clone, Default)]
pub struct Chargen {
    caution: Caution,
}

impl Chargen {
    /// With the caution that its datagrams need: it answers more than it is asked, so only to this machine.
    #[must_use]
    pub fn new(caution: Caution) -> Chargen {
        Chargen { caution }
    }
}

impl Handler for Chargen {
    fn serve(&self, connection: &mut Connection<'_>) -> io::Result<()> {
        while !connection.stopping() {
            connection.look()?;
            connection.write_all(&PATTERN)?;
        }
        connection.farewell()
    }

    fn takes_datagrams(&self) -> bool {
        true
    }

    fn answer(&self, request: &[u8], sender: SocketAddr, answer: &mut Vec<u8>) -> bool {
        // As random as the moment at which somebody asks.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let random = now.subsec_nanos().wrapping_mul(0x9e37_79b9) as usize >> 8;
        let (from, length) = (random % CHARACTERS * LINE, random % (MOST + 1));
        answer.extend(PATTERN.iter().cycle().skip(from).take(length));
        self.caution.allows(sender, request.len(), answer.len())
    }

    fn has_sessions(&self) -> bool {
        true
    }

    fn session(&self, _peer: &Peer) -> Option<Box<dyn Session>> {
        Some(Box::new(ChargenSession { stopping: false }))
    }
}

struct ChargenSession {
    stopping: bool,
}

impl ChargenSession {
    fn speak(&self, output: &mut Vec<u8>) -> Next {
        if self.stopping {
            return Next::Close;
        }
        output.extend_from_slice(&PATTERN);
        Next::Drain
    }
}

impl Session for ChargenSession {
    fn begin(&mut self, output: &mut Vec<u8>) -> Next {
        self.speak(output)
    }

    fn input(&mut self, _input: &[u8], _output: &mut Vec<u8>) -> Next {
        Next::Drain
    }

    /// A peer that only listens goes on listening.
    fn end(&mut self, _output: &mut Vec<u8>) -> Next {
        Next::Drain
    }

    fn drained(&mut self, output: &mut Vec<u8>) -> Next {
        self.speak(output)
    }

    fn stop(&mut self) {
        self.stopping = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pattern_is_that_of_the_rfc() {
        let lines: Vec<&[u8]> = PATTERN.chunks(LINE).collect();
        assert_eq!(lines.len(), 95);
        let first = b" !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefg\r\n";
        assert_eq!(lines[0], first);
        assert!(lines[1].starts_with(b"!\"#") && lines[1].ends_with(b"fgh\r\n"));
        assert!(lines[94].starts_with(b"~ !") && lines[94].ends_with(b"def\r\n"));
        assert!(lines.iter().all(|line| line[..WIDTH].iter().all(|c| (b' '..=b'~').contains(c))));
    }

    #[test]
    fn datagrams_are_for_this_machine_and_at_most_512_bytes() {
        let chargen = Chargen::default();
        let (mut lengths, mut answer) = (std::collections::BTreeSet::new(), Vec::new());
        for _ in 0..2000 {
            answer.clear();
            assert!(chargen.answer(b"", "127.0.0.1:5000".parse().unwrap(), &mut answer));
            assert!(answer.len() <= 512);
            lengths.insert(answer.len());
            answer.clear();
            let spoken = chargen.answer(b"", "192.0.2.1:5000".parse().unwrap(), &mut answer);
            assert!(!spoken || answer.len() <= 18, "more than was asked for");
        }
        assert!(lengths.len() > 100, "random lengths: {}", lengths.len());
    }
}
