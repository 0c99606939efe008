//! A service file out of what somebody has typed: keys with values that need no quotes of TOML.

use toml::de::DeTable;

use crate::description;
use crate::keys::{self, Key, basic_string};
use crate::name::ServiceName;
use crate::service::Service;

/// The value of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typed {
    /// As typed: quotes and brackets of TOML may be there, and are put around it where they are missing.
    Text(String),
    /// The elements of a list, as they are.
    Words(Vec<String>),
}

/// Why there can be no such service file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CannotCompose(String);

/// The service, and its service file.
///
/// # Errors
/// [`CannotCompose`] for an unknown key, a key that is there twice, a value that cannot be.
pub fn compose(name: &ServiceName, given: &[(String, Typed)]) -> Result<(Service, String), CannotCompose> {
    let mut text = String::new();
    for (at, (key, value)) in given.iter().enumerate() {
        let known = keys::find(key).ok_or_else(|| CannotCompose(unknown(key)))?;
        if given[..at].iter().any(|(before, _)| before == key) {
            return Err(CannotCompose(format!("{key}: it is given twice: give it once")));
        }
        let value = match value {
            Typed::Text(text) => right_side(known, text),
            Typed::Words(words) => list(words),
        };
        text.push_str(&format!("{key} = {value}\n"));
    }
    let service = description::parse(name, &text, "").map_err(|error| CannotCompose(error.message))?;
    let text = description::render(&service);
    Ok((service, text))
}

fn unknown(key: &str) -> String {
    let remedy = match keys::nearest(key) {
        Some(near) => format!("did you mean '{}'?", near.name),
        None => "foobarctl help service-file names them all".to_owned(),
    };
    format!("unknown key '{}': {remedy}", key.escape_debug())
}

fn list(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| basic_string(word)).collect();
    format!("[{}]", words.join(", "))
}

/// What is typed as TOML: as it is, as a string, or as a list of one string, whichever the key takes first.
fn right_side(key: &Key, typed: &str) -> String {
    let string = basic_string(typed);
    let list = format!("[{string}]");
    let bare = typed.trim().to_owned();
    let accepted = [&bare, &string, &list].into_iter().find(|value| takes(key, value));
    // What no form is taken of is refused later, in the form that the key wants.
    let likely = if key.words.contains("list") { &list } else { &string };
    accepted.unwrap_or(likely).clone()
}

fn takes(key: &Key, value: &str) -> bool {
    let line = format!("value = {value}");
    let Ok(table) = DeTable::parse(&line) else { return false };
    // A line break in what was typed could have brought a second key.
    if table.get_ref().len() != 1 {
        return false;
    }
    table.get_ref().get("value").is_some_and(|item| key.takes(item))
}
