//! From one generation of a running server to the next: a configuration and the sockets it names, built in
//! full before anything of the old one is let go. Serving by it is the business of the stage.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;

use crate::config::{self, Config, Trust};
use crate::exit::{Exit, Failure};
use crate::listener::Listener;
use crate::log::Log;

/// Where configurations come from: the same file, believed under the same rule, for the life of the server.
#[derive(Debug, Clone)]
pub struct Source {
    /// The file, as an absolute path.
    pub file: PathBuf,
    /// Decided at start: after a drop of privileges the process no longer looks like root's.
    pub trust: Trust,
}

/// A configuration in force with its listening sockets.
#[derive(Debug)]
pub struct Generation {
    /// 1 for the one the server was started with.
    pub number: u64,
    /// What the file said.
    pub config: Config,
    /// One for each address of `config.listen`, in that order.
    pub listeners: Vec<Rc<Listener>>,
}

/// What came of the wish to reload.
#[derive(Debug)]
pub enum Reload {
    /// The next generation, and what is worth a word about it.
    Applied(Box<Generation>, Vec<String>),
    /// All is as it was, for this reason.
    Refused(String),
}

impl fmt::Display for Reload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reload::Applied(next, _) => {
                let addresses: Vec<String> = next.listeners.iter().map(ToString::to_string).collect();
                write!(
                    f,
                    "configuration reloaded: generation {}, model {}, listening on {}",
                    next.number,
                    next.config.model,
                    addresses.join(", ")
                )
            }
            Reload::Refused(reason) => write!(f, "reload refused, the old configuration stays: {reason}"),
        }
    }
}

impl Generation {
    /// The first generation.
    ///
    /// # Errors
    /// An address that cannot be bound.
    pub fn first(config: Config) -> Result<Generation, Failure> {
        let listeners = bind(&config, &[])?;
        Ok(Generation { number: 1, config, listeners })
    }
}

/// Reads the configuration again and builds the generation after `current`. Addresses that stay keep their
/// sockets, and with them the connections that wait there; new ones are bound; the log is opened anew if it
/// moved. Nothing has changed if any of that fails.
#[must_use]
pub fn next(source: &Source, current: &Generation, log: &Log) -> Reload {
    let config = match config::load(&source.file, source.trust) {
        Ok(config) => config,
        Err(error) => return Reload::Refused(error.to_string()),
    };
    let listeners = match bind(&config, &current.listeners) {
        Ok(listeners) => listeners,
        Err(failure) => return Reload::Refused(failure.reason),
    };
    if let Err(reason) = log.follow(&config) {
        return Reload::Refused(reason);
    }
    let mut remarks = config.remarks();
    for key in config.needs_restart(&current.config) {
        remarks.push(format!("{key} was changed: it takes effect at the next restart"));
    }
    Reload::Applied(Box::new(Generation { number: current.number + 1, config, listeners }), remarks)
}

fn bind(config: &Config, old: &[Rc<Listener>]) -> Result<Vec<Rc<Listener>>, Failure> {
    let one = |address: &SocketAddr| match old.iter().find(|listener| listener.address() == *address) {
        Some(kept) => {
            kept.set_backlog(config.backlog).map_err(|error| refused(*address, &error))?;
            Ok(Rc::clone(kept))
        }
        None => {
            Listener::bind(*address, config.backlog).map(Rc::new).map_err(|error| refused(*address, &error))
        }
    };
    config.listen.iter().map(one).collect()
}

fn refused(address: SocketAddr, error: &std::io::Error) -> Failure {
    let remedy = match error.kind() {
        std::io::ErrorKind::AddrInUse => "stop the program that listens there, or choose another port",
        std::io::ErrorKind::PermissionDenied => {
            "ports below 1024 are root's: start as root or choose another"
        }
        std::io::ErrorKind::AddrNotAvailable => "no interface has this address: choose one that exists",
        _ => "choose another address",
    };
    Failure::new(Exit::of(error), format_args!("cannot listen on {address}: {error}: {remedy}"))
}
