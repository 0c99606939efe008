//! THE table of configuration keys: name, default, meaning, and how its value enters a [`Config`].
//! The manual page is made from it; reading files is no matter of this one.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use foobar_process::syslog::Facility;
use toml::de::DeValue;

use super::value::{Config, LogTarget, ModelName};

type Setter = fn(&mut Config, &DeValue<'_>) -> Result<(), String>;

/// One key of the configuration file.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Its name in the file.
    pub name: &'static str,
    /// The value it has when it is not written, as TOML; empty if there is none.
    pub default: &'static str,
    /// The sentence of the manual.
    pub meaning: &'static str,
    pub(crate) set: Setter,
}

const fn key(name: &'static str, default: &'static str, meaning: &'static str, set: Setter) -> Key {
    Key { name, default, meaning, set }
}

/// Every key there is.
pub const KEYS: [Key; 14] = [
    key("listen", "\"127.0.0.1:4007\"", "address and port to serve, or a list of them", |c, v| {
        addresses(v).map(|it| c.listen = it)
    }),
    key("model", "\"fork\"", "process model: fork (a process per connection) or iterative", |c, v| {
        named(v, &ModelName::ALL).map(|it| c.model = it)
    }),
    key("user", "", "account to become once sockets and files are open", |c, v| {
        account(v).map(|it| c.user = Some(it))
    }),
    key("group", "", "group to become, if not the account's own", |c, v| {
        account(v).map(|it| c.group = Some(it))
    }),
    key("max-connections", "256", "connections served at once; further ones wait", |c, v| {
        number(v, 1, 1_000_000).map(|it| c.max_connections = it)
    }),
    key("backlog", "1024", "connections that may wait to be accepted", |c, v| {
        number(v, 1, 65_535).map(|it| c.backlog = it)
    }),
    key("idle-timeout", "300", "seconds of silence after which a connection is closed; 0: never", |c, v| {
        let seconds = number(v, 0, 86_400)?;
        c.idle_timeout = (seconds > 0).then(|| Duration::from_secs(seconds.into()));
        Ok(())
    }),
    key("grace", "4", "seconds that connections may take to finish after TERM; below init's 5", |c, v| {
        number(v, 0, 3600).map(|it| c.grace = Duration::from_secs(it.into()))
    }),
    key("log", "\"syslog\"", "where messages go: syslog, stderr, or the absolute path of a file", |c, v| {
        log_target(v).map(|it| c.log = it)
    }),
    key("syslog-facility", "\"daemon\"", "facility of the messages in syslog, such as local0", |c, v| {
        let word = text(v)?;
        c.syslog_facility = Facility::by_name(word)
            .ok_or_else(|| format!("{word:?} is no facility: write daemon, user or local0 to local7"))?;
        Ok(())
    }),
    key("syslog-socket", "\"/dev/log\"", "socket of the system's logger", |c, v| {
        absolute(v).map(|it| c.syslog_socket = it)
    }),
    key("open-files", "", "limit of open files (RLIMIT_NOFILE); as many as needed if not given", |c, v| {
        number(v, 32, 1_073_741_816).map(|it| c.open_files = Some(it.into()))
    }),
    key("working-directory", "\"/\"", "working directory", |c, v| {
        absolute(v).map(|it| c.working_directory = it)
    }),
    key("umask", "\"022\"", "file mode creation mask, in octal", |c, v| umask(v).map(|it| c.umask = it)),
];

fn text<'v>(value: &'v DeValue<'_>) -> Result<&'v str, String> {
    value.as_str().ok_or_else(|| format!("a text in quotes is wanted, not {}", value.type_str()))
}

fn number(value: &DeValue<'_>, least: u32, most: u32) -> Result<u32, String> {
    let wanted = || format!("a whole number from {least} to {most} is wanted");
    let integer = value.as_integer().ok_or_else(|| format!("{}, not {}", wanted(), value.type_str()))?;
    u32::from_str_radix(integer.as_str(), integer.radix())
        .ok()
        .filter(|number| (least..=most).contains(number))
        .ok_or_else(|| format!("{}, not {integer}", wanted()))
}

fn named<T: Copy>(value: &DeValue<'_>, words: &[(&'static str, T)]) -> Result<T, String> {
    let word = text(value)?;
    words.iter().find(|row| row.0 == word).map(|row| row.1).ok_or_else(|| {
        let known: Vec<&str> = words.iter().map(|row| row.0).collect();
        format!("{word:?} is not known: write {}", known.join(" or "))
    })
}

