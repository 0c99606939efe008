//! Servers as processes: started on their core, probed until they answer, and ended with all that they have
//! started, also when the bench fails or is killed.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{SigSet, Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::{Pid, getppid};

use super::cores;
use super::exchange::{Exchange, Verdict};
use super::stop;

/// The first argument with which this program becomes a server instead of measuring one.
const WORD: &str = "become-server";

/// How long a server may take until it answers.
const START_LIMIT: Duration = Duration::from_secs(10);
/// How long it may take to end when it is asked to.
const END_LIMIT: Duration = Duration::from_secs(3);
/// How long one probe may take: behind a queue of thousands of connections that were given up.
const PROBE_LIMIT: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(5);

/// A running server. Dropping it ends it.
#[derive(Debug)]
pub struct Server {
    /// As it is called in the tables.
    pub name: String,
    /// Where it listens.
    pub address: SocketAddr,
    child: Child,
    output: PathBuf,
}

impl Server {
    /// Starts `command` on `core` and waits until it has answered `exchange` on `address`. What it says goes to
    /// a file in `directory`.
    ///
    /// # Errors
    /// Why it does not run, in its own words if it said any.
    pub fn start(
        name: &str,
        core: usize,
        command: &[OsString],
        address: SocketAddr,
        exchange: &Exchange,
        directory: &Path,
    ) -> Result<Server, String> {
        let output = directory.join(format!("{}.out", address.port()));
        let failed =
            |error: std::io::Error| format!("cannot start {}: {error}", command[0].to_string_lossy());
        let file = File::create(&output).map_err(failed)?;
        let child = Command::new(std::env::current_exe().map_err(failed)?)
            .args([WORD, &core.to_string(), &std::process::id().to_string()])
            .args(command)
            .current_dir(directory)
            .stdin(Stdio::null())
            .stdout(file.try_clone().map_err(failed)?)
            .stderr(file)
            .process_group(0)
            .spawn()
            .map_err(failed)?;
        let mut server = Server { name: name.to_owned(), address, child, output };
        server.answers(exchange)?;
        Ok(server)
    }

    /// The process group of the server and all that it starts.
    #[must_use]
    pub fn group(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap_or(i32::MAX))
    }

    /// Waits until the server has worked off what is left of a load that has ended, by asking it once more.
    ///
    /// # Errors
    /// That it does not answer any more.
    pub fn settle(&self, exchange: &Exchange) -> Result<(), String> {
        probe(self.address, exchange).map_err(|error| format!("{} answers no more: {error}", self.name))
    }

    fn answers(&mut self, exchange: &Exchange) -> Result<(), String> {
        let deadline = Instant::now() + START_LIMIT;
        loop {
            stop::check()?;
            let Err(error) = probe(self.address, exchange) else { return Ok(()) };
            if self.has_ended() || Instant::now() > deadline {
                return Err(match self.first_words() {
                    Some(words) => words,
                    None => format!("it does not answer on {}: {error}", self.address),
                });
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Whether it has ended; it is not collected, so that its PID still is no other's.
    fn has_ended(&self) -> bool {
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        !matches!(waitid(Id::Pid(self.group()), flags), Ok(WaitStatus::StillAlive))
    }

    fn first_words(&self) -> Option<String> {
        let text = fs::read(&self.output).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        text.lines().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The leader of the group is collected last, so that until then no other group can have its number.
        let deadline = Instant::now() + END_LIMIT;
        let _ = killpg(self.group(), Signal::SIGTERM);
        while !self.has_ended() && Instant::now() < deadline {
            std::thread::sleep(PAUSE);
        }
        let _ = killpg(self.group(), Signal::SIGKILL);
        let _ = self.child.wait();
    }
}

/// One exchange from connect to the right answer.
fn probe(address: SocketAddr, exchange: &Exchange) -> Result<(), String> {
    let mut request = Vec::new();
    exchange.request(0, 0, &mut request);
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    let failed = |error: std::io::Error| error.to_string();
    let mut stream = TcpStream::connect_timeout(&address, PROBE_LIMIT).map_err(failed)?;
    stream.set_read_timeout(Some(PROBE_LIMIT)).map_err(failed)?;
    stream.write_all(&request).map_err(failed)?;
    loop {
        match stream.read(&mut buffer).map_err(failed)? {
            0 => return Err("the connection was closed without an answer".to_owned()),
            count => answer.extend(&buffer[..count]),
        }
        match exchange.judge(0, 0, &answer) {
            Verdict::More => {}
            Verdict::Right => return Ok(()),
            Verdict::Wrong => {
                let words = &answer[..answer.len().min(40)];
                return Err(format!("wrong answer: {}...", words.escape_ascii()));
            }
        }
    }
}

/// In a process that [`Server::start`] has made: takes its core, ties its life to the bench, and executes the
/// server. Returns only if this is no such process, or why it failed.
///
/// # Errors
/// Why the server cannot be executed.
pub fn become_server() -> Result<(), String> {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    if arguments.first().is_none_or(|first| first != WORD) {
        return Ok(());
    }
    let number = |index: usize| arguments.get(index)?.to_str()?.parse::<usize>().ok();
    let (Some(core), Some(bench), Some(program)) = (number(1), number(2), arguments.get(3)) else {
        return Err(format!("{WORD} is for this bench alone"));
    };
    set_pdeathsig(Signal::SIGKILL).map_err(|errno| format!("cannot be tied to the bench: {errno}"))?;
    if usize::try_from(getppid().as_raw()) != Ok(bench) {
        return Err("the bench has ended".to_owned());
    }
    // The bench waits for signals in a thread and has them blocked, which a child inherits.
    SigSet::empty().thread_set_mask().map_err(|errno| format!("cannot unblock signals: {errno}"))?;
    cores::pin(core)?;
    cores::raise_open_files()?;
    let error = Command::new(program).args(&arguments[4..]).exec();
    Err(format!("cannot execute {}: {error}", program.to_string_lossy()))
}
