//! What the conditions of a service ask, answered by this machine, which is not changed by it. Whether they let it start is decided
//! by the library.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use foobar_initscripts::execute::{Facts, Verdict, Virtualization, judge, matches};
use foobar_initscripts::service::{Condition, Word as _};

use crate::sys::mount;

/// What the conditions say.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It may start.
    Hold,
    /// It is not started, and that is no failure.
    Skip(String),
    /// It is not started, and that is one.
    Fail(String),
}

/// Looks at all of them.
pub fn check(conditions: &[Condition]) -> Outcome {
    let told = |kind: &str, condition: &Condition| {
        format!("{kind}-{} = {:?} does not hold", condition.test.word(), condition.to_string())
    };
    match judge(conditions, &Here) {
        Verdict::Start => Outcome::Hold,
        Verdict::Skip(condition) => Outcome::Skip(told("condition", condition)),
        Verdict::Fail(condition) => Outcome::Fail(told("assert", condition)),
    }
}

/// This machine.
#[derive(Debug)]
struct Here;

/// Files that container managers put into their containers.
const OF_CONTAINERS: [&str; 3] = ["/run/systemd/container", "/.dockerenv", "/run/.containerenv"];

/// Makers of machines that are none; systemd-detect-virt(1) looks at the same place.
const VENDORS: [&str; 7] = ["QEMU", "KVM", "VMware", "innotek", "Xen", "Bochs", "Amazon EC2"];

impl Facts for Here {
    fn exists(&self, path: &str) -> bool {
        Path::new(path).exists()
    }

    fn glob(&self, pattern: &str) -> bool {
        let parts: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty()).collect();
        is_there(Path::new("/"), &parts)
    }

    fn is_directory(&self, path: &str) -> bool {
        Path::new(path).is_dir()
    }

    fn is_symbolic_link(&self, path: &str) -> bool {
        Path::new(path).is_symlink()
    }

    fn is_mount_point(&self, path: &str) -> bool {
        let Ok(real) = fs::canonicalize(path) else { return false };
        let Ok(mounts) = fs::read_to_string("/proc/self/mountinfo") else { return false };
        // proc(5): the fifth field is the mount point, with blanks and the like in octal.
        mounts.lines().filter_map(|line| line.split(' ').nth(4)).any(|field| plain(field) == real)
    }

    fn is_read_write(&self, path: &str) -> bool {
        mount::is_read_only(Path::new(path)).is_ok_and(|is_read_only| !is_read_only)
    }

    fn directory_not_empty(&self, path: &str) -> bool {
        fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some())
    }

    fn file_not_empty(&self, path: &str) -> bool {
        fs::metadata(path).is_ok_and(|facts| facts.is_file() && facts.len() > 0)
    }

    fn file_is_executable(&self, path: &str) -> bool {
        fs::metadata(path).is_ok_and(|facts| facts.is_file() && facts.mode() & 0o111 != 0)
    }

    fn kernel_command_line(&self) -> String {
        fs::read_to_string("/proc/cmdline").unwrap_or_default()
    }

    fn virtualization(&self) -> Virtualization {
        let environment = fs::read("/proc/1/environ").unwrap_or_default();
        let is_told = environment.split(|byte| *byte == 0).any(|row| row.starts_with(b"container="));
        if is_told || OF_CONTAINERS.iter().any(|path| Path::new(path).exists()) {
            return Virtualization::Container;
        }
        let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let flags = processors.lines().find(|line| line.starts_with("flags"));
        let vendor = fs::read_to_string("/sys/class/dmi/id/sys_vendor").unwrap_or_default();
        let is_virtual = flags.is_some_and(|line| line.split(' ').any(|flag| flag == "hypervisor"))
            || VENDORS.iter().any(|known| vendor.starts_with(known))
            || Path::new("/sys/hypervisor/type").exists();
        if is_virtual { Virtualization::Machine } else { Virtualization::None }
    }

    fn has_capability(&self, number: usize) -> bool {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let set = status.lines().find_map(|line| line.strip_prefix("CapBnd:"));
        let set = set.and_then(|text| u64::from_str_radix(text.trim(), 16).ok()).unwrap_or(0);
        number < 64 && set & (1 << number) != 0
    }

    fn host_name(&self) -> String {
        fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim_end().to_owned()
    }
}

/// Whether some path below `directory` has names that match the patterns, one each.
fn is_there(directory: &Path, patterns: &[&str]) -> bool {
    let [pattern, rest @ ..] = patterns else { return directory.exists() };
    if !pattern.contains(['*', '?', '[', '\\']) {
        return is_there(&directory.join(pattern), rest);
    }
    let Ok(entries) = fs::read_dir(directory) else { return false };
    entries.flatten().any(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        // As in a shell, names with a dot first want that named.
        let may_match = !name.starts_with('.') || pattern.starts_with('.');
        may_match && matches(pattern, &name) && (rest.is_empty() || is_there(&entry.path(), rest))
    })
}

/// A field of mountinfo without its octal escapes.
fn plain(field: &str) -> PathBuf {
    let mut out = String::new();
    let mut rest = field;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let code = after.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match code.filter(u8::is_ascii) {
            Some(code) => {
                out.push(char::from(code));
                rest = &after[3..];
            }
            None => {
                out.push('\\');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    PathBuf::from(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_answers() {
        let sandbox = foobar_tests::Sandbox::new("conditions");
        let top = sandbox.path();
        let at = |name: &str| top.join(name).to_str().unwrap().to_owned();
        fs::create_dir_all(top.join("full/x.d")).unwrap();
        fs::create_dir(top.join("empty")).unwrap();
        fs::write(top.join("full/x.d/file"), "x").unwrap();
        fs::write(top.join("nothing"), "").unwrap();
        std::os::unix::fs::symlink("full", top.join("link")).unwrap();
        for (found, wanted) in [
            (Here.exists(&at("full")), true),
            (Here.exists(&at("none")), false),
            (Here.glob(&at("f*/?.d/file")), true),
            (Here.glob(&at("f*/?.e/file")), false),
            (Here.glob(&at("*/none")), false),
            (Here.is_directory(&at("link")), true),
            (Here.is_symbolic_link(&at("link")), true),
            (Here.is_symbolic_link(&at("full")), false),
            (Here.is_mount_point("/proc"), true),
            (Here.is_mount_point(&at("full")), false),
            (Here.is_read_write(&at("full")), true),
            (Here.is_read_write("/no/such"), false),
            (Here.directory_not_empty(&at("full")), true),
            (Here.directory_not_empty(&at("empty")), false),
            (Here.file_not_empty(&at("full/x.d/file")), true),
            (Here.file_not_empty(&at("nothing")), false),
            (Here.file_is_executable("/bin/sh"), true),
            (Here.file_is_executable(&at("nothing")), false),
        ] {
            assert_eq!(found, wanted);
        }
        assert!(!Here.host_name().is_empty() && !Here.kernel_command_line().is_empty());
        assert!(!Here.has_capability(63));
    }

    #[test]
    fn mount_points_with_blanks_are_read() {
        assert_eq!(plain("/a\\040b\\134c"), Path::new("/a b\\c"));
        assert_eq!(plain("/a\\9"), Path::new("/a\\9"));
    }
}
