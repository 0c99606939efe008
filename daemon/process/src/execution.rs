//! A program that a supervisor holds as its child: forked, held at a gate until its identity is written down, then dressed in
//! its settings and executed. Every step that fails comes back with its name and errno; what they mean is decided elsewhere.
//!
//! The gate is a pipe: a byte opens it, its end means that the supervisor died before it had written down whom it had
//! forked, and the child exits. So no kill at any moment leaves a program that nobody knows of.

use std::convert::Infallible;
use std::ffi::CString;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd, RawFd};
use std::path::PathBuf;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::prctl::set_no_new_privs;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::stat::{Mode, umask};
use nix::unistd::{Pid, chdir, chroot, execve, pipe2, setsid};

use crate::environment::Environment;
use crate::identity::{BootId, Identity};
use crate::privilege::{Account, PrivilegeError};
use crate::sys::{self, Fork};
use crate::{procfs, sys::execute};

/// What is executed.
#[derive(Debug, Clone)]
pub struct Image {
    /// The file. No shell looks at it, and no search path.
    pub path: PathBuf,
    /// Its arguments, that in the place 0 included.
    pub arguments: Vec<CString>,
    /// Its environment, `NAME=value`. Nothing else is passed on.
    pub environment: Vec<CString>,
    /// The name of a variable that is to hold the child's own PID, as LISTEN_PID does, sd_listen_fds(3).
    pub pid_variable: Option<&'static str>,
}

/// A soft and a hard limit of one resource, setrlimit(2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Of what.
    pub resource: Resource,
    /// What the program gets; [`u64::MAX`] is no limit.
    pub soft: u64,
    /// How far it may raise that.
    pub hard: u64,
}

/// What is set before the program is executed, in the words of systemd.exec(5). `None`: as the supervisor has it.
#[derive(Debug, Clone)]
pub struct Settings {
    /// umask(2).
    pub umask: u32,
    /// setpriority(2).
    pub nice: Option<i32>,
    /// Class (1 real-time, 2 best effort, 3 idle) and level, ioprio_set(2).
    pub io_priority: Option<(u8, u8)>,
    /// Policy by its number and static priority, sched_setscheduler(2).
    pub scheduler: Option<(i32, i32)>,
    /// /proc/PID/oom_score_adj, proc(5).
    pub oom_score_adjust: Option<i32>,
    /// Resource limits.
    pub limits: Vec<Limit>,
    /// chroot(2).
    pub root_directory: Option<PathBuf>,
    /// Below the root directory.
    pub working_directory: PathBuf,
    /// Whether `/` will do when there is no such directory.
    pub may_be_missing: bool,
    /// Who it runs as.
    pub account: Option<Account>,
    /// The capabilities that it can ever have, as bits, capabilities(7).
    pub bounding: Option<u64>,
    /// The capabilities that it has although it is not root.
    pub ambient: u64,
    /// PR_SET_NO_NEW_PRIVS(2const).
    pub no_new_privileges: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            umask: 0o022,
            nice: None,
            io_priority: None,
            scheduler: None,
            oom_score_adjust: None,
            limits: Vec::new(),
            root_directory: None,
            working_directory: PathBuf::from("/"),
            may_be_missing: false,
            account: None,
            bounding: None,
            ambient: 0,
            no_new_privileges: false,
        }
    }
}

/// A step between the gate and the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Step {
    Session,
    Group,
    Oom,
    Io,
    Scheduler,
    Nice,
    Limits,
    Root,
    Bounding,
    Keep,
    Account,
    Ambient,
    Directory,
    NoNewPrivileges,
    Descriptors,
    Signals,
    Execute,
}

/// Each with its words.
const STEPS: [(Step, &str); 17] = [
    (Step::Session, "starting a session"),
    (Step::Group, "entering its control group"),
    (Step::Oom, "setting the OOM score (oom-score-adjust)"),
    (Step::Io, "setting the I/O priority (io-class, io-priority)"),
    (Step::Scheduler, "setting the CPU scheduler (cpu-policy, cpu-priority)"),
    (Step::Nice, "setting the nice value (nice)"),
    (Step::Limits, "setting a resource limit (limit-...)"),
    (Step::Root, "changing the root directory (root-directory)"),
    (Step::Bounding, "limiting capabilities (capability-bounding-set)"),
    (Step::Keep, "keeping capabilities (ambient-capabilities)"),
    (Step::Account, "becoming its user (user, group, supplementary-groups)"),
    (Step::Ambient, "giving it capabilities (ambient-capabilities)"),
    (Step::Directory, "changing the working directory (working-directory)"),
    (Step::NoNewPrivileges, "giving up new privileges (no-new-privileges)"),
    (Step::Descriptors, "laying out its descriptors"),
    (Step::Signals, "resetting its signals"),
    (Step::Execute, "execve"),
];

