//! Reads the sources of the workspace; the one place of the house test that touches the disk.

use std::fs;
use std::path::{Path, PathBuf};

/// One source file.
pub struct Source {
    /// Relative to the top of the workspace.
    pub path: String,
    /// The whole text.
    pub text: String,
}

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The text of a file named relative to the top of the workspace.
pub fn text(path: &str) -> String {
    fs::read_to_string(top().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every Rust file of the workspace, in order of its path.
pub fn rust_sources() -> Vec<Source> {
    let mut found = Vec::new();
    for folder in ["daemon", "initscripts", "ctl", "tests"] {
        walk(&top(), Path::new(folder), &mut found);
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn walk(top: &Path, folder: &Path, found: &mut Vec<Source>) {
    let entries =
        fs::read_dir(top.join(folder)).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let entry = entry.expect("a readable directory");
        let path = folder.join(entry.file_name());
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = entry.file_type().expect("a file type");
        if kind.is_dir() && !name.starts_with('.') && name != "target" {
            walk(top, &path, found);
        } else if name.ends_with(".rs") {
            let path = path.to_string_lossy().into_owned();
            found.push(Source { text: text(&path), path });
        }
    }
}
