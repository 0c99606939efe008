//! Amounts of bytes or of things, with the suffixes of systemd: K, M, G, T to the base of 1024, and `infinity`.

use std::fmt;

use super::text::BadValue;

/// An amount, or no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(pub u64);

impl Amount {
    /// No limit; the value that setrlimit(2) has for it.
    pub const INFINITY: Amount = Amount(u64::MAX);

    /// Reads an amount.
    ///
    /// # Errors
    /// [`BadValue`] for what is none.
    pub fn parse(text: &str) -> Result<Amount, BadValue> {
        let text = text.trim();
        if text == "infinity" {
            return Ok(Amount::INFINITY);
        }
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, suffix) = text.split_at(digits);
        let shift = match suffix {
            "" | "B" => Some(0),
            "K" => Some(10),
            "M" => Some(20),
            "G" => Some(30),
            "T" => Some(40),
            _ => None,
        };
        let amount = shift.and_then(|shift| number.parse::<u64>().ok()?.checked_mul(1 << shift));
        amount.filter(|amount| *amount < u64::MAX).map(Amount).ok_or_else(|| {
            BadValue::new(
                format!("'{}' is no amount", text.escape_debug()),
                "write a number, also with K, M, G or T for powers of 1024, or \"infinity\"",
            )
        })
    }

    /// Whether there is no limit.
    #[must_use]
    pub fn is_infinite(self) -> bool {
        self == Amount::INFINITY
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_infinite() {
            return f.write_str("infinity");
        }
        let suffixes = [(40, "T"), (30, "G"), (20, "M"), (10, "K")];
        match suffixes.iter().find(|(shift, _)| self.0 != 0 && self.0 % (1 << shift) == 0) {
            Some((shift, suffix)) => write!(f, "{}{suffix}", self.0 >> shift),
            None => write!(f, "{}", self.0),
        }
    }
}
