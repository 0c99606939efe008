//! What this machine must offer before a system can be booted in it, and its cgroups. Nothing here
//! knows the booted system.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Capabilities that nothing inside has: they reach the clock, the disks, the modules, the log and the
/// security policy of the machine that runs the tests. What is left is what boot scripts need.
pub(super) const DROPPED: &str =
    "-sys_time,-sys_module,-sys_rawio,-mknod,-syslog,-wake_alarm,-audit_control,-mac_admin";

/// Why no system can be booted here; `None` if it can.
pub(super) fn obstacle() -> Option<String> {
    // The owner of /proc/self is the effective user.
    if fs::metadata("/proc/self").map_or(true, |own| own.uid() != 0) {
        return Some("booting a system in namespaces needs root".to_owned());
    }
    for tool in ["apt-get", "script", "unshare", "nsenter", "setpriv", "pivot_root", "ip"] {
        if !in_path(tool) {
            return Some(format!("the command {tool} is missing"));
        }
    }
    let unshared = Command::new("unshare")
        .args([
            "--fork", "--pid", "--mount", "--uts", "--ipc", "--net", "mount", "-t", "tmpfs", "none", "/mnt",
        ])
        .stdin(Stdio::null())
        .output();
    match unshared {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(format!("no namespaces: {}", String::from_utf8_lossy(&output.stderr).trim())),
        Err(error) => Some(format!("unshare does not start: {error}")),
    }
}

/// The Debian suite to boot: that of this machine, or the one named by `FOOBAR_TESTBED_SUITE`.
pub(super) fn suite() -> String {
    if let Ok(suite) = std::env::var("FOOBAR_TESTBED_SUITE") {
        return suite;
    }
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let named = release.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    named.unwrap_or("bookworm").trim_matches('"').to_owned()
}

/// Where a cgroup of that name is or would be, if this machine has the second version of them mounted.
pub(super) fn cgroup(name: &str) -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/mounts").ok()?;
    let mounted = mounts.lines().find_map(|line| {
        let mut words = line.split(' ');
        let point = words.nth(1)?;
        (words.next()? == "cgroup2").then_some(point)
    })?;
    Some(Path::new(mounted).join(name))
}

/// Makes a cgroup, if this machine lets us.
pub(super) fn make_cgroup(name: &str) -> Option<PathBuf> {
    cgroup(name).filter(|path| fs::create_dir(path).is_ok())
}

/// Kills what is left in a cgroup and removes it; true when it is gone.
pub(super) fn remove_cgroup(path: &Path) -> bool {
    // Missing before Linux 5.14; there the end of PID 1 has killed everything already.
    let _ = fs::write(path.join("cgroup.kill"), "1");
    remove_empty(path);
    !path.exists()
}

fn remove_empty(path: &Path) {
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_empty(&entry.path());
        }
    }
    let _ = fs::remove_dir(path);
}

/// Start time of a process in clock ticks after boot (proc(5), field 22 of stat); `None` when it is dead.
pub(super) fn start_ticks(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    let state = fields.next()?;
    if matches!(state, "Z" | "X") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

fn in_path(tool: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let extra = [PathBuf::from("/usr/sbin"), PathBuf::from("/sbin")];
    std::env::split_paths(&path).chain(extra).any(|dir| dir.join(tool).exists())
}
