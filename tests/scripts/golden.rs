//! Generated texts beside the ones that were read and approved. `UPDATE_GOLDEN=1` writes them anew.

use std::path::PathBuf;

use foobar_initscripts::layout::ALL;
use foobar_initscripts::script::{Caller, Style, render};

use crate::foobar;

/// Compares with tests/golden/`path`.
///
/// # Panics
/// At the first line that differs.
pub fn compare(path: &str, text: &str) {
    let file = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/golden")).join(path);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, text).unwrap();
        return;
    }
    let approved = std::fs::read_to_string(&file).unwrap_or_default();
    for (number, (have, want)) in text.lines().zip(approved.lines()).enumerate() {
        assert_eq!(have, want, "{}:{}", file.display(), number + 1);
    }
    assert_eq!(text, approved, "{}: one of them is longer", file.display());
}

/// A plan without the sizes of files, which change with every word in these.
pub fn without_sizes(plan: &str) -> String {
    let line = |line: &str| match (line.rsplit_once(", "), line.ends_with(" bytes)")) {
        (Some((head, _)), true) => format!("{head})\n"),
        _ => format!("{line}\n"),
    };
    plan.lines().map(line).collect()
}

#[test]
fn scripts_of_the_reference_service() {
    for layout in ALL {
        for (style, file) in [(Style::Thin, "foobar.sh"), (Style::Standalone, "foobar-standalone.sh")] {
            let text = render(&foobar(), layout, style, &Caller::of(layout)).unwrap();
            compare(&format!("{}/{file}", layout.name), &text);
        }
    }
}
