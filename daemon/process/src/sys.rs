//! The only unsafe code of the project, with its folder: the system calls that need care, each behind a function that
//! is safe to call. No policy lives here: what to close, keep or set is decided by the callers.
#![allow(unsafe_code)]

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd as _, OwnedFd, RawFd};
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::sync::atomic::AtomicU64;
use std::{fs, ptr};

use nix::unistd::{ForkResult, Pid};

use crate::procfs;

pub(crate) mod execute;
pub(crate) mod image;
mod receive;
pub(crate) mod stack;
mod start;

pub(crate) use receive::receive;
pub(crate) use start::{Birth, Words, start};

/// Which side of a fork this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fork {
    Parent(Pid),
    Child,
}

/// fork(2), refused when this process has more than one thread: the child would have only the calling one,
/// and every lock that another thread holds would stay locked in it for ever.
pub(crate) fn fork() -> io::Result<Fork> {
    if !is_alone()? {
        return Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "refused to fork: this process has several threads, start them after the fork",
        ));
    }
    // SAFETY: the process has one thread, so the child is a full copy in which any code may run.
    match unsafe { nix::unistd::fork() }? {
        ForkResult::Parent { child } => Ok(Fork::Parent(child)),
        ForkResult::Child => Ok(Fork::Child),
    }
}

/// Whether this process has one thread only, as the kernel sees it.
///
/// unshare(2) with CLONE_THREAD does nothing in such a process and fails with EINVAL in any other, and needs no /proc,
/// which a daemon in a chroot has not. Where a filter forbids the call, /proc is asked.
pub(crate) fn is_alone() -> io::Result<bool> {
    // SAFETY: the call changes nothing: either there is nothing to unshare, or it fails.
    if unsafe { libc::unshare(libc::CLONE_THREAD) } == 0 {
        return Ok(true);
    }
    match io::Error::last_os_error().raw_os_error() {
        Some(libc::EINVAL) => Ok(false),
        _ => Ok(fs::read_dir("/proc/self/task")?.count() == 1),
    }
}

/// _exit(2): ends this process without running anything that the parent's copy of it would run again.
pub(crate) fn exit_now(code: i32) -> ! {
    // SAFETY: _exit takes any number, does not return, and touches no memory of ours.
    unsafe { libc::_exit(code) }
}

/// Sets every signal to its default action, but SIGPIPE to "ignored", which the Rust runtime sets before
/// `main` and on which writes to closed pipes and sockets rely.
pub(crate) fn default_signals() {
    reset_signals(libc::SIG_IGN);
}

/// The same for a program about to be executed: nothing is left ignored, not even SIGPIPE.
fn reset_signals(pipe: libc::sighandler_t) {
    for number in 1..=libc::SIGRTMAX() {
        let action = if number == libc::SIGPIPE { pipe } else { libc::SIG_DFL };
        // SAFETY: SIG_DFL and SIG_IGN install no handler. KILL and STOP are refused with EINVAL.
        unsafe { libc::signal(number, action) };
    }
    // The C library's own signals, which it lets nobody touch, can be inherited as ignored all the same.
    for number in libc::SIGSYS + 1..libc::SIGRTMIN() {
        default_if_ignored(number);
    }
}

/// By the bare system call; a handler of the C library's stays.
fn default_if_ignored(number: libc::c_int) {
    // The kernel's sigaction begins with the handler, and all zero is SIG_DFL without flags; it is shorter than this.
    let (mut current, default) = ([0_usize; 16], [0_usize; 16]);
    // 64 signals.
    let set_size = 8_usize;
    // SAFETY: both buffers are longer than the kernel's structure and live for the call.
    unsafe {
        let none: *const usize = ptr::null();
        let asked = libc::syscall(libc::SYS_rt_sigaction, number, none, current.as_mut_ptr(), set_size);
        if asked == 0 && current[0] == libc::SIG_IGN {
            libc::syscall(libc::SYS_rt_sigaction, number, default.as_ptr(), none, set_size);
        }
    }
}

/// Signals whose action is not what `default_signals` would set.
pub(crate) fn changed_signals() -> Vec<libc::c_int> {
    let is_changed = |number: &libc::c_int| {
        // SAFETY: an all-zero sigaction is valid; with a null pointer for the new action the present one is only read.
        let (asked, present) = unsafe {
            let mut present: libc::sigaction = std::mem::zeroed();
            (libc::sigaction(*number, ptr::null(), &mut present), present.sa_sigaction)
        };
        let wanted = if *number == libc::SIGPIPE { libc::SIG_IGN } else { libc::SIG_DFL };
        asked == 0 && present != wanted
    };
    (1..=libc::SIGRTMAX()).filter(is_changed).collect()
}

/// Sets these signals to what `default_signals` would set them to.
pub(crate) fn reset_changed(numbers: &[libc::c_int]) {
    for number in numbers {
        let action = if *number == libc::SIGPIPE { libc::SIG_IGN } else { libc::SIG_DFL };
        // SAFETY: SIG_DFL and SIG_IGN install no handler.
        unsafe { libc::signal(*number, action) };
    }
}

