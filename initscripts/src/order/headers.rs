//! Which header counts for a script: its own or an override, and which names it provides.

use super::error::OrderError;
use crate::installed::{Head, Installed};
use crate::lsb::scan::Key;
use crate::lsb::words;
use crate::symbols::Symbol;

/// The headers of a root, as a run sees them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Headers<'a> {
    pub installed: &'a Installed,
    pub force: bool,
}

impl Headers<'_> {
    /// The header of a script that a link leads to, or of an argument.
    ///
    /// # Errors
    /// When it has no end and the run is not forced.
    pub(super) fn of_link(&self, name: Symbol, real: Symbol, own: u32) -> Result<Head, OrderError> {
        if self.installed.heads[own as usize].openrc {
            // insserv gives its defaults to scripts of OpenRC when it finds them in init.d only.
            return Ok(Head::default());
        }
        self.of_script(name, real, own).map(|(head, _)| head)
    }

    /// The header of a script of init.d, and whether it is complete: an override if there is a complete one, else
    /// the script's own. What an incomplete override says stays in force when the script has no header.
    ///
    /// # Errors
    /// When it has no end and the run is not forced.
    pub(super) fn of_script(&self, name: Symbol, real: Symbol, own: u32) -> Result<(Head, bool), OrderError> {
        let own = self.installed.heads[own as usize];
        if own.openrc {
            return Ok((own, true));
        }
        let overrides = &self.installed.overrides;
        if overrides.is_empty() && own.complete {
            return Ok((own, true));
        }
        let mut found = Head::default();
        let first = overrides.partition_point(|entry| entry.name < real);
        let overrides = overrides[first..].iter().take_while(|entry| entry.name == real);
        let heads = overrides.map(|entry| self.installed.heads[entry.head as usize]);
        for head in heads.chain([own]) {
            if head.begun {
                found = head;
            }
            if head.complete {
                return Ok((found, true));
            }
            if head.begun && !self.force {
                return Err(OrderError::NoEnd { script: self.installed.names.name(name).to_owned() });
            }
        }
        Ok((found, false))
    }

    /// The names that a header provides, or that of the file; facilities and comments, which nobody can provide, left
    /// out.
    pub(super) fn provides<'a>(
        &'a self,
        head: &'a Head,
        fallback: Symbol,
    ) -> impl Iterator<Item = Symbol> + use<'a> {
        let names = &self.installed.names;
        let named = if head.named { head.range(Key::Provides) } else { 0..0 };
        let text = if head.named { "" } else { names.name(fallback) };
        let fallbacks = words::names(text).filter_map(|word| names.get(word));
        let all = self.installed.words[named].iter().copied().chain(fallbacks);
        all.filter(|&word| !matches!(names.first(word), Some(b'$' | b'#')))
    }
}
