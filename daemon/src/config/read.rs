//! From a TOML value to a value of the configuration, with what is wanted in the error. Which key wants what is
//! told by `keys`.

use std::path::PathBuf;
use std::time::Duration;

use foobar_process::syslog::Facility;
use toml::de::DeValue;

use super::network::Network;
use super::value::LogTarget;
use crate::address::Address;

fn text<'v>(value: &'v DeValue<'_>) -> Result<&'v str, String> {
    value.as_str().ok_or_else(|| format!("a text in quotes is wanted, not {}", value.type_str()))
}

pub(crate) fn number(value: &DeValue<'_>, least: u32, most: u32) -> Result<u32, String> {
    let wanted = || format!("a whole number from {least} to {most} is wanted");
    let integer = value.as_integer().ok_or_else(|| format!("{}, not {}", wanted(), value.type_str()))?;
    u32::from_str_radix(integer.as_str(), integer.radix())
        .ok()
        .filter(|number| (least..=most).contains(number))
        .ok_or_else(|| format!("{}, not {integer}", wanted()))
}

pub(crate) fn named<T: Copy>(value: &DeValue<'_>, words: &[(&'static str, T)]) -> Result<T, String> {
    let word = text(value)?;
    words.iter().find(|row| row.0 == word).map(|row| row.1).ok_or_else(|| {
        let known: Vec<&str> = words.iter().map(|row| row.0).collect();
        format!("{word:?} is not known: write {}", known.join(" or "))
    })
}

pub(crate) fn flag(value: &DeValue<'_>) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| format!("true or false is wanted, not {}", value.type_str()))
}

/// Seconds, with 0 for "no limit".
pub(crate) fn seconds(value: &DeValue<'_>) -> Result<Option<Duration>, String> {
    let seconds = number(value, 0, 86_400)?;
    Ok((seconds > 0).then(|| Duration::from_secs(seconds.into())))
}

/// One value or a list of several, none of them twice; `what` is a word for one of them.
pub(crate) fn listed<T: PartialEq + std::fmt::Display>(
    value: &DeValue<'_>,
    what: &str,
    parse: fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    let mut found: Vec<T> = Vec::new();
    let mut add = |item: &DeValue<'_>| -> Result<(), String> {
        let one = parse(text(item)?)?;
        if found.contains(&one) {
            return Err(format!("{one} stands twice: remove one"));
        }
        found.push(one);
        Ok(())
    };
    match value.as_array() {
        Some(list) => list.iter().try_for_each(|item| add(item.get_ref()))?,
        None => add(value)?,
    }
    if found.is_empty() {
        return Err(format!("the list is empty: name at least one {what}"));
    }
    Ok(found)
}

/// Networks. An empty list is refused: "nobody" and "everybody" would both be guesses.
pub(crate) fn networks(value: &DeValue<'_>) -> Result<Vec<Network>, String> {
    listed(value, "network, or take the key out", Network::parse)
}

/// A list of texts without NUL, as arguments of a program must be.
pub(crate) fn texts(value: &DeValue<'_>) -> Result<Vec<String>, String> {
    let list =
        value.as_array().ok_or_else(|| format!("a list of texts is wanted, not {}", value.type_str()))?;
    list.iter()
        .map(|item| {
            let word = text(item.get_ref())?;
            if word.contains('\0') {
                Err(format!("{word:?} holds a NUL character"))
            } else {
                Ok(word.to_owned())
            }
        })
        .collect()
}

/// An address that can be connected to.
pub(crate) fn stream(value: &DeValue<'_>) -> Result<Address, String> {
    match Address::parse(text(value)?)? {
        Address::Udp(address) => {
            Err(format!("udp:{address} has no connections: write a TCP address or unix:/PATH"))
        }
        address => Ok(address),
    }
}

/// Figures are for this machine: a page that tells who is connected is not for everybody.
pub(crate) fn metrics(value: &DeValue<'_>) -> Result<Address, String> {
    match stream(value)? {
        address if address.is_local() => Ok(address),
        address => Err(format!(
            "{address} can be reached from other machines: write a loopback address or unix:/PATH"
        )),
    }
}

