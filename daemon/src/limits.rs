//! How many files the daemon may have open: what the configuration asks for against what the machine gives.

use std::io;

use foobar_process::limits::raise_open_files;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::config::{Config, Server, ServiceName};

/// What a server holds beside its connections: streams, log, PID file, signals, a listener for each address.
const OWN: u64 = 64;

/// Sets RLIMIT_NOFILE: to `open-files` if that is configured, else high enough for every connection that is
/// allowed, with which any process model gets along. Returns what is worth a warning.
///
/// # Errors
/// What getrlimit(2) or setrlimit(2) say.
pub fn open_files(config: &Config) -> io::Result<Option<String>> {
    let Some(wanted) = config.open_files else {
        let most: u64 = config.servers.iter().map(|server| u64::from(server.max_connections)).sum();
        let wanted = config.servers.iter().map(of_server).sum::<u64>() + OWN;
        let got = raise(wanted)?;
        return Ok((got < wanted).then(|| {
            format!(
                "the limit of open files is {got}, and max-connections = {most} may need {wanted}: \
                 raise the hard limit (ulimit -Hn), or lower max-connections"
            )
        }));
    };
    let got = raise(wanted)?;
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if got > wanted {
        setrlimit(Resource::RLIMIT_NOFILE, wanted, hard)?;
    }
    Ok((got < wanted).then(|| {
        format!("open-files = {wanted} cannot be had, the hard limit is {got}: raise it (ulimit -Hn) or ask for less")
    }))
}

/// A connection is a descriptor, and those that lead to another process are two.
fn of_server(server: &Server) -> u64 {
    let each = if matches!(server.service, ServiceName::Exec | ServiceName::Proxy) { 2 } else { 1 };
    u64::from(server.max_connections) * each
}

/// Raises the soft limit, and the hard one as well where that is permitted. Returns the soft one.
fn raise(wanted: u64) -> io::Result<u64> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if wanted > hard {
        // Only root may, and only up to fs.nr_open: the hard limit that is left is told by the caller.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, soft, wanted);
    }
    raise_open_files(wanted)
}
