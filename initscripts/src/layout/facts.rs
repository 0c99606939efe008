//! What is to be known of a layout. The values stand in one file for each layout; nothing is looked up
//! on a machine here. All paths are absolute as the described machine sees them.
//!
//! A further layout is one constant in a file of its own, its template of an init script in `templates/`, and its
//! place in `known::ALL`. It needs code only if it enables services in a way that no [`Scheme`] describes yet: then
//! the compiler names the places that have to know of the new one, in this file, in `plan/scheme.rs` and in foobarctl.

use crate::installed::Installed;
use crate::link::{Kind, Link, Usual};
use crate::name::{Runlevel, Runlevels, Sequence};

/// Where a distribution keeps scripts, links and what belongs to them, and which dialect it speaks.
#[derive(Debug, PartialEq, Eq)]
pub struct Layout {
    /// The name for `--layout`.
    pub name: &'static str,
    /// The systems that have it, for people.
    pub systems: &'static str,
    /// How a root shows that it has this layout.
    pub marks: Marks,
    /// The directory of the init scripts.
    pub script_dir: &'static str,
    /// How a script is made to run at boot.
    pub scheme: Scheme,
    /// The runlevels that have a directory of links; none where there are no such directories.
    pub runlevels: &'static [Runlevel],
    /// What facilities stand for, in the language of insserv.conf, where no such file says it.
    pub facilities: &'static str,
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
    /// The directory of files that say that a service was started, if scripts keep one.
    pub lock_dir: Option<&'static str>,
    /// Where foobarctl is when a package brought it.
    pub foobarctl: &'static str,
    /// What its scripts have beside the LSB header.
    pub dialect: Dialect,
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
    /// Stop order of what was started once at boot, if insserv writes one.
    pub halt: Option<&'static str>,
    /// Facilities and their members.
    pub conf: &'static str,
    /// More of the same, a file a package.
    pub conf_dir: &'static str,
    /// Directories of headers that stand for those in scripts, the first one first.
    pub overrides: [&'static str; 2],
    /// Extensions of files in the directory of scripts that are none, one a line.
    pub filters: &'static str,
}

/// What scripts have beside the LSB header, which all have: foobarctl itself orders by it everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Nothing.
    Lsb,
    /// Nothing, and the letter B for what runs once at boot.
    Suse,
    /// `# chkconfig:` with these numbers, and `# description:`. After the LSB header, as chkconfig stops to read where it
    /// has seen both.
    Chkconfig(Usual),
    /// The variables DAEMON and PIDFILE, by which Buildroot's rules know scripts.
    Buildroot,
    /// A script for openrc-run(8), with depend().
    OpenRc,
}

/// What tells a root of this layout from others. Links are followed.
#[derive(Debug, PartialEq, Eq)]
pub struct Marks {
    /// It has all of these paths,
    pub all: &'static [&'static str],
    /// and none of these, which others have.
    pub none: &'static [&'static str],
    /// Files that say by themselves which distribution it is. One of them decides between layouts whose other marks
    /// are all there.
    pub release: &'static [&'static str],
}

/// How a script is made to run at boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// A directory for each runlevel, with links `S20name` and `K20name` to the scripts.
    SysV(SysV),
    /// The scripts themselves are called `S50name`; rcS starts them in the order of their names, and rcK stops them
    /// backwards. One that is called `K50name` is left alone: it is disabled and keeps its number.
    Rcs(Rcs),
    /// A directory for each named runlevel, with links to the scripts under their own names.
    OpenRc(OpenRc),
    /// Scripts that run if they are executable, called from two files.
    Hooks(Hooks),
}

/// See [`Scheme::SysV`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SysV {
    /// The directory of links of a runlevel, which stands for the `@`.
    pub link_dir: &'static str,
    /// The directory of runlevel S, if it is called otherwise.
    pub boot_dir: Option<&'static str>,
    /// What a link's text has before the name of the script.
    pub link_text: &'static str,
    /// Who gives the numbers.
    pub numbers: Numbers,
}

/// Where the numbers of links come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbers {
    /// From the dependencies of all headers, as insserv(8) computes them; a change may renumber all scripts.
    Insserv,
    /// insserv's as well, with a kill link beside each start link of runlevels 2 to 5, whatever the header wants to be
    /// stopped in; a service that is disabled has neither. insserv(8) of SUSE.
    Suse,
    /// From the line `# chkconfig: LEVELS START STOP`, or these where it is missing, and the dependencies; scripts that
    /// have to come later are moved. chkconfig(8).
    Chkconfig(Usual),
    /// These, or others that the dependencies ask for; scripts of others keep theirs.
    Fixed(Usual),
}