/// Why the program was not executed.
#[derive(Debug)]
pub struct ExecutionError {
    /// What was being done, with the key of the service file that asks for it.
    pub step: &'static str,
    /// Whether it was execve(2) itself: then it is about the program and its interpreter.
    pub is_execve: bool,
    /// What the kernel said.
    pub source: io::Error,
}

/// The streams and further descriptors of a program.
#[derive(Debug)]
pub struct Streams<'a> {
    /// Standard input, output and error.
    pub standard: [BorrowedFd<'a>; 3],
    /// What it finds from 3 on.
    pub further: Vec<BorrowedFd<'a>>,
}

/// A child that waits at the gate. Dropped, it exits.
#[derive(Debug)]
pub struct Held {
    pid: Pid,
    gate: OwnedFd,
    report: OwnedFd,
    /// Whether it was born in the control group that was asked for.
    pub is_placed: bool,
}

/// A child on its way from the gate to its program. Its descriptor is readable when it is there, or has failed.
#[derive(Debug)]
pub struct Departing {
    report: File,
}

/// Forks the child. In the child this does not return. `group` is the directory of a control group of version 2 that it
/// shall be born in.
///
/// # Errors
/// As fork(2) and pipe(2); refused when this process has several threads.
pub fn hold(
    image: &Image,
    settings: &Settings,
    streams: &Streams<'_>,
    group: Option<BorrowedFd<'_>>,
) -> io::Result<Held> {
    let (waits, gate) = pipe2(OFlag::O_CLOEXEC)?;
    let (report, tells) = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)?;
    let (side, is_placed) = execute::fork_into(group)?;
    match side {
        Fork::Parent(pid) => Ok(Held { pid, gate, report, is_placed }),
        Fork::Child => {
            drop((gate, report));
            wait_at(waits);
            let mut report = tells.as_fd().as_raw_fd();
            let Err((step, error)) = go(image, settings, streams, tells.as_fd(), &mut report);
            let [a, b, c, d] = error.raw_os_error().unwrap_or(Errno::EIO as i32).to_ne_bytes();
            execute::tell(report, &[step as u8, a, b, c, d]);
            sys::exit_now(NOT_EXECUTED)
        }
    }
}

/// The exit code of a child that did not become its program.
const NOT_EXECUTED: i32 = 127;

fn wait_at(gate: OwnedFd) {
    // Anything but a byte: the supervisor is gone, and nobody knows of us.
    if !matches!(File::from(gate).read(&mut [0]), Ok(1)) {
        sys::exit_now(NOT_EXECUTED);
    }
}

fn at<E: Into<io::Error>>(step: Step) -> impl FnOnce(E) -> (Step, io::Error) {
    move |error| (step, error.into())
}

/// All the steps, in the order in which each is still permitted. `report` is where failure is to be told, which moves on the way.
fn go(
    image: &Image,
    settings: &Settings,
    streams: &Streams<'_>,
    tells: BorrowedFd<'_>,
    report: &mut RawFd,
) -> Result<Infallible, (Step, io::Error)> {
    setsid().map_err(at(Step::Session))?;
    umask(Mode::from_bits_truncate(settings.umask));
    priorities(settings)?;
    for limit in &settings.limits {
        setrlimit(limit.resource, limit.soft, limit.hard).map_err(at(Step::Limits))?;
    }
    if let Some(root) = &settings.root_directory {
        chroot(root).and_then(|()| chdir("/")).map_err(at(Step::Root))?;
    }
    privileges(settings)?;
    directory(settings)?;
    if settings.no_new_privileges {
        set_no_new_privs().map_err(at(Step::NoNewPrivileges))?;
    }
    let path = CString::new(image.path.as_os_str().as_encoded_bytes())
        .map_err(|_| (Step::Execute, io::Error::from_raw_os_error(Errno::ENOENT as i32)))?;
    let mut environment = image.environment.clone();
    if let Some(name) = image.pid_variable {
        environment.extend(CString::new(format!("{name}={}", Pid::this())));
    }
    let wanted: Vec<BorrowedFd<'_>> = streams.standard.iter().chain(&streams.further).copied().collect();
    *report = execute::lay_out(&wanted, tells).map_err(at(Step::Descriptors))?;
    execute::clean_signals().map_err(at(Step::Signals))?;
    execve(&path, &image.arguments, &environment).map_err(at(Step::Execute))
}

