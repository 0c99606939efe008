//! The layouts that there are, found by name or by what a root contains. The root is not read here: the
//! caller looks at the paths of [`probes`] and says which exist.

use std::collections::BTreeSet;

use crate::layout::busybox::BUSYBOX;
use crate::layout::debian::DEBIAN;
use crate::layout::facts::Layout;
use crate::layout::lfs::LFS;
use crate::layout::openrc::OPENRC;
use crate::layout::redhat::REDHAT;
use crate::layout::slackware::SLACKWARE;
use crate::layout::suse::SUSE;

/// All layouts, in the order in which they are named to people.
pub const ALL: &[&Layout] = &[&DEBIAN, &REDHAT, &SUSE, &LFS, &BUSYBOX, &OPENRC, &SLACKWARE];

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
    /// The root looks like several of them.
    #[error("this tree has the marks of {names}: say with --layout which of them is meant")]
    Ambiguous {
        /// Those that it looks like.
        names: String,
    },
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
    let of = |layout: &&'static Layout| [layout.marks.all, layout.marks.none, layout.marks.release];
    ALL.iter().flat_map(of).flatten().copied().collect()
}

/// The one layout whose marks are there. Where those of several are, a release file decides; two of these, or none,
/// are no reason to guess.
///
/// # Errors
/// [`LayoutError::Unrecognised`] and [`LayoutError::Ambiguous`], which list the names.
pub fn detect(clues: &Clues) -> Result<&'static Layout, LayoutError> {
    let has = |path: &&str| clues.contains(*path);
    let fits = |layout: &&Layout| layout.marks.all.iter().all(has) && !layout.marks.none.iter().any(has);
    let fitting: Vec<&Layout> = ALL.iter().copied().filter(fits).collect();
    let released: Vec<&Layout> =
        fitting.iter().copied().filter(|layout| layout.marks.release.iter().any(has)).collect();
    match (fitting.as_slice(), released.as_slice()) {
        ([], _) => Err(LayoutError::Unrecognised),
        ([one], _) | (_, [one]) => Ok(one),
        (several, _) => Err(LayoutError::Ambiguous {
            names: several.iter().map(|layout| layout.name).collect::<Vec<_>>().join(" and "),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_layout_is_found_by_its_name_and_by_its_marks() {
        for layout in ALL {
            assert_eq!(by_name(layout.name), Ok(*layout));
            let clues = layout.marks.all.iter().map(|mark| (*mark).to_owned()).collect();
            assert_eq!(detect(&clues), Ok(*layout));
        }
    }

    #[test]
    fn what_is_unknown_is_told_with_what_is_known() {
        let error = by_name("debain").map_err(|error| error.to_string());
        assert_eq!(error, Err(format!("unknown layout 'debain': use one of {}", names())));
        assert_eq!(detect(&Clues::new()), Err(LayoutError::Unrecognised));
    }
}
