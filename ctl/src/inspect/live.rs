//! What only a running machine can tell: PID files, programs, and what a script answers when it is asked.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use foobar_initscripts::check::finding::Finding;
use foobar_initscripts::check::tree::Script;
use foobar_initscripts::check::{script, state};
use foobar_initscripts::service::Service;
use foobar_process::Pid;
use foobar_process::identity::Process;
use foobar_process::probe::State;

use crate::control::look;
use crate::inspect::tree::show;
use crate::launch::{self, First};
use crate::machine;
use crate::root::{Root, Scope};
use crate::sys::dir::Kind;

/// How long a script may take to say whether its service runs.
const PATIENCE: Duration = Duration::from_secs(10);

/// Checks the PID file of a service of ours. Its proof is asked as well, so a number that was given to another
/// process is stale too.
pub fn pid_file_of(root: &Root, service: &Service) -> Vec<Finding> {
    let dead = match look::look(service) {
        Ok(State::Dead { pid }) => Some(pid.as_raw()),
        _ => None,
    };
    pid_file(root, service.name.as_str(), Path::new(service.controlling_pid_file()), |pid| {
        dead != Some(pid) && runs(pid)
    })
}

/// Checks the PID files that a script of others names.
pub fn pid_files(root: &Root, script: &Script) -> Vec<Finding> {
    let named = state::pid_files(&script.text);
    named.iter().flat_map(|(path, _)| pid_file(root, &script.name, Path::new(path), runs)).collect()
}

fn pid_file(root: &Root, name: &str, path: &Path, runs: impl Fn(i32) -> bool) -> Vec<Finding> {
    // Below a prefix the path is the machine's, and files outside of the prefix are not ours to judge.
    let inside = match root.scope() {
        Scope::Prefix => path.strip_prefix(root.base()).map(|below| Path::new("/").join(below)).ok(),
        Scope::Machine | Scope::Offline => Some(path.to_owned()),
    };
    // One that cannot be read says nothing; status will.
    let read = inside.and_then(|inside| Some((root.read(&inside).ok().flatten()?, inside)));
    let Some(((content, facts), inside)) = read else { return Vec::new() };
    state::pid_file(name, &show(root, &inside), &content, facts.mode, runs)
}

fn runs(pid: i32) -> bool {
    // What cannot be looked at is there.
    Process::open(Pid::from_raw(pid))
        .map_or(true, |process| process.is_some_and(|process| process.is_alive()))
}

/// Whether a program is there and can be executed.
pub fn has_program(root: &Root, path: &str) -> bool {
    let path = Path::new(path);
    if root.scope() == Scope::Prefix {
        return path.metadata().is_ok_and(|facts| facts.is_file() && facts.mode() & 0o111 != 0);
    }
    let facts = root.place(path).and_then(|place| place.dir.facts(&place.name));
    matches!(facts, Ok(Some(facts)) if facts.kind == Kind::File && facts.mode & 0o111 != 0)
}

/// Runs `SCRIPT status`. Whether that is safe is said by [`reason_not_to_ask`].
///
/// # Errors
/// When it cannot be run.
pub fn ask(script: &Script) -> io::Result<Option<Finding>> {
    let (first, said) = launch::ask(Path::new(&script.file), "status", Instant::now() + PATIENCE)?;
    Ok(match first {
        First::Ended(status) => state::answer(&script.name, &script.file, status.code(), &said),
        First::TooLate => Some(state::no_answer(&script.name, &script.file)),
    })
}

/// Why a script is not asked; none when it is safe to.
pub fn reason_not_to_ask(root: &Root, script: &Script) -> Option<String> {
    if !script.is_eligible() {
        return Some("it is not a script that init would run".to_owned());
    }
    if !script::has_status(&script.text) {
        return Some("its text does not have the action status, so it might do anything".to_owned());
    }
    let real = match Path::new(&script.file).canonicalize() {
        Ok(real) => real,
        Err(error) => return Some(error.to_string()),
    };
    let ours = |owner: u32| owner == 0 || (root.scope() == Scope::Prefix && machine::is_user(owner));
    let unsafe_part = real.ancestors().find(|part| {
        // A sticky directory such as /tmp lets nobody replace what is not his.
        part.metadata().map_or(true, |facts| {
            let sticky = facts.is_dir() && facts.mode() & 0o1000 != 0;
            !ours(facts.uid()) || (facts.mode() & 0o022 != 0 && !sticky)
        })
    });
    unsafe_part.map(|part| format!("others than root can write {}", part.display()))
}