/// A name of a server: part of log lines and of metrics.
pub(crate) fn label(value: &DeValue<'_>) -> Result<String, String> {
    let word = text(value)?;
    let good = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    if !word.is_empty() && word.len() <= 32 && word.chars().all(good) {
        return Ok(word.to_owned());
    }
    Err(format!("{word:?} is no name: write 1 to 32 letters, digits, or . _ -"))
}

/// IFNAMSIZ is 16 with its NUL: netdevice(7).
pub(crate) fn interface(value: &DeValue<'_>) -> Result<String, String> {
    let word = text(value)?;
    let bad = |c: char| c == '/' || c.is_whitespace() || c.is_control();
    if word.is_empty() || word.len() > 15 || word.contains(bad) {
        return Err(format!("{word:?} is no interface: write a name such as eth0"));
    }
    Ok(word.to_owned())
}

pub(crate) fn facility(value: &DeValue<'_>) -> Result<Facility, String> {
    let word = text(value)?;
    Facility::by_name(word)
        .ok_or_else(|| format!("{word:?} is no facility: write daemon, user or local0 to local7"))
}

/// By name only: a number that looks like an account is how daemons have become root.
pub(crate) fn account(value: &DeValue<'_>) -> Result<String, String> {
    let word = text(value)?;
    let begins = word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let rest = word.chars().all(|c| c.is_ascii_alphanumeric() || "_-.$".contains(c));
    if begins && rest && word.len() <= 256 {
        return Ok(word.to_owned());
    }
    Err(format!("{word:?} is no name of an account: write a name, not a number"))
}

pub(crate) fn absolute(value: &DeValue<'_>) -> Result<PathBuf, String> {
    let word = text(value)?;
    if word.starts_with('/') && !word.contains('\0') {
        return Ok(PathBuf::from(word));
    }
    Err(format!("{word:?} is not an absolute path: begin it with /"))
}

pub(crate) fn log_target(value: &DeValue<'_>) -> Result<LogTarget, String> {
    match text(value)? {
        "syslog" => Ok(LogTarget::Syslog),
        "stderr" => Ok(LogTarget::Stderr),
        word if word.starts_with('/') => absolute(value).map(LogTarget::File),
        word => Err(format!("{word:?} is no target: write \"syslog\", \"stderr\" or an absolute path")),
    }
}

/// Text or a number written in octal; a decimal 22 is a slip, never meant as 0o26.
pub(crate) fn octal(value: &DeValue<'_>, most: u32) -> Result<u32, String> {
    let digits = match value.as_integer() {
        Some(integer) if integer.radix() == 8 || integer.as_str() == "0" => integer.as_str(),
        Some(integer) => return Err(format!("write {integer} in octal: \"0{integer}\"")),
        None => text(value)?,
    };
    Some(digits)
        .filter(|digits| !digits.starts_with('+'))
        .and_then(|digits| u32::from_str_radix(digits, 8).ok())
        .filter(|mask| *mask <= most)
        .ok_or_else(|| format!("{digits:?} is no mask: write three octal digits such as \"022\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_mask_is_refused() {
        let umask = |text: &str| octal(DeValue::parse(text).unwrap().get_ref(), 0o777).ok();
        for (text, wanted) in [("0o027", Some(0o027)), ("\"077\"", Some(0o077)), ("0", Some(0))] {
            assert_eq!(umask(text), wanted, "{text}");
        }
        for text in ["22", "\"999\"", "\"\"", "\"-1\"", "\"+7\"", "0o7777", "true"] {
            assert!(umask(text).is_none(), "{text}");
        }
    }

    #[test]
    fn accounts_are_names() {
        for text in ["4294967295", "\"-1\"", "\"0x0\"", "\"+0\"", "\"0\"", "\"a/b\"", "\"..\"", "\"\""] {
            assert!(account(DeValue::parse(text).unwrap().get_ref()).is_err(), "{text}");
        }
        assert!(account(DeValue::parse("\"www-data\"").unwrap().get_ref()).is_ok());
    }

    #[test]
    fn figures_stay_on_the_machine() {
        let read = |text: &str| metrics(DeValue::parse(text).unwrap().get_ref());
        assert!(read("\"127.0.0.1:9100\"").is_ok() && read("\"unix:/run/f\"").is_ok());
        assert!(read("\"0.0.0.0:9100\"").is_err() && read("\"udp:127.0.0.1:9\"").is_err());
    }
}
