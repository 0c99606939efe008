//! Capabilities: their names and numbers, capabilities(7).

use super::text::BadValue;

/// Names of the capabilities without `CAP_`, each at its number, which is the same on all machines.
pub const CAPABILITIES: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

/// A set of capabilities: bit N is the capability with number N.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CapabilitySet(pub u64);

impl CapabilitySet {
    /// No capability.
    pub const NONE: CapabilitySet = CapabilitySet(0);
    /// All that have a name here.
    pub const ALL: CapabilitySet = CapabilitySet((1 << CAPABILITIES.len()) - 1);

    /// Whether the capability with this number is in it.
    #[must_use]
    pub fn contains(self, number: u32) -> bool {
        number < u64::BITS && self.0 & (1 << number) != 0
    }

    /// Adds what one element of a list says: a name, with or without `CAP_`.
    ///
    /// # Errors
    /// [`BadValue`] for an unknown one.
    pub(crate) fn one(text: &str) -> Result<CapabilitySet, BadValue> {
        let bare = text.strip_prefix("CAP_").unwrap_or(text);
        match CAPABILITIES.iter().position(|known| *known == bare) {
            Some(number) => Ok(CapabilitySet(1 << number)),
            None => Err(BadValue::new(
                format!("there is no capability '{}'", text.escape_debug()),
                "use the names of capabilities(7), such as CAP_NET_BIND_SERVICE",
            )),
        }
    }

    /// Its names, in the order of their numbers.
    pub fn names(self) -> impl Iterator<Item = String> {
        let named = (0..).zip(CAPABILITIES);
        named.filter(move |(number, _)| self.contains(*number)).map(|(_, name)| format!("CAP_{name}"))
    }
}
