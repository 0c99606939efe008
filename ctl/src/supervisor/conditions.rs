//! Whether the conditions of a service hold, systemd.unit(5), "Conditions and Asserts". It looks at the machine and changes nothing.

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::Path;

use foobar_initscripts::service::{CAPABILITIES, Condition, Test, Word as _};

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

/// Looks at all of them. Of those with `|` one must hold, of the others all.
pub fn check(conditions: &[Condition]) -> Outcome {
    for asserts in [true, false] {
        let told = |condition: &Condition| {
            let (key, bang) = (condition.test.word(), if condition.negate { "!" } else { "" });
            let kind = if asserts { "assert" } else { "condition" };
            let text = format!("{kind}-{key} = \"{bang}{}\" does not hold", condition.argument);
            if asserts { Outcome::Fail(text) } else { Outcome::Skip(text) }
        };
        let of_kind = || conditions.iter().filter(|condition| condition.assert == asserts);
        if let Some(broken) = of_kind().find(|condition| !condition.trigger && !holds(condition)) {
            return told(broken);
        }
        let mut triggers = of_kind().filter(|condition| condition.trigger).peekable();
        let last = of_kind().rfind(|condition| condition.trigger);
        if let Some(last) = last.filter(|_| triggers.peek().is_some() && !triggers.any(holds)) {
            return told(last);
        }
    }
    Outcome::Hold
}

fn holds(condition: &Condition) -> bool {
    is_so(condition.test, &condition.argument) != condition.negate
}

fn is_so(test: Test, argument: &str) -> bool {
    let path = Path::new(argument);
    let there = || fs::metadata(path).ok();
    match test {
        Test::PathExists => there().is_some(),
        Test::PathExistsGlob => exists_glob(Path::new("/"), argument.trim_start_matches('/')),
        Test::PathIsDirectory => there().is_some_and(|it| it.is_dir()),
        Test::PathIsSymbolicLink => fs::symlink_metadata(path).is_ok_and(|it| it.file_type().is_symlink()),
        Test::PathIsMountPoint => is_mount_point(path),
        Test::PathIsReadWrite => is_writable(path),
        Test::DirectoryNotEmpty => fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some()),
        Test::FileNotEmpty => there().is_some_and(|it| it.is_file() && it.len() > 0),
        Test::FileIsExecutable => there().is_some_and(|it| it.is_file() && it.mode() & 0o111 != 0),
        Test::KernelCommandLine => {
            let line = fs::read_to_string("/proc/cmdline").unwrap_or_default();
            let assigned = format!("{argument}=");
            line.split_ascii_whitespace().any(|word| word == argument || word.starts_with(&assigned))
        }
        Test::Virtualization => match argument {
            "vm" => is_virtual_machine(),
            "container" => is_container(),
            "yes" | "true" | "1" => is_virtual_machine() || is_container(),
            _ => !is_virtual_machine() && !is_container(),
        },
        Test::Capability => has_capability(argument),
        Test::Host => {
            let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
            matches(argument, name.trim_end())
        }
    }
}

/// Another file system than that of the directory above, or the top of all.
fn is_mount_point(path: &Path) -> bool {
    let Ok(there) = fs::metadata(path) else { return false };
    let above = path.parent().map(fs::metadata);
    match above {
        None => true,
        Some(above) => above.is_ok_and(|above| {
            above.dev() != there.dev() || (above.ino() == there.ino() && above.dev() == there.dev())
        }),
    }
}

/// By the options of the mount that holds the path: field 6 of /proc/self/mountinfo, and those of the file system.
fn is_writable(path: &Path) -> bool {
    let Ok(path) = path.canonicalize() else { return false };
    let text = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let row = |line: &str| {
        let (left, right) = line.split_once(" - ")?;
        let mut fields = left.split(' ').skip(4);
        let (point, options) = (fields.next()?.replace("\\040", " "), fields.next()?);
        let of_system = right.split(' ').nth(2).unwrap_or_default();
        let is_read_only = |options: &str| options.split(',').any(|option| option == "ro");
        let writable = !is_read_only(options) && !is_read_only(of_system);
        path.starts_with(&point).then_some((point.len(), writable))
    };
    // The longest, and of several at one place the last, which lies above the others.
    text.lines().filter_map(row).max_by_key(|row| row.0).is_some_and(|row| row.1)
}

fn is_virtual_machine() -> bool {
    let flags = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let mut lines = flags.lines().filter(|line| line.starts_with("flags"));
    lines.next().is_some_and(|line| line.split_ascii_whitespace().any(|flag| flag == "hypervisor"))
        || fs::read_dir("/sys/bus/xen/devices").is_ok_and(|mut devices| devices.next().is_some())
}

fn is_container() -> bool {
    let said = fs::read("/proc/1/environ").unwrap_or_default();
    said.split(|byte| *byte == 0).any(|entry| entry.starts_with(b"container="))
        || ["/run/.containerenv", "/.dockerenv", "/run/systemd/container"]
            .iter()
            .any(|mark| Path::new(mark).exists())
}

