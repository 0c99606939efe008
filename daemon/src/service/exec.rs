//! A program for each connection, with the connection as its standard input and output: what inetd and tcpserver do.
//!
//! The program finds in its environment, beside PATH, language and time zone, the variables of ucspi-tcp:
//! `PROTO=TCP`, `TCPLOCALIP`, `TCPLOCALPORT`, `TCPREMOTEIP`, `TCPREMOTEPORT`, for IPv6 as well; and on a Unix socket
//! `PROTO=UNIX`, `UNIXLOCALPATH`, and of the client `UNIXREMOTEPID`, `UNIXREMOTEEUID`, `UNIXREMOTEEGID`.
//! Lines on its standard error go to the daemon's log.
//!
//! Of the limits of time only that of the whole connection counts for it, since nobody stands between it and its peer. It
//! has a process group of its own, which is ended as a whole when the time is over, by TERM and two seconds later by KILL.
//! In the model *fork* it is the master's own child and nothing else is started; in the others a worker waits for it.

use std::io::{self, ErrorKind};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use foobar_process::Signal;
use foobar_process::child::How;
use foobar_process::program::{Program, Running};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use nix::unistd::pipe2;
use socket2::SockRef;

use crate::address::Peer;
use crate::config::Server;
use crate::connection::{Connection, Wish};
use crate::handler::Handler;

/// How long a program may take to end by TERM.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

/// The service.
#[derive(Debug)]
pub struct Exec {
    path: PathBuf,
    program: Program,
    diagnostics: OnceLock<Pipe>,
}

/// Standard error of the programs: they write, the master reads.
#[derive(Debug)]
struct Pipe {
    read: OwnedFd,
    write: OwnedFd,
}

impl Exec {
    /// The program of `server`.
    ///
    /// # Errors
    /// There is none at that path, or it is not executable.
    pub fn new(server: &Server) -> Result<Exec, String> {
        let path = server.program.as_deref().ok_or("program is missing: name the one to execute")?;
        let failed = |error: io::Error| format!("cannot execute {}: {error}", path.display());
        let program = Program::new(path, &server.arguments).map_err(failed)?;
        Ok(Exec { path: path.to_owned(), program, diagnostics: OnceLock::new() })
    }

    /// Whether there is a program at `path`.
    ///
    /// # Errors
    /// What is there instead, and what to do about it.
    pub fn check(path: &Path) -> Result<(), String> {
        let shown = path.display();
        let found =
            path.metadata().map_err(|error| format!("program {shown}: {error}: name one that exists"))?;
        if !found.is_file() {
            return Err(format!("program {shown} is no file: name one that can be executed"));
        }
        if found.permissions().mode() & 0o111 == 0 {
            return Err(format!("program {shown} is not executable: chmod +x it, or name another"));
        }
        Ok(())
    }

    fn begin(&self, peer: &Peer, local: &Peer, connection: BorrowedFd<'_>) -> io::Result<Running> {
        let errors = self.diagnostics.get().map(|pipe| pipe.write.as_fd());
        // The program is to wait for its peer as long as it likes.
        SockRef::from(&connection).set_read_timeout(None)?;
        self.program.start(&variables(peer, local, connection), connection, errors)
    }
}

impl Handler for Exec {
    fn serve(&self, connection: &mut Connection<'_>) -> io::Result<()> {
        let running = self.begin(connection.peer(), &connection.local(), connection.as_fd())?;
        let ended = running.descriptor().and_then(|descriptor| {
            loop {
                let (_, ended) =
                    connection.wait_beside(Wish::NOTHING, descriptor.as_fd(), Wish::READ, None)?;
                if ended.read {
                    return Ok(());
                }
            }
        });
        if let Err(error) = ended {
            running.end(PATIENCE);
            return Err(error);
        }
        running.wait()?.map_or(Ok(()), outcome)
    }

    fn start_program(
        &self,
        peer: &Peer,
        local: &dyn Fn() -> Peer,
        connection: BorrowedFd<'_>,
    ) -> Option<io::Result<Running>> {
        Some(self.begin(peer, &local(), connection))
    }

    fn diagnostics(&self) -> io::Result<Option<BorrowedFd<'_>>> {
        if self.diagnostics.get().is_none() {
            let (read, write) = pipe2(OFlag::O_CLOEXEC)?;
            // The reader never waits; a writer does, until there is room.
            fcntl(&read, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
            // Another thread may have been first: its pipe is as good.
            let _ = self.diagnostics.set(Pipe { read, write });
        }
        Ok(self.diagnostics.get().map(|pipe| pipe.read.as_fd()))
    }

