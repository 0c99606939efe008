//! What a script by itself does not show: the facilities of its machine, and whether it is itself a part of what
//! others are told to wait for.

use std::collections::{BTreeMap, BTreeSet};

/// What is known around a script; nothing for one that is not installed.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// Facilities that the machine's insserv.conf defines.
    pub(super) defined: BTreeSet<String>,
    /// For each facility the scripts that make it, and those that they wait for.
    pub(super) making: BTreeMap<String, BTreeSet<String>>,
    /// The scripts that stop with the file systems or after them.
    pub(super) ending: BTreeSet<String>,
    /// Scripts are started by the number in their own names, as busybox's rcS does it.
    pub(super) numbered: bool,
    /// There is a machine.
    pub(super) installed: bool,
}

impl Surroundings {
    /// The same where scripts have numbers in their own names.
    #[must_use]
    pub fn numbered(self, numbered: bool) -> Surroundings {
        Surroundings { numbered, ..self }
    }

    /// Whether a script cannot wait for a facility, as that waits for it.
    pub(super) fn makes(&self, facility: &str, script: &str) -> bool {
        self.making.get(facility).is_some_and(|scripts| scripts.contains(script))
    }
}
