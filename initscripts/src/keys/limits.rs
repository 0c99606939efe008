//! Keys: limits of the kernel for its processes and, by control group, for all of them together.

use toml::de::DeValue;

use super::key::{Key, key};
use super::read::{self, Fault, Item};
use super::write::basic_string;
use crate::service::{Limit, Resource, Service};

const WORDS: &str = "a number, \"SOFT:HARD\" or \"infinity\"";

/// A limit of setrlimit(2).
macro_rules! limit {
    ($name:literal $directive:literal $resource:ident $meaning:literal) => {
        Key {
            name: $name,
            directive: $directive,
            meaning: $meaning,
            words: WORDS,
            set: |service, item| set(service, Resource::$resource, item),
            get: |service| get(service, Resource::$resource),
        }
    };
}

fn set(service: &mut Service, resource: Resource, item: &Item<'_>) -> Result<(), Fault> {
    let text = match item.get_ref() {
        DeValue::Integer(text) => read::decimal(item, text.as_str()),
        _ => read::string(item, WORDS)?.to_owned(),
    };
    let limit = read::placed(item, Limit::parse(resource, &text))?;
    service.execution.limits.set(resource, limit);
    Ok(())
}

fn get(service: &Service, resource: Resource) -> Option<String> {
    let text = service.execution.limits.get(resource)?.to_string();
    let is_number = text.chars().all(|c| c.is_ascii_digit()) && text.parse::<i64>().is_ok();
    Some(if is_number { text } else { basic_string(&text) })
}

/// All limits.
pub(super) const KEYS: &[Key] = &[
    limit!("limit-nofile" "LimitNOFILE" Nofile "open files"),
    limit!("limit-nproc" "LimitNPROC" Nproc "processes and threads of the account"),
    limit!("limit-core" "LimitCORE" Core "bytes of a core file"),
    limit!("limit-memlock" "LimitMEMLOCK" Memlock "bytes locked in memory"),
    limit!("limit-as" "LimitAS" As "bytes of address space"),
    limit!("limit-data" "LimitDATA" Data "bytes of data"),
    limit!("limit-stack" "LimitSTACK" Stack "bytes of stack"),
    limit!("limit-rss" "LimitRSS" Rss "bytes in memory, which Linux does not heed"),
    limit!("limit-fsize" "LimitFSIZE" Fsize "bytes of a file that it writes"),
    limit!("limit-cpu" "LimitCPU" Cpu "seconds on the CPU"),
    limit!("limit-locks" "LimitLOCKS" Locks "locks on files"),
    limit!("limit-sigpending" "LimitSIGPENDING" Sigpending "signals waiting"),
    limit!("limit-msgqueue" "LimitMSGQUEUE" Msgqueue "bytes in message queues"),
    limit!("limit-nice" "LimitNICE" Nice "20 minus the lowest nice level, 1 to 40"),
    limit!("limit-rtprio" "LimitRTPRIO" Rtprio "highest priority of real time"),
    limit!("limit-rttime" "LimitRTTIME" Rttime "microseconds on the CPU in real time without a wait"),
    key!(Amount "tasks-max" "TasksMax" "processes and threads of the service, where control groups can be written; where they cannot, the log says so, and limit-nproc limits the account", confinement.tasks_max),
    key!(Amount "memory-max" "MemoryMax" "bytes of memory of the service, where control groups can be written; else the log says that it is not kept", confinement.memory_max),
];
