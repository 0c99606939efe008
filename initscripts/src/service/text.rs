//! Texts in a service file: paths, arguments, descriptions and facilities, and the error for a value that cannot be.

use std::path::{Component, Path};

/// Why a value cannot be, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {remedy}")]
pub struct BadValue {
    /// What is wrong.
    pub what: String,
    /// What would be right.
    pub remedy: String,
}

impl BadValue {
    /// An error from its two halves.
    pub fn new(what: impl Into<String>, remedy: impl Into<String>) -> BadValue {
        BadValue { what: what.into(), remedy: remedy.into() }
    }
}

/// A path that can stand in a script and in one line of a message: absolute, no control characters, and
/// no `..`, which would make two names of one file.
///
/// # Errors
/// [`BadValue`] with what is wrong.
pub fn absolute_path(text: &str) -> Result<String, BadValue> {
    if text.len() > 1 && text.starts_with('/') && text.ends_with('/') {
        return Err(BadValue::new(format!("'{}' is a directory", text.escape_debug()), "name a file in it"));
    }
    match directory(text)?.as_str() {
        "/" => Err(BadValue::new("'/' is a directory", "name a file in it")),
        path => Ok(path.to_owned()),
    }
}

/// A path that may be that of a directory, as [`absolute_path`] else.
///
/// # Errors
/// [`BadValue`] with what is wrong.
pub(crate) fn directory(text: &str) -> Result<String, BadValue> {
    if !text.starts_with('/') {
        return Err(BadValue::new(
            format!("'{}' is not an absolute path", text.escape_debug()),
            "let it begin with '/'",
        ));
    }
    if Path::new(text).components().any(|part| part == Component::ParentDir) {
        return Err(BadValue::new(
            format!("'{}' goes up with '..'", text.escape_debug()),
            "write the path without it",
        ));
    }
    no_control(text)?;
    Ok(text.to_owned())
}

/// An argument of a program: anything that execve(2) can carry, newlines included.
///
/// # Errors
/// [`BadValue`] for a NUL.
pub fn argument(text: &str) -> Result<String, BadValue> {
    if text.contains('\0') {
        return Err(BadValue::new("an argument cannot hold a NUL character", "remove it"));
    }
    Ok(text.to_owned())
}

/// A description: one line, not empty, and nothing that would open or close an LSB header.
///
/// # Errors
/// [`BadValue`] with what is wrong.
pub fn one_line(text: &str) -> Result<String, BadValue> {
    let text = text.trim();
    if text.is_empty() {
        return Err(BadValue::new("the description is empty", "say in one line what the service does"));
    }
    no_control(text)?;
    if text.contains("INIT INFO") {
        return Err(BadValue::new(
            "'INIT INFO' in a description would be read as the frame of the LSB header",
            "use other words",
        ));
    }
    Ok(text.to_owned())
}

fn no_control(text: &str) -> Result<(), BadValue> {
    match text.chars().find(|c| c.is_control()) {
        Some(bad) => Err(BadValue::new(
            format!("{text:?} holds the control character {bad:?}"),
            "remove it: this value stands on one line of the init script",
        )),
        None => Ok(()),
    }
}

/// A facility: a service name, or, where `system` allows it, a system facility such as `$network`.
///
/// # Errors
/// [`BadValue`] with what is wrong.
pub fn facility(text: &str, system: bool) -> Result<String, BadValue> {
    let name = match text.strip_prefix('$') {
        Some(_) if !system => {
            return Err(BadValue::new(
                format!("'{text}' is a system facility"),
                "name a service here: system facilities belong to the machine",
            ));
        }
        Some(name) => name,
        None => text,
    };
    let inner = |c: char| c.is_ascii_alphanumeric() || "._+-".contains(c);
    if name.is_empty() || !name.starts_with(|c: char| c.is_ascii_alphanumeric()) || !name.chars().all(inner) {
        return Err(BadValue::new(
            format!("{text:?} is no name of a service or facility"),
            "use letters, digits and . _ + -",
        ));
    }
    Ok(text.to_owned())
}
