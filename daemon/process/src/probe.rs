//! A read-only look at a PID file: does the daemon run, and which process is it? The text of the file is a claim; this
//! file asks for the proof. It signals nothing and writes nothing.
//!
//! The order is the protocol: pin the process first (pidfd), then ask who it is. Whatever is learnt while it is pinned and
//! alive is true of the process that a later signal will reach.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::time::{ClockId, clock_gettime};
use nix::unistd::{Pid, Uid};

use crate::grammar::{self, Grammar};
use crate::holder::{self, Holder};
use crate::identity::{BootId, Identity, Process};
use crate::procfs;
use crate::record::{self, Record};
use crate::trusted::{self, Doubt, Untrusted};

/// What is believed of a daemon that does not lock its PID file. Without an executable it is never believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expect {
    /// The executable, as the service names it; links are resolved.
    pub exe: Option<PathBuf>,
    /// The effective user.
    pub owner: Option<Uid>,
    /// Who was seen to be the daemon after its start, by a root-only record: this one need not be older than the PID file, which it seems
    /// not to be when the clock was set forward since.
    pub known: Option<Identity>,
}

/// Why a process is taken for the daemon.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Proof {
    /// The root-only record names this very process.
    Record,
    /// The kernel says that this process holds the lock of this PID file.
    Lock,
    /// It does not lock; start time, executable and owner are as expected.
    Unlocked,
}

/// What a look gave.
#[derive(Debug)]
pub enum State {
    /// The daemon runs, and is pinned.
    Running {
        /// The daemon's process.
        process: Process,
        /// How we know.
        proof: Proof,
    },
    /// A PID file is there, and its daemon is not: LSB status 1.
    Dead {
        /// The number in it; whoever may have it now is a stranger.
        pid: Pid,
    },
    /// No PID file, or one emptied by a clean exit: LSB status 3.
    Stopped,
}

/// The PID file cannot be believed, and so nothing is signalled: LSB status 4.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", path.display())]
pub struct Refusal {
    /// The PID file.
    pub path: PathBuf,
    /// Why, and what to do about it.
    pub reason: Reason,
}

/// Why a PID file is not believed.
#[derive(Debug, thiserror::Error)]
pub enum Reason {
    /// Its type, owner, mode or links.
    #[error("not believed, {0}: remove it")]
    File(Doubt),
    /// Its text.
    #[error("not believed, {0}: remove it")]
    Text(Grammar),
    /// The text names one process and the record another, which runs.
    #[error("not believed, it names process {text}, but the daemon is process {daemon}: remove it")]
    Disagrees {
        /// The number in the file.
        text: Pid,
        /// The daemon, by the record.
        daemon: Pid,
    },
    /// The lock is held by another process than the text names.
    #[error("not believed, it names process {text}, but its lock is held by {}: see who that is", name(*holder))]
    HeldByAnother {
        /// The number in the file.
        text: Pid,
        /// The holder; `None` when it is outside our PID namespace.
        holder: Option<Pid>,
    },
    /// A system call failed: what it was about, and the error.
    #[error("cannot tell, {0}: {1}")]
    Unknown(&'static str, io::Error),
}

fn name(holder: Option<Pid>) -> String {
    holder.map_or("a process of another PID namespace".to_owned(), |pid| format!("process {pid}"))
}

/// Looks at `pid_file`. Never hangs, never waits for a lock, never lists processes.
///
/// # Errors
/// [`Refusal`] when the file or what it says cannot be believed.
pub fn look(pid_file: &Path, expect: &Expect) -> Result<State, Refusal> {
    look_at(pid_file, expect).map_err(|reason| Refusal { path: pid_file.to_owned(), reason })
}

fn look_at(pid_file: &Path, expect: &Expect) -> Result<State, Reason> {
    let record = record::read(pid_file);
    let opened = match trusted::open(pid_file) {
        Ok(opened) => opened,
        Err(Untrusted::Doubt(doubt)) => return Err(Reason::File(doubt)),
        Err(Untrusted::Io(error)) => return Err(Reason::Unknown("the PID file is not readable", error)),
    };
    let Some((file, metadata)) = opened else { return without_text(record) };
    let text = trusted::read_bounded(&file, grammar::LONGEST);
    let text = text.map_err(|error| Reason::Unknown("the PID file is not readable", error))?;
    let pid = match grammar::parse(&text.ok_or(Reason::Text(Grammar::NotANumber))?) {
        Ok(pid) => pid,
        Err(Grammar::Empty) => return without_text(record),
        Err(error) => return Err(Reason::Text(error)),
    };
    let process = Process::open(pid).map_err(|error| Reason::Unknown("its process cannot be seen", error))?;
    judge(&Claim { pid, file: &file, metadata: &metadata, record }, process, expect)
}

/// What the PID file says, and what was read beside it.
struct Claim<'a> {
    pid: Pid,
    file: &'a File,
    metadata: &'a Metadata,
    record: Record,
}

fn judge(claim: &Claim<'_>, process: Option<Process>, expect: &Expect) -> Result<State, Reason> {
    let dead = State::Dead { pid: claim.pid };
    match (claim.record, process) {
        (Record::Of(recorded), process) if recorded.pid == claim.pid && is_of_this_boot(&recorded) => {
            // The text is ours, so the record decides: the same number with another start time is a stranger.
            Ok(match process {
                Some(process) if process.start_ticks() == recorded.start_ticks => {
                    State::Running { process, proof: Proof::Record }
                }
                Some(process) => seen_from_elsewhere(claim, process).unwrap_or(dead),
                None => dead,
            })
        }
        (Record::Of(recorded), _) if recorded.pid != claim.pid && recorded_process(&recorded)?.is_some() => {
            Err(Reason::Disagrees { text: claim.pid, daemon: recorded.pid })
        }
        (_, Some(process)) => by_lock(claim, process, expect),
        (_, None) => match holder(claim)? {
            Some(Holder::Record(other) | Holder::Flock(other)) if other != claim.pid => {
                Err(held_by(claim, other))
            }
            _ => Ok(dead),
        },
    }
}

