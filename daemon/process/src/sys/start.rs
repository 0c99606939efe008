//! Starting a program without a copy of this process and without waiting for it: what `sys` has of it, parted for its length.
//!
//! As after vfork(2) the child runs in the memory of this process until it executes the program, but this process goes on
//! meanwhile, since execve(2) takes the better part of the time. So the child has a stack of its own, calls the kernel
//! directly (the C library would write to the errno of the thread that has started it), and what it looks at is left
//! alone until it is gone, which the kernel tells by clearing a word: CLONE_CHILD_CLEARTID, clone(2). On processors whose
//! way to call the kernel is not written down here, this thread does wait: CLONE_VFORK.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, RawFd};
use std::ptr;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use nix::sys::signal::{SigSet, SigmaskHow};
use nix::unistd::{Pid, setpgid};

use super::close_range;
use crate::procfs;

/// What is to be executed.
#[derive(Debug)]
pub(crate) struct Words {
    pub(crate) path: CString,
    pub(crate) arguments: Vec<CString>,
    pub(crate) environment: Vec<CString>,
}

/// All that a process which is about to become a program looks at.
#[derive(Debug)]
pub(crate) struct Birth {
    arguments: Vec<*const libc::c_char>,
    environment: Vec<*const libc::c_char>,
    /// What the pointers point to, with the variables.
    pub(crate) words: Arc<Words>,
    _variables: Vec<CString>,
    /// For 0, 1 and 2; -1: as it is.
    streams: [RawFd; 3],
    listed: Vec<RawFd>,
    present: &'static Present,
    parent: libc::pid_t,
    _stack: Vec<u128>,
    /// The errno of what failed.
    failure: AtomicI32,
    /// Zero when the child is gone from our memory.
    here: AtomicI32,
}

// SAFETY: the pointers are to text that is owned beside them and changed by nobody, and nobody but the child looks at the
// stack; the rest is numbers and atomics.
unsafe impl Send for Birth {}
// SAFETY: as above.
unsafe impl Sync for Birth {}

impl Birth {
    /// Why the program could not be executed; known when the child has ended.
    pub(crate) fn failure(&self) -> Option<io::Error> {
        let errno = self.failure.load(Ordering::Acquire);
        (errno != 0).then(|| io::Error::from_raw_os_error(errno))
    }
}

/// Those whose child may still be in our memory. (One that was so at a fork stays for ever in the copy, and costs it nothing.)
static CRADLE: Mutex<Vec<Arc<Birth>>> = Mutex::new(Vec::new());

/// What is asked once, since asking each time would cost more than sixty system calls.
#[derive(Debug)]
struct Present {
    /// Whether the kernel can mark all descriptors at once; else they must be listed, for which it is too late in the child.
    ranges: bool,
    /// Signals that are ignored or handled. One that is ignored only later is inherited so; one that is handled only later
    /// is reset by execve(2).
    signals: Vec<usize>,
}

static PRESENT: OnceLock<Present> = OnceLock::new();

/// For the kernel: the default action, without flags, and the empty set. It has 64 signals, 8 bytes of them.
static ZERO: [usize; 16] = [0; 16];
const SET: usize = 8;

impl Present {
    fn ask() -> Present {
        let ranges = close_range(libc::c_uint::MAX, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC);
        let is_changed = |number: &usize| {
            let mut action = ZERO;
            let place = action.as_mut_ptr() as usize;
            // SAFETY: the buffer is longer than the kernel's structure, which begins with the handler.
            let asked = unsafe { call(libc::SYS_rt_sigaction, [*number, 0, place, SET]) };
            asked == 0 && action[0] != libc::SIG_DFL
        };
        Present { ranges, signals: (1..=64).filter(is_changed).collect() }
    }
}

/// Bytes of stack for `be_born`.
const STACK: usize = 32 * 1024;

