//! What a key is, and the macro that the tables are written with.

use super::read::{Fault, Item};
use crate::name::ServiceName;
use crate::service::Service;

/// A key of a service file, or of a table in one.
pub struct Field<T> {
    /// Its name. Where systemd has the concept, the meaning is the one it has there.
    pub name: &'static str,
    /// The name of the concept in unit files of systemd; empty if they do not have it.
    pub directive: &'static str,
    /// What it means, in one line.
    pub meaning: &'static str,
    /// What stands on the right side, in words.
    pub words: &'static str,
    /// Checks the value and puts it in.
    pub(crate) set: fn(&mut T, &Item<'_>) -> Result<(), Fault>,
    /// Takes it out as TOML; none: it is not given.
    pub(crate) get: fn(&T) -> Option<String>,
}

/// A key of a service file.
pub type Key = Field<Service>;

impl<T> std::fmt::Debug for Field<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Field").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Key {
    /// Whether a service file must have it.
    #[must_use]
    pub fn is_required(&self) -> bool {
        self.name == "program"
    }

    /// Whether the key can have this value.
    pub(crate) fn takes(&self, item: &Item<'_>) -> bool {
        // No name of a service is needed to read a value; "x" is one.
        ServiceName::parse("x").is_ok_and(|name| (self.set)(&mut Service::new(name, ""), item).is_ok())
    }

    /// The value that `service` has, as TOML; none when it has none, and the key is not written.
    #[must_use]
    pub fn render(&self, service: &Service) -> Option<String> {
        (self.get)(service)
    }

    /// The value of a service called `name` whose file does not have the key, as TOML; none if there is none.
    #[must_use]
    pub fn default(&self, name: &ServiceName) -> Option<String> {
        if self.is_required() {
            return None;
        }
        self.render(&Service::new(name.clone(), ""))
    }
}

/// One key: its type of value, its name, the directive of units, its meaning, where it goes, and how the value is
/// checked.
macro_rules! key {
    (Text $name:literal $directive:literal $meaning:literal, $($field:ident).+, $check:expr) => {
        key!(@ $name $directive $meaning, "a string", $($field).+, |item| read::text(item, $check))
    };
    (List $name:literal $directive:literal $meaning:literal, $($field:ident).+, $check:expr) => {
        key!(@ $name $directive $meaning, "a list of strings", $($field).+, |item| read::list(item, $check))
    };
    (Span $name:literal $directive:literal $meaning:literal, $($field:ident).+, $check:expr) => {
        key!(@ $name $directive $meaning, "seconds, or a time span as in \"1min 30s\"", $($field).+,
            |item| read::span(item, $check))
    };
    (Number $name:literal $directive:literal $meaning:literal, $($field:ident).+, $range:expr) => {
        key!(@ $name $directive $meaning, "a whole number", $($field).+, |item| read::number(item, $range))
    };
    (Amount $name:literal $directive:literal $meaning:literal, $($field:ident).+) => {
        key!(@ $name $directive $meaning, "a number, also as in \"512M\", or \"infinity\"", $($field).+, read::amount)
    };
    (Flag $name:literal $directive:literal $meaning:literal, $($field:ident).+) => {
        key!(@ $name $directive $meaning, "true or false", $($field).+, read::flag)
    };
    (Exits $name:literal $directive:literal $meaning:literal, $($field:ident).+) => {
        key!(@ $name $directive $meaning, "a list of exit codes and signals", $($field).+, read::exits)
    };
    (@ $name:literal $directive:literal $meaning:literal, $words:literal, $($field:ident).+, $read:expr) => {
        crate::keys::Field {
            name: $name,
            directive: $directive,
            meaning: $meaning,
            words: $words,
            set: |it, item| {
                let read = $read;
                it.$($field).+ = read(item)?.into();
                Ok(())
            },
            get: |it| crate::keys::write::Toml::toml(&it.$($field).+),
        }
    };
}

pub(super) use key;
