//! What a start works out before a program is executed, as pure functions: the texts of environment files, variables in
//! arguments, conditions. Nothing is read or asked here.

mod condition;
mod environment_file;
mod expand;
mod pattern;

pub use condition::{Facts, Verdict, Virtualization, judge};
pub use environment_file::{Ignored, parse as parse_environment};
pub use expand::{Expanded, expand};
pub use pattern::matches;
