//! With what rights, limits and surroundings the program and its commands are executed: systemd.exec(5).

use std::fmt;

use super::capability::CapabilitySet;
use super::directory::Directories;
use super::environment::{EnvironmentFile, Variable};
use super::resource::Limits;
use super::schedule::{CpuPolicy, IoClass};
use super::stop::Mode;
use super::text::{BadValue, directory};

/// Rights, limits and surroundings. What is not given stays as the supervisor has it from init.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    /// The account to run as, by name or number; none: root, or who calls.
    pub user: Option<String>,
    /// The group, by name or number; none: that of the account.
    pub group: Option<String>,
    /// Groups beside those that the account has.
    pub supplementary_groups: Vec<String>,
    /// The working directory; none: `/`.
    pub working_directory: Option<WorkingDirectory>,
    /// The directory that becomes `/` (chroot(2)); the paths of program and working directory are below it.
    pub root_directory: Option<String>,
    /// The file mode creation mask.
    pub umask: Mode,
    /// The nice level, -20 to 19.
    pub nice: Option<i32>,
    /// The class of the I/O scheduler.
    pub io_class: Option<IoClass>,
    /// The priority in that class, 0 (first) to 7.
    pub io_priority: Option<u8>,
    /// The policy of the CPU scheduler.
    pub cpu_policy: Option<CpuPolicy>,
    /// The priority of the policies fifo and rr, 1 to 99 (first).
    pub cpu_priority: Option<u8>,
    /// What is added to the score of the out-of-memory killer, -1000 (never killed) to 1000.
    pub oom_score_adjust: Option<i32>,
    /// Limits of setrlimit(2).
    pub limits: Limits,
    /// The capabilities that it and its children can ever have; none: as inherited.
    pub capability_bounding_set: Option<CapabilitySet>,
    /// The capabilities that it has although it is not root.
    pub ambient_capabilities: CapabilitySet,
    /// Whether execve(2) can give it no rights that it does not have: set-user-ID programs and the like.
    pub no_new_privileges: bool,
    /// Variables of its environment, later ones over earlier ones.
    pub environment: Vec<Variable>,
    /// Files with more of them, over those in `environment`; later ones over earlier ones.
    pub environment_files: Vec<EnvironmentFile>,
    /// Directories that are made for it.
    pub directories: Directories,
}

impl Default for Execution {
    fn default() -> Execution {
        Execution {
            user: None,
            group: None,
            supplementary_groups: Vec::new(),
            working_directory: None,
            root_directory: None,
            umask: Mode(0o022),
            nice: None,
            io_class: None,
            io_priority: None,
            cpu_policy: None,
            cpu_priority: None,
            oom_score_adjust: None,
            limits: Limits::default(),
            capability_bounding_set: None,
            ambient_capabilities: CapabilitySet::NONE,
            no_new_privileges: false,
            environment: Vec::new(),
            environment_files: Vec::new(),
            directories: Directories::default(),
        }
    }
}

/// A working directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkingDirectory {
    /// Its path, absolute; none: `~`, the home directory of the account.
    pub path: Option<String>,
    /// Prefix `-`: it need not be there, and is `/` then.
    pub optional: bool,
}

/// Reads a working directory.
///
/// # Errors
/// [`BadValue`] for what is no absolute path.
pub(crate) fn working_directory(text: &str) -> Result<WorkingDirectory, BadValue> {
    let (optional, path) = match text.strip_prefix('-') {
        Some(path) => (true, path),
        None => (false, text),
    };
    let path = if path == "~" { None } else { Some(directory(path)?) };
    Ok(WorkingDirectory { path, optional })
}

impl fmt::Display for WorkingDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.optional { "-" } else { "" }, self.path.as_deref().unwrap_or("~"))
    }
}

/// Reads the name or number of an account or group. Whether it exists is known by the machine alone.
///
/// # Errors
/// [`BadValue`] for what no account can be called: systemd's rule for names, or a number.
pub(crate) fn account(text: &str) -> Result<String, BadValue> {
    let is_number = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    // (uid_t)-1 means nobody's change in setresuid(2).
    let fits = text.parse::<u32>().is_ok_and(|number| number != u32::MAX);
    let inner = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let is_name = text.len() <= 31
        && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.trim_end_matches('$').chars().all(inner);
    if (is_number && fits) || is_name {
        return Ok(text.to_owned());
    }
    Err(BadValue::new(
        format!("'{}' is no name of an account or group", text.escape_debug()),
        "use letters, digits and _ - ., a letter first, or a number",
    ))
}
