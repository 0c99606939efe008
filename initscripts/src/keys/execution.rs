//! Keys: with what rights, limits and surroundings the program is executed.

use super::key::{Key, key};
use super::read::{self, Fault, Item};
use super::write::Toml as _;
use crate::service::{
    self, CapabilitySet, CpuPolicy, IoClass, Mode, Preserve, Word as _, account, directory, environment_file,
    managed_name, variable, working_directory,
};

/// Account and rights.
pub(super) const RIGHTS: &[Key] = &[
    key!(Text "user" "User" "the account to run as, by name or number; root if not given", execution.user, account),
    key!(Text "group" "Group" "the group; that of the account if not given", execution.group, account),
    key!(List "supplementary-groups" "SupplementaryGroups" "groups beside those that the account has",
        execution.supplementary_groups, account),
    Key {
        name: "capability-bounding-set",
        directive: "CapabilityBoundingSet",
        meaning: "the capabilities that it can ever have, as CAP_NET_BIND_SERVICE; all but those listed if the first has the prefix ~",
        words: "a list of strings",
        set: |service, item| {
            service.execution.capability_bounding_set = Some(capabilities(item)?);
            Ok(())
        },
        get: |service| service.execution.capability_bounding_set.toml(),
    },
    Key {
        name: "ambient-capabilities",
        directive: "AmbientCapabilities",
        meaning: "the capabilities that it has although it is not root",
        words: "a list of strings",
        set: |service, item| {
            service.execution.ambient_capabilities = capabilities(item)?;
            Ok(())
        },
        get: |service| service.execution.ambient_capabilities.toml(),
    },
    key!(Flag "no-new-privileges" "NoNewPrivileges" "whether set-user-ID programs and the like give it nothing",
        execution.no_new_privileges),
    key!(Text "root-directory" "RootDirectory" "the directory that becomes its /", execution.root_directory, directory),
];

/// Surroundings.
pub(super) const SURROUNDINGS: &[Key] = &[
    key!(List "environment" "Environment" "variables, as NAME=value", execution.environment, variable),
    key!(List "environment-file" "EnvironmentFile" "files with more of them, read at each start and never sourced; a line that is no assignment is told in the log; prefix -: need not be there",
        execution.environment_files, environment_file),
    key!(Text "working-directory" "WorkingDirectory" "the working directory; ~ is the home of the account; prefix -: need not be there; / if not given",
        execution.working_directory, working_directory),
    key!(Text "umask" "UMask" "the file mode creation mask", execution.umask, Mode::parse),
];

/// Directories.
pub(super) const DIRECTORIES: &[Key] = &[
    key!(List "runtime-directory" "RuntimeDirectory" "directories below /run to make for it and remove after it; RUNTIME_DIRECTORY names them",
        execution.directories.runtime.names, managed_name),
    key!(Text "runtime-directory-mode" "RuntimeDirectoryMode" "their mode", execution.directories.runtime.mode, Mode::parse),
    key!(Text "runtime-directory-preserve" "RuntimeDirectoryPreserve" "when they are kept: no, restart, yes",
        execution.directories.preserve, Preserve::parse),
    key!(List "state-directory" "StateDirectory" "directories below /var/lib to make for it", execution.directories.state.names, managed_name),
    key!(Text "state-directory-mode" "StateDirectoryMode" "their mode", execution.directories.state.mode, Mode::parse),
    key!(List "cache-directory" "CacheDirectory" "directories below /var/cache to make for it", execution.directories.cache.names, managed_name),
    key!(Text "cache-directory-mode" "CacheDirectoryMode" "their mode", execution.directories.cache.mode, Mode::parse),
    key!(List "logs-directory" "LogsDirectory" "directories below /var/log to make for it", execution.directories.logs.names, managed_name),
    key!(Text "logs-directory-mode" "LogsDirectoryMode" "their mode", execution.directories.logs.mode, Mode::parse),
    key!(List "configuration-directory" "ConfigurationDirectory" "directories below /etc to make for it; they stay root's",
        execution.directories.configuration.names, managed_name),
    key!(Text "configuration-directory-mode" "ConfigurationDirectoryMode" "their mode",
        execution.directories.configuration.mode, Mode::parse),
];

/// Scheduling.
pub(super) const SCHEDULING: &[Key] = &[
    key!(Number "nice" "Nice" "nice level, -20 (first) to 19", execution.nice, -20..=19),
    key!(Text "io-class" "IOSchedulingClass" "class of the I/O scheduler: none, realtime, best-effort, idle", execution.io_class, IoClass::parse),
    key!(Number "io-priority" "IOSchedulingPriority" "priority in it, 0 (first) to 7", execution.io_priority, 0..=7),
    key!(Text "cpu-policy" "CPUSchedulingPolicy" "policy of the CPU scheduler: other, batch, idle, fifo, rr", execution.cpu_policy, CpuPolicy::parse),
    key!(Number "cpu-priority" "CPUSchedulingPriority" "priority of fifo and rr, 1 to 99 (first)", execution.cpu_priority, 1..=99),
    key!(Number "oom-score-adjust" "OOMScoreAdjust" "what is added for the out-of-memory killer, -1000 (never) to 1000",
        execution.oom_score_adjust, -1000..=1000),
];

/// Names of capabilities, or all but those.
fn capabilities(item: &Item<'_>) -> Result<CapabilitySet, Fault> {
    let mut set = CapabilitySet::NONE;
    let mut inverted = false;
    for (index, element) in read::elements(item, "a list of strings")?.iter().enumerate() {
        set.0 |= read::text(element, |text| match text.strip_prefix('~') {
            Some(rest) if index == 0 => {
                inverted = true;
                if rest.is_empty() { Ok(CapabilitySet::NONE) } else { CapabilitySet::one(rest) }
            }
            Some(_) => Err(service::BadValue::new(
                "only the first may have the prefix ~",
                "write it there: it is for all",
            )),
            None => CapabilitySet::one(text),
        })?
        .0;
    }
    Ok(if inverted { CapabilitySet(CapabilitySet::ALL.0 & !set.0) } else { set })
}
