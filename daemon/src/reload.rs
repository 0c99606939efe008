//! From one generation of a running server to the next: a configuration and the sockets it names, built in
//! full before anything of the old one is let go. Serving by it is the business of the stage.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::address::Address;
use crate::config::{self, Config, ModelName, Server, ServiceName, Source};
use crate::exit::{Exit, Failure};
use crate::handler::{Handler, Services};
use crate::inherit::Inheritance;
use crate::listener::Listener;
use crate::log::Log;
use crate::metrics::{self, Page};
use crate::service::exec::Exec;
use crate::statistics::Statistics;

/// How long a start waits for an address that is in use: the workers of a daemon that was killed end a little after it, and they have its
/// sockets until then.
const LINGERING: Duration = Duration::from_secs(2);
/// Between two attempts; nothing tells when an address is free.
const PAUSE: Duration = Duration::from_millis(10);

/// A configuration in force with its listening sockets.
pub struct Generation {
    /// 1 for the one the server was started with.
    pub number: u64,
    /// What the file said.
    pub config: Config,
    /// The file itself, if there is one.
    pub(crate) text: Option<String>,
    /// Its servers, in that order.
    pub servers: Vec<Serving>,
    /// The server of figures, if they are to be served.
    pub(crate) metrics: Option<Serving>,
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
    Refused(Failure),
}

impl fmt::Display for Reload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reload::Applied(next, _) => {
                write!(f, "configuration reloaded: generation {}, {}", next.number, next.summary())
            }
            Reload::Refused(failure) => write!(f, "reload refused, the old configuration stays: {failure}"),
        }
    }
}

/// What a generation is made with.
#[derive(Clone, Copy)]
pub struct Means<'m> {
    /// From names to services.
    pub services: Services<'m>,
    /// What there is to be told of the server.
    pub statistics: &'m Arc<Statistics>,
}

impl Generation {
    /// The first generation of this program, from a configuration and its text. A daemon that another program has begun has
    /// a `number` above 1, and is in its `root` directory already.
    ///
    /// # Errors
    /// A service that cannot be, an address that cannot be bound.
    pub(crate) fn first(
        number: u64,
        (config, text): (Config, Option<String>),
        root: &Path,
        means: Means<'_>,
        inheritance: &mut Inheritance,
    ) -> Result<Generation, Failure> {
        let until = (number == 1).then(|| Instant::now() + LINGERING);
        let (servers, metrics) = serve(&config, root, means, &mut Doors { old: &[], inheritance, until })?;
        Ok(Generation { number, config, text, servers, metrics })
    }

    /// All that is to be served.
    pub fn all(&self) -> impl Iterator<Item = &Serving> {
        self.servers.iter().chain(&self.metrics)
    }

    /// All listening sockets.
    pub fn listeners(&self) -> impl Iterator<Item = &Arc<Listener>> {
        self.all().flat_map(|serving| &serving.listeners)
    }

    /// What is worth a word about sockets that others have bound.
    pub(crate) fn deviations(&self) -> Vec<String> {
        let deviation = |listener: &Arc<Listener>| {
            let keys = listener.deviations();
            (!keys.is_empty()).then(|| {
                format!("{listener} was bound by others, who said otherwise than {}", keys.join(", "))
            })
        };
        self.listeners().filter_map(deviation).collect()
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
        let page = self.metrics.iter().flat_map(|serving| &serving.listeners);
        let page = page.map(|listener| format!("figures at {listener}"));
        self.servers.iter().map(one).chain(page).collect::<Vec<_>>().join("; ")
    }
}

