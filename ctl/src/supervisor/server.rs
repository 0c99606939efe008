//! The control socket of a supervisor: who connects asks one thing in one line, is answered in one line, and is hung up on. What is
//! answered is decided elsewhere.

use std::fs::{self, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use foobar_initscripts::exit::Action;
use foobar_process::control;
use serde::Serialize;

/// So many may be connected at once; more wait in the queue.
const MOST: usize = 16;
/// The longest request in bytes.
const LONGEST: usize = 256;
/// How long one may take to say what he wants.
const PATIENCE: Duration = Duration::from_secs(5);

/// The socket and who is connected to it.
#[derive(Debug)]
pub struct Server {
    path: PathBuf,
    listener: UnixListener,
    clients: Vec<Client>,
}

/// Somebody who has not said all.
#[derive(Debug)]
struct Client {
    stream: UnixStream,
    said: Vec<u8>,
    until: Instant,
}

impl Client {
    fn new(stream: UnixStream) -> Client {
        Client { stream, said: Vec::new(), until: Instant::now() + PATIENCE }
    }
}

/// A request and whom to answer.
#[derive(Debug)]
pub struct Request {
    /// Its words.
    pub line: String,
    stream: UnixStream,
}

impl Request {
    /// That of the program before, which is still to be answered.
    pub fn inherited(line: &str, socket: OwnedFd) -> Request {
        Request { line: line.to_owned(), stream: UnixStream::from(socket) }
    }

    /// Answers it.
    pub fn answer(mut self, text: &str) {
        // Who does not read loses the rest: nobody is waited for.
        let _ = self.stream.write_all(format!("{text}\n").as_bytes());
    }

    /// Tells how it was met, with the code of LSB.
    pub fn tell(self, met: &(Action, String)) {
        let outcome = Outcome { ok: met.0 == Action::Ok, code: met.0.code(), message: &met.1 };
        self.answer(&serde_json::to_string(&outcome).unwrap_or_default());
    }
}

/// The answer to what does something.
#[derive(Debug, Serialize)]
struct Outcome<'a> {
    ok: bool,
    code: u8,
    message: &'a str,
}

impl AsFd for Request {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

impl AsFd for Server {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}

impl Server {
    /// Listens beside `pid_file`, for the same user alone.
    ///
    /// # Errors
    /// As bind(2).
    pub fn listen(pid_file: &Path) -> io::Result<Server> {
        let path = control::path_for(pid_file);
        control::clear(pid_file)?;
        let listener = UnixListener::bind(&path)?;
        // Made without the right to write for others, whom connect(2) refuses for that already.
        fs::set_permissions(&path, Permissions::from_mode(0o600))?;
        listener.set_nonblocking(true)?;
        Ok(Server { path, listener, clients: Vec::new() })
    }

    /// Goes on with the socket of the program before, and with those who were connected and had said nothing.
    ///
    /// # Errors
    /// None in practice.
    pub fn inherited(pid_file: &Path, socket: OwnedFd, silent: Vec<OwnedFd>) -> io::Result<Server> {
        let listener = UnixListener::from(socket);
        listener.set_nonblocking(true)?;
        let clients = silent.into_iter().map(|client| Client::new(UnixStream::from(client))).collect();
        Ok(Server { path: control::path_for(pid_file), listener, clients })
    }

    /// Who is connected and has said nothing.
    pub fn silent(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.clients.iter().filter(|client| client.said.is_empty()).map(|client| client.stream.as_fd())
    }

    /// What to wait for.
    pub fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        let listener = (self.clients.len() < MOST).then(|| self.listener.as_fd());
        self.clients.iter().map(|client| client.stream.as_fd()).chain(listener).collect()
    }

    /// When the first of those who say nothing is hung up on.
    pub fn deadline(&self) -> Option<Instant> {
        self.clients.iter().map(|client| client.until).min()
    }

    /// Accepts who has come and reads what was said; returns what is complete.
    pub fn serve(&mut self) -> Vec<Request> {
        while self.clients.len() < MOST {
            let Ok((stream, _)) = self.listener.accept() else { break };
            if stream.set_nonblocking(true).is_ok() {
                self.clients.push(Client::new(stream));
            }
        }
        let mut complete = Vec::new();
        for mut client in std::mem::take(&mut self.clients) {
            let mut buffer = [0; LONGEST];
            match client.stream.read(&mut buffer) {
                Ok(0) => continue,
                Ok(length) => client.said.extend_from_slice(&buffer[..length]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => continue,
            }
            match client.said.iter().position(|byte| *byte == b'\n') {
                Some(end) => {
                    let line = String::from_utf8_lossy(&client.said[..end]).into_owned();
                    complete.push(Request { line, stream: client.stream });
                }
                None if client.said.len() < LONGEST && Instant::now() < client.until => {
                    self.clients.push(client);
                }
                None => {}
            }
        }
        complete
    }

    /// Removes the socket.
    pub fn close(self) {
        // One that stays does no harm: nobody listens there.
        let _ = fs::remove_file(&self.path);
    }
}
