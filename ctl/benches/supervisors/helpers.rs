//! Peers that are unpacked and not installed. s6-svc starts helpers by the paths that its package gives them, below /usr/bin, and gives
//! them no LD_LIBRARY_PATH: the bench runs itself again in a mount namespace of its own, where all of the package is seen below /usr.
//! Nothing is installed, and nobody else sees it.

use std::convert::Infallible;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

/// Where its package puts it.
const INSTALLED: &str = "/usr/bin/s6-svc";
/// That this has been done.
const MARK: &str = "FOOBAR_BENCH_SHOWN";
/// Over the directory lies one with what both have.
const SHOW: &str = "mount -t overlay -o \"lowerdir=$1:/usr\" none /usr || \
                    echo 'its start and stop are left out: no overlay can be mounted' >&2; shift; exec \"$@\"";

/// Runs the bench again where the helpers of `s6-svc` are seen, if they are not.
pub fn show(s6_svc: Option<&Path>) {
    // Above `bin`, where libraries lie as well.
    let Some(directory) = s6_svc.and_then(Path::parent).and_then(Path::parent) else { return };
    if Path::new(INSTALLED).exists() || std::env::var_os(MARK).is_some() {
        return;
    }
    let why = match Command::new("unshare").args(["--mount", "true"]).output() {
        Ok(output) if output.status.success() => {
            let Err(error) = again(directory);
            error.to_string()
        }
        Ok(output) => String::from_utf8_lossy(&output.stderr).trim_end().to_owned(),
        Err(error) => error.to_string(),
    };
    eprintln!("s6's start and stop are left out: its helpers cannot be shown below /usr: {why}");
}

fn again(directory: &Path) -> io::Result<Infallible> {
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", SHOW, "sh"]).arg(directory).arg(std::env::current_exe()?);
    command.args(std::env::args_os().skip(1)).env(MARK, "1");
    Err(command.exec())
}
