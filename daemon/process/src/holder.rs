//! Who holds a lock on a file, in the words of the kernel: F_GETLK (fcntl(2)) and /proc/locks (proc(5)).

use std::fs::File;
use std::io::{self, Read as _, Seek as _};
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
    let mut list = File::open("/proc/locks")?;
    for look in 0..LOOKS {
        let (text, whole) = read(&mut list, LONGEST_PIECE - look * SHORTER)?;
        let found = flock_in(&text, metadata.dev(), metadata.ino());
        if found.is_some() || whole {
            return Ok(found.map(Holder::Flock));
        }
    }
    Ok(None)
}

/// How often a list that came in pieces is read before a lock that is not in it is believed not to be held.
const LOOKS: usize = 16;

/// A page, which is what the kernel tells at once.
const LONGEST_PIECE: usize = 4096;

/// By so much the pieces of a look are shorter than those of the one before: some lines, so that a lock that stands at the border of two
/// pieces, where it can be left out, stands amid one in the next look.
const SHORTER: usize = 211;

/// The list from its beginning, in pieces of `most` bytes, and whether it is of one moment. A piece is; from one to the next the kernel goes
/// on by counting, so that it leaves out a lock when one before it is dropped meanwhile, and may find no second piece any more. Half a
/// piece had no second one. What is in the list is held in any case.
fn read(list: &mut File, most: usize) -> io::Result<(String, bool)> {
    list.rewind()?;
    let mut text = Vec::new();
    let mut piece = [0; LONGEST_PIECE];
    loop {
        match list.read(&mut piece[..most]) {
            Ok(0) => return Ok((String::from_utf8_lossy(&text).into_owned(), text.len() <= most / 2)),
            Ok(length) => text.extend_from_slice(&piece[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
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
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

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

    #[test]
    fn a_lock_is_seen_however_many_others_come_and_go() {
        let sandbox = foobar_tests::Sandbox::new("holder-crowd");
        let create = |name: String| File::create(sandbox.path().join(name)).unwrap();
        let lasting: Vec<File> = (0..200).map(|number| create(format!("lasting-{number}"))).collect();
        let create = &create;
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            for number in 0..2 {
                let done = &done;
                scope.spawn(move || {
                    while !done.load(Ordering::Relaxed) {
                        // Not ours for a moment when the program of another test is being started, which has a copy.
                        let _ = crate::lock::try_exclusive(&create(format!("passing-{number}"))).unwrap();
                    }
                });
            }
            for file in &lasting {
                assert!(crate::lock::try_exclusive(file).unwrap());
            }
            let unseen = (0..4).flat_map(|_| &lasting).filter(|file| of(file).unwrap().is_none()).count();
            done.store(true, Ordering::Relaxed);
            assert_eq!(unseen, 0);
        });
    }
}
