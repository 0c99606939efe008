//! Who holds a lock on a file, in the words of the kernel: F_GETLK (fcntl(2)) and /proc/locks (proc(5)).

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;

use nix::sys::stat::{major, minor};
use nix::unistd::Pid;

use crate::sys;

/// The holder of a write lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Holder {
    /// By fcntl: it dies with the process and is not inherited, so the number is the process.
    Record(Pid),
    /// By flock: taken by this process, which may have ended while a child keeps it.
    Flock(Pid),
}

/// The holder of a write lock on `file`, record locks first.
pub(crate) fn of(file: &File) -> io::Result<Option<Holder>> {
    if let Some(pid) = sys::record_lock_holder(file)? {
        return Ok(Some(Holder::Record(Pid::from_raw(pid))));
    }
    let metadata = file.metadata()?;
    let mut text = String::new();
    File::open("/proc/locks")?.read_to_string(&mut text)?;
    Ok(flock_in(&text, metadata.dev(), metadata.ino()).map(Holder::Flock))
}

/// Looks for `7: FLOCK  ADVISORY  WRITE 4007 00:19:1234 0 EOF` of that inode. Lines of waiters (`7: -> FLOCK`) do not
/// count, and a process outside our PID namespace is shown as 0, which is then what we say.
fn flock_in(text: &str, device: u64, inode: u64) -> Option<Pid> {
    let place = format!("{:02x}:{:02x}:{inode}", major(device), minor(device));
    text.lines().find_map(|line| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let found = fields.next() == Some("FLOCK")
            && fields.next() == Some("ADVISORY")
            && fields.next() == Some("WRITE");
        let pid = fields.next()?;
        (found && fields.next() == Some(place.as_str())).then_some(())?;
        pid.parse().ok().map(Pid::from_raw)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_the_inode_is_found() {
        let text = "1: POSIX  ADVISORY  WRITE 11 08:01:77 0 EOF\n\
                    2: FLOCK  ADVISORY  READ 12 08:01:77 0 EOF\n\
                    3: FLOCK  ADVISORY  WRITE 13 08:02:77 0 EOF\n\
                    3: -> FLOCK  ADVISORY  WRITE 14 08:01:77 0 EOF\n\
                    4: FLOCK  ADVISORY  WRITE 15 08:01:777 0 EOF\n\
                    5: FLOCK  ADVISORY  WRITE 16 08:01:77 0 EOF\n";
        let device = nix::sys::stat::makedev(8, 1);
        assert_eq!(flock_in(text, device, 77), Some(Pid::from_raw(16)));
        assert_eq!(flock_in(text, device, 78), None);
        assert_eq!(flock_in("", device, 77), None);
    }

    #[test]
    fn the_kernel_names_us() {
        let sandbox = foobar_tests::Sandbox::new("holder");
        let file = File::create_new(sandbox.path().join("file")).unwrap();
        assert_eq!(of(&file).unwrap(), None);
        assert!(crate::lock::try_exclusive(&file).unwrap());
        assert_eq!(of(&file).unwrap(), Some(Holder::Flock(Pid::this())));
    }
}
