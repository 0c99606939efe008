//! What is wrong with a configuration file: where, what, and the remedy. Finds nothing itself.

use std::fmt;
use std::path::PathBuf;

use super::value::Config;
use crate::exit::Exit;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Line and column, both from 1, the column in characters; none if the file as a whole is meant.
    pub place: Option<(usize, usize)>,
    /// The key, or empty.
    pub key: String,
    /// What is wrong and what to write instead.
    pub message: String,
}

/// A configuration that cannot be used, with everything that is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The file as it was named.
    pub file: PathBuf,
    /// At least one.
    pub faults: Vec<Fault>,
    /// What the program ends with.
    pub exit: Exit,
    /// What could be read: where a broken configuration is to be reported may itself be configured.
    pub so_far: Config,
}

impl ConfigError {
    /// The file as a whole cannot be used.
    pub(crate) fn whole(file: PathBuf, exit: Exit, message: String, so_far: &Config) -> Box<ConfigError> {
        let faults = vec![Fault { place: None, key: String::new(), message }];
        Box::new(ConfigError { file, faults, exit, so_far: so_far.clone() })
    }
}

impl fmt::Display for ConfigError {
    /// One line for each fault: `FILE:LINE:COLUMN: KEY: MESSAGE`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.faults.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{}:", self.file.display())?;
            if let Some((line, column)) = fault.place {
                write!(f, "{line}:{column}:")?;
            }
            if !fault.key.is_empty() {
                write!(f, " {}:", fault.key)?;
            }
            write!(f, " {}", fault.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}
