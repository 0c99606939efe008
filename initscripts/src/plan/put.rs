//! One file of ours beside what is there: written, kept because an administrator has had a hand in it, or
//! removed.

use super::request::{Existing, Found};
use crate::seal::{self, Origin};
use crate::step::{Before, Plan, Step};

/// Writes a file of ours unless it is there already or an administrator has had a hand in it. Says
/// whether the file will have this text.
pub(super) fn put(
    path: &str,
    mode: u32,
    text: String,
    existing: &Existing,
    force: bool,
    plan: &mut Plan,
) -> bool {
    let before = existing.get(path).map_or(Before::Absent, Found::before);
    let kept = match existing.get(path) {
        None => None,
        Some(Found::File { mode: there, text: old }) => {
            let runnable = mode & 0o100 == 0 || there & 0o100 != 0;
            match seal::origin(old) {
                _ if *old == text.as_bytes() && runnable => return true,
                Origin::Ours if runnable => None,
                Origin::Ours => Some("is not executable"),
                Origin::Edited => Some("was changed by hand"),
                Origin::Foreign => Some("was not written by foobarctl"),
            }
        }
        Some(Found::Directory | Found::Other) => Some("is no regular file"),
    };
    match kept {
        Some(why) if !force => {
            plan.notes.push(format!("{path} {why} and is kept: --force replaces it"));
            false
        }
        _ => {
            plan.steps.push(Step::Write { path: path.to_owned(), mode, text, before });
            true
        }
    }
}

/// Writes a file that is there for an administrator to change: as soon as he has, it is his, and nothing is said of it.
pub(super) fn offer(path: &str, text: String, existing: &Existing, plan: &mut Plan) {
    let before = match existing.get(path) {
        None => Before::Absent,
        Some(found @ Found::File { text: old, .. })
            if *old != text.as_bytes() && seal::origin(old) == Origin::Ours =>
        {
            found.before()
        }
        Some(_) => return,
    };
    plan.steps.push(Step::Write { path: path.to_owned(), mode: 0o644, text, before });
}

/// Whether somebody else wrote it.
pub(super) fn is_foreign(found: &Found) -> bool {
    match found {
        Found::File { text, .. } => seal::origin(text) == Origin::Foreign,
        Found::Directory | Found::Other => true,
    }
}

/// Whether it is not as we have written it.
pub(super) fn is_kept(found: &Found) -> bool {
    match found {
        Found::File { text, .. } => seal::origin(text) != Origin::Ours,
        Found::Directory | Found::Other => true,
    }
}

/// Removes a file, or notes why it is kept.
pub(super) fn drop_file(path: &str, whatever: bool, existing: &Existing, plan: &mut Plan) {
    match existing.get(path) {
        None => {}
        Some(Found::Directory) => plan.notes.push(format!("{path} is a directory and is kept")),
        Some(found) if is_kept(found) && !whatever => {
            plan.notes.push(format!("{path} was written or changed by hand and is kept: --purge removes it"));
        }
        Some(found) => plan.steps.push(Step::Remove { path: path.to_owned(), before: found.before() }),
    }
}
