//! Variables of the environment, and the files that hold more of them.

use std::fmt;

use super::text::{BadValue, absolute_path};

/// A variable of the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its name: letters, digits and `_`, not a digit first.
    pub name: String,
    /// Its value, which may be empty.
    pub value: String,
}

/// A file with variables, read at each start, never sourced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentFile {
    /// Its path, absolute.
    pub path: String,
    /// Prefix `-`: it need not be there.
    pub optional: bool,
}

/// Reads `NAME=value`.
///
/// # Errors
/// [`BadValue`] with what is wrong.
pub(crate) fn variable(text: &str) -> Result<Variable, BadValue> {
    let Some((name, value)) = text.split_once('=') else {
        return Err(BadValue::new(
            format!("'{}' is no variable", text.escape_debug()),
            "write it as \"NAME=value\"",
        ));
    };
    if !is_name(name) {
        return Err(BadValue::new(
            format!("'{}' is no name of a variable", name.escape_debug()),
            "use letters, digits and _, and no digit first",
        ));
    }
    if value.contains('\0') {
        return Err(BadValue::new("a variable cannot hold a NUL character", "remove it"));
    }
    Ok(Variable { name: name.to_owned(), value: value.to_owned() })
}

/// Whether a variable can have this name. POSIX, 8.1 "Environment Variable Definition".
pub(crate) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Reads the path of an environment file, with its prefix.
///
/// # Errors
/// [`BadValue`] with what is wrong.
pub(crate) fn environment_file(text: &str) -> Result<EnvironmentFile, BadValue> {
    let (optional, path) = match text.strip_prefix('-') {
        Some(path) => (true, path),
        None => (false, text),
    };
    Ok(EnvironmentFile { path: absolute_path(path)?, optional })
}

impl fmt::Display for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.value)
    }
}

impl fmt::Display for EnvironmentFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.optional { "-" } else { "" }, self.path)
    }
}
