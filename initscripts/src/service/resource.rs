//! Limits of setrlimit(2): their names, and soft and hard values.

use std::fmt;

use super::amount::Amount;
use super::span::{FOREVER, span};
use super::text::BadValue;
use super::words::words;

words! {
    /// What is limited; the word is the rest of the key `limit-...`.
    Resource, "limit" {
        /// RLIMIT_CPU, in seconds.
        Cpu = "cpu",
        /// RLIMIT_FSIZE, in bytes.
        Fsize = "fsize",
        /// RLIMIT_DATA, in bytes.
        Data = "data",
        /// RLIMIT_STACK, in bytes.
        Stack = "stack",
        /// RLIMIT_CORE, in bytes.
        Core = "core",
        /// RLIMIT_RSS, in bytes.
        Rss = "rss",
        /// RLIMIT_NOFILE, in descriptors.
        Nofile = "nofile",
        /// RLIMIT_AS, in bytes.
        As = "as",
        /// RLIMIT_NPROC, in processes of the account.
        Nproc = "nproc",
        /// RLIMIT_MEMLOCK, in bytes.
        Memlock = "memlock",
        /// RLIMIT_LOCKS, in locks.
        Locks = "locks",
        /// RLIMIT_SIGPENDING, in signals.
        Sigpending = "sigpending",
        /// RLIMIT_MSGQUEUE, in bytes.
        Msgqueue = "msgqueue",
        /// RLIMIT_NICE, 1 to 40: 20 minus the lowest nice level.
        Nice = "nice",
        /// RLIMIT_RTPRIO, a priority of sched(7).
        Rtprio = "rtprio",
        /// RLIMIT_RTTIME, in microseconds.
        Rttime = "rttime",
    }
}

/// A limit; `soft` is not more than `hard`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// What counts until the program raises it.
    pub soft: Amount,
    /// How far it can raise it.
    pub hard: Amount,
}

/// The limits that are given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Limits(Vec<(Resource, Limit)>);

impl Limits {
    /// The limit of a resource; none: as inherited.
    #[must_use]
    pub fn get(&self, resource: Resource) -> Option<Limit> {
        self.0.iter().find(|(known, _)| *known == resource).map(|(_, limit)| *limit)
    }

    /// Gives a limit.
    pub fn set(&mut self, resource: Resource, limit: Limit) {
        self.0.retain(|(known, _)| *known != resource);
        self.0.push((resource, limit));
    }

    /// Those that are given.
    pub fn iter(&self) -> impl Iterator<Item = (Resource, Limit)> {
        self.0.iter().copied()
    }
}

impl Limit {
    /// Reads `LIMIT` or `SOFT:HARD`. Times may have units of their own, as in `30s`.
    ///
    /// # Errors
    /// [`BadValue`] with what is wrong.
    pub fn parse(resource: Resource, text: &str) -> Result<Limit, BadValue> {
        let one = |text: &str| match resource {
            Resource::Cpu => time(text, 1_000_000),
            Resource::Rttime => time(text, 1),
            _ => Amount::parse(text),
        };
        let (soft, hard) = match text.split_once(':') {
            Some((soft, hard)) => (one(soft)?, one(hard)?),
            None => (one(text)?, one(text)?),
        };
        if soft > hard {
            return Err(BadValue::new(
                format!("the soft limit {soft} is above the hard limit {hard}"),
                "write SOFT:HARD with the smaller one first",
            ));
        }
        Ok(Limit { soft, hard })
    }
}

/// A number in the unit of the limit, or a time span, whose parts of a unit are rounded up.
fn time(text: &str, unit: u64) -> Result<Amount, BadValue> {
    if text.chars().all(|c| c.is_ascii_digit()) {
        return Amount::parse(text);
    }
    let span = span(text)?;
    if span == FOREVER {
        return Ok(Amount::INFINITY);
    }
    Ok(Amount(u64::try_from(span.as_micros()).unwrap_or(u64::MAX).div_ceil(unit)))
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without suffixes, which times do not have.
        let one = |amount: Amount| {
            if amount.is_infinite() { amount.to_string() } else { amount.0.to_string() }
        };
        match self.soft == self.hard {
            true => f.write_str(&one(self.soft)),
            false => write!(f, "{}:{}", one(self.soft), one(self.hard)),
        }
    }
}