/// See [`Scheme::Rcs`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rcs {
    /// The number of a service that waits for nothing in particular.
    pub usual: u8,
    /// What is in the directory of scripts and is none.
    pub not_scripts: &'static [&'static str],
}

/// See [`Scheme::OpenRc`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenRc {
    /// The directory of a runlevel, whose name stands for the `@`.
    pub runlevel_dir: &'static str,
    /// What a link's text has before the name of the script.
    pub link_text: &'static str,
    /// The runlevels that every machine has.
    pub runlevels: &'static [&'static str],
    /// The directory of links to the scripts of what was started: what has none is not stopped when the machine goes down.
    pub started_dir: &'static str,
    /// What is in the directory of scripts and is none.
    pub not_scripts: &'static [&'static str],
    /// The defaults file of a service whose script calls foobarctl, with `@SLOT@`s; openrc-run reads it.
    pub settings: &'static str,
    /// The same of a script that needs no foobarctl.
    pub standalone_settings: &'static str,
}

/// See [`Scheme::Hooks`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hooks {
    /// What the name of a script has before the name of the service.
    pub prefix: &'static str,
    /// The file of the administrator's own commands at boot, from which services are started after all others.
    pub start: &'static str,
    /// The file of his commands when the machine goes down, from which services are stopped before all others.
    pub stop: &'static str,
    /// The files that init runs.
    pub roots: &'static [Caller],
    /// Those that call scripts as well, if they are called themselves.
    pub inner: &'static [&'static str],
    /// What is in the directory of scripts and belongs to no service,
    pub not_scripts: &'static [&'static str],
    /// and how such names begin or end.
    pub not_parts: &'static [&'static str],
}

/// A file that init runs in some runlevels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// Its path.
    pub path: &'static str,
    /// Whether it starts or stops.
    pub kind: Kind,
    /// The runlevels, as digits.
    pub runlevels: &'static str,
}

impl Hooks {
    /// All files that call scripts.
    pub fn files(&self) -> impl Iterator<Item = &'static str> {
        self.roots.iter().map(|root| root.path).chain(self.inner.iter().copied())
    }

    /// Whether a file in the directory of scripts belongs to no service.
    fn is_no_script(&self, file: &str) -> bool {
        self.not_scripts.contains(&file)
            || self.not_parts.iter().any(|part| file.starts_with(part) || file.ends_with(part))
    }
}

impl OpenRc {
    /// The directory of a runlevel.
    #[must_use]
    pub fn directory(&self, level: &str) -> String {
        self.runlevel_dir.replace('@', level)
    }

    /// The paths of the links that a service may have.
    #[must_use]
    pub fn links(&self, name: &str) -> Vec<String> {
        self.runlevels.iter().map(|level| format!("{}/{name}", self.directory(level))).collect()
    }
}

impl Layout {
    /// The path of the init script of a service that is to be installed, if nothing asks for another number where
    /// scripts have numbers.
    #[must_use]
    pub fn script(&self, name: &str) -> String {
        match self.scheme {
            Scheme::SysV(_) | Scheme::OpenRc(_) => format!("{}/{name}", self.script_dir),
            Scheme::Rcs(Rcs { usual, .. }) => self.numbered(Kind::Start, usual, name),
            Scheme::Hooks(Hooks { prefix, .. }) => format!("{}/{prefix}{name}", self.script_dir),
        }
    }

    /// The path of the init script of a service as it is installed; `None` when there is none.
    #[must_use]
    pub fn script_in(&self, installed: &Installed, name: &str) -> Option<String> {
        self.scripts_in(installed, name).into_iter().next()
    }

    /// The path of a script without a number.
    fn plain_script(&self, name: &str) -> String {
        match self.scheme {
            Scheme::Rcs(_) => format!("{}/{name}", self.script_dir),
            Scheme::SysV(_) | Scheme::OpenRc(_) | Scheme::Hooks(_) => self.script(name),
        }
    }

    /// The same, and all others that a service has where scripts have numbers: only a human can have made a second one.
    #[must_use]
    pub fn scripts_in(&self, installed: &Installed, name: &str) -> Vec<String> {
        if !installed.has_script(name) {
            return Vec::new();
        }
        let own = || installed.links().filter(|link| &*link.name == name).map(|link| self.link(&link));
        let found = match self.scheme {
            Scheme::SysV(_) | Scheme::OpenRc(_) | Scheme::Hooks(_) => Vec::new(),
            Scheme::Rcs(_) => own().collect(),
        };
        if found.is_empty() { vec![self.plain_script(name)] } else { found }
    }

