//! foobarctl under the name `insserv`: takes insserv 1.24's options and does what it would do. This file lists.

mod messages;
mod options;
mod places;
mod run;

pub use run::run;
