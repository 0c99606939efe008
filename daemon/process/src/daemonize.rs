//! Becoming a daemon: the 15 steps of daemon(7), "SysV Daemons", with every failure told to the starter.
//!
//! | step | where |
//! |---|---|
//! | 1 close descriptors, 2 reset signal actions, 3 reset the mask, 4 clean the environment | [`Daemonize::detach`], in the first child |
//! | 5 fork, 6 setsid, 7 fork again, 8 the first child exits | [`Daemonize::detach`] |
//! | 9 /dev/null on 0 to 2, 10 umask, 11 working directory | [`Daemonize::detach`], in the daemon |
//! | 12 PID file, 13 privileges | the caller, between `detach` and `ready` |
//! | 14 tell the starter | [`Readiness::ready`] or [`Readiness::failed`] |
//! | 15 the starter exits | the caller, with the [`Verdict`] |
//!
//! Steps 1 to 4 are made in the child and not before the fork, so that a starter whose daemon failed is unharmed and can say so.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, RawFd};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::sys::stat::{Mode, umask};
use nix::unistd::Pid;

use crate::environment::Environment;
use crate::handshake::{Channel, Heard, Message};
use crate::starter::{self, Subreaper};
use crate::sys::{self, Fork};
use crate::{identity::Identity, signal, terminal};

pub use crate::starter::Verdict;

/// The exit code for a step that failed: LSB 1, "generic or unspecified error".
const STEP_FAILED: u8 = 1;

/// Why nothing was forked.
#[derive(Debug, thiserror::Error)]
#[error("cannot become a daemon: {step}: {source}")]
pub struct DaemonizeError {
    /// The step that failed.
    pub step: &'static str,
    /// Its error.
    pub source: io::Error,
}

/// The starter went away before it could record the daemon, so the daemon must give up: remove its PID file and exit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the starter is gone or does not answer: giving up, as nobody knows of this daemon")]
pub struct StarterGone;

/// On which side of [`Daemonize::detach`] the caller finds itself.
#[derive(Debug)]
pub enum Side {
    /// In the process that was started, when all is decided.
    Starter(Verdict),
    /// In the daemon, which has still to become ready.
    Daemon(Readiness),
}

/// How to become a daemon.
#[derive(Clone, Debug)]
pub struct Daemonize {
    working_directory: PathBuf,
    umask: u32,
    keep: Vec<RawFd>,
    environment: Environment,
    timeout: Duration,
}

impl Default for Daemonize {
    fn default() -> Daemonize {
        Daemonize::new()
    }
}

impl Daemonize {
    /// Working directory `/`, umask 022, no descriptor kept, [`Environment::default`], 30 s to become ready.
    #[must_use]
    pub fn new() -> Daemonize {
        Daemonize {
            working_directory: PathBuf::from("/"),
            umask: 0o022,
            keep: Vec::new(),
            environment: Environment::default(),
            timeout: Duration::from_secs(30),
        }
    }

    /// Where the daemon works. `/`, so that no file system is kept busy.
    #[must_use]
    pub fn working_directory(mut self, path: impl Into<PathBuf>) -> Daemonize {
        self.working_directory = path.into();
        self
    }

    /// The umask of the daemon. Not 0, which the article and daemon(7) name: with it every file that is made without a
    /// thought for its mode can be written by everybody.
    #[must_use]
    pub fn umask(mut self, mask: u32) -> Daemonize {
        self.umask = mask & 0o777;
        self
    }

    /// Keeps a descriptor open in the daemon. All others from 3 on are closed, and the values that own them must not be used
    /// there: open nothing before `detach` that is not named here.
    #[must_use]
    pub fn keep(mut self, descriptor: &impl AsFd) -> Daemonize {
        self.keep.push(descriptor.as_fd().as_raw_fd());
        self
    }

    /// The environment of the daemon.
    #[must_use]
    pub fn environment(mut self, policy: Environment) -> Daemonize {
        self.environment = policy;
        self
    }

    /// How long the daemon may take to be ready; then the starter kills it. The daemon waits as long for the starter's answer.
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Daemonize {
        self.timeout = limit;
        self
    }

    /// Forks the daemon. Returns twice: at once in the daemon, and in the starter when the daemon is ready, has failed, died,
    /// or run out of time.
    ///
    /// Sets SIGCHLD to its default in the starter, to be able to wait, whatever its own caller had ignored.
    ///
    /// # Errors
    /// [`DaemonizeError`] if nothing could be forked: above all in a process with several threads. What fails in the
    /// daemon afterwards is a [`Verdict::Failed`] that names the step.
    pub fn detach(self) -> Result<Side, DaemonizeError> {
        let at = |step| move |source| DaemonizeError { step, source };
        let null = File::options().read(true).write(true).open("/dev/null");
        let null = null.map_err(at("opening /dev/null"))?;
        let (ours, theirs) = Channel::pair().map_err(at("making the channel to the daemon"))?;
        // What is buffered would be written twice.
        let _ = io::stdout().flush();
        sys::default_children();
        let subreaper = Subreaper::begin();
        match sys::fork().map_err(at("fork"))? {
            Fork::Parent(first) => {
                drop((theirs, null));
                let verdict =
                    starter::wait(&ours, first, self.timeout).map_err(at("waiting for the daemon"))?;
                drop(subreaper);
                Ok(Side::Starter(verdict))
            }
            Fork::Child => {
                drop(ours);
                std::mem::forget(subreaper);
                match self.become_daemon(&theirs, &null) {
                    Ok(()) => Ok(Side::Daemon(Readiness { starter: Some(theirs), patience: self.timeout })),
                    Err((step, error)) => {
                        let message = format!("cannot become a daemon: {step}: {error}");
                        let _ = theirs.say(&Message::Failed { code: STEP_FAILED, message });
                        sys::exit_now(i32::from(STEP_FAILED))
                    }
                }
            }
        }
    }

