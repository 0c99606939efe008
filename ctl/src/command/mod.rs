//! The verbs, one or one family a file. This file lists.

pub mod cat;
pub mod change;
pub mod check;
pub mod completions;
pub mod compose;
pub mod done;
pub mod edit;
pub mod enable;
pub mod figures;
pub mod foreign;
pub mod foretell;
pub mod graph;
pub mod help;
pub mod install;
pub mod lifecycle;
pub mod list;
pub mod logs;
pub mod man;
pub mod status;
pub mod supervised;
pub mod uninstall;
pub mod upgrade;
pub mod why;
