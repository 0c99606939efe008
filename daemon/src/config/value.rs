//! The checked values of a configuration. How they are written is told by `keys`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use foobar_process::syslog::Facility;

use super::network::Network;
use super::settings::Settings;
use crate::address::Address;
use crate::connection::TimeLimits;
use crate::listener::SocketOptions;

/// How a server allocates contexts of execution to connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelName {
    /// One connection after the other, in one worker process.
    Iterative,
    /// A process for each connection.
    Fork,
    /// A pool of processes that accept side by side.
    Prefork,
    /// One process accepts and serves; when a connection outlives the grace, another accepts in its place.
    Delayed,
    /// A thread for each connection.
    Threads,
    /// A pool of threads that accept side by side.
    Prethreaded,
    /// Few processes that wait for all their connections at once (epoll).
    Event,
}

impl ModelName {
    /// Each model with the word that names it.
    pub const ALL: [(&'static str, ModelName); 7] = [
        ("iterative", ModelName::Iterative),
        ("fork", ModelName::Fork),
        ("prefork", ModelName::Prefork),
        ("delayed", ModelName::Delayed),
        ("threads", ModelName::Threads),
        ("prethreaded", ModelName::Prethreaded),
        ("event", ModelName::Event),
    ];
}

impl fmt::Display for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = ModelName::ALL.iter().find(|row| row.1 == *self).map_or("?", |row| row.0);
        f.pad(word)
    }
}

/// What foobard serves: the services that it brings. Programs with a service of their own ignore it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceName {
    /// RFC 862.
    Echo,
    /// RFC 863.
    Discard,
    /// RFC 864.
    Chargen,
    /// RFC 867.
    Daytime,
    /// RFC 868.
    Time,
    /// A program for each connection.
    Exec,
    /// Another server.
    Proxy,
}

impl ServiceName {
    /// Each service with the word that names it.
    pub const ALL: [(&'static str, ServiceName); 7] = [
        ("echo", ServiceName::Echo),
        ("discard", ServiceName::Discard),
        ("chargen", ServiceName::Chargen),
        ("daytime", ServiceName::Daytime),
        ("time", ServiceName::Time),
        ("exec", ServiceName::Exec),
        ("proxy", ServiceName::Proxy),
    ];
}

/// Where the daemon's own messages go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogTarget {
    /// The system's logger.
    Syslog,
    /// Standard error; of a detached daemon that is /dev/null.
    Stderr,
    /// A file, appended to.
    File(PathBuf),
}

/// Everything that the configuration file can say, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The daemon's name, which stands before each of its messages: openlog(3). No key of the file.
    pub name: &'static str,
    /// The servers: at least one. A file without `[[server]]` tables describes one.
    pub servers: Vec<Server>,
    /// The account that the daemon becomes once its sockets and files are open.
    pub user: Option<String>,
    /// Its group, if not the account's own.
    pub group: Option<String>,
    /// What becomes the root directory with the drop of privileges: chroot(2).
    pub chroot: Option<PathBuf>,
    /// PR_SET_NO_NEW_PRIVS: no program that is executed gains rights by its set-user-ID bit.
    pub no_new_privileges: bool,
    /// What runs may take so long to finish after TERM.
    pub grace: Duration,
    /// Where messages go.
    pub log: LogTarget,
    /// As what kind of program the daemon speaks to syslog.
    pub syslog_facility: Facility,
    /// The socket of the system's logger.
    pub syslog_socket: PathBuf,
    /// RLIMIT_NOFILE; none means as many as the servers may need.
    pub open_files: Option<u64>,
    /// The working directory, absolute.
    pub working_directory: PathBuf,
    /// The file mode creation mask.
    pub umask: u32,
    /// Where figures can be read as a Prometheus text page; nowhere by default.
    pub metrics: Option<Address>,
}

