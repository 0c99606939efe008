//! What a plan is made from: the wish, and what is there. No step is thought of here.

use std::collections::{BTreeMap, BTreeSet};

use crate::inittab;
use crate::installed::Installed;
use crate::layout::Layout;
use crate::layout::facts::Scheme;
use crate::name::{Runlevels, ServiceName};
use crate::order::OrderError;
use crate::script::{Caller, ScriptError, Style};
use crate::service::Service;
use crate::step::{Before, checksum};

/// What is at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A directory, or a symbolic link to one.
    Directory,
    /// A regular file.
    File {
        /// Its permission bits.
        mode: u32,
        /// All of it.
        text: Vec<u8>,
    },
    /// Something else, such as a symbolic link to a file.
    Other,
}

impl Found {
    /// What a step that replaces or removes it expects.
    pub(super) fn before(&self) -> Before {
        match self {
            Found::File { text, .. } => Before::File(checksum(text)),
            Found::Directory | Found::Other => Before::Link,
        }
    }
}

/// What a root contains at the paths of [`watched`]; a path where nothing is, is not in it.
pub type Existing = BTreeMap<String, Found>;

/// The paths of a root that a plan for the service `name` depends on, beside scripts and links. `more`
/// are the paths of the extras and leftovers that will be asked for.
#[must_use]
pub fn watched(layout: &Layout, installed: &Installed, name: &ServiceName, more: &[&str]) -> Vec<String> {
    let mut files = vec![layout.script(name.as_str()), layout.service_file(name.as_str())];
    files.extend(layout.scripts_in(installed, name.as_str()));
    files.push(inittab::PATH.to_owned());
    files.extend(layout.moved_file(name.as_str()));
    if let Scheme::OpenRc(openrc) = layout.scheme {
        files.extend(openrc.links(name.as_str()));
        files.push(layout.defaults_file(name.as_str()));
    }
    if let Scheme::Hooks(hooks) = layout.scheme {
        files.extend(hooks.files().map(str::to_owned));
    }
    files.extend(more.iter().map(|path| (*path).to_owned()));
    if let Some(depend) = &layout.depend {
        files.extend([depend.boot, depend.start, depend.stop, depend.conf].map(str::to_owned));
        files.extend(depend.halt.map(str::to_owned));
    }
    let mut paths: BTreeSet<String> = files.iter().flat_map(|path| ancestors(path)).collect();
    for directory in directories(layout) {
        paths.extend(ancestors(&directory));
        paths.insert(directory);
    }
    paths.extend(files);
    paths.into_iter().collect()
}

/// The directories that must be there for a service to run.
pub(super) fn directories(layout: &Layout) -> Vec<String> {
    let fixed = [layout.script_dir, layout.service_dir, layout.pid_dir, layout.log_dir].map(str::to_owned);
    let has_settings = matches!(layout.scheme, Scheme::OpenRc(_));
    fixed
        .into_iter()
        .chain(layout.lock_dir.map(str::to_owned))
        .chain(has_settings.then(|| layout.defaults_dir.to_owned()))
        .chain(layout.runlevels.iter().map(|level| layout.runlevel_dir(*level)))
        .collect()
}

/// The directories above a path, the highest first, without the root.
pub(super) fn ancestors(path: &str) -> Vec<String> {
    path.char_indices().filter(|(at, c)| *c == '/' && *at > 0).map(|(at, _)| path[..at].to_owned()).collect()
}

/// A file that comes with a service, such as its program's configuration: written if nothing is there,
/// never changed after that. `#` must open a comment in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extra {
    /// Its path as the root sees it.
    pub path: String,
    /// Its permission bits.
    pub mode: u32,
    /// All of it.
    pub text: String,
}

/// The wish to install a service.
#[derive(Debug)]
pub struct Install<'a> {
    /// The service.
    pub service: &'a Service,
    /// Its service file, which [`crate::description::parse`] reads as `service`. None: it is there and stays.
    pub service_file: Option<&'a str>,
    /// What comes with it.
    pub extras: &'a [Extra],
    /// The kind of init script.
    pub style: Style,
    /// How the init script calls foobarctl.
    pub caller: &'a Caller,
    /// Give the service the runlevels of `service` even if it has links already, which would be kept.
    pub set_runlevels: bool,
    /// Replace what an administrator has changed by hand.
    pub force: bool,
}

