//! What a process can give back of its memory: one that sleeps for most of its life, or is about to need more. When it is worth
//! that is decided by the callers.

use crate::sys::{image, stack};

/// Gives back the memory of the stack that calls which have returned have used, and tells whether it did. It costs the page
/// faults of deep calls that follow. Outside the main thread nothing is done: the stack of another thread ends with it, and lies
/// among memory of others.
pub fn release_stack() -> bool {
    stack::release()
}

/// Gives back the pages of the program's own file, and tells whether it did. Those that are still needed are read again, from
/// memory as a rule: a page fault for each 16 of them.
pub fn release_program() -> bool {
    image::release()
}
