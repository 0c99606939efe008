//! Whether a start is to be: the conditions and asserts of a service against what is known of the machine.

use crate::service::{CAPABILITIES, Condition, Test};

use super::pattern::matches;

/// What kind of machine this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Virtualization {
    /// Hardware of its own.
    None,
    /// A virtual machine.
    Machine,
    /// A container.
    Container,
}

/// What conditions ask of the machine. A path that cannot be looked at is one that is not there.
pub trait Facts {
    /// Whether something is at the path, links followed.
    fn exists(&self, path: &str) -> bool;
    /// Whether something matches the pattern.
    fn glob(&self, pattern: &str) -> bool;
    /// Whether it is a directory.
    fn is_directory(&self, path: &str) -> bool;
    /// Whether it is a symbolic link.
    fn is_symbolic_link(&self, path: &str) -> bool;
    /// Whether something is mounted on it.
    fn is_mount_point(&self, path: &str) -> bool;
    /// Whether its file system can be written.
    fn is_read_write(&self, path: &str) -> bool;
    /// Whether it is a directory with something in it.
    fn directory_not_empty(&self, path: &str) -> bool;
    /// Whether it is a file of more than 0 bytes.
    fn file_not_empty(&self, path: &str) -> bool;
    /// Whether it is a file that can be executed.
    fn file_is_executable(&self, path: &str) -> bool;
    /// The kernel's command line.
    fn kernel_command_line(&self) -> String;
    /// What kind of machine it is.
    fn virtualization(&self) -> Virtualization;
    /// Whether the capability with this number is in the bounding set.
    fn has_capability(&self, number: usize) -> bool;
    /// The name of the host.
    fn host_name(&self) -> String;
}

/// What conditions say to a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// It is to be.
    Start,
    /// It is not to be, which is no failure; for this reason.
    Skip(&'a Condition),
    /// It fails, for this reason.
    Fail(&'a Condition),
}

/// The verdict of all conditions. Asserts are looked at only when the conditions let the start be, as systemd does.
pub fn judge<'a>(conditions: &'a [Condition], facts: &impl Facts) -> Verdict<'a> {
    if let Some(reason) = unmet(conditions, false, facts) {
        return Verdict::Skip(reason);
    }
    unmet(conditions, true, facts).map_or(Verdict::Start, Verdict::Fail)
}

/// The condition that stands in the way: one without `|` that does not hold, or the last of those with it when none does.
fn unmet<'a>(conditions: &'a [Condition], assert: bool, facts: &impl Facts) -> Option<&'a Condition> {
    let mut trigger = None;
    let mut triggered = false;
    for condition in conditions.iter().filter(|condition| condition.assert == assert) {
        if condition.trigger {
            trigger = Some(condition);
            triggered = triggered || holds(condition, facts);
        } else if !holds(condition, facts) {
            return Some(condition);
        }
    }
    trigger.filter(|_| !triggered)
}

fn holds(condition: &Condition, facts: &impl Facts) -> bool {
    let argument = condition.argument.as_str();
    let found = match condition.test {
        Test::PathExists => facts.exists(argument),
        Test::PathExistsGlob => facts.glob(argument),
        Test::PathIsDirectory => facts.is_directory(argument),
        Test::PathIsSymbolicLink => facts.is_symbolic_link(argument),
        Test::PathIsMountPoint => facts.is_mount_point(argument),
        Test::PathIsReadWrite => facts.is_read_write(argument),
        Test::DirectoryNotEmpty => facts.directory_not_empty(argument),
        Test::FileNotEmpty => facts.file_not_empty(argument),
        Test::FileIsExecutable => facts.file_is_executable(argument),
        Test::KernelCommandLine => on_command_line(&facts.kernel_command_line(), argument),
        Test::Virtualization => is_virtual(facts.virtualization(), argument),
        Test::Capability => {
            let bare = argument.strip_prefix("CAP_").unwrap_or(argument);
            CAPABILITIES
                .iter()
                .position(|known| *known == bare)
                .is_some_and(|number| facts.has_capability(number))
        }
        Test::Host => matches(argument, &facts.host_name()),
    };
    found != condition.negate
}

/// A word alone is also met by an assignment to it; an assignment must be there as it is.
fn on_command_line(line: &str, wanted: &str) -> bool {
    line.split_whitespace().any(|word| {
        word == wanted
            || (!wanted.contains('=') && word.split_once('=').is_some_and(|(name, _)| name == wanted))
    })
}

fn is_virtual(found: Virtualization, wanted: &str) -> bool {
    match wanted {
        "yes" => found != Virtualization::None,
        "no" => found == Virtualization::None,
        "vm" => found == Virtualization::Machine,
        "container" => found == Virtualization::Container,
        _ => false,
    }
}
