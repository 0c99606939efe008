//! Scripts as files: what they are, who may write them, and whether insserv and init take them at all.

use super::finding::{Finding, Report};
use super::rules::files as rules;
use super::tree::{Script, What};
use crate::name;

/// The rest of the directory of scripts, which insserv passes over with good reason.
fn is_no_script(name: &str) -> bool {
    name.starts_with('.') || matches!(name, "rc" | "rcS") || name.starts_with("README")
}

/// Checks a file among the scripts. `trusted` is the user beside root who may own it: 0, or the one whose prefix it is.
#[must_use]
pub fn check(script: &Script, is_linked: bool, trusted: u32) -> Vec<Finding> {
    let Script { name, file, what, symlink, text, .. } = script;
    let mut report = Report::new(name, file);
    if is_no_script(name) {
        return report.found;
    }
    let (mode, owner) = match what {
        What::File { mode, owner } => (*mode, *owner),
        What::Directory => return report.found,
        What::Unreadable(why) => {
            report.add(&rules::UNREADABLE, 1, format!("cannot be read: {why}"));
            return report.found;
        }
        What::Other => {
            let leads = symlink.as_ref().map(|text| format!(": the link leads to {text}"));
            let message = format!("is not a regular file{}", leads.unwrap_or_default());
            report.add(&rules::NOT_A_FILE, 1, message);
            return report.found;
        }
    };
    let looks_like_one = text.starts_with(b"#!");
    if (owner != 0 && owner != trusted) || mode & 0o022 != 0 {
        let message = if mode & 0o022 != 0 {
            format!("others can write it (mode {mode:04o})")
        } else {
            format!("belongs to user {owner}, who can write it")
        };
        report.add(&rules::WRITABLE, 1, message);
    }
    if mode & 0o100 == 0 {
        if is_linked || looks_like_one {
            report.add(&rules::NOT_EXECUTABLE, 1, format!("cannot be executed (mode {mode:04o})"));
        }
    } else if mode & 0o022 == 0 && mode != 0o755 {
        report.add(&rules::MODE_UNUSUAL, 1, format!("the mode is {mode:04o}"));
    }
    if let Some(target) = symlink.as_ref().filter(|target| !target.contains('/')) {
        report.add(&rules::ALIAS_SKIPPED, 1, format!("is a symbolic link to {target}, without a directory"));
    } else if name::is_skipped(name) && mode & 0o100 != 0 && (looks_like_one || is_linked) {
        report.add(&rules::NAME_SKIPPED, 1, format!("insserv passes over the name {name}"));
    }
    report.found
}
