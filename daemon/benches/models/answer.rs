//! A tiny HTTP server of foobard's library, to be held against those of others: any request is answered by the same few
//! bytes, as they are told to do. It knows of HTTP/1.1 what the load generator says.

use std::ffi::OsString;
use std::io::{self, Read as _, Write as _};
use std::process::ExitCode;

use foobard::address::Peer;
use foobard::connection::Connection;
use foobard::daemon::Daemon;
use foobard::handler::Handler;
use foobard::session::{Next, Session};

use super::peers::BODY;

/// The first argument with which this program becomes that server; foobard's own follow.
pub const WORD: &str = "become-answerer";

/// A request ends with an empty line, and there is no body.
const END: &[u8] = b"\r\n\r\n";
/// Of a longer one nothing is known.
const LONGEST: usize = 4096;

struct Answerer {
    answer: Vec<u8>,
}

impl Handler for Answerer {
    fn serve(&self, connection: &mut Connection<'_>) -> io::Result<()> {
        let (mut request, mut buffer) = (Vec::new(), [0; 1024]);
        loop {
            let length = connection.read(&mut buffer)?;
            if length == 0 {
                return Ok(());
            }
            match told(&mut request, &buffer[..length]) {
                Some(true) => connection.write_all(&self.answer)?,
                Some(false) => {}
                None => return Err(io::ErrorKind::InvalidData.into()),
            }
        }
    }

    fn has_sessions(&self) -> bool {
        true
    }

    fn session(&self, _peer: &Peer) -> Option<Box<dyn Session>> {
        Some(Box::new(Answering { answer: self.answer.clone(), request: Vec::new() }))
    }
}

struct Answering {
    answer: Vec<u8>,
    request: Vec<u8>,
}

impl Session for Answering {
    fn input(&mut self, input: &[u8], output: &mut Vec<u8>) -> Next {
        match told(&mut self.request, input) {
            Some(true) => output.extend_from_slice(&self.answer),
            Some(false) => {}
            None => return Next::Close,
        }
        Next::Read
    }
}

/// Whether the request is complete with `input`; none if it is no request.
fn told(request: &mut Vec<u8>, input: &[u8]) -> Option<bool> {
    if request.is_empty() && input.starts_with(b"GET ") && input.ends_with(END) {
        return Some(true);
    }
    request.extend_from_slice(input);
    let complete = request.ends_with(END);
    if request.len() > LONGEST || (complete && !request.starts_with(b"GET ")) {
        return None;
    }
    if complete {
        request.clear();
    }
    Some(complete)
}

/// In a process that was started for it: serves, and tells with what it ends.
#[must_use]
pub fn become_answerer() -> Option<ExitCode> {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    if arguments.get(1).is_none_or(|word| word != WORD) {
        return None;
    }
    let answer = format!(
        "HTTP/1.1 200 OK\r\nServer: answerer\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{BODY}",
        BODY.len()
    );
    let handler = Answerer { answer: answer.into_bytes() };
    let handler: std::sync::Arc<dyn Handler> = std::sync::Arc::new(handler);
    let own = arguments.into_iter().enumerate().filter(|row| row.0 != 1).map(|row| row.1);
    Some(Daemon::new("answerer").main_with(own, &|_| Ok(std::sync::Arc::clone(&handler))))
}
