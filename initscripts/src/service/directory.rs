//! Directories that are made for a service before it starts: RuntimeDirectory and its kin of systemd.exec(5).

use super::stop::Mode;
use super::text::BadValue;
use super::words::words;

/// The directories of one sort.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Managed {
    /// Their names, relative to the directory of the sort.
    pub names: Vec<String>,
    /// Their permission bits.
    pub mode: Mode,
}

impl Default for Managed {
    fn default() -> Managed {
        Managed { names: Vec::new(), mode: Mode(0o755) }
    }
}

/// All directories; they belong to user and group of the service, those for configuration stay root's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directories {
    /// Below /run, with RUNTIME_DIRECTORY in the environment; removed when the service has stopped.
    pub runtime: Managed,
    /// When those are kept.
    pub preserve: Preserve,
    /// Below /var/lib, with STATE_DIRECTORY.
    pub state: Managed,
    /// Below /var/cache, with CACHE_DIRECTORY.
    pub cache: Managed,
    /// Below /var/log, with LOGS_DIRECTORY.
    pub logs: Managed,
    /// Below /etc, with CONFIGURATION_DIRECTORY.
    pub configuration: Managed,
}

impl Default for Directories {
    fn default() -> Directories {
        Directories {
            runtime: Managed::default(),
            preserve: Preserve::No,
            state: Managed::default(),
            cache: Managed::default(),
            logs: Managed::default(),
            configuration: Managed::default(),
        }
    }
}

words! {
    /// When runtime directories outlive the program.
    Preserve, "word" {
        /// They are removed when it ends.
        No = "no",
        /// They stay when it is restarted.
        Restart = "restart",
        /// They stay.
        Yes = "yes",
    }
}

/// Reads the name of a directory, which may have several parts.
///
/// # Errors
/// [`BadValue`] for one that is absolute, or goes up.
pub(crate) fn managed_name(text: &str) -> Result<String, BadValue> {
    let is_part = |part: &str| !part.is_empty() && part != "." && part != "..";
    let is_clean = text.split('/').all(is_part) && !text.chars().any(|c| c.is_control() || c == ':');
    if text.is_empty() || !is_clean {
        return Err(BadValue::new(
            format!("'{}' is no name of a directory to make", text.escape_debug()),
            "write it relative, without '..' and ':', as in \"myapp\" or \"myapp/cache\"",
        ));
    }
    Ok(text.to_owned())
}