fn addresses(value: &DeValue<'_>) -> Result<Vec<SocketAddr>, String> {
    let single = std::slice::from_ref(value);
    let mut found: Vec<SocketAddr> = Vec::new();
    let mut add = |item: &DeValue<'_>| -> Result<(), String> {
        let address = address(text(item)?)?;
        if found.contains(&address) {
            return Err(format!("{address} stands twice: remove one"));
        }
        found.push(address);
        Ok(())
    };
    match value.as_array() {
        Some(list) => list.iter().try_for_each(|item| add(item.get_ref()))?,
        None => single.iter().try_for_each(&mut add)?,
    }
    if found.is_empty() {
        return Err("the list is empty: name at least one address".to_owned());
    }
    Ok(found)
}

/// Numbers only: at boot no resolver may be there yet, and a name may mean another machine tomorrow.
fn address(word: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = word.parse().map_err(|_| {
        format!(
            "{word:?} is no numeric address with a port: write 127.0.0.1:4007, 0.0.0.0:4007 or [::1]:4007"
        )
    })?;
    if address.port() == 0 {
        return Err(format!("{word:?} has port 0: choose one from 1 to 65535"));
    }
    Ok(address)
}

/// By name only: a number that looks like an account is how daemons have become root.
fn account(value: &DeValue<'_>) -> Result<String, String> {
    let word = text(value)?;
    let begins = word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let rest = word.chars().all(|c| c.is_ascii_alphanumeric() || "_-.$".contains(c));
    if begins && rest && word.len() <= 256 {
        return Ok(word.to_owned());
    }
    Err(format!("{word:?} is no name of an account: write a name, not a number"))
}

fn absolute(value: &DeValue<'_>) -> Result<PathBuf, String> {
    let word = text(value)?;
    if word.starts_with('/') && !word.contains('\0') {
        return Ok(PathBuf::from(word));
    }
    Err(format!("{word:?} is not an absolute path: begin it with /"))
}

fn log_target(value: &DeValue<'_>) -> Result<LogTarget, String> {
    match text(value)? {
        "syslog" => Ok(LogTarget::Syslog),
        "stderr" => Ok(LogTarget::Stderr),
        word if word.starts_with('/') => absolute(value).map(LogTarget::File),
        word => Err(format!("{word:?} is no target: write \"syslog\", \"stderr\" or an absolute path")),
    }
}

/// Text or a number written in octal; a decimal 22 is a slip, never meant as 0o26.
fn umask(value: &DeValue<'_>) -> Result<u32, String> {
    let digits = match value.as_integer() {
        Some(integer) if integer.radix() == 8 || integer.as_str() == "0" => integer.as_str(),
        Some(integer) => return Err(format!("write {integer} in octal: \"0{integer}\"")),
        None => text(value)?,
    };
    Some(digits)
        .filter(|digits| !digits.starts_with('+'))
        .and_then(|digits| u32::from_str_radix(digits, 8).ok())
        .filter(|mask| *mask <= 0o777)
        .ok_or_else(|| format!("{digits:?} is no mask: write three octal digits such as \"022\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documented_defaults_are_the_defaults() {
        let mut config = Config::default();
        for key in KEYS.iter().filter(|key| !key.default.is_empty()) {
            let value = DeValue::parse(key.default).unwrap();
            (key.set)(&mut config, value.get_ref()).unwrap();
            assert_eq!(config, Config::default(), "{}", key.name);
        }
    }

    #[test]
    fn names_are_unique_and_kebab() {
        for (index, key) in KEYS.iter().enumerate() {
            assert!(key.name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", key.name);
            assert!(KEYS[index + 1..].iter().all(|other| other.name != key.name), "{}", key.name);
        }
    }

    #[test]
    fn a_decimal_mask_is_refused() {
        for (text, wanted) in [("0o027", Some(0o027)), ("\"077\"", Some(0o077)), ("0", Some(0))] {
            assert_eq!(umask(DeValue::parse(text).unwrap().get_ref()).ok(), wanted, "{text}");
        }
        for text in ["22", "\"999\"", "\"\"", "\"-1\"", "\"+7\"", "0o7777", "true"] {
            assert!(umask(DeValue::parse(text).unwrap().get_ref()).is_err(), "{text}");
        }
    }

    #[test]
    fn accounts_are_names() {
        for text in ["4294967295", "\"-1\"", "\"0x0\"", "\"+0\"", "\"0\"", "\"a/b\"", "\"..\"", "\"\""] {
            assert!(account(DeValue::parse(text).unwrap().get_ref()).is_err(), "{text}");
        }
        assert!(account(DeValue::parse("\"www-data\"").unwrap().get_ref()).is_ok());
    }
}
