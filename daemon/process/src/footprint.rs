//! What a process that sleeps for most of its life can give back of its memory. When it is worth that is decided by the callers.

use crate::sys::stack;

/// Gives back the memory of the stack that calls which have returned have used, and tells whether it did. It costs the page
/// faults of deep calls that follow. Outside the main thread nothing is done: the stack of another thread ends with it, and lies
/// among memory of others.
pub fn release_stack() -> bool {
    stack::release()
}
