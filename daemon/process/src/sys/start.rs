//! Starting a program without a copy of this process, as vfork(2) does: what `sys` has of it, parted for its length.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, RawFd};
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, Ordering};

use nix::sys::signal::{SigSet, SigmaskHow};
use nix::unistd::Pid;

use super::{changed_signals, close_range, make_clean, reset_hidden_signals};
use crate::procfs;

/// All that a process which is about to become a program looks at.
struct Birth {
    path: *const libc::c_char,
    arguments: Vec<*const libc::c_char>,
    environment: Vec<*const libc::c_char>,
    /// -1: as it is.
    streams: [RawFd; 3],
    listed: Vec<RawFd>,
    signals: &'static [libc::c_int],
    parent: libc::pid_t,
    /// The errno of what failed.
    failure: AtomicI32,
}

/// What is asked once, since asking each time would cost more than a hundred system calls.
struct Present {
    /// Whether the kernel can mark all descriptors at once; else they must be listed, for which it is too late in the child.
    ranges: bool,
    /// Signals that are ignored or handled. One that is ignored only later is inherited so; one that is handled only later
    /// is reset by execve(2).
    signals: Vec<libc::c_int>,
}

static PRESENT: OnceLock<Present> = OnceLock::new();

impl Present {
    fn ask() -> Present {
        let ranges = close_range(libc::c_uint::MAX, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC);
        // SIGPIPE is ignored in every Rust program, which counts as unchanged there.
        let signals = changed_signals().into_iter().chain([libc::SIGPIPE]).collect();
        Present { ranges, signals }
    }
}

/// Bytes of stack for `be_born`.
const STACK: usize = 64 * 1024;

/// Starts the program `path` with `streams` (above 2; none: as here) in a process group of its own, to be killed when the
/// calling thread ends. Nothing is copied: as with vfork(2) the child runs in the memory of this process until it executes
/// the program, and this thread waits for that.
pub(crate) fn start(
    path: &CStr,
    arguments: &[&CStr],
    environment: &[&CStr],
    streams: [Option<BorrowedFd<'_>>; 3],
) -> io::Result<Pid> {
    let streams = streams.map(|stream| stream.map_or(-1, |fd| fd.as_raw_fd()));
    if streams.iter().any(|fd| (0..3).contains(fd)) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let pointers = |list: &[&CStr]| list.iter().map(|text| text.as_ptr()).chain([ptr::null()]).collect();
    let present = PRESENT.get_or_init(Present::ask);
    let birth = Birth {
        path: path.as_ptr(),
        arguments: pointers(arguments),
        environment: pointers(environment),
        streams,
        listed: if present.ranges { Vec::new() } else { procfs::open_descriptors()? },
        signals: &present.signals,
        parent: Pid::this().as_raw(),
        failure: AtomicI32::new(0),
    };
    // u128: a stack must be aligned.
    let mut stack: Vec<u128> = Vec::with_capacity(STACK / size_of::<u128>());
    // No handler may run in the child, in whose memory it would do its work a second time.
    let mask = SigSet::all().thread_swap_mask(SigmaskHow::SIG_SETMASK)?;
    // SAFETY: the child has a stack of its own, which grows down from its end; it and `birth` outlive the child's use, since
    // CLONE_VFORK lets this thread go on only when the program is executed or the child has exited. The child writes to
    // `failure` alone, which is atomic; what it calls is async-signal-safe and does not allocate.
    let (pid, error) = unsafe {
        let top = stack.as_mut_ptr().add(stack.capacity()).cast();
        let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
        let pid = libc::clone(be_born, top, flags, (&raw const birth).cast_mut().cast());
        (pid, io::Error::last_os_error())
    };
    mask.thread_set_mask()?;
    if pid < 0 {
        return Err(error);
    }
    let failure = birth.failure.load(Ordering::Acquire);
    if failure == 0 {
        return Ok(Pid::from_raw(pid));
    }
    // It has exited, and its number has been told to nobody.
    let _ = nix::sys::wait::waitpid(Pid::from_raw(pid), None);
    Err(io::Error::from_raw_os_error(failure))
}

/// The child of [`start`]: becomes the program, or leaves word why not.
extern "C" fn be_born(birth: *mut libc::c_void) -> libc::c_int {
    // SAFETY: `start` passes a valid Birth that nobody writes to, and waits until this function has ended.
    let birth = unsafe { &*birth.cast_const().cast::<Birth>() };
    // SAFETY: system calls on numbers, and on pointers that end with null and outlive the call. The parent is asked for
    // after the wish to die with it, since it may have died before.
    unsafe {
        let mut ready = libc::setpgid(0, 0) == 0
            && libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) == 0
            && libc::getppid() == birth.parent;
        for (fd, source) in (0..).zip(birth.streams) {
            ready = ready && (source < 0 || libc::dup2(source, fd) == fd);
        }
        if ready {
            for number in birth.signals {
                libc::signal(*number, libc::SIG_DFL);
            }
            reset_hidden_signals();
            make_clean(&birth.listed);
            libc::execve(birth.path, birth.arguments.as_ptr(), birth.environment.as_ptr());
        }
        let errno = *libc::__errno_location();
        birth.failure.store(if errno == 0 { libc::ESRCH } else { errno }, Ordering::Release);
        libc::_exit(127)
    }
}
