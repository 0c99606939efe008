//! The unused part of the main thread's stack.

use std::hint::black_box;
use std::ptr;

/// Below this function's frame so much stays, which calls use all the time.
const KEPT: usize = 16 * 1024;
/// So much below that is given back: no more than the gap that the kernel leaves between a stack and the next mapping
/// (`stack_guard_gap` of the kernel's parameters: 256 pages of 4 KiB at the least), so that nothing else can lie there.
const SPAN: usize = 512 * 1024;

/// madvise(2) with `MADV_DONTNEED`; tells whether the kernel did it.
#[inline(never)]
pub(crate) fn release() -> bool {
    // SAFETY: both calls only ask.
    let (own, thread, page) = unsafe { (libc::getpid(), libc::gettid(), libc::sysconf(libc::_SC_PAGESIZE)) };
    let Ok(page) = usize::try_from(page) else { return false };
    if own != thread {
        return false;
    }
    let here = 0_u8;
    let frame = black_box(&raw const here).addr();
    let end = (frame - KEPT) & !(page - 1);
    // SAFETY: the stack grows downwards on every machine that this is built for, so what lies below this frame and its red
    // zone belongs to calls that have returned, and is read by nobody before it is written again. What was never touched is
    // not mapped: then it is ENOMEM, after the rest was given back.
    let met = unsafe { libc::madvise(ptr::without_provenance_mut(end - SPAN), SPAN, libc::MADV_DONTNEED) };
    met == 0 || std::io::Error::last_os_error().raw_os_error() == Some(libc::ENOMEM)
}
