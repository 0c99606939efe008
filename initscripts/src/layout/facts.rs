//! What is to be known of a layout. The values stand in one file for each layout; nothing is looked up
//! on a machine here. All paths are absolute as the described machine sees them.

use crate::link::Link;
use crate::name::Runlevel;

/// Where a distribution keeps scripts, links and what belongs to them, and which dialect it speaks.
#[derive(Debug, PartialEq, Eq)]
pub struct Layout {
    /// The name for `--layout`.
    pub name: &'static str,
    /// The systems that have it, for people.
    pub systems: &'static str,
    /// A root has this layout if it has all of these paths.
    pub marks: &'static [&'static str],
    /// The directory of the init scripts.
    pub script_dir: &'static str,
    /// The directory of links of a runlevel, which stands for the `@`.
    pub link_dir: &'static str,
    /// What a link's text has before the name of the script.
    pub link_text: &'static str,
    /// The runlevels that have a directory of links.
    pub runlevels: &'static [Runlevel],
    /// The files that startpar reads, if the layout has them.
    pub depend: Option<Depend>,
    /// The directory of the service files.
    pub service_dir: &'static str,
    /// The directory of the defaults files, which hold assignments of environment variables.
    pub defaults_dir: &'static str,
    /// The directory of the PID files.
    pub pid_dir: &'static str,
    /// The directory of log files.
    pub log_dir: &'static str,
    /// The directory of what is known of running services; empty after a boot.
    pub state_dir: &'static str,
    /// Where foobarctl is when a package brought it.
    pub foobarctl: &'static str,
    /// The init script that calls foobarctl, with `@SLOT@`s.
    pub thin: &'static str,
    /// The init script that needs no foobarctl, with `@SLOT@`s.
    pub standalone: &'static str,
}

/// The files of startpar and of insserv. startpar(8), insserv(8).
#[derive(Debug, PartialEq, Eq)]
pub struct Depend {
    /// Start order of runlevel S.
    pub boot: &'static str,
    /// Start order of all other runlevels.
    pub start: &'static str,
    /// Stop order.
    pub stop: &'static str,
    /// Facilities and their members.
    pub conf: &'static str,
    /// More of the same, a file a package.
    pub conf_dir: &'static str,
    /// Directories of headers that stand for those in scripts, the first one first.
    pub overrides: [&'static str; 2],
    /// Extensions of files in the directory of scripts that are none, one a line.
    pub filters: &'static str,
}

impl Layout {
    /// The path of the init script of a service.
    #[must_use]
    pub fn script(&self, name: &str) -> String {
        format!("{}/{name}", self.script_dir)
    }

    /// The path of the service file of a service.
    #[must_use]
    pub fn service_file(&self, name: &str) -> String {
        format!("{}/{name}.toml", self.service_dir)
    }

    /// The path of the defaults file of a service.
    #[must_use]
    pub fn defaults_file(&self, name: &str) -> String {
        format!("{}/{name}", self.defaults_dir)
    }

    /// The directory with the links of a runlevel.
    #[must_use]
    pub fn runlevel_dir(&self, level: Runlevel) -> String {
        self.link_dir.replace('@', &level.to_string())
    }

    /// The path of a link.
    #[must_use]
    pub fn link(&self, link: &Link) -> String {
        format!("{}/{link}", self.runlevel_dir(link.runlevel))
    }

    /// The text of a link to the script of a service.
    #[must_use]
    pub fn target(&self, name: &str) -> String {
        format!("{}{name}", self.link_text)
    }
}
