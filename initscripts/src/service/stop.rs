//! How a service is ended, and how much of the machine it may take: systemd.kill(5) and systemd.resource-control(5).

use super::amount::Amount;
use super::text::BadValue;
use super::words::words;

words! {
    /// Whom the stop-signal is for, and who is killed in the end.
    StopMode, "stop mode" {
        /// Both for all processes of the service.
        ControlGroup = "control-group",
        /// The signal for the main process, the end for all.
        Mixed = "mixed",
        /// Both for the main process alone; what it has started stays, and is told of.
        Process = "process",
    }
}

/// Bounds of a control group. They need a writable cgroup hierarchy; without one the start says what is not bounded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Confinement {
    /// The most processes and threads of the service.
    pub tasks_max: Option<Amount>,
    /// The most memory of the service, in bytes.
    pub memory_max: Option<Amount>,
}

/// Permission bits, or a mask of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mode(pub u32);

impl Mode {
    /// Reads an octal number.
    ///
    /// # Errors
    /// [`BadValue`] when it is none, or above 7777.
    pub fn parse(text: &str) -> Result<Mode, BadValue> {
        let is_octal = (1..=5).contains(&text.len()) && text.chars().all(|c| c.is_digit(8));
        u32::from_str_radix(text, 8).ok().filter(|mode| is_octal && *mode <= 0o7777).map(Mode).ok_or_else(
            || {
                BadValue::new(
                    format!("'{}' is no mode", text.escape_debug()),
                    "write octal digits, as in \"0755\" or \"022\"",
                )
            },
        )
    }
}