/// The process that the record names by its number alone, if it holds the lock: in another time namespace than that of the start all
/// start times are shifted (time_namespaces(7)). An account that may only read the PID file could lock it as well: it is not believed.
fn seen_from_elsewhere(claim: &Claim<'_>, process: Process) -> Option<State> {
    let owner = process.owner().ok()?;
    if owner.as_raw() != claim.metadata.uid() {
        return None;
    }
    let looked = by_lock(claim, process, &Expect::default()).ok()?;
    matches!(looked, State::Running { .. }).then_some(looked)
}

/// Without a usable text the record alone can say that the daemon runs, its PID file removed under it.
fn without_text(record: Record) -> Result<State, Reason> {
    let Record::Of(recorded) = record else { return Ok(State::Stopped) };
    Ok(match recorded_process(&recorded)? {
        Some(process) => State::Running { process, proof: Proof::Record },
        None => State::Stopped,
    })
}

/// The process that a record names, if it still runs.
fn recorded_process(recorded: &Identity) -> Result<Option<Process>, Reason> {
    if !is_of_this_boot(recorded) {
        return Ok(None);
    }
    let process = Process::open(recorded.pid);
    let process = process.map_err(|error| Reason::Unknown("the recorded process cannot be seen", error))?;
    Ok(process.filter(|process| process.start_ticks() == recorded.start_ticks))
}

/// The daemon that the record beside `pid_file` names, if it runs, whatever the PID file itself says.
pub(crate) fn recorded(pid_file: &Path) -> Option<Pid> {
    match without_text(record::read(pid_file)) {
        Ok(State::Running { process, .. }) => Some(process.pid()),
        _ => None,
    }
}

fn is_of_this_boot(recorded: &Identity) -> bool {
    BootId::current().is_ok_and(|now| now == recorded.boot)
}

fn holder(claim: &Claim<'_>) -> Result<Option<Holder>, Reason> {
    holder::of(claim.file).map_err(|error| Reason::Unknown("the holder of its lock cannot be asked", error))
}

fn held_by(claim: &Claim<'_>, holder: Pid) -> Reason {
    Reason::HeldByAnother { text: claim.pid, holder: Some(holder).filter(|pid| pid.as_raw() > 0) }
}

fn by_lock(claim: &Claim<'_>, process: Process, expect: &Expect) -> Result<State, Reason> {
    let proof = match holder(claim)? {
        Some(Holder::Record(pid)) if pid == claim.pid => Proof::Lock,
        // A flock outlives its taker in children that inherited it, and the number may be another's by now: that one
        // started after the file was written.
        Some(Holder::Flock(pid))
            if pid == claim.pid
                && (is_known(&process, expect) || started_before(&process, claim.metadata)) =>
        {
            Proof::Lock
        }
        Some(Holder::Flock(pid)) if pid == claim.pid => return Ok(State::Dead { pid }),
        Some(Holder::Record(other) | Holder::Flock(other)) => return Err(held_by(claim, other)),
        None if is_expected(&process, claim.metadata, expect)? => Proof::Unlocked,
        None => return Ok(State::Dead { pid: claim.pid }),
    };
    // Alive still: so the number that the kernel named was that of the pinned process all the time.
    Ok(if process.is_alive() { State::Running { process, proof } } else { State::Dead { pid: claim.pid } })
}

/// The rule for daemons that do not lock.
fn is_expected(process: &Process, pid_file: &Metadata, expect: &Expect) -> Result<bool, Reason> {
    let relatives = [Pid::this(), nix::unistd::getppid()];
    if relatives.contains(&process.pid()) {
        return Ok(false);
    }
    let Some(wanted) = &expect.exe else { return Ok(false) };
    let actual = match process.exe() {
        Ok(actual) => actual,
        // A kernel thread, or ended meanwhile.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => {
            return Err(Reason::Unknown("the executable of its process cannot be read, ask as root", error));
        }
    };
    let same_exe = actual == *wanted || wanted.canonicalize().is_ok_and(|wanted| actual == wanted);
    let same_owner = match expect.owner {
        Some(owner) => process.owner().is_ok_and(|actual| actual == owner),
        None => true,
    };
    Ok(same_exe && same_owner && (is_known(process, expect) || started_before(process, pid_file)))
}

fn is_known(process: &Process, expect: &Expect) -> bool {
    expect.known.is_some_and(|known| {
        (known.pid, known.start_ticks) == (process.pid(), process.start_ticks()) && is_of_this_boot(&known)
    })
}

/// Whether the process started not later than the file was last written. Start times are cut to clock ticks and file times
/// to timer ticks; two clock ticks cover both.
fn started_before(process: &Process, file: &Metadata) -> bool {
    let since_boot = procfs::ticks(process.start_ticks());
    let Ok(now) = clock_gettime(ClockId::CLOCK_BOOTTIME) else { return false };
    let age = Duration::from(now).saturating_sub(since_boot);
    let started = SystemTime::now().checked_sub(age).unwrap_or(UNIX_EPOCH);
    file.modified().is_ok_and(|written| started <= written + procfs::ticks(2))
}
