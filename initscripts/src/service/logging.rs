//! Where standard output and standard error of a service go.

use std::time::Duration;

use super::amount::Amount;
use super::text::BadValue;
use super::words::words;

words! {
    /// Where the lines go.
    Output, "output" {
        /// To syslog.
        Syslog = "syslog",
        /// To a file, which is rotated.
        File = "file",
        /// To syslog and to a file.
        Both = "both",
        /// Nowhere but into the last lines that `status` shows.
        Null = "null",
    }
}

words! {
    /// A level of syslog(3).
    Level, "level" {
        /// 0.
        Emerg = "emerg",
        /// 1.
        Alert = "alert",
        /// 2.
        Crit = "crit",
        /// 3.
        Err = "err",
        /// 4.
        Warning = "warning",
        /// 5.
        Notice = "notice",
        /// 6.
        Info = "info",
        /// 7.
        Debug = "debug",
    }
}

words! {
    /// A facility of syslog(3).
    Facility, "facility" {
        /// 0.
        Kern = "kern",
        /// 1.
        User = "user",
        /// 2.
        Mail = "mail",
        /// 3.
        Daemon = "daemon",
        /// 4.
        Auth = "auth",
        /// 5.
        Syslog = "syslog",
        /// 6.
        Lpr = "lpr",
        /// 7.
        News = "news",
        /// 8.
        Uucp = "uucp",
        /// 9.
        Cron = "cron",
        /// 10.
        Authpriv = "authpriv",
        /// 11.
        Ftp = "ftp",
        /// 16.
        Local0 = "local0",
        /// 17.
        Local1 = "local1",
        /// 18.
        Local2 = "local2",
        /// 19.
        Local3 = "local3",
        /// 20.
        Local4 = "local4",
        /// 21.
        Local5 = "local5",
        /// 22.
        Local6 = "local6",
        /// 23.
        Local7 = "local7",
    }
}

impl Level {
    /// Its number in a priority, RFC 5424 section 6.2.1.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }
}

impl Facility {
    /// Its number in a priority (times 8), RFC 5424 section 6.2.1.
    #[must_use]
    pub const fn number(self) -> u8 {
        // 12 to 15 are for uses that no service has.
        let number = self as u8;
        if number > 11 { number + 4 } else { number }
    }
}

/// What becomes of the lines that a service writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logging {
    /// Where they go.
    pub output: Output,
    /// The facility in syslog.
    pub facility: Facility,
    /// The name in syslog; none: that of the service.
    pub ident: Option<String>,
    /// The level of lines that say none.
    pub level: Level,
    /// Whether `<N>` at the begin of a line is its level, and taken off.
    pub level_prefix: bool,
    /// The file, an absolute path; none: /var/log/NAME.log.
    pub file: Option<String>,
    /// The size at which the file is rotated.
    pub max_size: Amount,
    /// The age at which it is; none: at none.
    pub max_age: Option<Duration>,
    /// How many old files are kept.
    pub keep: u32,
    /// At most `rate_burst` lines in this time are taken; 0: all.
    pub rate_interval: Duration,
    /// See `rate_interval`; 0: all.
    pub rate_burst: u32,
    /// The length in bytes at which a line is split.
    pub line_max: u32,
}

impl Default for Logging {
    fn default() -> Logging {
        Logging {
            output: Output::Syslog,
            facility: Facility::Daemon,
            ident: None,
            level: Level::Info,
            level_prefix: true,
            file: None,
            max_size: Amount(10 << 20),
            max_age: None,
            keep: 5,
            rate_interval: Duration::ZERO,
            rate_burst: 0,
            line_max: 8192,
        }
    }
}

/// Reads the name that syslog gets.
///
/// # Errors
/// [`BadValue`] for what would end the name early: RFC 3164 section 4.1.3.
pub(crate) fn ident(text: &str) -> Result<String, BadValue> {
    let is_clean = text.chars().all(|c| c.is_ascii_graphic() && !":[]".contains(c));
    if text.is_empty() || text.len() > 48 || !is_clean {
        return Err(BadValue::new(
            format!("'{}' is no name for syslog", text.escape_debug()),
            "use at most 48 visible characters of ASCII without : [ ]",
        ));
    }
    Ok(text.to_owned())
}
