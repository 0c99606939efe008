//! The one table of the keys of a service file. The parser, its error messages, the writer, help and
//! manual all go through it. What a value may be is said in `service`.

use crate::name::ServiceName;
use crate::service::{self, BadValue, Kind, Service, SignalName};

/// A key of a service file.
#[derive(Debug)]
pub struct Key {
    /// Its name. Where systemd.service(5) has the concept, the meaning is the one it has there.
    pub name: &'static str,
    /// What it means, in one line.
    pub meaning: &'static str,
    /// What stands on the right side, and where it goes.
    pub value: Value,
}

/// The types of values, each with the way into a [`Service`] and back.
#[derive(Debug)]
pub enum Value {
    /// A string.
    Text {
        /// Checks it and puts it in.
        set: fn(&mut Service, &str) -> Result<(), BadValue>,
        /// Takes it out.
        get: fn(&Service) -> String,
    },
    /// A list of strings.
    List {
        /// Checks one element.
        check: fn(&str) -> Result<String, BadValue>,
        /// Where the list is.
        list: fn(&mut Service) -> &mut Vec<String>,
        /// Takes it out.
        get: fn(&Service) -> &[String],
    },
    /// A number of seconds.
    Seconds {
        /// Checks it and puts it in.
        set: fn(&mut Service, i64) -> Result<(), BadValue>,
        /// Takes it out.
        get: fn(&Service) -> u64,
    },
}

impl Value {
    /// The type in words.
    #[must_use]
    pub const fn words(&self) -> &'static str {
        match self {
            Value::Text { .. } => "a string",
            Value::List { .. } => "a list of strings",
            Value::Seconds { .. } => "a whole number of seconds",
        }
    }

    /// What `service` has here, written as TOML.
    #[must_use]
    pub fn render(&self, service: &Service) -> String {
        match self {
            Value::Text { get, .. } => basic_string(&get(service)),
            Value::List { get, .. } => {
                let words: Vec<String> = get(service).iter().map(|word| basic_string(word)).collect();
                format!("[{}]", words.join(", "))
            }
            Value::Seconds { get, .. } => get(service).to_string(),
        }
    }
}

impl Key {
    /// The key of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Key> {
        KEYS.iter().find(|key| key.name == name)
    }

    /// Whether a service file must have it.
    #[must_use]
    pub fn is_required(&self) -> bool {
        self.name == "program"
    }

    /// The value of a service called `name` whose file does not have the key, as TOML; none if it must
    /// have it.
    #[must_use]
    pub fn default(&self, name: &ServiceName) -> Option<String> {
        (!self.is_required()).then(|| self.value.render(&Service::new(name.clone(), "")))
    }
}

/// A list key with names of facilities; `$system` tells whether system facilities may stand in it.
macro_rules! facilities {
    ($name:literal, $meaning:literal, $field:ident, system: $system:literal) => {
        Key {
            name: $name,
            meaning: $meaning,
            value: Value::List {
                check: |text| service::facility(text, $system),
                list: |service| &mut service.$field,
                get: |service| &service.$field,
            },
        }
    };
}

/// All keys, in the order in which a service file is written.
pub const KEYS: &[Key] = &[
    Key {
        name: "description",
        meaning: "what the service is, in one line",
        value: Value::Text {
            set: |service, text| service::one_line(text).map(|text| service.description = text),
            get: |service| service.description.clone(),
        },
    },
    Key {
        name: "program",
        meaning: "the program, an absolute path",
        value: Value::Text {
            set: |service, text| service::absolute_path(text).map(|path| service.program = path),
            get: |service| service.program.clone(),
        },
    },
    Key {
        name: "arguments",
        meaning: "its arguments, one string each; no shell looks at them",
        value: Value::List {
            check: service::argument,
            list: |service| &mut service.arguments,
            get: |service| &service.arguments,
        },
    },
    Key {
        name: "type",
        meaning: "how it starts; forking: its first process exits with 0 when it is ready and its PID file is there",
        value: Value::Text {
            set: |service, text| Kind::parse(text).map(|kind| service.kind = kind),
            get: |service| service.kind.word().to_owned(),
        },
    },
    Key {
        name: "pid-file",
        meaning: "where the program writes its PID, an absolute path",
        value: Value::Text {
            set: |service, text| service::absolute_path(text).map(|path| service.pid_file = path),
            get: |service| service.pid_file.clone(),
        },
    },
    Key {
        name: "reload-signal",
        meaning: "the signal that makes it read its configuration again; \"\" if none does",
        value: Value::Text {
            set: |service, text| {
                let signal = if text.is_empty() { None } else { Some(SignalName::parse(text)?) };
                service.reload_signal = signal;
                Ok(())
            },
            get: |service| service.reload_signal.map_or("", SignalName::name).to_owned(),
        },
    },
    Key {
        name: "stop-signal",
        meaning: "the signal that asks it to end",
        value: Value::Text {
            set: |service, text| SignalName::parse(text).map(|signal| service.stop_signal = signal),
            get: |service| service.stop_signal.name().to_owned(),
        },
    },
    Key {
        name: "start-timeout",
        meaning: "seconds that it may take until it is ready",
        value: Value::Seconds {
            set: |service, seconds| service::timeout(seconds).map(|limit| service.start_timeout = limit),
            get: |service| service.start_timeout.as_secs(),
        },
    },
    Key {
        name: "stop-timeout",
        meaning: "seconds that it may take to end before it is killed",
        value: Value::Seconds {
            set: |service, seconds| service::timeout(seconds).map(|limit| service.stop_timeout = limit),
            get: |service| service.stop_timeout.as_secs(),
        },
    },
    Key {
        name: "runlevels",
        meaning: "the runlevels that it is started in, of 1 to 5 and S; \"\" for none",
        value: Value::Text {
            set: |service, text| service::start_levels(text).map(|levels| service.runlevels = levels),
            get: |service| service.runlevels.iter().map(|level| level.to_string()).collect(),
        },
    },
    facilities!("provides", "facilities that it provides beside its name", provides, system: false),
    facilities!("required-start", "what must be there before it starts", required_start, system: true),
    facilities!("required-stop", "what must be there until it has stopped", required_stop, system: true),
    facilities!("should-start", "what it starts after, where that exists", should_start, system: true),
    facilities!("should-stop", "what it stops before, where that exists", should_stop, system: true),
    facilities!("start-before", "what must not start before it", start_before, system: true),
    facilities!("stop-after", "what must not stop after it", stop_after, system: true),
];

/// A TOML basic string. TOML 1.0.0, "String".
fn basic_string(text: &str) -> String {
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

/// The key whose name is nearest to `name`, if any is near enough to be meant.
#[must_use]
pub fn nearest(name: &str) -> Option<&'static Key> {
    let name = name.to_ascii_lowercase().replace('_', "-");
    let limit = (name.len() / 3).clamp(1, 4);
    KEYS.iter()
        .map(|key| (distance(&name, key.name), key))
        .filter(|(distance, key)| *distance <= limit || key.name.replace('-', "") == name)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, key)| key)
}

/// The number of characters to insert, remove or replace (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
