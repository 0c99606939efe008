//! The table of keys: each by itself, the ways to write a value, what cannot stand together, and texts that nobody would write.

mod forms;
mod hostile;
mod rows;

use std::collections::BTreeSet;

use foobar_initscripts::description::parse;
use foobar_initscripts::keys;
use foobar_initscripts::service::Service;

use crate::name;

/// A service file with one key more than it must have.
fn with(key: &str, value: &str) -> String {
    let program = if key == "program" { "" } else { "program = \"/bin/x\"\n" };
    format!("{program}{key} = {value}\n")
}

fn read(text: &str) -> Result<Service, String> {
    parse(&name("x"), text, "x").map_err(|error| error.to_string())
}

#[test]
fn every_key_takes_what_it_should_and_refuses_the_rest() {
    let mut wrong = Vec::new();
    for rows::Row { key, good, bad, message } in rows::rows() {
        let known = keys::find(key).unwrap_or_else(|| panic!("there is no key {key}"));
        match read(&with(key, good)) {
            Ok(service) => assert_eq!(known.render(&service).as_deref(), Some(good), "{key}"),
            // Some values need another one beside them; that is tried by what stands together.
            Err(error) => {
                let others = [("cpu-priority", "only fifo and rr"), ("restart-steps", "nothing to grow to")];
                assert!(others.iter().any(|(own, text)| *own == key && error.contains(text)), "{error}");
            }
        }
        let line = if key == "program" { 1 } else { 2 };
        let found = read(&with(key, bad)).err().unwrap_or_else(|| panic!("{key} takes {bad}"));
        let found =
            found.strip_prefix(&format!("x:{line}:")).and_then(|text| text.split_once(": ")).unwrap().1;
        if found != format!("{key}: {message}") {
            wrong.push(found.to_owned());
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn no_key_is_left_out_and_none_is_there_twice() {
    let tried: BTreeSet<&str> = rows::rows().iter().map(|row| row.key).collect();
    let all: Vec<&str> = keys::all().map(|key| key.name).collect();
    let known: BTreeSet<&str> = all.iter().copied().collect();
    assert_eq!(tried, known);
    assert_eq!(known.len(), all.len());
    let directives: Vec<&str> =
        keys::all().map(|key| key.directive).filter(|name| !name.is_empty()).collect();
    assert_eq!(directives.iter().collect::<BTreeSet<_>>().len(), directives.len());
    for key in keys::all() {
        assert!(!key.meaning.is_empty() && !key.meaning.ends_with('.'), "{}", key.name);
        assert!(key.name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", key.name);
    }
}