/// Starts `words` with `variables` added to their environment and with `streams` (above 2; none: as here) in a process group
/// of its own, to be killed when the calling thread ends. That it cannot be executed is told by [`Birth::failure`].
pub(crate) fn start(
    words: &Arc<Words>,
    variables: Vec<CString>,
    streams: [Option<BorrowedFd<'_>>; 3],
) -> io::Result<(Pid, Arc<Birth>)> {
    let streams = streams.map(|stream| stream.map_or(-1, |fd| fd.as_raw_fd()));
    if streams.iter().any(|fd| (0..3).contains(fd)) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let pointers = |list: &[CString], more: &[CString]| {
        let all = list.iter().chain(more).map(|text| text.as_ptr());
        all.chain([ptr::null()]).collect()
    };
    let present = PRESENT.get_or_init(Present::ask);
    // u128: a stack must be aligned.
    let mut stack: Vec<u128> = Vec::with_capacity(STACK / size_of::<u128>());
    let top = stack.as_mut_ptr().wrapping_add(stack.capacity());
    let birth = Arc::new(Birth {
        arguments: pointers(&words.arguments, &[]),
        environment: pointers(&words.environment, &variables),
        words: Arc::clone(words),
        _variables: variables,
        streams,
        listed: if present.ranges { Vec::new() } else { procfs::open_descriptors()? },
        present,
        parent: Pid::this().as_raw(),
        _stack: stack,
        failure: AtomicI32::new(0),
        here: AtomicI32::new(1),
    });
    keep(Arc::clone(&birth));
    // No handler may run in the child, in whose memory it would do its work a second time.
    let mask = SigSet::all().thread_swap_mask(SigmaskHow::SIG_SETMASK)?;
    // SAFETY: the child has a stack that nobody else uses and that grows down from `top`. That stack and all it looks at are
    // kept until it is gone, nobody writes to them, and it writes to its stack and the two atomics only; it calls nothing
    // but the kernel, or else this thread waits.
    let told = unsafe { bear(top.cast(), &birth) };
    mask.thread_set_mask()?;
    if told < 0 {
        birth.here.store(0, Ordering::Release);
        return Err(io::Error::from_raw_os_error(i32::try_from(-told).unwrap_or(libc::EIO)));
    }
    let pid = Pid::from_raw(i32::try_from(told).map_err(io::Error::other)?);
    // As the child does, whoever is first: a signal to the group shall find it. It fails when the program is executed already.
    let _ = setpgid(pid, pid);
    Ok((pid, birth))
}

/// Keeps `birth` until its child is gone, and lets go of others.
fn keep(birth: Arc<Birth>) {
    let mut cradle = CRADLE.lock().unwrap_or_else(PoisonError::into_inner);
    cradle.retain(|birth| birth.here.load(Ordering::Acquire) != 0);
    cradle.push(birth);
}

/// The child of [`start`]: becomes the program, or leaves word why not.
extern "C" fn be_born(birth: *mut libc::c_void) -> libc::c_int {
    // SAFETY: `start` passes a Birth that is kept until this process is gone from its memory.
    let birth = unsafe { &*birth.cast_const().cast::<Birth>() };
    // SAFETY: this is the child.
    let told = unsafe { become_program(birth) };
    birth.failure.store(i32::try_from(-told).unwrap_or(libc::EIO), Ordering::Release);
    loop {
        // SAFETY: it ends this process.
        unsafe { call(libc::SYS_exit_group, [127, 0, 0, 0]) };
    }
}

/// Returns only with what has failed, negative as the kernel tells it.
///
/// # Safety
/// The calling process is given up.
unsafe fn become_program(birth: &Birth) -> isize {
    // SAFETY: the kernel reads what the pointers point to, which is owned by `birth` or static, and writes nothing.
    unsafe {
        let wish = [libc::PR_SET_PDEATHSIG as usize, libc::SIGKILL as usize, 0, 0];
        let mut told = call(libc::SYS_setpgid, [0; 4]).min(call(libc::SYS_prctl, wish));
        // Asked for after the wish to die with it, since it may have died before.
        if call(libc::SYS_getppid, [0; 4]) != birth.parent as isize {
            told = -(libc::ESRCH as isize);
        }
        for (fd, source) in birth.streams.iter().enumerate().filter(|(_, source)| **source >= 0) {
            told = told.min(call(libc::SYS_dup3, [*source as usize, fd, 0, 0]).min(0));
        }
        if told < 0 {
            return told;
        }
        for number in &birth.present.signals {
            // KILL and STOP are refused, and are the default anyway.
            call(libc::SYS_rt_sigaction, [*number, ZERO.as_ptr() as usize, 0, SET]);
        }
        if birth.present.ranges {
            let mark = libc::CLOSE_RANGE_CLOEXEC as usize;
            call(libc::SYS_close_range, [3, libc::c_uint::MAX as usize, mark, 0]);
        }
        for fd in birth.listed.iter().filter(|fd| **fd >= 3) {
            let mark = libc::FD_CLOEXEC as usize;
            call(libc::SYS_fcntl, [*fd as usize, libc::F_SETFD as usize, mark, 0]);
        }
        call(libc::SYS_rt_sigprocmask, [libc::SIG_SETMASK as usize, ZERO.as_ptr() as usize, 0, SET]);
        let (arguments, environment) = (birth.arguments.as_ptr(), birth.environment.as_ptr());
        let path = birth.words.path.as_ptr();
        call(libc::SYS_execve, [path as usize, arguments as usize, environment as usize, 0])
    }
}

/// A child that shares our memory and clears a word of it when it is gone from there.
#[cfg(all(any(target_arch = "x86_64", target_arch = "aarch64"), target_pointer_width = "64"))]
const FLAGS: libc::c_int = libc::CLONE_VM | libc::CLONE_CHILD_CLEARTID | libc::SIGCHLD;

/// clone(2) into [`be_born`], past the C library, since musl's refuses CLONE_CHILD_CLEARTID; the PID, or negative the errno.
///
/// # Safety
/// `top` is the upper end of the child's stack, and what it looks at is kept until it is gone.
#[cfg(all(target_arch = "x86_64", target_pointer_width = "64"))]
unsafe fn bear(top: *mut libc::c_void, birth: &Arc<Birth>) -> isize {
    let told;
    // SAFETY: in the parent the kernel changes rax, rcx and r11 alone. The child is on its own stack, which is aligned as a
    // call wants it, and does not come back.
    unsafe {
        std::arch::asm!(
            "syscall", "test rax, rax", "jnz 2f", "xor ebp, ebp", "mov rdi, r9", "call r8", "ud2", "2:",
            inlateout("rax") libc::SYS_clone as isize => told, in("rdi") FLAGS as usize, in("rsi") top, in("rdx") 0_usize,
            in("r10") birth.here.as_ptr(), in("r8") be_born as *const (), in("r9") Arc::as_ptr(birth),
            lateout("rcx") _, lateout("r11") _, options(nostack)
        );
    }
    told
}

/// The same.
///
/// # Safety
/// The same.
#[cfg(all(target_arch = "aarch64", target_pointer_width = "64"))]
unsafe fn bear(top: *mut libc::c_void, birth: &Arc<Birth>) -> isize {
    let told;
    // SAFETY: in the parent the kernel changes x0 alone. The child is on its own stack and does not come back.
    unsafe {
        std::arch::asm!(
            "svc 0", "cbnz x0, 2f", "mov x29, xzr", "mov x0, x9", "blr x10", "brk 1", "2:",
            in("x8") libc::SYS_clone, inlateout("x0") FLAGS as isize => told, in("x1") top, in("x2") 0_usize, in("x3") 0_usize,
            in("x4") birth.here.as_ptr(), in("x9") Arc::as_ptr(birth), in("x10") be_born as *const (), options(nostack)
        );
    }
    told
}

/// The same by the C library, which this thread waits for.
///
/// # Safety
/// The same.
#[cfg(not(all(any(target_arch = "x86_64", target_arch = "aarch64"), target_pointer_width = "64")))]
unsafe fn bear(top: *mut libc::c_void, birth: &Arc<Birth>) -> isize {
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
    // SAFETY: the caller's.
    let told = unsafe { libc::clone(be_born, top, flags, Arc::as_ptr(birth).cast_mut().cast()) };
    let errno = io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO);
    birth.here.store(0, Ordering::Release);
    if told < 0 { -(errno as isize) } else { told as isize }
}