/// SIGCHLD ignored with SA_NOCLDWAIT: children leave no zombies and cannot be waited for.
pub(crate) fn ignore_children() -> io::Result<()> {
    // SAFETY: an all-zero sigaction is valid; SIG_IGN installs no handler; both pointers are valid or null.
    let result = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = libc::SIG_IGN;
        action.sa_flags = libc::SA_NOCLDWAIT;
        libc::sigaction(libc::SIGCHLD, &action, ptr::null_mut())
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// SIGCHLD to its default, so that waitpid works whatever the caller of this program did with it.
pub(crate) fn default_children() {
    // SAFETY: SIG_DFL installs no handler.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
}

/// Closes every descriptor from 3 on but those in `keep`, whatever RLIMIT_NOFILE is.
///
/// The caller promises that no value that owns one of the closed descriptors is used afterwards: this is
/// for the moment after a fork in which a daemon leaves its inheritance behind.
pub(crate) fn close_from_3(keep: &[RawFd]) -> io::Result<()> {
    let mut first: libc::c_uint = 3;
    let mut kept: Vec<libc::c_uint> = keep.iter().filter_map(|fd| u32::try_from(*fd).ok()).collect();
    kept.sort_unstable();
    for fd in kept.into_iter().filter(|fd| *fd >= 3).chain([libc::c_uint::MAX]) {
        if fd > first && !close_range(first, fd - u32::from(fd != libc::c_uint::MAX), 0) {
            return close_listed(keep);
        }
        first = fd.saturating_add(1);
    }
    Ok(())
}

/// close_range(2); false when the kernel has it not (before 5.9) or a filter forbids it.
fn close_range(first: libc::c_uint, last: libc::c_uint, flags: libc::c_uint) -> bool {
    // SAFETY: a system call on numbers; see `close_from_3` for who owns the descriptors.
    unsafe { libc::syscall(libc::SYS_close_range, first, last, flags) == 0 }
}

/// The same as `close_from_3` by the list in /proc/self/fd, for kernels without close_range(2).
pub(crate) fn close_listed(keep: &[RawFd]) -> io::Result<()> {
    for fd in procfs::open_descriptors()? {
        if fd >= 3 && !keep.contains(&fd) {
            // SAFETY: see `close_from_3`; the descriptor of the listing itself is closed already: EBADF.
            unsafe { libc::close(fd) };
        }
    }
    Ok(())
}

/// Takes possession of an inherited descriptor, and gives it close-on-exec. It keeps its number: a new one could be one that
/// is still to be taken.
///
/// The caller promises that no value of this process owns `fd`: see `inheritance`.
pub(crate) fn take(fd: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: a flag is set on a number; a closed one answers EBADF.
    if unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) } < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it is open, and nobody owns it, as the caller has promised.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Makes `fd` refer to what `source` refers to. What it referred to before is closed in this process, and
