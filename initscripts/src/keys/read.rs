//! From a value of TOML to a value of ours: type and range are checked here, and faults get the place where they
//! stand.

use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use toml::Spanned;
use toml::de::DeValue;

use crate::service::{self, Amount, BadValue, ExitSet};

/// A value and where it stands.
pub(crate) type Item<'a> = Spanned<DeValue<'a>>;

/// A fault and the bytes of the text that it is about.
pub(crate) type Fault = (Range<usize>, String);

/// The fault of a value that has another type than `wanted`.
pub(super) fn mismatch(item: &Item<'_>, wanted: &str) -> Fault {
    (item.span(), format!("this is {}: write {wanted}", article(item.get_ref())))
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

pub(super) fn placed<T>(item: &Item<'_>, found: Result<T, BadValue>) -> Result<T, Fault> {
    found.map_err(|error| (item.span(), error.to_string()))
}

pub(super) fn string<'a>(item: &'a Item<'_>, wanted: &str) -> Result<&'a str, Fault> {
    match item.get_ref() {
        DeValue::String(text) => Ok(text),
        _ => Err(mismatch(item, wanted)),
    }
}

pub(super) fn elements<'a, 'b>(item: &'a Item<'b>, wanted: &str) -> Result<&'a [Item<'b>], Fault> {
    match item.get_ref() {
        DeValue::Array(elements) => Ok(elements),
        _ => Err(mismatch(item, wanted)),
    }
}

/// A string.
pub(super) fn text<T>(item: &Item<'_>, check: impl FnOnce(&str) -> Result<T, BadValue>) -> Result<T, Fault> {
    placed(item, check(string(item, "a string")?))
}

/// A list of strings.
pub(super) fn list<T>(item: &Item<'_>, check: impl Fn(&str) -> Result<T, BadValue>) -> Result<Vec<T>, Fault> {
    elements(item, "a list of strings")?.iter().map(|element| text(element, &check)).collect()
}

/// A truth value.
pub(super) fn flag(item: &Item<'_>) -> Result<bool, Fault> {
    match item.get_ref() {
        DeValue::Boolean(flag) => Ok(*flag),
        _ => Err(mismatch(item, "true or false")),
    }
}

/// An integer of TOML; too large ones come as the largest there is.
fn integer(item: &Item<'_>) -> Option<i64> {
    let DeValue::Integer(number) = item.get_ref() else { return None };
    let text = number.as_str();
    let limit = if text.starts_with('-') { i64::MIN } else { i64::MAX };
    Some(i64::from_str_radix(text, number.radix()).unwrap_or(limit))
}

/// A whole number in a range.
pub(super) fn number<T>(item: &Item<'_>, range: RangeInclusive<T>) -> Result<T, Fault>
where
    T: TryFrom<i64> + PartialOrd + std::fmt::Display,
{
    let number = integer(item).ok_or_else(|| mismatch(item, "a whole number"))?;
    T::try_from(number).ok().filter(|number| range.contains(number)).ok_or_else(|| {
        let message = format!("{number} is out of range: use {} to {}", range.start(), range.end());
        (item.span(), message)
    })
}

/// A time span: a number of seconds, also with a point, or text.
pub(super) fn span<T>(item: &Item<'_>, check: impl Fn(Duration) -> Result<T, BadValue>) -> Result<T, Fault> {
    let wanted = "seconds, or a time span as in \"1min 30s\"";
    let refuse = |text: &str| (item.span(), format!("{text} is no time span: write {wanted}"));
    let found = match item.get_ref() {
        DeValue::String(text) => placed(item, service::span(text))?,
        DeValue::Float(text) => service::span(text.as_str()).map_err(|_| refuse(text.as_str()))?,
        DeValue::Integer(text) => match integer(item).map(u64::try_from) {
            Some(Ok(seconds)) => Duration::from_secs(seconds).min(service::FOREVER - Duration::from_secs(1)),
            _ => return Err(refuse(text.as_str())),
        },
        _ => return Err(mismatch(item, wanted)),
    };
    placed(item, check(found))
}

/// An amount of bytes or things.
pub(super) fn amount(item: &Item<'_>) -> Result<Amount, Fault> {
    match item.get_ref() {
        DeValue::Integer(text) => placed(item, Amount::parse(&decimal(item, text.as_str()))),
        _ => placed(item, Amount::parse(string(item, "a number, also as in \"512M\", or \"infinity\"")?)),
    }
}

/// An integer of TOML in decimal.
pub(super) fn decimal(item: &Item<'_>, text: &str) -> String {
    integer(item).map_or_else(|| text.to_owned(), |number| number.to_string())
}

/// Exit codes as numbers or names, and signals.
pub(super) fn exits(item: &Item<'_>) -> Result<ExitSet, Fault> {
    let wanted = "a list of exit codes and signals";
    let mut set = ExitSet::default();
    for element in elements(item, wanted)? {
        match element.get_ref() {
            DeValue::Integer(text) => placed(element, set.add(&decimal(element, text.as_str())))?,
            _ => placed(element, set.add(string(element, "an exit code or a signal")?))?,
        }
    }
    Ok(set)
}
