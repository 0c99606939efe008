//! The two tables of syslog(3): facilities and priorities, with their numbers (RFC 3164, section 4.1.1) and names.

/// Which part of the system speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(u8)]
#[allow(missing_docs, reason = "the names are those of syslog(3)")]
pub enum Facility {
    Kern = 0,
    User = 1,
    Mail = 2,
    #[default]
    Daemon = 3,
    Auth = 4,
    Syslog = 5,
    Lpr = 6,
    News = 7,
    Uucp = 8,
    Cron = 9,
    Authpriv = 10,
    Ftp = 11,
    Local0 = 16,
    Local1 = 17,
    Local2 = 18,
    Local3 = 19,
    Local4 = 20,
    Local5 = 21,
    Local6 = 22,
    Local7 = 23,
}

impl Facility {
    /// All of them with their names, as in logger(1) and syslog.conf(5).
    pub const ALL: [(&'static str, Facility); 20] = [
        ("kern", Facility::Kern),
        ("user", Facility::User),
        ("mail", Facility::Mail),
        ("daemon", Facility::Daemon),
        ("auth", Facility::Auth),
        ("syslog", Facility::Syslog),
        ("lpr", Facility::Lpr),
        ("news", Facility::News),
        ("uucp", Facility::Uucp),
        ("cron", Facility::Cron),
        ("authpriv", Facility::Authpriv),
        ("ftp", Facility::Ftp),
        ("local0", Facility::Local0),
        ("local1", Facility::Local1),
        ("local2", Facility::Local2),
        ("local3", Facility::Local3),
        ("local4", Facility::Local4),
        ("local5", Facility::Local5),
        ("local6", Facility::Local6),
        ("local7", Facility::Local7),
    ];

    /// Looks a facility up by its name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Facility> {
        Facility::ALL.iter().find(|(known, _)| *known == name).map(|(_, facility)| *facility)
    }
}

/// How important it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
#[allow(missing_docs, reason = "the names are those of syslog(3)")]
pub enum Priority {
    Emerg = 0,
    Alert = 1,
    Crit = 2,
    Err = 3,
    Warning = 4,
    Notice = 5,
    Info = 6,
    Debug = 7,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_those_of_syslog_h() {
        assert_eq!(Facility::by_name("daemon"), Some(Facility::Daemon));
        assert_eq!(Facility::by_name("Daemon"), None);
        assert_eq!((Facility::Daemon as u8, Facility::Authpriv as u8, Facility::Local7 as u8), (3, 10, 23));
        assert_eq!((Priority::Emerg as u8, Priority::Err as u8, Priority::Debug as u8), (0, 3, 7));
        for (name, facility) in Facility::ALL {
            assert_eq!(Facility::by_name(name), Some(facility));
            assert_eq!(format!("{facility:?}").to_lowercase(), name);
        }
    }
}
