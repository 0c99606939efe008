//! The one table of the keys of a service file, by topic. The parser, its error messages, the writer, help and manual
//! all go through it. What a value may be is said in `service`.

mod condition;
mod distance;
mod execution;
mod find;
mod key;
mod lifecycle;
mod limits;
mod logging;
mod order;
mod program;
mod read;
mod readiness;
mod sockets;
mod table;
mod write;

pub use find::{find, nearest};
pub use key::{Field, Key};
pub use sockets::SOCKET_KEYS;
pub use table::{TOPICS, Topic, all};

pub(crate) use read::{Fault, Item};
pub(crate) use write::basic_string;