    /// As the account that the programs will run as, and in its root directory.
    fn after_drop(&self) -> io::Result<()> {
        let explained =
            |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", self.path.display()));
        self.program.is_executable().map_err(explained)
    }
}

/// What the end of a program means for its connection. How it ended is the program's affair and, as with peers that
/// vanish, not worth a line in the log; but a crash is.
pub(crate) fn outcome(how: How) -> io::Result<()> {
    let kind = match how {
        How::Code(0) => return Ok(()),
        How::Code(_) => ErrorKind::ConnectionAborted,
        How::Signal(Signal::SIGPIPE) => ErrorKind::BrokenPipe,
        How::Signal(Signal::SIGTERM | Signal::SIGKILL) => ErrorKind::TimedOut,
        How::Signal(_) => ErrorKind::Other,
    };
    Err(io::Error::new(kind, format!("the program ended by {how}")))
}

/// The names of ucspi-tcp's tcp-environ, and of ucspi-unix.
fn variables(peer: &Peer, local: &Peer, connection: BorrowedFd<'_>) -> Vec<(&'static str, String)> {
    let own = |name: &'static str, value: &dyn ToString| (name, value.to_string());
    match (peer, local) {
        (Peer::Inet(peer), Peer::Inet(local)) => vec![
            own("PROTO", &"TCP"),
            own("TCPLOCALIP", &local.ip()),
            own("TCPLOCALPORT", &local.port()),
            own("TCPREMOTEIP", &peer.ip()),
            own("TCPREMOTEPORT", &peer.port()),
        ],
        (_, local) => {
            let mut all = vec![own("PROTO", &"UNIX")];
            if let Peer::Unix(path) = local {
                all.push(own("UNIXLOCALPATH", &path.display()));
            }
            if let Ok(client) = getsockopt(&connection, PeerCredentials) {
                all.push(own("UNIXREMOTEPID", &client.pid()));
                all.push(own("UNIXREMOTEEUID", &client.uid()));
                all.push(own("UNIXREMOTEEGID", &client.gid()));
            }
            all
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixStream;

    #[test]
    fn what_cannot_be_executed_is_told() {
        for (path, reason) in [("/nonexistent/x", "exists"), ("/etc", "no file"), ("/etc/passwd", "chmod")] {
            assert!(Exec::check(Path::new(path)).unwrap_err().contains(reason), "{path}");
        }
        assert_eq!(Exec::check(Path::new("/bin/sh")), Ok(()));
    }

    #[test]
    fn a_program_waits_for_its_peer_as_long_as_it_likes() {
        let server = Server { program: Some("/bin/true".into()), ..Server::default() };
        let exec = Exec::new(&server).unwrap();
        let (own, _peer) = UnixStream::pair().unwrap();
        own.set_read_timeout(Some(crate::connection::NAP)).unwrap();
        let peer = Peer::unix(Path::new("/run/x"));
        exec.begin(&peer, &peer, own.as_fd()).unwrap().wait().unwrap();
        assert_eq!(own.read_timeout().unwrap(), None);
    }

    #[test]
    fn variables_are_those_of_ucspi() {
        let (one, _two) = UnixStream::pair().unwrap();
        let peer = Peer::inet("[::ffff:192.0.2.1]:9".parse().unwrap());
        let local = Peer::inet("[2001:db8::1]:25".parse().unwrap());
        let found = variables(&peer, &local, one.as_fd());
        let text: Vec<String> = found.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let wanted = ["PROTO=TCP", "TCPLOCALIP=2001:db8::1", "TCPLOCALPORT=25", "TCPREMOTEIP=192.0.2.1"];
        assert_eq!(text[..4], wanted);
        assert_eq!(text[4], "TCPREMOTEPORT=9");
        let local = Peer::unix(Path::new("/run/x"));
        let found = variables(&local, &local, one.as_fd());
        let get = |name: &str| found.iter().find(|row| row.0 == name).map(|row| row.1.clone()).unwrap();
        assert_eq!((get("PROTO"), get("UNIXLOCALPATH")), ("UNIX".to_owned(), "/run/x".to_owned()));
        assert_eq!(get("UNIXREMOTEPID"), std::process::id().to_string());
    }
}
