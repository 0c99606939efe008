//! The order of scripts: insserv's algorithm, from what is installed and a wanted change to links and
//! startpar's `.depend.*` files. Equal to insserv 1.24.0 byte for byte; in near-linear time.

mod arrangement;
mod change;
mod cycle;
mod dangling;
mod depend;
mod error;
mod facilities;
mod graph;
mod headers;
mod links;
mod lists;
mod outline;
mod passed;
mod read;
mod refuse;
mod scripts;
mod trace;
mod walk;

pub use arrangement::{Arrangement, arrange};
pub use change::{Action, Argument, Change};
pub use dangling::{dangling, dangling_before};
pub use error::{OrderError, Warning};
pub use outline::{Cause, Edge, Node, Outline, Place, outline};