fn has_capability(name: &str) -> bool {
    let bare = name.strip_prefix("CAP_").unwrap_or(name);
    let Some(number) = CAPABILITIES.iter().position(|known| *known == bare) else { return false };
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("CapBnd:"));
    let set = line.and_then(|text| u64::from_str_radix(text.trim(), 16).ok()).unwrap_or(0);
    set & (1 << number) != 0
}

/// Whether anything below `directory` matches the pattern, component by component, as glob(7) does it: a name with a dot first
/// only by a pattern with one.
fn exists_glob(directory: &Path, pattern: &str) -> bool {
    let (first, rest) = pattern.split_once('/').map_or((pattern, None), |(first, rest)| (first, Some(rest)));
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            matches(first, &name) && (!name.starts_with('.') || first.starts_with('.'))
        })
        .any(|entry| match rest {
            None => true,
            Some(rest) => {
                !entry.file_type().is_ok_and(|kind| kind.is_socket()) && exists_glob(&entry.path(), rest)
            }
        })
}

/// `*`, `?` and `[...]` of glob(7).
fn matches(pattern: &str, text: &str) -> bool {
    let mut pattern_chars = pattern.chars();
    let Some(first) = pattern_chars.next() else { return text.is_empty() };
    let rest = pattern_chars.as_str();
    let mut text_chars = text.chars();
    match first {
        '*' => {
            let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            ends.into_iter().any(|at| matches(rest, &text[at..]))
        }
        '?' => text_chars.next().is_some() && matches(rest, text_chars.as_str()),
        '[' => match (rest.split_once(']'), text_chars.next()) {
            (Some((set, after)), Some(c)) => is_in(set, c) && matches(after, text_chars.as_str()),
            _ => false,
        },
        c => text_chars.next() == Some(c) && matches(rest, text_chars.as_str()),
    }
}

/// Single characters and ranges; `!` first turns it round.
fn is_in(set: &str, c: char) -> bool {
    let (negated, set) = set.strip_prefix('!').map_or((false, set), |set| (true, set));
    let chars: Vec<char> = set.chars().collect();
    let range = |at: usize| chars.get(at + 1) == Some(&'-') && at + 2 < chars.len();
    let found =
        (0..chars.len()).any(|at| chars[at] == c || (range(at) && (chars[at]..=chars[at + 2]).contains(&c)));
    found != negated
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(test: Test, argument: &str) -> Condition {
        Condition { test, argument: argument.to_owned(), negate: false, trigger: false, assert: false }
    }

    #[test]
    fn each_test_looks_at_what_it_names() {
        let sandbox = foobar_tests::Sandbox::new("conditions");
        let path = |name: &str| sandbox.path().join(name).display().to_string();
        fs::create_dir(path("empty")).unwrap();
        fs::write(path("full"), "x").unwrap();
        fs::write(path("blank"), "").unwrap();
        std::os::unix::fs::symlink(path("full"), path("link")).unwrap();
        for (test, argument, wanted) in [
            (Test::PathExists, path("full"), true),
            (Test::PathExists, path("none"), false),
            (Test::PathExistsGlob, path("f[a-u]l?"), true),
            (Test::PathExistsGlob, path("*/x"), false),
            (Test::PathIsDirectory, path("empty"), true),
            (Test::PathIsDirectory, path("full"), false),
            (Test::PathIsSymbolicLink, path("link"), true),
            (Test::PathIsSymbolicLink, path("full"), false),
            (Test::PathIsMountPoint, "/proc".to_owned(), true),
            (Test::PathIsMountPoint, path("empty"), false),
            (Test::PathIsReadWrite, path("empty"), true),
            (Test::DirectoryNotEmpty, path("empty"), false),
            (Test::DirectoryNotEmpty, path(""), true),
            (Test::FileNotEmpty, path("full"), true),
            (Test::FileNotEmpty, path("blank"), false),
            (Test::FileIsExecutable, "/bin/sh".to_owned(), true),
            (Test::FileIsExecutable, path("full"), false),
            (Test::Host, "*".to_owned(), true),
            (Test::KernelCommandLine, "nobody-says-this".to_owned(), false),
        ] {
            assert_eq!(is_so(test, &argument), wanted, "{test:?} {argument}");
        }
    }

    #[test]
    fn all_must_hold_and_one_of_those_with_a_bar() {
        let yes = condition(Test::PathExists, "/");
        let no = condition(Test::PathExists, "/nonexistent");
        let bar = |it: &Condition| Condition { trigger: true, ..it.clone() };
        let assert = |it: &Condition| Condition { assert: true, ..it.clone() };
        let not = |it: &Condition| Condition { negate: true, ..it.clone() };
        assert_eq!(check(&[]), Outcome::Hold);
        assert_eq!(check(&[yes.clone(), not(&no), bar(&no), bar(&yes), assert(&yes)]), Outcome::Hold);
        let text = "condition-path-exists = \"/nonexistent\" does not hold";
        assert_eq!(check(&[yes.clone(), no.clone()]), Outcome::Skip(text.to_owned()));
        assert!(matches!(check(&[yes.clone(), bar(&no)]), Outcome::Skip(_)));
        assert!(matches!(check(&[no.clone(), assert(&no)]), Outcome::Fail(_)));
        assert!(matches!(check(&[not(&yes)]), Outcome::Skip(text) if text.contains("\"!/\"")));
    }
}
