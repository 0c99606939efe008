//! What all kinds of init script are made of: the header, the paths in them, and why one cannot be written.

use crate::layout::Layout;
use crate::lsb;
use crate::service::Service;
use crate::shell::{self, NotAWord, SlotError};

/// How a thin script calls foobarctl.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The absolute path of foobarctl.
    pub foobarctl: String,
    /// The `--prefix` that it gets, an absolute path.
    pub prefix: Option<String>,
}

impl Caller {
    /// foobarctl as a package of the layout installs it, without a prefix.
    #[must_use]
    pub fn of(layout: &Layout) -> Caller {
        Caller { foobarctl: layout.foobarctl.to_owned(), prefix: None }
    }
}

/// The kinds of init script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Style {
    /// Calls foobarctl.
    Thin,
    /// Needs no foobarctl on the machine.
    Standalone,
}

/// Why a script cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScriptError {
    /// A path that is relative or has a control character.
    #[error("{0:?} cannot stand in an init script: use an absolute path without control characters")]
    Path(String),
    /// A value with a NUL.
    #[error(transparent)]
    Word(#[from] NotAWord),
    /// A service that no script alone can hold.
    #[error(
        "{0} needs the supervisor, so its init script cannot do without foobarctl: leave --standalone away"
    )]
    Supervised(String),
    /// Template and values do not fit: an error of this program.
    #[error(transparent)]
    Template(#[from] SlotError),
}

/// The LSB header of a service. Its first facility is its name, which lintian and insserv want.
#[must_use]
pub fn header(service: &Service) -> lsb::Header {
    let name = service.name.as_str().to_owned();
    let more = service.provides.iter().filter(|other| **other != name).cloned();
    let softly = || service.after.iter().chain(&service.wants);
    lsb::Header {
        provides: std::iter::once(name.clone()).chain(more).collect(),
        required_start: joined(&service.required_start, &service.requires),
        required_stop: joined(&service.required_stop, &service.requires),
        should_start: joined(&service.should_start, softly()),
        should_stop: joined(&service.should_stop, softly()),
        start_before: joined(&service.start_before, &service.before),
        stop_after: joined(&service.stop_after, &service.before),
        default_start: service.runlevels,
        default_stop: service.default_stop(),
        interactive: false,
        short_description: service.description.clone(),
        description: format!("Runs {} as the service {name}.", service.program),
    }
}

/// Both lists, each name once.
fn joined<'a>(first: &[String], more: impl IntoIterator<Item = &'a String>) -> Vec<String> {
    let mut all = first.to_vec();
    for name in more {
        if !all.contains(name) {
            all.push(name.clone());
        }
    }
    all
}

/// A path as a shell word.
///
/// # Errors
/// [`ScriptError::Path`] for one that cannot stand in a script.
pub(crate) fn path(text: &str) -> Result<String, ScriptError> {
    if !text.starts_with('/') || text.chars().any(char::is_control) {
        return Err(ScriptError::Path(text.to_owned()));
    }
    Ok(shell::quote(text)?)
}
