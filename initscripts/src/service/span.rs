//! Time spans as systemd.time(7) writes them: `90`, `1min 30s`, `500ms`, `infinity`. A number alone is seconds.

use std::time::Duration;

use super::text::BadValue;

/// The longest time limit that a service may have, if it has one.
pub const LONGEST_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

/// What `infinity` is: so long that nobody sees its end, and yet a time that can be added to a clock.
pub const FOREVER: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// Units and their length in microseconds.
const UNITS: [(&[&str], u64); 7] = [
    (&["us", "usec", "µs", "μs"], 1),
    (&["ms", "msec"], 1_000),
    (&["s", "sec", "second", "seconds", ""], 1_000_000),
    (&["m", "min", "minute", "minutes"], 60_000_000),
    (&["h", "hr", "hour", "hours"], 3_600_000_000),
    (&["d", "day", "days"], 86_400_000_000),
    (&["w", "week", "weeks"], 604_800_000_000),
];

/// Reads a time span.
///
/// # Errors
/// [`BadValue`] for what is none.
pub fn span(text: &str) -> Result<Duration, BadValue> {
    let refuse = || {
        BadValue::new(
            format!("'{}' is no time span", text.escape_debug()),
            "write seconds, or as in \"500ms\", \"1min 30s\", \"2h\", \"infinity\"",
        )
    };
    let mut rest = text.trim();
    if rest == "infinity" {
        return Ok(FOREVER);
    }
    let mut micros: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let after = after.trim_start();
        let letters = after.find(|c: char| !c.is_alphabetic()).unwrap_or(after.len());
        let (unit, next) = after.split_at(letters);
        let (_, length) = UNITS.iter().find(|(names, _)| names.contains(&unit)).ok_or_else(refuse)?;
        micros = counted(number, *length).and_then(|more| micros.checked_add(more)).ok_or_else(refuse)?;
        rest = next.trim_start();
    }
    if text.trim().is_empty() || Duration::from_micros(micros) > FOREVER {
        return Err(refuse());
    }
    Ok(Duration::from_micros(micros))
}

/// `1.5` times a length: whole and fraction apart, so that nothing is rounded.
fn counted(number: &str, length: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if number.starts_with('.') || number.ends_with('.') || fraction.len() > 9 || whole.is_empty() {
        return None;
    }
    let mut micros = whole.parse::<u64>().ok()?.checked_mul(length)?;
    let mut part = length;
    for digit in fraction.chars() {
        part /= 10;
        micros = micros.checked_add(u64::from(digit.to_digit(10)?).checked_mul(part)?)?;
    }
    Some(micros)
}

/// A time span in words that [`span`] reads back.
#[must_use]
pub(crate) fn render(span: Duration) -> String {
    if span >= FOREVER {
        return "infinity".to_owned();
    }
    let mut micros = u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
    let mut words = Vec::new();
    for (unit, length) in [
        ("d", 86_400_000_000),
        ("h", 3_600_000_000),
        ("min", 60_000_000),
        ("s", 1_000_000),
        ("ms", 1_000),
        ("us", 1),
    ] {
        let count = micros / length;
        micros %= length;
        if count > 0 {
            words.push(format!("{count}{unit}"));
        }
    }
    if words.is_empty() { "0".to_owned() } else { words.join(" ") }
}

/// A time limit: a second to a day, or [`FOREVER`].
///
/// # Errors
/// [`BadValue`] for others; 0, which means no limit for systemd, among them.
pub(crate) fn timeout(span: Duration) -> Result<Duration, BadValue> {
    if span == FOREVER || (Duration::from_secs(1)..=LONGEST_TIMEOUT).contains(&span) {
        return Ok(span);
    }
    Err(BadValue::new(
        format!("{} seconds are no time limit", seconds(span)),
        format!("use 1 to {}, or \"infinity\"", LONGEST_TIMEOUT.as_secs()),
    ))
}

/// An age, which may be long.
///
/// # Errors
/// [`BadValue`] when it is less than a minute.
pub(crate) fn age(span: Duration) -> Result<Duration, BadValue> {
    if span >= Duration::from_secs(60) {
        return Ok(span);
    }
    Err(BadValue::new(format!("{} is no age of a file", render(span)), "use at least a minute"))
}

/// A pause or an interval, which may be as short as nothing.
///
/// # Errors
/// [`BadValue`] when it is longer than a day.
pub(crate) fn pause(span: Duration) -> Result<Duration, BadValue> {
    if span <= LONGEST_TIMEOUT {
        return Ok(span);
    }
    Err(BadValue::new(format!("{} is too long", render(span)), "use at most a day"))
}

fn seconds(span: Duration) -> String {
    let text = format!("{:.3}", span.as_secs_f64());
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
