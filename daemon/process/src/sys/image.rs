//! The pages of the own program that are read from its file: code and constants.

use std::ffi::c_int;
use std::ptr;

/// What [`release`] has found.
#[derive(Default)]
struct Released {
    any: bool,
    failed: bool,
}

/// madvise(2) with `MADV_DONTNEED` for each part of the program's file that is mapped and never written; tells whether the
/// kernel did it for all.
pub(crate) fn release() -> bool {
    let mut released = Released::default();
    // SAFETY: `each` takes what it is given for nothing but `released`, which outlives the call.
    unsafe { libc::dl_iterate_phdr(Some(each), (&raw mut released).cast()) };
    released.any && !released.failed
}

/// The first object is the program itself; others, libraries, are not gone through.
unsafe extern "C" fn each(
    info: *mut libc::dl_phdr_info,
    _size: libc::size_t,
    released: *mut libc::c_void,
) -> c_int {
    // SAFETY: dl_iterate_phdr(3) hands over an object whose headers are all there, and the pointer that it was given.
    let (info, released) = unsafe { (&*info, &mut *released.cast::<Released>()) };
    // SAFETY: as above.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    let Ok(page) = usize::try_from(page) else { return 1 };
    for at in 0..usize::from(info.dlpi_phnum) {
        // SAFETY: there are so many headers.
        let part = unsafe { &*info.dlpi_phdr.add(at) };
        if part.p_type != libc::PT_LOAD || part.p_flags & libc::PF_W != 0 {
            continue;
        }
        let (Ok(begin), Ok(length)) =
            (usize::try_from(info.dlpi_addr + part.p_vaddr), usize::try_from(part.p_filesz))
        else {
            continue;
        };
        let (first, end) = (begin & !(page - 1), (begin + length) & !(page - 1));
        // SAFETY: a mapping of the program's file that nobody can write to: what is gone is read from the file again when it is
        // needed. The last page, which may be shared with a part that is written to, stays.
        let met = unsafe {
            libc::madvise(ptr::without_provenance_mut(first), end.saturating_sub(first), libc::MADV_DONTNEED)
        };
        released.any = true;
        released.failed |= met != 0;
    }
    1
}