/// Reads the configuration again and builds the generation after `current`. Addresses that stay keep their
/// sockets, and with them the connections that wait there; new ones are bound; the log is opened anew if it
/// moved. Nothing has changed if any of that fails.
#[must_use]
pub fn next(source: &Source, means: Means<'_>, current: &Generation, log: &Log) -> Reload {
    let read = config::text(source).and_then(|text| Ok((config::understand(text.as_deref(), source)?, text)));
    let (config, text) = match read {
        Ok(read) => read,
        Err(error) => {
            let inside =
                current.config.chroot.as_ref().map(|root| format!("; paths are below {}", root.display()));
            let text = format!("{error}{}", inside.unwrap_or_default());
            return Reload::Refused(Failure::new(error.exit, text));
        }
    };
    let old: Vec<Arc<Listener>> = current.listeners().cloned().collect();
    let mut nothing = Inheritance::default();
    let mut doors = Doors { old: &old, inheritance: &mut nothing, until: None };
    // A running server is in its root directory already.
    let (servers, metrics) = match serve(&config, Path::new("/"), means, &mut doors) {
        Ok(built) => built,
        Err(failure) => return Reload::Refused(failure),
    };
    if let Err(reason) = log.follow(&config) {
        return Reload::Refused(Failure::new(Exit::Error, reason));
    }
    let mut remarks = config.remarks();
    for key in config.needs_restart(&current.config) {
        remarks.push(format!("{key} was changed: it takes effect at the next restart"));
    }
    let number = current.number + 1;
    Reload::Applied(Box::new(Generation { number, config, text, servers, metrics }), remarks)
}

/// Sockets that are there already.
struct Doors<'d> {
    /// Of the generation before.
    old: &'d [Arc<Listener>],
    /// Of whoever started this program.
    inheritance: &'d mut Inheritance,
    /// Until when an address that is in use is tried again; none: once is enough.
    until: Option<Instant>,
}

fn serve(
    config: &Config,
    root: &Path,
    means: Means<'_>,
    doors: &mut Doors<'_>,
) -> Result<(Vec<Serving>, Option<Serving>), Failure> {
    let mut serving = |server: Server, handler: Arc<dyn Handler>| {
        let listeners = server.listen.iter().map(|address| doors.open(&server, address));
        let listeners = listeners.collect::<Result<_, Failure>>()?;
        Ok(Serving { server: Arc::new(server), handler, listeners })
    };
    let servers = config
        .servers
        .iter()
        .map(|server| serving(server.clone(), service(server, root, means.services)?))
        .collect::<Result<Vec<Serving>, Failure>>()?;
    let metrics = config.metrics.as_ref().map(|address| {
        let page = Page::new(Arc::clone(means.statistics));
        serving(metrics::server(address), Arc::new(page))
    });
    let metrics = metrics.transpose()?;
    // The backlog of a socket that stays is changed last, when nothing can fail any more.
    for serving in servers.iter().chain(&metrics) {
        for listener in &serving.listeners {
            let backlog = serving.server.sockets.backlog;
            listener.set_backlog(backlog).map_err(|error| refused(listener.address(), &error))?;
        }
    }
    Ok((servers, metrics))
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

impl Doors<'_> {
    fn open(&mut self, server: &Server, address: &Address) -> Result<Arc<Listener>, Failure> {
        if let Some(kept) = self.old.iter().find(|listener| listener.fits(address, &server.sockets)) {
            return Ok(Arc::clone(kept));
        }
        if self.old.iter().any(|listener| listener.address() == address) {
            let text =
                format!("{address} cannot change its socket options while it is served: restart the daemon");
            return Err(Failure::new(Exit::Error, text));
        }
        let listener = match self.inheritance.take(address) {
            Some(socket) => Listener::adopt(socket, address, &server.sockets),
            None => self.bind(server, address),
        };
        listener.map(Arc::new).map_err(|error| refused(address, &error))
    }

    fn bind(&self, server: &Server, address: &Address) -> io::Result<Listener> {
        loop {
            let bound = Listener::bind(address, &server.sockets);
            let in_use = matches!(&bound, Err(error) if error.kind() == io::ErrorKind::AddrInUse);
            if !in_use || self.until.is_none_or(|until| Instant::now() >= until) {
                return bound;
            }
            std::thread::sleep(PAUSE);
        }
    }
}

fn refused(address: &Address, error: &io::Error) -> Failure {
    let remedy = match error.kind() {
        io::ErrorKind::AddrInUse => "stop the program that listens there, or choose another port",
        io::ErrorKind::PermissionDenied => "ports below 1024 are root's: start as root or choose another",
        io::ErrorKind::AddrNotAvailable => "no interface has this address: choose one that exists",
        _ => "choose another address",
    };
    Failure::new(Exit::of(error), format_args!("cannot listen on {address}: {error}: {remedy}"))
}
