//! Which rules hold where insserv does not order. Most faults are faults everywhere; these are what insserv alone, or
//! Debian alone, makes of a script.

use super::finding::Rule;
use super::rules::{header, machine, script, values};
use crate::layout::Layout;

/// What is usual, or without effect, in other layouts: facilities that scripts provide, scripts with nothing but
/// chkconfig's line, functions of other names; and a script goes by the name of its file there.
static OF_INSSERV: [&Rule; 6] = [
    &header::HEADER_MISSING,
    &header::KEY_MISSING,
    &values::PROVIDES_FACILITY,
    &values::PROVIDES_OTHER,
    &script::FUNCTIONS_MISSING,
    &machine::LINKS_DIFFER,
];

/// Whether a rule holds in a tree of this layout.
#[must_use]
pub fn holds(rule: &Rule, layout: &Layout) -> bool {
    layout.has_insserv_order() || !OF_INSSERV.iter().any(|of| of.code == rule.code)
}
