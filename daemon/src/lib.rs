//! foobard: a network server, and the library to write your own.
//!
//! # A daemon in twenty lines
//!
//! ```no_run
#![doc = include_str!("../examples/shout.rs")]
//! ```
//!
//! That is the whole program. It has foobard's command line, detaches when it is ready, keeps a locked PID file, logs
//! to syslog, takes its configuration from `/etc/shoutd.toml`, can be served by any process model, reloads on HUP and
//! drains on TERM. `examples/daytime.rs` adds UDP and a setting of its own, `examples/files.rs` is an HTTP/1.1 file server
//! with state in each preforked worker, and `heartbeat` in [`process`] is a daemon without a network.
//!
//! What to read for what:
//!
//! | task | module |
//! |---|---|
//! | begin | [`daemon`], or [`server`] for a program with a command line of its own |
//! | serve a connection, a datagram, a thousand connections in one process | [`handler`], [`connection`], [`session`] |
//! | keys of the configuration, their defaults, settings of your own | [`config`] |
//! | services that are there already | [`service`] |
//! | what the workers do, and how it is told over the control socket | [`board`], [`statistics`], [`report`] |
//! | the process itself: daemonizing, PID file, privileges, signals, syslog | [`process`] |
//!
//! The rest of this page goes through the matters of a daemon in the order of Ivan Griffin's article *Linux Network
//! Programming, Part 2* (Linux Journal), and says for each what is done today, and why where it differs.
//!
//! # Debugging in the foreground
//!
//! `--foreground` stays on the terminal and logs to standard error; Ctrl-C ends it in good order.
//!
//! # Becoming a daemon
//!
//! fork, setsid, fork again, as in the article. Beyond it the starter does not simply exit: it waits until the daemon
//! accepts connections, or tells why it does not, so that `start` of an init script means what it says. Descriptors are
//! closed by close_range(2), which does not depend on RLIMIT_NOFILE as the article's loop does. The working
//! directory is `/`; the umask is 022 and not 0: files that a daemon makes by mistake should not be everybody's to write.
//! A process that cannot setsid gives its terminal up by TIOCNOTTY, the article's Listing 2:
//! [`process::terminal`]. See [`process::daemonize`].
//!
//! # Zombies
//!
//! SIGCHLD is read as data (signalfd(2)), and every child that has ended is collected at once; no handler runs at a bad
//! moment. The article's other way, to ignore SIGCHLD, is what `manager = false` of a pool does: nobody can tell then how a
//! worker ended, and none is replaced.
//!
//! # HUP and the PID file
//!
//! HUP reads the configuration again, without a restart: the next generation is built in full beside the old one, and
//! if any of it is wrong all stays as it was. The PID file is held under a lock for life, because a number in a file proves
//! nothing: [`process::pidfile`], [`process::probe`].
//!
//! # TERM and the grace of init
//!
//! TERM stops accepting, serves who waits already, and lets requests in flight finish within `grace`, 4 seconds by
//! default: Linux's init kills after 5. A handler that only reads and writes needs to do nothing for that: when the
//! server ends and the peer has been silent for a quarter of a second, reading yields the end of input. One with requests
//! of its own kind asks [`Connection::stopping`](connection::Connection::stopping).
//!
//! # A process for each connection
//!
//! `model = "fork"`, the default. The master accepts and forks, and touches no byte of a request. Workers die with it,
//! even by kill -9: each holds the end of a pipe that closes with the master, and asks the kernel for a TERM
//! (PR_SET_PDEATHSIG).
//!
//! # Iterative
//!
//! `model = "iterative"`: one connection after the other, in one worker, so that a service that crashes does not take the
//! master along. UDP is served so: one request, one answer.
//!
//! # Process pre-allocation
//!
//! `model = "prefork"`: workers share the listening sockets. A connection wakes one of them and not all (EPOLLEXCLUSIVE), which was
//! the trouble with pools in the article's days. There is a manager, as in its "special manager parent": more workers are
//! started when fewer than `min-spare` are idle, some leave when more than `max-spare` are, and after
//! `requests-per-worker` connections, give or take an eighth, each is replaced.
//!
//! `manager = false` is the article's simpler pool, whose master has nothing left to do once it has forked: SIGCHLD is ignored and
//! nobody is replaced. The article's master exits then. This one becomes one of the pool instead: `start-workers` processes, and
//! none that does not serve; the PID file goes on naming a process that lives as long as the service, holds the lock and takes the
//! signals. It has one connection at a time, and obeys a signal or the control socket whenever that one waits for its peer. What is
//! lost with the manager: a crash in the handler of that one process ends all of them, and a pool shrinks by each worker that
//! crashes or has had its `requests-per-worker`.
//!
//! # Delayed process allocation
//!
//! `model = "delayed"`: one worker accepts and serves. Only when a connection outlives `delay` does another accept in its place; the
//! first finishes what it has and leaves. The article does it the other way round, with alarm(2) and a longjmp(3) out of
//! the handler into a forked copy. That would jump over destructors; and with a replacement for the acceptor a short
//! connection costs no fork just the same. The default of 20 milliseconds is far above what an answer from memory takes,
//! and far below what a second client notices.
//!
//! # Threads
//!
//! `model = "threads"` and `model = "prethreaded"`: all threads live in one worker process, so that a crash of the service is
//! the loss of that worker and not of the daemon. What the article says of critical sections the compiler holds you to: a
//! [`Handler`](handler::Handler) is `Send` and `Sync`.
//!
//! # Descriptors
//!
//! RLIMIT_NOFILE is raised to what `max-connections` may need. When descriptors, memory or processes run out all the same,
//! accepting pauses, for longer each time up to a second, and says so once; it never spins.
//!
//! # What the article had not
//!
//! `model = "event"`: few processes that hold thousands of connections each (epoll(7)), for services with the form of a
//! [`Session`](session::Session).
//!
//! # init
//!
//! `--init` forks nothing before serving, for a respawn line of `/etc/inittab`, and is patient with another instance. The better way is the
//! article's, too: an init script, which `foobarctl install` writes.
//!
//! # syslog
//!
//! As openlog(3) and syslog(3): ident, PID and facility; control characters are made visible, so that no client can forge a
//! line. See [`process::syslog`].
//!
#![doc = include_str!("../docs/models.md")]
#![doc = include_str!("../docs/models.svg")]
#![forbid(unsafe_code)]

mod account;
pub mod address;
pub mod board;
pub mod cli;
pub mod config;
mod confine;
pub mod connection;
mod control;
pub mod daemon;
mod diagnostics;
mod elders;
mod ending;
pub mod event;
pub mod exit;
mod gate;
pub mod handler;
mod handover;
mod inherit;
mod instance;
mod life;
mod limits;
pub mod listener;
pub mod log;
mod logfile;
pub mod manual;
mod master;
mod metrics;
mod model;
mod pause;
mod pool;
mod rate;
mod reload;
pub mod report;
mod roster;
pub mod server;
pub mod service;
pub mod session;
pub mod statistics;
mod told;
mod transfer;
mod upgrade;
mod watch;
mod wish;

pub use foobar_process as process;
