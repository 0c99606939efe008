//! What a client says and what the server must answer, byte for byte.

/// Length of a request to an echo service.
pub const ECHO: usize = 64;

/// A request and its right answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exchange {
    /// 64 bytes that no two requests of a run have in common, to be sent back as they are.
    Echo,
    /// One GET of HTTP/1.1, answered by 200 and this body.
    Http {
        /// What the server was told to answer.
        body: Vec<u8>,
    },
}

/// What an answer is, as far as it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Right up to here, and not at its end.
    More,
    /// Complete and right.
    Right,
    /// Not what it should be.
    Wrong,
}

impl Exchange {
    /// The bytes of request `number` of `client`.
    pub fn request(&self, client: usize, number: u32, into: &mut Vec<u8>) {
        into.clear();
        match self {
            Exchange::Echo => into.extend(echo(client, number)),
            Exchange::Http { .. } => into.extend(b"GET /answer.txt HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        }
    }

    /// Compares `answer` with what that request deserves.
    #[must_use]
    pub fn judge(&self, client: usize, number: u32, answer: &[u8]) -> Verdict {
        match self {
            Exchange::Echo => {
                let wanted = echo(client, number);
                match answer.len() {
                    ECHO if answer == wanted => Verdict::Right,
                    length if length < ECHO && answer == &wanted[..length] => Verdict::More,
                    _ => Verdict::Wrong,
                }
            }
            Exchange::Http { body } => http(answer, body),
        }
    }
}

fn echo(client: usize, number: u32) -> [u8; ECHO] {
    let mut bytes = *b"________________foobard's bench: this is to come back as it is.\n";
    bytes[..8].copy_from_slice(&(client as u64).to_le_bytes());
    bytes[8..12].copy_from_slice(&number.to_le_bytes());
    bytes
}

fn http(answer: &[u8], body: &[u8]) -> Verdict {
    const GOOD: &[u8] = b"HTTP/1.1 200 ";
    let known = answer.len().min(GOOD.len());
    if answer[..known] != GOOD[..known] {
        return Verdict::Wrong;
    }
    let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { return Verdict::More };
    match answer.len() - end - 4 {
        length if length < body.len() => Verdict::More,
        _ if &answer[end + 4..] == body => Verdict::Right,
        _ => Verdict::Wrong,
    }
}
