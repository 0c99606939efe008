//! The layouts that there are, found by name or by what a root contains. The root is not read here: the
//! caller looks at the paths of [`probes`] and says which exist.

use std::collections::BTreeSet;

use crate::layout::debian::DEBIAN;
use crate::layout::facts::Layout;

/// All layouts, in the order in which they are tried.
pub const ALL: &[&Layout] = &[&DEBIAN];

/// The layout of a root that has none yet, such as a new `--prefix`.
pub const DEFAULT: &Layout = &DEBIAN;

/// Which of the [`probes`] exist in a root.
pub type Clues = BTreeSet<String>;

/// Why no layout was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// There is no layout of this name.
    #[error("unknown layout '{name}': use one of {}", names())]
    Unknown {
        /// The name that was asked for.
        name: String,
    },
    /// The root looks like none of them.
    #[error("this tree looks like none of a known layout: name the layout with --layout, one of {}", names())]
    Unrecognised,
}

/// The names of all layouts, for messages, help and completion.
#[must_use]
pub fn names() -> String {
    ALL.iter().map(|layout| layout.name).collect::<Vec<_>>().join(", ")
}

/// The layout of a name.
///
/// # Errors
/// [`LayoutError::Unknown`], which lists the names.
pub fn by_name(name: &str) -> Result<&'static Layout, LayoutError> {
    ALL.iter()
        .copied()
        .find(|layout| layout.name == name)
        .ok_or_else(|| LayoutError::Unknown { name: name.to_owned() })
}

/// The paths whose existence tells the layouts apart.
#[must_use]
pub fn probes() -> BTreeSet<&'static str> {
    ALL.iter().flat_map(|layout| layout.marks.iter().copied()).collect()
}

/// The first layout all of whose marks are there.
///
/// # Errors
/// [`LayoutError::Unrecognised`], which lists the names.
pub fn detect(clues: &Clues) -> Result<&'static Layout, LayoutError> {
    ALL.iter()
        .copied()
        .find(|layout| layout.marks.iter().all(|mark| clues.contains(*mark)))
        .ok_or(LayoutError::Unrecognised)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_layout_is_found_by_its_name_and_by_its_marks() {
        for layout in ALL {
            assert_eq!(by_name(layout.name), Ok(*layout));
            let clues = layout.marks.iter().map(|mark| (*mark).to_owned()).collect();
            assert_eq!(detect(&clues), Ok(*layout));
        }
    }

    #[test]
    fn what_is_unknown_is_told_with_what_is_known() {
        let error = by_name("debain").map_err(|error| error.to_string());
        assert_eq!(error, Err("unknown layout 'debain': use one of debian".to_owned()));
        assert_eq!(detect(&Clues::new()), Err(LayoutError::Unrecognised));
    }
}
