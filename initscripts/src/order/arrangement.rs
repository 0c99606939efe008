//! The result: which links to make and to remove, and the files that startpar reads.

use super::change::Change;
use super::error::{OrderError, Warning};
use crate::installed::Installed;
use crate::link::Link;

/// What the tree is to become.
#[derive(Debug, Clone, Default)]
pub struct Arrangement {
    /// Links to remove, before any is made.
    pub removed: Vec<Link>,
    /// Links to make; their text is `../init.d/NAME`.
    pub added: Vec<Link>,
    /// The whole text of `.depend.boot`.
    pub boot: String,
    /// The whole text of `.depend.start`.
    pub start: String,
    /// The whole text of `.depend.stop`.
    pub stop: String,
    /// What insserv would warn of.
    pub warnings: Vec<Warning>,
    pub(super) kept: Vec<Link>,
}

impl Arrangement {
    /// All links as they are afterwards, in no particular order.
    pub fn links(&self) -> impl Iterator<Item = &Link> {
        self.kept.iter().chain(&self.added)
    }
}

/// Computes the links and `.depend.*` files that `insserv` with the options of `change` would leave behind.
///
/// # Errors
/// When insserv would refuse; nothing is to be changed then.
pub fn arrange(installed: &Installed, change: &Change) -> Result<Arrangement, OrderError> {
    let kept = installed.links().collect();
    match change.arguments.iter().find(|argument| !installed.has_script(&argument.name)) {
        Some(argument) => Err(OrderError::NoScript { name: argument.name.clone() }),
        None => Ok(Arrangement { kept, ..Arrangement::default() }),
    }
}
