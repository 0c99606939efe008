//! THE table of configuration keys: name, default, meaning, and how its value enters a [`Config`].
//! The manual page is made from it; reading files is no matter of this one.

use std::time::Duration;

use toml::de::DeValue;

use super::read::{
    absolute, account, facility, flag, interface, label, listed, log_target, metrics, named, networks,
    number, octal, seconds, stream, texts,
};
use super::value::{Config, ModelName, Server, ServiceName};
use crate::address::Address;

/// Where the value of a key goes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Setter {
    /// Of the daemon as a whole: stands before the `[[server]]` tables.
    Daemon(fn(&mut Config, &DeValue<'_>) -> Result<(), String>),
    /// Of a server: stands in its table, or before all of them for all of them.
    Server(fn(&mut Server, &DeValue<'_>) -> Result<(), String>),
}

/// One key of the configuration file.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Its name in the file.
    pub name: &'static str,
    /// The value it has when it is not written, as TOML; empty if there is none.
    pub default: &'static str,
    /// The sentence of the manual.
    pub meaning: &'static str,
    pub(crate) set: Setter,
}

impl Key {
    /// Whether it may stand in a `[[server]]` table.
    #[must_use]
    pub fn of_server(&self) -> bool {
        matches!(self.set, Setter::Server(_))
    }
}

macro_rules! keys {
    ($($scope:ident $name:literal = $default:literal, $meaning:literal, $set:expr;)*) => {
        /// Every key there is, those of the servers first.
        pub const KEYS: &[Key] = &[$(Key {
            name: $name,
            default: $default,
            meaning: $meaning,
            set: Setter::$scope($set),
        },)*];
    };
}

keys! {
    Server "name" = "\"main\"", "name of the server in messages and figures",
        |s, v| label(v).map(|it| s.name = it);
    Server "listen" = "\"127.0.0.1:4007\"",
        "what to serve, or a list: ADDRESS:PORT for TCP, udp:ADDRESS:PORT, unix:/PATH",
        |s, v| listed(v, "address", Address::parse).map(|it| s.listen = it);
    Server "model" = "\"fork\"",
        "process model: iterative, fork, prefork, delayed, threads, prethreaded or event",
        |s, v| named(v, &ModelName::ALL).map(|it| s.model = it);
    Server "service" = "\"echo\"",
        "service: echo, discard, chargen, daytime, time (RFC 862 to 868), exec or proxy",
        |s, v| named(v, &ServiceName::ALL).map(|it| s.service = it);
    Server "program" = "", "exec: absolute path of the program whose standard streams are the connection; of the timeouts only total-timeout counts for it",
        |s, v| absolute(v).map(|it| s.program = Some(it));
    Server "arguments" = "", "exec: list of the program's arguments",
        |s, v| texts(v).map(|it| s.arguments = it);
    Server "backend" = "", "proxy: ADDRESS:PORT or unix:/PATH of the server behind",
        |s, v| stream(v).map(|it| s.backend = Some(it));
    Server "max-connections" = "256", "connections served at once; further ones wait",
        |s, v| number(v, 1, 1_000_000).map(|it| s.max_connections = it);
    Server "max-per-address" = "", "connections served at once for one IP address; further ones are closed",
        |s, v| number(v, 1, 1_000_000).map(|it| s.max_per_address = Some(it));
    Server "accept-rate" = "", "connections accepted in a second; further ones wait",
        |s, v| number(v, 1, 1_000_000).map(|it| s.accept_rate = Some(it));
    Server "allow" = "", "list of addresses and networks (192.0.2.0/24, 2001:db8::/32) that may connect; all others are closed",
        |s, v| networks(v).map(|it| s.allow = it);
    Server "deny" = "", "list of addresses and networks that may not connect, even if allowed",
        |s, v| networks(v).map(|it| s.deny = it);
    Server "idle-timeout" = "300", "seconds of silence after which a connection is closed; 0: never",
        |s, v| seconds(v).map(|it| (s.limits.read, s.limits.write) = (it, it));
    Server "read-timeout" = "", "seconds to wait for the peer to send; as idle-timeout if not given",
        |s, v| seconds(v).map(|it| s.limits.read = it);
    Server "write-timeout" = "", "seconds to wait for the peer to take what is sent; as idle-timeout if not given",
        |s, v| seconds(v).map(|it| s.limits.write = it);
    Server "total-timeout" = "0", "seconds that a connection may last at most; 0: no limit",
        |s, v| seconds(v).map(|it| s.limits.total = it);
    Server "access-log" = "false", "whether to log a line for each connection",
        |s, v| flag(v).map(|it| s.access_log = it);
    Server "start-workers" = "4", "prefork: workers at the begin",
        |s, v| number(v, 1, 1024).map(|it| s.pool.start = it);
    Server "min-spare" = "2", "prefork: more workers are started when fewer are idle",
        |s, v| number(v, 0, 1024).map(|it| s.pool.min_spare = it);
    Server "max-spare" = "8", "prefork: workers leave when more are idle",
        |s, v| number(v, 1, 1024).map(|it| s.pool.max_spare = it);
    Server "max-workers" = "64", "prefork, delayed: most workers at a time",
        |s, v| number(v, 1, 1024).map(|it| s.pool.max = it);
    Server "requests-per-worker" = "0", "prefork: connections after which a worker is replaced, give or take an eighth; 0: never",
        |s, v| number(v, 0, u32::MAX).map(|it| s.pool.requests = (it > 0).then_some(it));
    Server "manager" = "true", "prefork: whether the master minds the pool; false: it is one of the workers itself, SIGCHLD is ignored and nobody is replaced",
        |s, v| flag(v).map(|it| s.pool.manager = it);
    Server "delay" = "20", "delayed: milliseconds after which a connection gets a process of its own",
        |s, v| number(v, 1, 60_000).map(|it| s.pool.delay = Duration::from_millis(it.into()));
    Server "threads" = "8", "prethreaded: threads in the pool",
        |s, v| number(v, 1, 1024).map(|it| s.pool.threads = it);
    Server "event-workers" = "", "event: processes that share the connections; one for each core if not given",
        |s, v| number(v, 1, 1024).map(|it| s.pool.event_workers = Some(it));
    Server "backlog" = "1024", "connections that may wait to be accepted",
        |s, v| number(v, 1, 65_535).map(|it| s.sockets.backlog = it);
    Server "keep-alive" = "0", "seconds of silence after which the kernel asks whether a TCP peer is alive; 0: never",
        |s, v| seconds(v).map(|it| s.sockets.keep_alive = it);
    Server "reuse-port" = "false", "whether other programs of the account may listen on the port as well (SO_REUSEPORT)",
        |s, v| flag(v).map(|it| s.sockets.reuse_port = it);
    Server "dual-stack" = "false", "whether an IPv6 address serves IPv4 clients too",
        |s, v| flag(v).map(|it| s.sockets.dual_stack = it);
    Server "interface" = "", "the one network interface to serve, such as eth0",
        |s, v| interface(v).map(|it| s.sockets.interface = Some(it));
    Server "socket-mode" = "\"660\"", "permissions of a Unix socket, in octal",
        |s, v| octal(v, 0o777).map(|it| s.sockets.socket_mode = it);
    Daemon "user" = "", "account to become once sockets and files are open",
        |c, v| account(v).map(|it| c.user = Some(it));
    Daemon "group" = "", "group to become, if not the account's own",
        |c, v| account(v).map(|it| c.group = Some(it));
    Daemon "chroot" = "", "directory that becomes the root when privileges are dropped",
        |c, v| absolute(v).map(|it| c.chroot = Some(it));
    Daemon "no-new-privileges" = "false", "whether set-user-ID programs give nothing to those who are executed",
        |c, v| flag(v).map(|it| c.no_new_privileges = it);
    Daemon "grace" = "4", "seconds that connections may take to finish after TERM; below init's 5",
        |c, v| number(v, 0, 3600).map(|it| c.grace = Duration::from_secs(it.into()));
    Daemon "log" = "\"syslog\"", "where messages go: syslog, stderr, or the absolute path of a file",
        |c, v| log_target(v).map(|it| c.log = it);
    Daemon "syslog-facility" = "\"daemon\"", "facility of the messages in syslog, such as local0",
        |c, v| facility(v).map(|it| c.syslog_facility = it);
    Daemon "syslog-socket" = "\"/dev/log\"", "socket of the system's logger",
        |c, v| absolute(v).map(|it| c.syslog_socket = it);
    Daemon "open-files" = "", "limit of open files (RLIMIT_NOFILE); as many as needed if not given",
        |c, v| number(v, 32, 1_073_741_816).map(|it| c.open_files = Some(it.into()));
    Daemon "working-directory" = "\"/\"", "working directory",
        |c, v| absolute(v).map(|it| c.working_directory = it);
    Daemon "umask" = "\"022\"", "file mode creation mask, in octal",
        |c, v| octal(v, 0o777).map(|it| c.umask = it);
    Daemon "metrics" = "", "loopback ADDRESS:PORT or unix:/PATH where figures can be read in Prometheus' format",
        |c, v| metrics(v).map(|it| c.metrics = Some(it));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documented_defaults_are_the_defaults() {
        let (mut config, mut server) = (Config::default(), Server::default());
        for key in KEYS.iter().filter(|key| !key.default.is_empty()) {
            let value = DeValue::parse(key.default).unwrap();
            match key.set {
                Setter::Daemon(set) => set(&mut config, value.get_ref()).unwrap(),
                Setter::Server(set) => set(&mut server, value.get_ref()).unwrap(),
            }
            assert_eq!((&config, &server), (&Config::default(), &Server::default()), "{}", key.name);
        }
    }

    #[test]
    fn names_are_unique_and_kebab() {
        for (index, key) in KEYS.iter().enumerate() {
            assert!(key.name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", key.name);
            assert!(KEYS[index + 1..].iter().all(|other| other.name != key.name), "{}", key.name);
        }
    }
}
