//! The file by which the rc of some layouts knows that a service was started: it stops nothing that has none. Kept
//! where its directory is, which `install` makes; elsewhere nothing is done and no time is spent.

use std::ffi::OsStr;
use std::io;
use std::path::Path;

use foobar_initscripts::layout::facts::Scheme;
use foobar_initscripts::layout::{ALL, Layout};
use foobar_initscripts::name::ServiceName;

use crate::context::Context;
use crate::machine;
use crate::root::{Scope, is_missing};

/// Makes the file of a service that runs. One that cannot be made is told: the service would not be stopped in time
/// when the machine goes down.
pub fn remember(context: &Context, name: &ServiceName) {
    // Whoever may not start it may ask whether it runs.
    if context.root.scope() == Scope::Machine && !machine::is_root() {
        return;
    }
    let made = directory(context).map_or(Ok(()), |path| {
        let dir = context.root.directory(Path::new(path))?;
        match dir.create(OsStr::new(name.as_str()), 0o644, b"") {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        }
    });
    if let Err(error) = made {
        context.output.warn(format_args!(
            "cannot make {}: {error}; rc will not stop {name} when this machine goes down",
            shown(context, name)
        ));
    }
}

/// Removes the file of a service that does not run.
pub fn forget(context: &Context, name: &ServiceName) {
    let removed = directory(context)
        .map_or(Ok(false), |path| context.root.directory(Path::new(path))?.remove(OsStr::new(name.as_str())));
    match removed {
        Err(error) if !is_missing(&error) => {
            let file = shown(context, name);
            context.output.warn(format_args!("cannot remove {file}: {error}; remove it by hand"));
        }
        _ => {}
    }
}

/// Whether the service was started and nobody has stopped it.
pub fn is_there(context: &Context, name: &ServiceName) -> bool {
    let file = directory(context).map(|path| format!("{path}/{name}"));
    file.is_some_and(|file| matches!(context.root.facts(Path::new(&file)), Ok(Some(_))))
}

/// The file, for messages.
pub fn shown(context: &Context, name: &ServiceName) -> String {
    let directory = directory(context).unwrap_or_default();
    context.root.outside(&Path::new(directory).join(name.as_str())).display().to_string()
}

/// The directory, where the layout of this tree has one.
fn directory(context: &Context) -> Option<&'static str> {
    let is_there = |path: &str| context.root.directory(Path::new(path)).is_ok();
    // Most machines have none of them, and need not be looked at any further.
    ALL.iter().copied().filter_map(memory).find(|path| is_there(path))?;
    memory(context.layout().ok()?)
}

/// Where the init of a layout looks for what was started.
fn memory(layout: &'static Layout) -> Option<&'static str> {
    match layout.scheme {
        Scheme::OpenRc(openrc) => Some(openrc.started_dir),
        Scheme::SysV(_) | Scheme::Rcs(_) | Scheme::Hooks(_) => layout.lock_dir,
    }
}