    /// Steps 1 to 11, from the first child on; returns in the daemon only.
    fn become_daemon(&self, channel: &Channel, null: &File) -> Result<(), (String, io::Error)> {
        let at = |step: &str| {
            let step = step.to_owned();
            move |error: io::Error| (step, error)
        };
        let mut keep = self.keep.clone();
        keep.extend([channel.as_fd().as_raw_fd(), null.as_raw_fd()]);
        sys::close_from_3(&keep).map_err(at("closing descriptors"))?;
        sys::default_signals();
        signal::unblock_all().map_err(at("resetting the signal mask"))?;
        self.environment.apply().map_err(at("cleaning the environment"))?;
        terminal::leave().map_err(at("leaving the terminal"))?;
        match sys::fork().map_err(at("second fork"))? {
            // No session leader is left that could be given a terminal.
            Fork::Parent(_) => sys::exit_now(0),
            Fork::Child => {}
        }
        sys::standard_streams_to(null.as_fd()).map_err(at("opening /dev/null as 0, 1 and 2"))?;
        umask(Mode::from_bits_truncate(self.umask));
        let directory = &self.working_directory;
        std::env::set_current_dir(directory)
            .map_err(at(&format!("changing the working directory to {}", directory.display())))?;
        let own = Identity::own().map_err(at("reading its own start time"))?;
        let born = Message::Born { pid: Pid::this(), start_ticks: own.start_ticks };
        channel.say(&born).map_err(at("talking to the starter"))
    }
}

/// The daemon's duty to say how its start ended. Dropped without a word it counts as a death.
#[derive(Debug)]
#[must_use = "the starter waits until it hears ready() or failed()"]
pub struct Readiness {
    starter: Option<Channel>,
    patience: Duration,
}

impl Readiness {
    /// For a process that was not detached (`--foreground`, `--init`): nobody waits, and all that is said is lost.
    pub fn attached() -> Readiness {
        Readiness { starter: None, patience: Duration::ZERO }
    }

    /// Whether a starter waits: then standard error is /dev/null and reasons go through [`Readiness::failed`].
    #[must_use]
    pub fn is_detached(&self) -> bool {
        self.starter.is_some()
    }

    /// Tells the starter that the daemon does its work, and waits until the starter has acknowledged it.
    ///
    /// # Errors
    /// [`StarterGone`]: the daemon must undo what it did and exit.
    pub fn ready(self) -> Result<(), StarterGone> {
        self.announce()?.map_or(Ok(()), Announced::wait)
    }

    /// Tells the starter that the daemon does its work, and leaves it to the caller when to hear what it says to that: a starter that is
    /// stopped may say nothing for long. `None`: nobody waits.
    ///
    /// # Errors
    /// As [`Readiness::ready`].
    pub fn announce(self) -> Result<Option<Announced>, StarterGone> {
        let Some(starter) = self.starter else { return Ok(None) };
        starter.say(&Message::Ready).map_err(|_| StarterGone)?;
        Ok(Some(Announced { starter, until: Instant::now() + self.patience }))
    }

    /// Tells the starter why not, and with which code to exit. The daemon then exits by itself, within a second.
    pub fn failed(self, code: u8, message: &str) {
        if let Some(starter) = self.starter {
            let _ = starter.say(&Message::Failed { code, message: message.to_owned() });
        }
    }
}

/// What is still to be heard by a daemon that has told its starter that it is ready. Dropped, it counts as a death.
#[derive(Debug)]
#[must_use = "the starter waits until it is heard"]
pub struct Announced {
    starter: Channel,
    until: Instant,
}

impl Announced {
    /// When the starter must have said something.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.until
    }

    /// What the starter has said by now: `None` is nothing yet. To whoever is still there it is to be [`confirmed`](Announced::confirm).
    #[must_use]
    pub fn heard(&self) -> Option<Result<(), StarterGone>> {
        self.hear(Instant::now())
    }

    /// Waits for it.
    ///
    /// # Errors
    /// As [`Readiness::ready`].
    pub fn wait(self) -> Result<(), StarterGone> {
        self.hear(self.until).unwrap_or(Err(StarterGone))?;
        self.confirm();
        Ok(())
    }

    /// The last word to a starter that was heard: with it the start is over.
    pub fn confirm(self) {
        // One that dies from here on has been told all it needs.
        let _ = self.starter.say(&Message::Confirmed);
    }

    fn hear(&self, deadline: Instant) -> Option<Result<(), StarterGone>> {
        match self.starter.hear(deadline, None) {
            Ok(Heard::Message(Message::Acknowledged)) => Some(Ok(())),
            Ok(Heard::Silence) if Instant::now() < self.until => None,
            _ => Some(Err(StarterGone)),
        }
    }
}

impl AsFd for Announced {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.starter.as_fd()
    }
}
