//! Which variables a daemon or a started program has: a list of those kept and a list of those set, all others go
//! (daemon(7), step 4).

use std::ffi::OsString;
use std::io;

use crate::sys;

/// The search path of everything that is started, as init gives it.
pub const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A policy for the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    keep: Vec<OsString>,
    set: Vec<(OsString, OsString)>,
}

impl Default for Environment {
    /// [`PATH`] set; language and time zone kept, as service(8) does.
    fn default() -> Environment {
        let keep = ["LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "LC_MESSAGES", "LC_TIME", "TZ"];
        Environment::empty().keep(keep).set("PATH", PATH)
    }
}

impl Environment {
    /// No variable at all.
    #[must_use]
    pub fn empty() -> Environment {
        Environment { keep: Vec::new(), set: Vec::new() }
    }

    /// Keeps these variables if they are set.
    #[must_use]
    pub fn keep<T: Into<OsString>>(mut self, names: impl IntoIterator<Item = T>) -> Environment {
        self.keep.extend(names.into_iter().map(Into::into));
        self
    }

    /// Sets a variable.
    #[must_use]
    pub fn set(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Environment {
        self.set.push((name.into(), value.into()));
        self
    }

    /// What the policy makes of the environment of this process.
    #[must_use]
    pub fn variables(&self) -> Vec<(OsString, OsString)> {
        let kept = self.keep.iter().filter_map(|name| Some((name.clone(), std::env::var_os(name)?)));
        kept.chain(self.set.iter().cloned()).collect()
    }

    /// Replaces the environment of this process.
    ///
    /// # Errors
    /// Refused when the process has more than one thread.
    pub(crate) fn apply(&self) -> io::Result<()> {
        sys::replace_environment(&self.variables())
    }
}
