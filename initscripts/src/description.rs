//! The service file: TOML text to [`Service`] and back. The keys are in `keys`, their rules in
//! `service`; this file only finds values and says where they stand.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::keys::{KEYS, Key, Value, nearest};
use crate::name::ServiceName;
use crate::service::{BadValue, Service};

/// What is wrong with a service file, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}:{line}:{column}: {message}")]
pub struct DescriptionError {
    /// The file, as the caller named it.
    pub path: String,
    /// Its line, counted from 1.
    pub line: usize,
    /// The character in the line, counted from 1.
    pub column: usize,
    /// What is wrong, and the remedy.
    pub message: String,
}

/// A fault and the bytes of the text that it is about.
type Fault = (Range<usize>, String);

/// Reads the service file of the service `name`. `path` is only for messages.
///
/// # Errors
/// [`DescriptionError`] for the first fault in the text: no TOML, an unknown key, a value that cannot be,
/// no program.
pub fn parse(name: &ServiceName, text: &str, path: &str) -> Result<Service, DescriptionError> {
    read(name, text).map_err(|(span, message)| {
        let (line, column) = position(text, span.start);
        DescriptionError { path: path.to_owned(), line, column, message }
    })
}

fn read(name: &ServiceName, text: &str) -> Result<Service, Fault> {
    let table = DeTable::parse(text).map_err(|error| {
        let message = error.message().lines().collect::<Vec<_>>().join(", ");
        (error.span().unwrap_or(0..0), format!("{message}: write it as TOML, for example key = \"text\""))
    })?;
    let mut entries: Vec<_> = table.get_ref().iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    let mut service = Service::new(name.clone(), "");
    for (key, value) in entries {
        let known = Key::find(key.get_ref()).ok_or_else(|| (key.span(), unknown(key.get_ref(), value)))?;
        put(known, value, &mut service)?;
    }
    if service.program.is_empty() {
        return Err((
            0..0,
            "the key 'program' is missing: name the program, program = \"/usr/sbin/...\"".into(),
        ));
    }
    Ok(service)
}

fn unknown(key: &str, value: &Spanned<DeValue<'_>>) -> String {
    let remedy = match nearest(key) {
        Some(near) => format!("did you mean '{}'?", near.name),
        None if value.get_ref().is_table() => "a service file has no tables, its keys stand alone".to_owned(),
        None => format!("the keys are {}", KEYS.iter().map(|key| key.name).collect::<Vec<_>>().join(", ")),
    };
    format!("unknown key '{}': {remedy}", key.escape_debug())
}

fn put(key: &Key, value: &Spanned<DeValue<'_>>, service: &mut Service) -> Result<(), Fault> {
    let told = |span: Range<usize>| move |error: BadValue| (span, format!("{}: {error}", key.name));
    let mismatch = |found: &Spanned<DeValue<'_>>, wanted: &str| {
        (found.span(), format!("{}: this is {}: write {wanted}", key.name, article(found.get_ref())))
    };
    match (&key.value, value.get_ref()) {
        (Value::Text { set, .. }, DeValue::String(text)) => set(service, text).map_err(told(value.span())),
        (Value::Seconds { set, .. }, DeValue::Integer(number)) => {
            let seconds = i64::from_str_radix(number.as_str(), number.radix()).unwrap_or(i64::MAX);
            set(service, seconds).map_err(told(value.span()))
        }
        (Value::List { check, list, .. }, DeValue::Array(elements)) => {
            let mut words = Vec::new();
            for element in elements.iter() {
                let DeValue::String(text) = element.get_ref() else {
                    return Err(mismatch(element, "a string"));
                };
                words.push(check(text).map_err(told(element.span()))?);
            }
            *list(service) = words;
            Ok(())
        }
        (wanted, _) => Err(mismatch(value, wanted.words())),
    }
}

fn article(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with a point",
        DeValue::Boolean(_) => "a truth value",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// Line and column, counted from 1, of a byte of the text.
fn position(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte.min(text.len())).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

/// The service file of a service, with every key, each below a comment that tells its meaning.
#[must_use]
pub fn render(service: &Service) -> String {
    let mut text = format!("# Service file of {}, read by foobarctl.\n", service.name);
    for key in KEYS {
        text.push_str(&format!("\n# {}.\n{} = {}\n", key.meaning, key.name, key.value.render(service)));
    }
    text
}
