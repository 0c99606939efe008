//! From one generation of a running server to the next: a configuration and the sockets it names, built in
//! full before anything of the old one is let go. Serving by it is the business of the stage.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::address::Address;
use crate::config::{self, Config, ModelName, Server, ServiceName, Source};
use crate::exit::{Exit, Failure};
use crate::handler::{Handler, Services};
use crate::listener::Listener;
use crate::log::Log;
use crate::service::exec::Exec;

/// A configuration in force with its listening sockets.
pub struct Generation {
    /// 1 for the one the server was started with.
    pub number: u64,
    /// What the file said.
    pub config: Config,
    /// Its servers, in that order.
    pub servers: Vec<Serving>,
}

/// A server that is ready to be served.
#[derive(Clone)]
pub struct Serving {
    /// What the file said about it.
    pub server: Arc<Server>,
    /// Its service.
    pub handler: Arc<dyn Handler>,
    /// One for each address of `server.listen`, in that order.
    pub listeners: Vec<Arc<Listener>>,
}

/// What came of the wish to reload.
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
                write!(f, "configuration reloaded: generation {}, {}", next.number, next.summary())
            }
            Reload::Refused(reason) => write!(f, "reload refused, the old configuration stays: {reason}"),
        }
    }
}

impl Generation {
    /// The first generation.
    ///
    /// # Errors
    /// A service that cannot be, an address that cannot be bound.
    pub fn first(config: Config, services: Services<'_>) -> Result<Generation, Failure> {
        let servers = serve(&config, outside(&config), services, &[])?;
        Ok(Generation { number: 1, config, servers })
    }

    /// All listening sockets.
    pub fn listeners(&self) -> impl Iterator<Item = &Arc<Listener>> {
        self.servers.iter().flat_map(|serving| &serving.listeners)
    }

    /// Models and addresses, for the log.
    #[must_use]
    pub fn summary(&self) -> String {
        let one = |serving: &Serving| {
            let addresses: Vec<String> = serving.listeners.iter().map(ToString::to_string).collect();
            let name =
                if self.servers.len() > 1 { format!("{}: ", serving.server.name) } else { String::new() };
            format!("{name}model {}, listening on {}", serving.server.model, addresses.join(", "))
        };
        self.servers.iter().map(one).collect::<Vec<_>>().join("; ")
    }
}

/// Reads the configuration again and builds the generation after `current`. Addresses that stay keep their
/// sockets, and with them the connections that wait there; new ones are bound; the log is opened anew if it
/// moved. Nothing has changed if any of that fails.
#[must_use]
pub fn next(source: &Source, services: Services<'_>, current: &Generation, log: &Log) -> Reload {
    let config = match config::load(source) {
        Ok(config) => config,
        Err(error) => {
            let inside =
                current.config.chroot.as_ref().map(|root| format!("; paths are below {}", root.display()));
            return Reload::Refused(format!("{error}{}", inside.unwrap_or_default()));
        }
    };
    let old: Vec<Arc<Listener>> = current.listeners().cloned().collect();
    // A running server is in its root directory already.
    let servers = match serve(&config, Path::new("/"), services, &old) {
        Ok(servers) => servers,
        Err(failure) => return Reload::Refused(failure.reason),
    };
    if let Err(reason) = log.follow(&config) {
        return Reload::Refused(reason);
    }
    let mut remarks = config.remarks();
    for key in config.needs_restart(&current.config) {
        remarks.push(format!("{key} was changed: it takes effect at the next restart"));
    }
    Reload::Applied(Box::new(Generation { number: current.number + 1, config, servers }), remarks)
}

fn serve(
    config: &Config,
    root: &Path,
    services: Services<'_>,
    old: &[Arc<Listener>],
) -> Result<Vec<Serving>, Failure> {
    // The backlog of a socket that stays is changed last, when nothing can fail any more.
    let servers = config
        .servers
        .iter()
        .map(|server| {
            let handler = service(server, root, services)?;
            let listeners =
                server.listen.iter().map(|address| door(server, address, old)).collect::<Result<_, _>>()?;
            Ok(Serving { server: Arc::new(server.clone()), handler, listeners })
        })
        .collect::<Result<Vec<Serving>, Failure>>()?;
    for serving in &servers {
        for listener in &serving.listeners {
            let backlog = serving.server.sockets.backlog;
            listener.set_backlog(backlog).map_err(|error| refused(listener.address(), &error))?;
        }
    }
    Ok(servers)
}

/// Where the root directory of a server is, seen from a process that has not gone there yet.
pub fn outside(config: &Config) -> &Path {
    config.chroot.as_deref().unwrap_or(Path::new("/"))
}

/// The service of `server`, if it can serve all of its addresses by its model. Its paths are below `root`.
///
/// # Errors
/// Exit code 6.
pub fn service(server: &Server, root: &Path, services: Services<'_>) -> Result<Arc<dyn Handler>, Failure> {
    let refused =
        |reason: String| Failure::new(Exit::NotConfigured, format_args!("server {}: {reason}", server.name));
    if let Some(program) = server.program.as_ref().filter(|_| server.service == ServiceName::Exec) {
        let below = program.strip_prefix("/").map_or_else(|_| program.clone(), |path| root.join(path));
        Exec::check(&below).map_err(refused)?;
    }
    let handler = services(server).map_err(refused)?;
    if let Some(address) = server.listen.iter().find(|address| address.is_datagram()) {
        if !handler.takes_datagrams() {
            return Err(refused(format!(
                "the service knows no datagrams: listen on TCP instead of {address}"
            )));
        }
    }
    if server.model == ModelName::Event && !handler.has_sessions() {
        return Err(refused("the service has no form for model event: write prefork or threads".to_owned()));
    }
    Ok(handler)
}

fn door(server: &Server, address: &Address, old: &[Arc<Listener>]) -> Result<Arc<Listener>, Failure> {
    if let Some(kept) = old.iter().find(|listener| listener.fits(address, &server.sockets)) {
        return Ok(Arc::clone(kept));
    }
    if old.iter().any(|listener| listener.address() == address) {
        let text =
            format_args!("{address} cannot change its socket options while it is served: restart the daemon");
        return Err(Failure::new(Exit::Error, text));
    }
    Listener::bind(address, &server.sockets).map(Arc::new).map_err(|error| refused(address, &error))
}

fn refused(address: &Address, error: &std::io::Error) -> Failure {
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
