//! Configuration: TOML text to a checked [`Config`]. What is done with it is no matter of these files.

mod fault;
mod keys;
mod load;
mod nearest;
mod network;
mod place;
mod read;
mod rules;
mod settings;
mod value;

pub use fault::{ConfigError, Fault};
pub use keys::{KEYS, Key};
pub use load::{Source, Trust, load, parse};
pub(crate) use load::{text, understand};
pub use network::Network;
pub use settings::Settings;
pub use value::{Config, LogTarget, ModelName, PoolRules, Server, ServiceName};
