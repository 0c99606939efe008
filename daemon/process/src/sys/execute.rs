//! What a child does on its way to a program that is held by a supervisor: the calls that neither nix nor rustix wraps, or that
//! the C library does not pass on. The order of the steps is `execution`'s business.

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, RawFd};
use std::ptr;

use nix::unistd::Pid;

use super::{Fork, close_listed, close_range, fork, is_alone, reset_signals};

/// fork(2) straight into a control group, if one is given and the kernel can: clone3(2) with CLONE_INTO_CGROUP, which takes
/// microseconds where moving a process later takes milliseconds. Tells whether the child is in it.
pub(crate) fn fork_into(group: Option<BorrowedFd<'_>>) -> io::Result<(Fork, bool)> {
    let Some(group) = group else { return Ok((fork()?, false)) };
    if !is_alone()? {
        // The refusal, in its own words.
        return Ok((fork()?, false));
    }
    // struct clone_args of linux/sched.h: flags, five pointers and the signal in between, three for the stack, two for a
    // set of PIDs, and the group.
    const INTO_CGROUP: u64 = 0x2_0000_0000;
    let mut wish = [0_u64; 11];
    (wish[0], wish[4], wish[10]) = (INTO_CGROUP, libc::SIGCHLD as u64, group.as_raw_fd() as u64);
    // SAFETY: the process has one thread, so the child is a full copy in which any code may run, on a copy of this stack.
    let told = unsafe { libc::syscall(libc::SYS_clone3, wish.as_ptr(), size_of_val(&wish)) };
    match told {
        0 => Ok((Fork::Child, true)),
        pid if pid > 0 => Ok((Fork::Parent(Pid::from_raw(pid as libc::pid_t)), true)),
        _ => {
            let error = io::Error::last_os_error();
            match error.raw_os_error() {
                // Out of processes or memory: the other way would end the same.
                Some(libc::EAGAIN | libc::ENOMEM) => Err(error),
                _ => Ok((fork()?, false)),
            }
        }
    }
}

fn checked(result: libc::c_long) -> io::Result<()> {
    if result >= 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// setpriority(2) for this process.
pub(crate) fn set_nice(nice: i32) -> io::Result<()> {
    // SAFETY: numbers only. The type of the first argument differs between C libraries.
    checked(unsafe { libc::setpriority(libc::PRIO_PROCESS as _, 0, nice) }.into())
}

/// ioprio_set(2) for this process: class in the upper bits, level in the lower 13.
pub(crate) fn set_io_priority(class: u8, level: u8) -> io::Result<()> {
    const WHO_PROCESS: libc::c_int = 1;
    let value = (libc::c_int::from(class) << 13) | libc::c_int::from(level);
    // SAFETY: numbers only.
    checked(unsafe { libc::syscall(libc::SYS_ioprio_set, WHO_PROCESS, 0, value) })
}

/// sched_setscheduler(2) for this process, past the C library: musl refuses it.
pub(crate) fn set_scheduler(policy: i32, priority: i32) -> io::Result<()> {
    let parameter: [libc::c_int; 4] = [priority, 0, 0, 0];
    // SAFETY: the kernel reads one number at the pointer, which is valid for the call.
    checked(unsafe { libc::syscall(libc::SYS_sched_setscheduler, 0, policy, parameter.as_ptr()) })
}

/// PR_CAPBSET_DROP(2const). EINVAL: the kernel has no such capability.
pub(crate) fn drop_from_bounding(capability: u8) -> io::Result<()> {
    // SAFETY: numbers only.
    checked(
        unsafe { libc::prctl(libc::PR_CAPBSET_DROP, libc::c_ulong::from(capability), 0_u64, 0_u64, 0_u64) }
            .into(),
    )
}

/// PR_SET_KEEPCAPS(2const): whether the permitted set outlives the change of user.
pub(crate) fn keep_capabilities(keep: bool) -> io::Result<()> {
    // SAFETY: numbers only.
    checked(
        unsafe { libc::prctl(libc::PR_SET_KEEPCAPS, libc::c_ulong::from(keep), 0_u64, 0_u64, 0_u64) }.into(),
    )
}

/// Makes these capabilities, which must be permitted, the permitted, effective, inheritable and ambient ones.
pub(crate) fn set_ambient(set: u64) -> io::Result<()> {
    const VERSION_3: u32 = 0x2008_0522;
    let (low, high) = (set as u32, (set >> 32) as u32);
    let header: [u32; 2] = [VERSION_3, 0];
    let data: [u32; 6] = [low, low, low, high, high, high];
    // SAFETY: capset(2) reads both buffers, which have the size of its structures, and keeps neither.
    checked(unsafe { libc::syscall(libc::SYS_capset, header.as_ptr(), data.as_ptr()) })?;
    for capability in (0..64_u64).filter(|number| set & (1 << number) != 0) {
        const RAISE: libc::c_ulong = 2;
        // SAFETY: numbers only.
        checked(unsafe { libc::prctl(libc::PR_CAP_AMBIENT, RAISE, capability, 0_u64, 0_u64) }.into())?;
    }
    Ok(())
}

/// Default actions for all signals and an empty mask: nothing is left ignored or blocked for the program.
pub(crate) fn clean_signals() -> io::Result<()> {
    reset_signals(libc::SIG_DFL);
    // SAFETY: the set is initialised by sigemptyset before it is used.
    let told = unsafe {
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &none, ptr::null_mut())
    };
    checked(told.into())
}

/// Lays these descriptors on the numbers from 0 on, in this order, without close-on-exec, and marks all above but `report`,
/// which moves out of the way and whose new number is returned, to be closed by the next execve(2).
///
/// For a child that is about to become a program: whatever owned the numbers below is given up.
pub(crate) fn lay_out(wanted: &[BorrowedFd<'_>], report: BorrowedFd<'_>) -> io::Result<RawFd> {
    let count = libc::c_int::try_from(wanted.len()).map_err(io::Error::other)?;
    let raise = |fd: BorrowedFd<'_>| {
        // SAFETY: the descriptor is open for the call; the new one is owned by nobody and goes with this process.
        let told = unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_DUPFD_CLOEXEC, count) };
        if told >= 0 { Ok(told) } else { Err(io::Error::last_os_error()) }
    };
    // All out of the way first: one may lie on the number of another.
    let report = raise(report)?;
    let raised: Vec<RawFd> = wanted.iter().map(|fd| raise(*fd)).collect::<io::Result<_>>()?;
    for (number, fd) in (0..count).zip(raised) {
        // SAFETY: whatever `number` was is given up, as the caller has promised.
        if unsafe { libc::dup2(fd, number) } < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    let first = libc::c_uint::try_from(count).map_err(io::Error::other)?;
    if !close_range(first, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC) {
        let keep: Vec<RawFd> = (0..count).chain([report]).collect();
        close_listed(&keep)?;
    }
    Ok(report)
}

/// Writes to a number that [`lay_out`] has returned.
pub(crate) fn tell(report: RawFd, bytes: &[u8]) {
    // SAFETY: the kernel reads `bytes`; if the number is closed it says so, and there is nobody left to tell.
    unsafe { libc::write(report, bytes.as_ptr().cast(), bytes.len()) };
}
