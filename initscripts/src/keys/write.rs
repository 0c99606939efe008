//! From a value of ours to TOML.

use std::fmt::Display;
use std::time::Duration;

use crate::name::Runlevels;
use crate::service::{
    Amount, CapabilitySet, Command, EnvironmentFile, ExitSet, FOREVER, Listen, Mode, SignalName, StatusRange,
    Variable, Word, WorkingDirectory, render_span,
};

/// A value that TOML can be written of. None: it is not given.
pub(super) trait Toml {
    fn toml(&self) -> Option<String>;
}

/// A TOML basic string. TOML 1.0.0, "String".
pub(crate) fn basic_string(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A list of what is displayed, each as a string.
pub(super) fn list<T: Display>(elements: impl IntoIterator<Item = T>) -> String {
    let words: Vec<String> = elements.into_iter().map(|element| basic_string(&element.to_string())).collect();
    format!("[{}]", words.join(", "))
}

impl<T: Toml> Toml for Option<T> {
    fn toml(&self) -> Option<String> {
        self.as_ref().and_then(Toml::toml)
    }
}

impl Toml for Duration {
    fn toml(&self) -> Option<String> {
        let is_whole = self.subsec_nanos() == 0 && *self < FOREVER;
        Some(if is_whole { self.as_secs().to_string() } else { basic_string(&render_span(*self)) })
    }
}

impl Toml for Amount {
    fn toml(&self) -> Option<String> {
        let text = self.to_string();
        Some(if text.ends_with(|c: char| c.is_ascii_digit()) { text } else { basic_string(&text) })
    }
}

impl Toml for ExitSet {
    fn toml(&self) -> Option<String> {
        let codes = self.codes().iter().map(u8::to_string);
        let signals = self.signals().iter().map(|name| format!("\"SIG{name}\""));
        Some(format!("[{}]", codes.chain(signals).collect::<Vec<_>>().join(", ")))
    }
}

impl Toml for CapabilitySet {
    fn toml(&self) -> Option<String> {
        Some(list(self.names()))
    }
}

impl Toml for Mode {
    fn toml(&self) -> Option<String> {
        Some(format!("\"{:04o}\"", self.0))
    }
}

impl Toml for SignalName {
    fn toml(&self) -> Option<String> {
        Some(basic_string(self.name()))
    }
}

impl Toml for Runlevels {
    fn toml(&self) -> Option<String> {
        Some(basic_string(&self.iter().map(|level| level.to_string()).collect::<String>()))
    }
}

/// Those that are written as a word of a list.
macro_rules! words {
    ($($name:ty),*) => {
        $(impl Toml for $name {
            fn toml(&self) -> Option<String> {
                Some(basic_string(self.word()))
            }
        })*
    };
}

words!(
    crate::service::Kind,
    crate::service::StopMode,
    crate::service::Preserve,
    crate::service::When,
    crate::service::NotifyAccess,
    crate::service::Output,
    crate::service::Level,
    crate::service::Facility,
    crate::service::IoClass,
    crate::service::CpuPolicy,
    crate::service::SocketKind
);

/// Those that are displayed as they are written: strings and lists of them.
macro_rules! strings {
    ($($name:ty),*) => {
        $(impl Toml for $name {
            fn toml(&self) -> Option<String> {
                Some(basic_string(&self.to_string()))
            }
        }

        impl Toml for Vec<$name> {
            fn toml(&self) -> Option<String> {
                Some(list(self))
            }
        })*
    };
}

strings!(String, Command, Variable, EnvironmentFile, WorkingDirectory, StatusRange, Listen);

/// Numbers and truth values.
macro_rules! bare {
    ($($name:ty),*) => {
        $(impl Toml for $name {
            fn toml(&self) -> Option<String> {
                Some(self.to_string())
            }
        })*
    };
}

bare!(bool, u8, i32, u32);