    /// Whether a path is that of a script of this service, whatever number it has.
    #[must_use]
    pub fn is_script_of(&self, path: &str, name: &str) -> bool {
        let file = path.strip_prefix(self.script_dir).and_then(|file| file.strip_prefix('/'));
        file.and_then(|file| self.script_name(file)).is_some_and(|(service, _)| service == name)
    }

    /// The path of a script with a number in its name.
    #[must_use]
    pub fn numbered(&self, kind: Kind, number: u8, name: &str) -> String {
        let sequence = Sequence::clamped(number);
        self.link(&Link { runlevel: Runlevel::S, kind, sequence, name: name.into() })
    }

    /// The service that a file in the directory of scripts belongs to, and what rcS makes of its name. `None` for what
    /// is never a script.
    #[must_use]
    pub fn script_name<'a>(&self, file: &'a str) -> Option<(&'a str, Option<Link>)> {
        match self.scheme {
            Scheme::SysV(_) => Some((file, None)),
            Scheme::Rcs(Rcs { not_scripts, .. }) | Scheme::OpenRc(OpenRc { not_scripts, .. })
                if not_scripts.contains(&file) =>
            {
                None
            }
            Scheme::OpenRc(_) => Some((file, None)),
            Scheme::Hooks(hooks) if hooks.is_no_script(file) => None,
            Scheme::Hooks(hooks) => file.strip_prefix(hooks.prefix).map(|name| (name, None)),
            Scheme::Rcs(_) => match Link::parse(Runlevel::S, file).filter(|link| !link.name.is_empty()) {
                Some(link) => Some((&file[3..], Some(link))),
                None => Some((file, None)),
            },
        }
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

    /// The file that tells which links of others a service has moved, in layouts where others are moved.
    #[must_use]
    pub fn moved_file(&self, name: &str) -> Option<String> {
        let moves = matches!(self.scheme, Scheme::SysV(SysV { numbers: Numbers::Chkconfig(_), .. }));
        moves.then(|| format!("{}/{name}.moved", self.service_dir))
    }

    /// The directory with the links of a runlevel; that of the scripts where these have numbers themselves.
    #[must_use]
    pub fn runlevel_dir(&self, level: Runlevel) -> String {
        match self.scheme {
            Scheme::SysV(SysV { boot_dir: Some(boot), .. }) if level == Runlevel::S => boot.to_owned(),
            Scheme::SysV(SysV { link_dir, .. }) => link_dir.replace('@', &level.to_string()),
            Scheme::Rcs(_) | Scheme::OpenRc(_) | Scheme::Hooks(_) => self.script_dir.to_owned(),
        }
    }

    /// Runlevels in the letters of the layout, without anything between them.
    #[must_use]
    pub fn letters(&self, levels: Runlevels) -> String {
        let boot = if self.dialect == Dialect::Suse { 'B' } else { Runlevel::S.letter() };
        let letter = |level: Runlevel| if level == Runlevel::S { boot } else { level.letter() };
        levels.iter().map(letter).collect()
    }

    /// The runlevels whose directories have names with numbers; S where scripts have numbers themselves.
    #[must_use]
    pub fn levels(&self) -> &'static [Runlevel] {
        match self.scheme {
            Scheme::SysV(_) | Scheme::OpenRc(_) | Scheme::Hooks(_) => self.runlevels,
            Scheme::Rcs(_) => &[Runlevel::S],
        }
    }

    /// The path of a link.
    #[must_use]
    pub fn link(&self, link: &Link) -> String {
        format!("{}/{link}", self.runlevel_dir(link.runlevel))
    }

    /// The text of a link to the script of a service.
    #[must_use]
    pub fn target(&self, name: &str) -> String {
        match self.scheme {
            Scheme::SysV(SysV { link_text, .. }) => format!("{link_text}{name}"),
            Scheme::Rcs(_) | Scheme::Hooks(_) => name.to_owned(),
            Scheme::OpenRc(OpenRc { link_text, .. }) => format!("{link_text}{name}"),
        }
    }

    /// Whether what is started has numbers, or a place that can be counted.
    #[must_use]
    pub fn has_numbers(&self) -> bool {
        !matches!(self.scheme, Scheme::OpenRc(_))
    }

    /// Whether insserv orders scripts, be it Debian's or SUSE's.
    #[must_use]
    pub fn has_insserv(&self) -> bool {
        let numbers = [Numbers::Insserv, Numbers::Suse];
        matches!(self.scheme, Scheme::SysV(sysv) if numbers.contains(&sysv.numbers))
    }

    /// Whether all that can be said of numbers is said by Debian's insserv; elsewhere they are read from the links.
    #[must_use]
    pub fn has_insserv_order(&self) -> bool {
        matches!(self.scheme, Scheme::SysV(SysV { numbers: Numbers::Insserv, .. }))
    }
}