fn priorities(settings: &Settings) -> Result<(), (Step, io::Error)> {
    if let Some(score) = settings.oom_score_adjust {
        let written = File::options().write(true).open("/proc/self/oom_score_adj");
        let written = written.and_then(|mut file| file.write_all(score.to_string().as_bytes()));
        written.map_err(at(Step::Oom))?;
    }
    if let Some((class, level)) = settings.io_priority {
        execute::set_io_priority(class, level).map_err(at(Step::Io))?;
    }
    if let Some((policy, priority)) = settings.scheduler {
        execute::set_scheduler(policy, priority).map_err(at(Step::Scheduler))?;
    }
    if let Some(nice) = settings.nice {
        execute::set_nice(nice).map_err(at(Step::Nice))?;
    }
    Ok(())
}

/// The bounding set while there is still the right to change it, then the user, then what it keeps.
fn privileges(settings: &Settings) -> Result<(), (Step, io::Error)> {
    if let Some(kept) = settings.bounding {
        for number in (0..64).filter(|number| kept & (1 << number) == 0) {
            match execute::drop_from_bounding(number) {
                // A capability that this kernel does not know, nobody can have.
                Err(error) if error.raw_os_error() != Some(Errno::EINVAL as i32) => {
                    return Err((Step::Bounding, error));
                }
                _ => {}
            }
        }
    }
    let gives = settings.ambient != 0;
    if gives {
        execute::keep_capabilities(true).map_err(at(Step::Keep))?;
    }
    if let Some(account) = &settings.account {
        account.assume().map_err(|error| (Step::Account, errno_of(error)))?;
    }
    if gives {
        execute::set_ambient(settings.ambient).map_err(at(Step::Ambient))?;
        execute::keep_capabilities(false).map_err(at(Step::Keep))?;
    }
    Ok(())
}

fn errno_of(error: PrivilegeError) -> io::Error {
    match error {
        PrivilegeError::Call { source, .. } | PrivilegeError::Database { source, .. } => source,
        _ => io::Error::from_raw_os_error(Errno::EPERM as i32),
    }
}

fn directory(settings: &Settings) -> Result<(), (Step, io::Error)> {
    match chdir(&settings.working_directory) {
        Err(Errno::ENOENT | Errno::ENOTDIR) if settings.may_be_missing => {
            chdir("/").map_err(at(Step::Directory))
        }
        told => told.map_err(at(Step::Directory)),
    }
}

impl Held {
    /// The child's PID.
    #[must_use]
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Who it is, for the record. `boot` is passed so that it is read once and not at each start.
    ///
    /// # Errors
    /// When /proc is not mounted.
    pub fn identity(&self, boot: BootId) -> io::Result<Identity> {
        Ok(Identity { pid: self.pid, start_ticks: procfs::stat(self.pid)?.start_ticks, boot })
    }

    /// Opens the gate.
    ///
    /// # Errors
    /// When the child is gone already.
    pub fn release(self) -> io::Result<Departing> {
        File::from(self.gate).write_all(b"g")?;
        Ok(Departing { report: self.report.into() })
    }
}

impl Departing {
    /// What came of it: `None` as long as it is on its way.
    pub fn outcome(&mut self) -> Option<Result<(), ExecutionError>> {
        let mut word = [0; 5];
        match self.report.read(&mut word) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            Ok(5) => {
                let [step, errno @ ..] = word;
                let known = STEPS.iter().find(|row| row.0 as u8 == step);
                Some(Err(ExecutionError {
                    step: known.map_or("an unknown step", |row| row.1),
                    is_execve: step == Step::Execute as u8,
                    source: io::Error::from_raw_os_error(i32::from_ne_bytes(errno)),
                }))
            }
            // The end: closed by execve. (Or by its death, which is told by its exit.)
            _ => Some(Ok(())),
        }
    }
}

impl AsFd for Departing {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.report.as_fd()
    }
}

/// The variables that every program is started with: those of [`Environment::default`].
#[must_use]
pub fn base_environment() -> Vec<(std::ffi::OsString, std::ffi::OsString)> {
    Environment::default().variables()
}
