//! Signals that a service file may name.

use std::fmt;

use super::text::BadValue;

/// Signals that a service file may name, without `SIG`. Numbers are not accepted: they differ between
/// machines. KILL and STOP cannot be caught, so no program could obey them as a request.
pub const SIGNALS: [&str; 12] =
    ["HUP", "INT", "QUIT", "TERM", "USR1", "USR2", "ALRM", "CONT", "WINCH", "PWR", "URG", "ABRT"];

/// One of [`SIGNALS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignalName(&'static str);

impl SignalName {
    pub(super) const HUP: SignalName = SignalName("HUP");
    pub(super) const TERM: SignalName = SignalName("TERM");
    pub(super) const ABRT: SignalName = SignalName("ABRT");

    /// The signal of a name, with or without `SIG`.
    ///
    /// # Errors
    /// [`BadValue`] when it is none of [`SIGNALS`].
    pub fn parse(text: &str) -> Result<SignalName, BadValue> {
        let bare = text.strip_prefix("SIG").unwrap_or(text);
        SIGNALS.into_iter().find(|known| *known == bare).map(SignalName).ok_or_else(|| {
            BadValue::new(
                format!("'{}' is no signal to use here", text.escape_debug()),
                format!("use one of {}", SIGNALS.join(", ")),
            )
        })
    }

    /// The name without `SIG`, as kill(1) takes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for SignalName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SIG{}", self.0)
    }
}
