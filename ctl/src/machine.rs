//! What this machine is: which init runs as PID 1, and who we are on it. It changes nothing.

use std::fs;
use std::path::Path;

use foobar_process::{Gid, Uid};

/// The init that runs as PID 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Init {
    /// sysvinit, or one that runs the links of a runlevel as it does.
    Sysv,
    /// busybox, which runs an rcS.
    Busybox,
    /// Something else, by its name.
    Other(String),
}

/// Finds out what PID 1 is. An ordinary user may not see its executable; then its name must do.
pub fn init() -> Init {
    // systemd calls itself "init" where it is linked so; this directory is sd_booted(3)'s way to know.
    if Path::new("/run/systemd/system").is_dir() {
        return Init::Other("systemd".to_owned());
    }
    let executable = fs::read_link("/proc/1/exe").ok();
    let by_path =
        executable.as_deref().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    let by_name = || fs::read_to_string("/proc/1/comm").ok().map(|name| name.trim_end().to_owned());
    match by_path.or_else(by_name) {
        Some(name) if name == "init" => Init::Sysv,
        Some(name) if name == "busybox" => Init::Busybox,
        Some(name) => Init::Other(name),
        None => Init::Other("unknown".to_owned()),
    }
}

/// Whether we may change the machine: whether the effective user is root.
pub fn is_root() -> bool {
    Uid::effective().is_root()
}

/// The user whose rights we have.
pub fn user() -> u32 {
    Uid::effective().as_raw()
}

/// Whether `user` is the one whose rights we have.
pub fn is_user(user: u32) -> bool {
    self::user() == user
}

/// Whether we run with somebody else's rights, because the executable is set-user-id or set-group-id. Then
/// nothing that the caller controls may be trusted, and foobarctl is not made for that.
pub fn is_set_user_id() -> bool {
    Uid::current() != Uid::effective() || Gid::current() != Gid::effective()
}
