//! All keys, topic by topic, in the order in which a service file is written.

use super::key::Key;
use super::{condition, execution, lifecycle, limits, logging, order, program, readiness, sockets};

/// Keys that belong together.
#[derive(Debug)]
pub struct Topic {
    /// What they are about.
    pub title: &'static str,
    /// The keys.
    pub keys: &'static [Key],
}

/// Every topic.
pub const TOPICS: &[Topic] = &[
    Topic { title: "Program", keys: program::KEYS },
    Topic { title: "Commands", keys: program::COMMANDS },
    Topic { title: "Reload and stop", keys: lifecycle::STOP },
    Topic { title: "Restart", keys: lifecycle::RESTART },
    Topic { title: "Readiness", keys: readiness::READY },
    Topic { title: "Health and watchdog", keys: readiness::HEALTH },
    Topic { title: "Account and rights", keys: execution::RIGHTS },
    Topic { title: "Surroundings", keys: execution::SURROUNDINGS },
    Topic { title: "Directories", keys: execution::DIRECTORIES },
    Topic { title: "Scheduling", keys: execution::SCHEDULING },
    Topic { title: "Limits", keys: limits::KEYS },
    Topic { title: "Conditions", keys: condition::CONDITIONS },
    Topic { title: "Asserts", keys: condition::ASSERTS },
    Topic { title: "Output", keys: logging::KEYS },
    Topic { title: "Sockets", keys: sockets::KEYS },
    Topic { title: "Runlevels and order", keys: order::KEYS },
];

/// Every key.
pub fn all() -> impl Iterator<Item = &'static Key> {
    TOPICS.iter().flat_map(|topic| topic.keys)
}