/// A system call past the C library, syscall(2); negative: the errno.
///
/// # Safety
/// That of the system call.
#[cfg(all(target_arch = "x86_64", target_pointer_width = "64"))]
unsafe fn call(number: libc::c_long, [a, b, c, d]: [usize; 4]) -> isize {
    let told;
    // SAFETY: the kernel changes rax, rcx and r11 alone, and does not use our stack.
    unsafe {
        std::arch::asm!(
            "syscall", inlateout("rax") number as isize => told, in("rdi") a, in("rsi") b, in("rdx") c, in("r10") d,
            lateout("rcx") _, lateout("r11") _, options(nostack)
        );
    }
    told
}

/// The same.
///
/// # Safety
/// That of the system call.
#[cfg(all(target_arch = "aarch64", target_pointer_width = "64"))]
unsafe fn call(number: libc::c_long, [a, b, c, d]: [usize; 4]) -> isize {
    let told;
    // SAFETY: the kernel changes x0 alone, and does not use our stack.
    unsafe {
        std::arch::asm!(
            "svc 0", in("x8") number, inlateout("x0") a as isize => told, in("x1") b, in("x2") c, in("x3") d,
            options(nostack)
        );
    }
    told
}

/// The same by the C library.
///
/// # Safety
/// That of the system call.
#[cfg(not(all(any(target_arch = "x86_64", target_arch = "aarch64"), target_pointer_width = "64")))]
unsafe fn call(number: libc::c_long, [a, b, c, d]: [usize; 4]) -> isize {
    // SAFETY: the caller's.
    match unsafe { libc::syscall(number, a, b, c, d) } {
        -1 => -(io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO) as isize),
        told => told as isize,
    }
}