/// whoever owns `fd` goes on owning a valid descriptor.
pub(crate) fn replace(fd: BorrowedFd<'_>, source: BorrowedFd<'_>, close_on_exec: bool) -> io::Result<()> {
    let flags = if close_on_exec { libc::O_CLOEXEC } else { 0 };
    // SAFETY: both descriptors are open for the time of the call, and `fd` stays open.
    let result = unsafe { libc::dup3(source.as_raw_fd(), fd.as_raw_fd(), flags) };
    if result >= 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Makes the descriptors 0, 1 and 2 refer to `null`, open or closed as they may be.
pub(crate) fn standard_streams_to(null: BorrowedFd<'_>) -> io::Result<()> {
    for fd in 0..=2 {
        if null.as_raw_fd() == fd {
            continue;
        }
        // SAFETY: 0 to 2 are owned by nobody: std never closes them.
        if unsafe { libc::dup2(null.as_raw_fd(), fd) } < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

/// Replaces the environment of this process by `variables`. Refused with more than one thread, since
/// another one could be reading it.
pub(crate) fn replace_environment(variables: &[(OsString, OsString)]) -> io::Result<()> {
    if !is_alone()? {
        return Err(io::Error::new(io::ErrorKind::Unsupported, "refused: this process has several threads"));
    }
    for (name, _) in std::env::vars_os() {
        if is_variable(&name) {
            // SAFETY: one thread only; checked above.
            unsafe { std::env::remove_var(name) };
        }
    }
    for (name, value) in variables {
        if is_variable(name) {
            // SAFETY: one thread only; checked above.
            unsafe { std::env::set_var(name, value) };
        }
    }
    Ok(())
}

/// Whether std would take it: it panics at an empty name, or one with `=` or NUL.
fn is_variable(name: &OsStr) -> bool {
    let bytes = name.as_encoded_bytes();
    !bytes.is_empty() && !bytes.contains(&b'=') && !bytes.contains(&0)
}

/// ioctl TIOCNOTTY: gives up `terminal` as controlling terminal, see tty_ioctl(4).
pub(crate) fn give_up_terminal(terminal: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: TIOCNOTTY takes no argument; the descriptor is open.
    let result = unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCNOTTY) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// The process that holds a write lock of fcntl(2) on `file`, asked by F_GETLK. `None` as well for an open file
/// description lock, which has no holder, and for a holder outside our PID namespace.
pub(crate) fn record_lock_holder(file: &fs::File) -> io::Result<Option<i32>> {
    let mut question = libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    };
    nix::fcntl::fcntl(file, nix::fcntl::FcntlArg::F_GETLK(&mut question))?;
    let held = question.l_type == libc::F_WRLCK as libc::c_short && question.l_pid > 0;
    Ok(held.then_some(question.l_pid))
}

/// Makes the program that `command` will execute start with default signal actions, an empty signal mask and no
/// descriptor above 2 but what std hands over.
pub(crate) fn clean_start(command: &mut Command) {
    // Read here, since after the fork nothing may allocate.
    let listed = procfs::open_descriptors().unwrap_or_default();
    let hook = move || {
        reset_signals(libc::SIG_DFL);
        // Close-on-exec and not close: std's own error pipe is among them.
        if !close_range(3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC) {
            for fd in listed.iter().filter(|fd| **fd >= 3) {
                // SAFETY: a flag is set on a number; a closed one answers EBADF.
                unsafe { libc::fcntl(*fd, libc::F_SETFD, libc::FD_CLOEXEC) };
            }
        }
        // SAFETY: the set is initialised by sigemptyset before it is used; both calls are async-signal-safe.
        unsafe {
            let mut none: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&mut none);
            libc::sigprocmask(libc::SIG_SETMASK, &none, ptr::null_mut());
        }
        Ok(())
    };
    // SAFETY: the hook makes only async-signal-safe calls and does not allocate.
    unsafe { command.pre_exec(hook) };
}

/// A shared mapping of 64-bit cells; unmapped when dropped.
#[derive(Debug)]
pub(crate) struct Mapping {
    cells: ptr::NonNull<AtomicU64>,
    count: usize,
}

// SAFETY: the mapping is only reachable through shared references to atomics, which any thread may use.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Of anonymous memory.
    pub(crate) fn new(count: usize) -> io::Result<Mapping> {
        Mapping::made(count, libc::MAP_SHARED | libc::MAP_ANONYMOUS, -1)
    }

    /// Of memory that is not shared: a forked process finds zeros there, madvise(2), MADV_WIPEONFORK. Before Linux 4.14 it
    /// finds a copy.
    pub(crate) fn wiped(count: usize) -> io::Result<Mapping> {
        let mapping = Mapping::made(count, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1)?;
        let (address, length) = (mapping.cells.as_ptr().cast(), count * size_of::<AtomicU64>());
        // SAFETY: the mapping is ours, and zero is a valid value of its cells in any process.
        unsafe { libc::madvise(address, length, libc::MADV_WIPEONFORK) };
        Ok(mapping)
    }

    /// Of a file that is long enough: what lies behind its end must not be touched.
    pub(crate) fn of(file: &fs::File, count: usize) -> io::Result<Mapping> {
        Mapping::made(count, libc::MAP_SHARED, file.as_raw_fd())
    }

    fn made(count: usize, kind: libc::c_int, file: RawFd) -> io::Result<Mapping> {
        let too_large = || io::Error::from(io::ErrorKind::OutOfMemory);
        let length =
            count.checked_mul(size_of::<AtomicU64>()).filter(|length| *length > 0).ok_or_else(too_large)?;
        // SAFETY: a new mapping at an address of the kernel's choice touches no memory of ours.
        let address =
            unsafe { libc::mmap(ptr::null_mut(), length, libc::PROT_READ | libc::PROT_WRITE, kind, file, 0) };
        if address == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let cells = ptr::NonNull::new(address.cast()).ok_or_else(too_large)?;
        Ok(Mapping { cells, count })
    }

    pub(crate) fn cells(&self) -> &[AtomicU64] {
        // SAFETY: the mapping is page-aligned, `count` cells long, zeroed by the kernel, and lives as long as `self`.
        unsafe { std::slice::from_raw_parts(self.cells.as_ptr(), self.count) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: address and length are those of the mapping, and no reference to its cells outlives `self`.
        unsafe { libc::munmap(self.cells.as_ptr().cast(), self.count * size_of::<AtomicU64>()) };
    }
}

/// The local time now as month (0-11), day, hour, minute, second, as RFC 3164 stamps want it.
pub(crate) fn local_time(seconds: i64) -> Option<[i32; 5]> {
    // SAFETY: an all-zero tm is valid; localtime_r writes it and reads the number, and keeps neither.
    unsafe {
        let mut broken_down: libc::tm = std::mem::zeroed();
        let seconds = seconds as _;
        if libc::localtime_r(&seconds, &mut broken_down).is_null() {
            return None;
        }
        let tm = broken_down;
        Some([tm.tm_mon, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec])
    }
}
