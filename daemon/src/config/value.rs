//! The checked values of a configuration. How they are written is told by `keys`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use foobar_process::syslog::Facility;

/// How the server allocates contexts of execution to connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelName {
    /// A process for each connection.
    Fork,
    /// One connection after the other, in the master itself.
    Iterative,
}

impl ModelName {
    /// Each model with the word that names it.
    pub const ALL: [(&'static str, ModelName); 2] =
        [("fork", ModelName::Fork), ("iterative", ModelName::Iterative)];
}

impl fmt::Display for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = ModelName::ALL.iter().find(|row| row.1 == *self).map_or("?", |row| row.0);
        f.pad(word)
    }
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
    /// At least one address, none twice.
    pub listen: Vec<SocketAddr>,
    /// The process model.
    pub model: ModelName,
    /// The account that the daemon becomes once its sockets and files are open.
    pub user: Option<String>,
    /// Its group, if not the account's own.
    pub group: Option<String>,
    /// Connections served at once; further ones wait in the backlog.
    pub max_connections: u32,
    /// Connections that wait for accept(2); the kernel cuts it at net.core.somaxconn.
    pub backlog: u32,
    /// A peer silent for longer is cut off; none waits for ever.
    pub idle_timeout: Option<Duration>,
    /// What runs may take so long to finish after TERM.
    pub grace: Duration,
    /// Where messages go.
    pub log: LogTarget,
    /// As what kind of program the daemon speaks to syslog.
    pub syslog_facility: Facility,
    /// The socket of the system's logger.
    pub syslog_socket: PathBuf,
    /// RLIMIT_NOFILE; none means as many as `max_connections` may need.
    pub open_files: Option<u64>,
    /// The working directory, absolute.
    pub working_directory: PathBuf,
    /// The file mode creation mask.
    pub umask: u32,
}

/// The seconds that Linux's init leaves between TERM and KILL, which `grace` must fit into.
pub(crate) const INIT_GRACE: Duration = Duration::from_secs(5);

impl Default for Config {
    fn default() -> Config {
        Config {
            listen: vec![SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 4007)],
            model: ModelName::Fork,
            user: None,
            group: None,
            max_connections: 256,
            backlog: 1024,
            idle_timeout: Some(Duration::from_secs(300)),
            grace: Duration::from_secs(4),
            log: LogTarget::Syslog,
            syslog_facility: Facility::Daemon,
            syslog_socket: PathBuf::from("/dev/log"),
            open_files: None,
            working_directory: PathBuf::from("/"),
            umask: 0o022,
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
        remarks
    }

    /// The keys whose new value, compared with `old`, counts from the next start only.
    #[must_use]
    pub fn needs_restart(&self, old: &Config) -> Vec<&'static str> {
        let changed = [
            ("user", self.user != old.user),
            ("group", self.group != old.group),
            ("working-directory", self.working_directory != old.working_directory),
            ("umask", self.umask != old.umask),
        ];
        changed.iter().filter(|row| row.1).map(|row| row.0).collect()
    }
}
