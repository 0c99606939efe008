//! What is to be done to the links: the arguments and options of insserv as a value.

use crate::name::Runlevels;
use crate::symbols::{NONE, Symbol, Symbols};

/// Whether the arguments are linked or unlinked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Action {
    /// Make their links.
    #[default]
    Add,
    /// Remove their links (`insserv -r`).
    Remove,
}

/// One script that the change is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    /// The name of its file in init.d.
    pub name: String,
    /// Start runlevels beside (forced: instead of) those of its header: `insserv NAME,start=2,3`.
    pub start: Option<Runlevels>,
    /// Stop runlevels, likewise.
    pub stop: Option<Runlevels>,
}

/// A change of a root's links.
///
/// ```
/// use foobar_initscripts::order::Change;
/// let as_update_rc_d_does = Change::add("foobar").forced();
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Change {
    /// What to do with the arguments.
    pub action: Action,
    /// The scripts; none only brings all numbers up to date.
    pub arguments: Vec<Argument>,
    /// `insserv -f`: loops, missing dependencies and broken headers are no reason to refuse. update-rc.d always
    /// does so, and so do our verbs.
    pub force: bool,
    /// `insserv -d`: the runlevels of the headers are added to those of existing links, and links in others removed.
    pub defaults: bool,
}

impl Change {
    /// Brings all links up to date and adds none.
    #[must_use]
    pub fn nothing() -> Change {
        Change::default()
    }

    /// Links one script. Existing links of it, start or kill, are the administrator's choice and stay what they are.
    #[must_use]
    pub fn add(name: &str) -> Change {
        let argument = Argument { name: name.to_owned(), start: None, stop: None };
        Change { arguments: vec![argument], ..Change::default() }
    }

    /// Unlinks one script.
    #[must_use]
    pub fn remove(name: &str) -> Change {
        Change { action: Action::Remove, ..Change::add(name) }
    }

    /// The same with `force` set.
    #[must_use]
    pub fn forced(self) -> Change {
        Change { force: true, ..self }
    }
}

/// The arguments by symbol, so that asking for one takes no search.
#[derive(Debug)]
pub(super) struct Arguments(Vec<u32>);

impl Arguments {
    pub(super) fn new(change: &Change, names: &Symbols) -> Arguments {
        let mut places = vec![NONE; names.len()];
        for (place, argument) in change.arguments.iter().enumerate() {
            if let Some(symbol) = names.get(&argument.name) {
                places[symbol as usize] = place as u32;
            }
        }
        Arguments(places)
    }

    /// The place of a script among the arguments; the last one counts.
    pub(super) fn place(&self, script: Symbol) -> Option<usize> {
        Some(self.0[script as usize]).filter(|&place| place != NONE).map(|place| place as usize)
    }
}