/// One server: its addresses, its service and the model by which it is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// For messages and figures.
    pub name: String,
    /// At least one address, none twice.
    pub listen: Vec<Address>,
    /// How its sockets are made.
    pub sockets: SocketOptions,
    /// The process model.
    pub model: ModelName,
    /// What the models with pools go by.
    pub pool: PoolRules,
    /// Of foobard's own services the one to serve.
    pub service: ServiceName,
    /// For `exec`: the program, an absolute path.
    pub program: Option<PathBuf>,
    /// For `exec`: its arguments.
    pub arguments: Vec<String>,
    /// For `proxy`: whom to connect to.
    pub backend: Option<Address>,
    /// Connections served at once; further ones wait in the backlog.
    pub max_connections: u32,
    /// Connections served at once for one IP address; further ones are closed at once. None: as many.
    pub max_per_address: Option<u32>,
    /// Connections accepted in a second; further ones wait. None: as many as come.
    pub accept_rate: Option<u32>,
    /// Who may connect; empty: everybody.
    pub allow: Vec<Network>,
    /// Who may not, also of those allowed.
    pub deny: Vec<Network>,
    /// How long a connection may take for what.
    pub limits: TimeLimits,
    /// Whether the end of each connection is worth a line in the log.
    pub access_log: bool,
    /// The table `[settings]`, for services with keys of their own.
    pub settings: Settings,
}

/// How many workers a pool has, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolRules {
    /// Workers at the begin.
    pub start: u32,
    /// More are started when fewer are idle.
    pub min_spare: u32,
    /// Some leave when more are idle.
    pub max_spare: u32,
    /// Never more than that.
    pub max: u32,
    /// A worker leaves after so many connections, give or take an eighth; none: never.
    pub requests: Option<u32>,
    /// Whether somebody minds the pool. Without, the workers are started once, SIGCHLD is ignored, and none is replaced.
    pub manager: bool,
    /// For *delayed*: how long a connection is served before somebody else accepts.
    pub delay: Duration,
    /// For *prethreaded*: threads in the one process.
    pub threads: u32,
    /// For *event*: processes; none: one for each core.
    pub event_workers: Option<u32>,
}

/// The seconds that Linux's init leaves between TERM and KILL, which `grace` must fit into.
pub(crate) const INIT_GRACE: Duration = Duration::from_secs(5);

impl Default for Config {
    fn default() -> Config {
        Config {
            name: "foobard",
            servers: vec![Server::default()],
            user: None,
            group: None,
            chroot: None,
            no_new_privileges: false,
            grace: Duration::from_secs(4),
            log: LogTarget::Syslog,
            syslog_facility: Facility::Daemon,
            syslog_socket: PathBuf::from("/dev/log"),
            open_files: None,
            working_directory: PathBuf::from("/"),
            umask: 0o022,
            metrics: None,
        }
    }
}

impl Default for Server {
    fn default() -> Server {
        Server {
            name: "main".to_owned(),
            listen: vec![Address::Tcp(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 4007))],
            sockets: SocketOptions::default(),
            model: ModelName::Fork,
            pool: PoolRules::default(),
            service: ServiceName::Echo,
            program: None,
            arguments: Vec::new(),
            backend: None,
            max_connections: 256,
            max_per_address: None,
            accept_rate: None,
            allow: Vec::new(),
            deny: Vec::new(),
            limits: TimeLimits {
                read: Some(Duration::from_secs(300)),
                write: Some(Duration::from_secs(300)),
                total: None,
            },
            access_log: false,
            settings: Settings::default(),
        }
    }
}

impl Default for PoolRules {
    fn default() -> PoolRules {
        PoolRules {
            start: 4,
            min_spare: 2,
            max_spare: 8,
            max: 64,
            requests: None,
            manager: true,
            delay: Duration::from_millis(20),
            threads: 8,
            event_workers: None,
        }
    }
}

impl Config {
    /// What is allowed but worth a word to the administrator.
    #[must_use]
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        if self.grace >= INIT_GRACE {
            remarks.push(format!(
                "grace = {} is not below the {} seconds after which init kills at shutdown",
                self.grace.as_secs(),
                INIT_GRACE.as_secs()
            ));
        }
        if self.chroot.is_some() && self.user.is_none() {
            remarks.push("chroot holds nobody who stays root: name a user as well".to_owned());
        }
        remarks
    }

    /// The keys whose new value, compared with `old`, counts from the next start only.
    #[must_use]
    pub fn needs_restart(&self, old: &Config) -> Vec<&'static str> {
        let changed = [
            ("user", self.user != old.user),
            ("group", self.group != old.group),
            ("chroot", self.chroot != old.chroot),
            ("no-new-privileges", self.no_new_privileges != old.no_new_privileges),
            ("working-directory", self.working_directory != old.working_directory),
            ("umask", self.umask != old.umask),
        ];
        changed.iter().filter(|row| row.1).map(|row| row.0).collect()
    }
}
