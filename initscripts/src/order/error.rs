//! Why a change is refused, and what is odd without being a reason to refuse it. insserv exits with 1 on
//! every error here.

use crate::name::Runlevels;

/// A change that was refused; no link is touched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// An argument that is no file of init.d.
    #[error("{name}: no such script in init.d: install it first")]
    NoScript {
        /// The argument.
        name: String,
    },
    /// Removal of nothing.
    #[error("no script is named: say which to remove")]
    NoArgument,
    /// A header that begins and does not end.
    #[error("script {script} has no '### END INIT INFO': add it after the header")]
    NoEnd {
        /// The file.
        script: String,
    },
    /// Runlevel `B`, which exists on SUSE only.
    #[error("script {script} has the default runlevel B, which does not exist: use S")]
    Runlevel {
        /// The file.
        script: String,
    },
    /// Facilities of insserv.conf that contain each other.
    #[error("facility {facility} contains itself: correct insserv.conf or the files in insserv.conf.d")]
    FacilityLoop {
        /// With its `$`.
        facility: String,
    },
    /// Scripts that wait for each other.
    #[error("scripts wait for each other: {}: remove one of these dependencies", cycle.join(" before "))]
    Loop {
        /// The scripts, each before the next; the first is repeated at the end. Names of services stand for
        /// scripts that are not installed.
        cycle: Vec<String>,
        /// Whether it is the order of stopping that has the loop.
        stopping: bool,
    },
    /// The name that an argument provides belongs to another script.
    #[error(
        "script {script} provides {service}, which {owner} provides already: rename or remove one of the two"
    )]
    AlreadyProvided {
        /// The argument.
        script: String,
        /// The name.
        service: String,
        /// Who has it.
        owner: String,
    },
    /// A required service has no links.
    #[error("service {needed} has to be enabled to use service {by}: enable it first")]
    NotEnabled {
        /// The missing one.
        needed: String,
        /// Who requires it.
        by: String,
    },
    /// A service is still required by one with links.
    #[error("service {needed} is required by service {by}: disable that first")]
    StillNeeded {
        /// The one to be removed.
        needed: String,
        /// Who requires it.
        by: String,
    },
    /// A required service is not known at all.
    #[error("service {needed} has to exist for service {by}: install it or disable {by}")]
    NotInstalled {
        /// The missing one.
        needed: String,
        /// Who requires it.
        by: String,
    },
    /// A required service does not start in all the runlevels of the one that needs it.
    #[error("service {needed} has to start in runlevels {levels} too, for service {by}")]
    NotInLevels {
        /// The required one.
        needed: String,
        /// Who requires it.
        by: String,
        /// Where it is missing.
        levels: Runlevels,
    },
}

/// Something odd; insserv says it on standard error and goes on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Warning {
    /// A script without a complete header.
    #[error("script {script} has no LSB header")]
    NoHeader {
        /// The file.
        script: String,
    },
    /// Two scripts provide one name; the later one's is ignored.
    #[error("script {script}: service {service} is provided by {owner} already")]
    AlreadyProvided {
        /// The file.
        script: String,
        /// The name.
        service: String,
        /// Who has it.
        owner: String,
    },
    /// A facility that insserv.conf does not define.
    #[error("script {script}: facility {facility} is not defined in insserv.conf and does not count")]
    UnknownFacility {
        /// The service that wants it.
        script: String,
        /// With its `$`.
        facility: String,
    },
    /// The links of an argument differ from its header, and win.
    #[error(
        "script {script} is linked into other runlevels than its header says ({links}, not {header}): the links are kept"
    )]
    Overridden {
        /// The file.
        script: String,
        /// What the links say.
        links: Runlevels,
        /// What the header says.
        header: Runlevels,
    },
    /// Scripts that wait for each other, in a forced run.
    #[error("scripts wait for each other: {}", cycle.join(" before "))]
    Loop {
        /// As in [`OrderError::Loop`].
        cycle: Vec<String>,
        /// Whether it is the order of stopping.
        stopping: bool,
    },
    /// Arguments that share a second name: insserv reads freed memory, and may do anything.
    #[error("service {service} is provided by several of the scripts: enable them one by one")]
    Undefined {
        /// The shared name.
        service: String,
    },
    /// A link that points nowhere; it is removed.
    #[error("link {path} points to no script and is removed")]
    Dangling {
        /// Below /etc: `rc2.d/S01foo`.
        path: String,
    },
}
