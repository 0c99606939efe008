//! The service file: TOML text to [`Service`] and back. The keys are in `keys`, their rules in
//! `service`; this file only finds values and says where they stand.

use toml::de::DeTable;

use crate::keys::{self, Fault, Item, TOPICS};
use crate::name::ServiceName;
use crate::service::{Kind, Service};

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
    let mut service = Service::of_kind(name.clone(), "", kind(&entries));
    for (key, value) in &entries {
        let name = key.get_ref();
        let known = keys::find(name).ok_or_else(|| (key.span(), unknown(name, value)))?;
        (known.set)(&mut service, value).map_err(|(span, text)| (span, format!("{}: {text}", known.name)))?;
    }
    if service.program.is_empty() {
        return Err((
            0..0,
            "the key 'program' is missing: name the program, program = \"/usr/sbin/...\"".into(),
        ));
    }
    service.verify().map_err(|wrong| {
        let given = entries.iter().find(|(key, _)| key.get_ref() == wrong.key);
        (given.map_or(0..0, |(_, value)| value.span()), format!("{}: {}", wrong.key, wrong.error))
    })?;
    Ok(service)
}

/// The type, which other keys have their defaults from; one that cannot be is told of in its turn.
fn kind(entries: &[(&toml::Spanned<std::borrow::Cow<'_, str>>, &Item<'_>)]) -> Kind {
    let given = entries.iter().find(|(key, _)| key.get_ref() == "type");
    let word = given.and_then(|(_, value)| value.get_ref().as_str());
    word.and_then(|word| Kind::of(word).ok()).unwrap_or(Kind::Exec)
}

fn unknown(key: &str, value: &Item<'_>) -> String {
    let remedy = match keys::nearest(key) {
        Some(near) => format!("did you mean '{}'?", near.name),
        None if value.get_ref().is_table() => "a service file has no tables, its keys stand alone".to_owned(),
        None => "foobarctl help service-file names them all".to_owned(),
    };
    format!("unknown key '{}': {remedy}", key.escape_debug())
}

/// Line and column, counted from 1, of a byte of the text.
fn position(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte.min(text.len())).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

/// The keys that are written even with their default: what everybody wants to see and to change.
const ALWAYS: [&str; 4] = ["description", "program", "type", "runlevels"];

/// The service file of a service: its keys by topic, each below a comment that tells its meaning. Those with the default of its
/// type are left out.
#[must_use]
pub fn render(service: &Service) -> String {
    let mut text = format!("# Service file of {}, read by foobarctl.\n", service.name);
    text.push_str("# All keys are explained by foobarctl help service-file.\n");
    let usual = Service::of_kind(service.name.clone(), "", service.kind);
    for key in TOPICS.iter().flat_map(|topic| topic.keys) {
        let value = key.render(service);
        if let Some(value) =
            value.filter(|value| ALWAYS.contains(&key.name) || key.render(&usual).as_ref() != Some(value))
        {
            text.push_str(&format!("\n# {}.\n{} = {value}\n", key.meaning, key.name));
        }
    }
    text
}
