//! Talking to a daemon over the control socket beside its PID file: a line there, a line back. Whoever answers is proven to
//! be the daemon before a word is said to it. What can be asked for is the daemon's affair.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::sockopt::{PeerCredentials, SendTimeout};
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, UnixAddr, connect, getsockopt, setsockopt, socket,
};
use nix::sys::time::{TimeVal, TimeValLike as _};
use nix::unistd::Uid;

use crate::identity::Process;

/// The control socket of a PID file: `sock` in the place of its extension, as in /var/run/foobar.sock.
#[must_use]
pub fn path_for(pid_file: &Path) -> PathBuf {
    let path = pid_file.with_extension("sock");
    if path != pid_file {
        return path;
    }
    let mut name = OsString::from(pid_file);
    name.push(".sock");
    PathBuf::from(name)
}

/// Removes the socket that a daemon has left which is gone; one behind which somebody listens stays, and so does what is no
/// socket. Under the lock of a start, so that nobody is about to listen.
///
/// # Errors
/// As unlink(2).
pub fn clear(pid_file: &Path) -> io::Result<()> {
    let path = path_for(pid_file);
    if !fs::symlink_metadata(&path).is_ok_and(|there| there.file_type().is_socket()) {
        return Ok(());
    }
    match UnixStream::connect(&path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(&path),
        _ => Ok(()),
    }
}

/// How long the daemon may take to accept.
const PATIENCE: Duration = Duration::from_secs(5);
/// Most answers are shorter, in bytes.
const USUAL: usize = 4096;
/// No answer is longer, in bytes.
const LONGEST: u64 = 64 << 20;

/// A connection to a proven daemon.
#[derive(Debug)]
pub struct Call {
    stream: UnixStream,
}

impl Call {
    /// Connects to the daemon that runs as `process` with this PID file. `None`: it has no control socket, or one that is
    /// not for us.
    ///
    /// # Errors
    /// Something else is there: a link, a socket that others could have made, or another process answers.
    pub fn connect(pid_file: &Path, process: &Process) -> io::Result<Option<Call>> {
        let path = path_for(pid_file);
        let doubt = |what: String| {
            let text = format!("{}: not believed, {what}: remove it", path.display());
            Err(io::Error::new(io::ErrorKind::InvalidData, text))
        };
        let there = match fs::symlink_metadata(&path) {
            Ok(there) => there,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(None),
            Err(error) => return Err(error),
        };
        if !there.file_type().is_socket() {
            return doubt("it is no socket".to_owned());
        }
        if there.uid() != 0 && there.uid() != Uid::effective().as_raw() {
            return doubt(format!("it belongs to user {}, who is neither root nor the caller", there.uid()));
        }
        let descriptor = socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
        // It also limits how long connect(2) waits for room in the queue.
        let limit = TimeVal::seconds(i64::try_from(PATIENCE.as_secs()).unwrap_or(i64::MAX));
        setsockopt(&descriptor, SendTimeout, &limit)?;
        match connect(descriptor.as_raw_fd(), &UnixAddr::new(&path)?) {
            Ok(()) => {}
            // Left by a daemon that could not remove it, or for its owner alone.
            Err(Errno::ECONNREFUSED | Errno::EACCES | Errno::EPERM | Errno::ENOENT) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        let who = getsockopt(&descriptor, PeerCredentials)?;
        if !process.is_alive() {
            // Ended meanwhile; whoever comes after it may have a socket there already.
            return Ok(None);
        }
        if who.pid() != process.pid().as_raw() {
            return doubt(format!("process {} answers and not the daemon, {}", who.pid(), process.pid()));
        }
        Ok(Some(Call { stream: descriptor.into() }))
    }

    /// Asks for something and waits for the answer, at most for `limit` of silence.
    ///
    /// # Errors
    /// As [`Call::say`] and [`Call::hear`].
    pub fn ask(mut self, request: &str, limit: Duration) -> io::Result<String> {
        self.say(request)?;
        self.hear(limit)
    }

    /// Asks for something: the daemon works at its answer while the caller does something else.
    ///
    /// # Errors
    /// The daemon hung up.
    pub fn say(&mut self, request: &str) -> io::Result<()> {
        self.stream.write_all(format!("{request}\n").as_bytes())
    }

    /// Waits for the answer to what was said, at most for `limit` of silence.
    ///
    /// # Errors
    /// `TimedOut`; `UnexpectedEof` when the daemon hung up without an answer.
    pub fn hear(self, limit: Duration) -> io::Result<String> {
        self.stream.set_read_timeout(Some(limit))?;
        // Of the usual length: the fewer calls, the better.
        let mut answer = String::with_capacity(USUAL);
        match self.stream.take(LONGEST).read_to_string(&mut answer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let text = format!("no answer within {} s", limit.as_secs());
                Err(io::Error::new(io::ErrorKind::TimedOut, text))
            }
            Err(error) => Err(error),
            Ok(_) if answer.ends_with('\n') => {
                answer.pop();
                Ok(answer)
            }
            Ok(_) => {
                let text = "the daemon hung up without an answer: see its log";
                Err(io::Error::new(io::ErrorKind::UnexpectedEof, text))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use nix::unistd::Pid;

    use super::*;

    #[test]
    fn the_socket_stands_beside_the_pid_file() {
        for (pid_file, wanted) in
            [("/run/a.pid", "/run/a.sock"), ("/run/a", "/run/a.sock"), ("/a.sock", "/a.sock.sock")]
        {
            assert_eq!(path_for(Path::new(pid_file)), Path::new(wanted));
        }
    }

    #[test]
    fn whoever_answers_must_be_the_daemon() {
        let sandbox = foobar_tests::Sandbox::new("control");
        let pid_file = sandbox.path().join("x.pid");
        let own = Process::open(Pid::this()).unwrap().unwrap();
        assert!(Call::connect(&pid_file, &own).unwrap().is_none());
        let listener = UnixListener::bind(path_for(&pid_file)).unwrap();
        assert!(Call::connect(&pid_file, &own).unwrap().is_some());
        let other = Process::open(nix::unistd::getppid()).unwrap().unwrap();
        let refused = Call::connect(&pid_file, &other).unwrap_err().to_string();
        assert!(refused.contains(&format!("process {} answers", Pid::this())), "{refused}");
        clear(&pid_file).unwrap();
        assert!(path_for(&pid_file).exists(), "somebody listens");
        drop(listener);
        // A process that another test has just forked has a copy for a moment.
        let nobody = || Call::connect(&pid_file, &own).unwrap().is_none().then_some(());
        foobar_tests::until("nobody to listen", Duration::from_secs(10), nobody);
        let moved = sandbox.path().join("elsewhere");
        fs::rename(path_for(&pid_file), &moved).unwrap();
        std::os::unix::fs::symlink(&moved, path_for(&pid_file)).unwrap();
        assert!(Call::connect(&pid_file, &own).unwrap_err().to_string().contains("no socket"));
        clear(&pid_file).unwrap();
        fs::rename(&moved, path_for(&pid_file)).unwrap();
        clear(&pid_file).unwrap();
        assert!(!path_for(&pid_file).exists());
    }
}
