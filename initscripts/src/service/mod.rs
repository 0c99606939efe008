//! A service as plain values, and what each value may be. Text of it is read and written by `description` with the
//! table in `keys`; these files know no TOML and no script.

mod amount;
mod capability;
mod command;
mod condition;
mod definition;
mod directory;
mod environment;
mod execution;
mod exits;
mod kind;
mod logging;
mod readiness;
mod resource;
mod restart;
mod schedule;
mod signal;
mod socket;
mod span;
mod stop;
mod text;
mod words;

pub use amount::Amount;
pub use capability::{CAPABILITIES, CapabilitySet};
pub use command::{Command, Commands};
pub use condition::{Condition, Test};
pub use definition::{Service, WrongTogether, start_levels};
pub use directory::{Directories, Managed, Preserve};
pub use environment::{EnvironmentFile, Variable};
pub use execution::{Execution, WorkingDirectory};
pub use exits::{EXIT_NAMES, ExitSet};
pub use kind::Kind;
pub use logging::{Facility, Level, Logging, Output};
pub use readiness::{Health, HttpProbe, NotifyAccess, Probe, Readiness, StatusRange, Watchdog};
pub use resource::{Limit, Limits, Resource};
pub use restart::{Restart, When};
pub use schedule::{CpuPolicy, IoClass};
pub use signal::{SIGNALS, SignalName};
pub use socket::{Listen, Socket, SocketKind};
pub use span::{FOREVER, LONGEST_TIMEOUT, span as time_span};
pub use stop::{Confinement, Mode, StopMode};
pub use text::{BadValue, absolute_path, argument, facility, one_line};
pub use words::Word;

pub(crate) use self::{
    command::command,
    condition::condition,
    directory::managed_name,
    environment::{environment_file, is_name as is_variable_name, variable},
    execution::{account, working_directory},
    logging::ident,
    readiness::{http_probe, tcp_probe, unix_probe},
    span::{age, pause, render as render_span, span, timeout},
    text::directory,
};