/// The wish to uninstall a service.
#[derive(Debug)]
pub struct Uninstall<'a> {
    /// The service.
    pub name: &'a ServiceName,
    /// Paths of what came with it: removed if nobody has changed it since, or with `purge`.
    pub extras: &'a [&'a str],
    /// Paths that its program or foobarctl left behind: removed if they are there, a directory if it is
    /// empty.
    pub leftovers: &'a [&'a str],
    /// Remove what an administrator has changed by hand, too.
    pub purge: bool,
    /// Remove an init script that foobarctl has not written.
    pub force: bool,
}

/// The wish to enable or disable a service.
#[derive(Debug)]
pub struct Toggle<'a> {
    /// The service, which needs not be ours.
    pub name: &'a ServiceName,
    /// In these runlevels; none: in those that its header has for starting.
    pub runlevels: Option<Runlevels>,
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The init script cannot be written.
    #[error(transparent)]
    Script(#[from] ScriptError),
    /// The scripts of the root cannot be put into an order.
    #[error(transparent)]
    Order(#[from] OrderError),
    /// An init script of this name that somebody else has written.
    #[error("{path} was not written by foobarctl: remove it with what brought it, or use --force")]
    NotOurs {
        /// The script.
        path: String,
    },
    /// There is no script to enable or disable.
    #[error("{path} does not exist: install the service first")]
    NoScript {
        /// Where it would be.
        path: String,
    },
    /// Nothing says which runlevels are meant.
    #[error("{path} names no runlevels to start in: name them with --runlevels")]
    NoRunlevels {
        /// The script.
        path: String,
    },
    /// The layout has no such runlevels.
    #[error("the layout {layout} has no runlevel {runlevels}: name others with --runlevels")]
    NotALevel {
        /// Those that it does not have.
        runlevels: Runlevels,
        /// Its name.
        layout: &'static str,
    },
    /// The layout has no runlevels at all.
    #[error("the layout {layout} has no runlevels, every service starts at boot: leave --runlevels out")]
    WithoutLevels {
        /// Its name.
        layout: &'static str,
    },
    /// The layout starts the same services in all its runlevels.
    #[error(
        "the layout {layout} has no services of single runlevels, {file} is run in all of 2345: leave --runlevels out"
    )]
    OneForAll {
        /// Its name.
        layout: &'static str,
        /// What starts services.
        file: &'static str,
    },
    /// A script that is none of a service.
    #[error("{path} is a part of {layout} itself and no service: give the service another name")]
    Reserved {
        /// The script.
        path: String,
        /// The name of the layout.
        layout: &'static str,
    },
    /// A service has two scripts.
    #[error("{paths} are scripts of one service: remove one of them")]
    Several {
        /// Their paths.
        paths: String,
    },
    /// There is nothing to turn from start to kill or back.
    #[error(
        "{name} has no links in runlevels {runlevels}: install it first, or name others with --runlevels"
    )]
    NoLinks {
        /// The service.
        name: String,
        /// The runlevels that were looked at.
        runlevels: Runlevels,
    },
    /// init has no table to put an entry into.
    #[error("{path} {why}, so init cannot be told to run the service: install it without --respawn")]
    NoTable {
        /// The file.
        path: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The program would put itself into the background, and init would start one after the other.
    #[error(
        "nothing says how the program of {name} stays in the foreground: name that option as \
         foreground-arguments in its service file"
    )]
    NoForeground {
        /// The service.
        name: String,
    },
    /// The supervisor starts it again already.
    #[error("the supervisor keeps {name} running: install it without --respawn")]
    Supervised {
        /// The service.
        name: String,
    },
    /// init does not take such a long command.
    #[error(
        "init takes commands of up to {most} bytes, and this is longer: {process}: shorten its arguments"
    )]
    LongProcess {
        /// The command.
        process: String,
        /// How long it may be.
        most: usize,
    },
    /// All ids are taken.
    #[error("{path} has no id left for another entry: remove some")]
    NoId {
        /// The file.
        path: &'static str,
    },
    /// Somebody has an entry of his own.
    #[error("{path}, line {line}, starts {program} already: remove that line first")]
    Stranger {
        /// The file.
        path: &'static str,
        /// Which line of it.
        line: usize,
        /// What it starts.
        program: String,
    },
}
