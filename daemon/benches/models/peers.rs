//! Servers of others, as far as they are installed: each started so that it does the same as the others of its
//! table, with its limits out of the way.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use nix::unistd::{Uid, User};

use super::exchange::Exchange;
use super::launch::Server;
use super::servers::{BACKLOG, CONNECTIONS, WORKERS, Workshop};
use foobar_tests::free_port;

/// The body that the servers of HTTP answer.
pub const BODY: &str = "This is a tiny answer.\n";

/// Connections that both inetds accept in a minute before they take it for a fault.
const MOST_A_MINUTE: &str = "1000000000";

/// What a peer is compared in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// A program for each connection.
    Exec,
    /// A tiny file over HTTP.
    Http,
}

type Prepare = fn(&Workshop, &Path, u16) -> Result<Vec<OsString>, String>;

/// A server of others.
#[derive(Debug)]
pub struct Peer {
    /// Name in the tables.
    pub name: &'static str,
    /// Where it is compared.
    pub table: Table,
    /// Where it comes from.
    package: &'static str,
    /// The names that its program may have.
    programs: &'static [&'static str],
    prepare: Prepare,
}

/// All of them.
pub const PEERS: [Peer; 8] = [
    Peer {
        name: "tcpserver",
        table: Table::Exec,
        package: "ucspi-tcp",
        programs: &["tcpserver"],
        prepare: tcpserver,
    },
    Peer {
        name: "s6-tcpserver",
        table: Table::Exec,
        package: "s6-networking",
        programs: &["s6-tcpserver"],
        prepare: s6,
    },
    Peer { name: "xinetd", table: Table::Exec, package: "xinetd", programs: &["xinetd"], prepare: xinetd },
    Peer {
        name: "xinetd, internal",
        table: Table::Exec,
        package: "xinetd",
        programs: &["xinetd"],
        prepare: xinetd_internal,
    },
    Peer {
        name: "openbsd-inetd",
        table: Table::Exec,
        package: "openbsd-inetd",
        programs: &["inetd"],
        prepare: openbsd_inetd,
    },
    Peer {
        name: "inetutils-inetd",
        table: Table::Exec,
        package: "inetutils-inetd",
        programs: &["inetutils-inetd"],
        prepare: inetutils_inetd,
    },
    Peer { name: "nginx", table: Table::Http, package: "nginx", programs: &["nginx"], prepare: nginx },
    Peer {
        name: "Apache prefork",
        table: Table::Http,
        package: "apache2-bin",
        programs: &["apache2", "httpd"],
        prepare: apache,
    },
];

impl Peer {
    /// Starts it.
    ///
    /// # Errors
    /// Why not, and how to install it if that is the reason.
    pub fn start(&self, workshop: &Workshop) -> Result<Server, String> {
        let program = self
            .programs
            .iter()
            .find_map(|name| find(name))
            .ok_or_else(|| format!("not installed: apt-get install {}", self.package))?;
        let port = free_port();
        let command = (self.prepare)(workshop, &program, port)?;
        workshop.start(self.name, &command, port, &self.exchange())
    }

    /// What it is asked.
    #[must_use]
    pub fn exchange(&self) -> Exchange {
        match self.table {
            Table::Exec => Exchange::Echo,
            Table::Http => Exchange::Http { body: BODY.as_bytes().to_vec() },
        }
    }
}

/// The program called `name`, also where only root's PATH leads.
fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(system).map(|folder| folder.join(name)).find(|file| file.is_file())
}

fn words(program: &Path, arguments: &[&str]) -> Vec<OsString> {
    std::iter::once(program.into()).chain(arguments.iter().map(OsString::from)).collect()
}

/// Without look-ups of names and users: -R, -H, -l 0.
fn tcpserver(workshop: &Workshop, program: &Path, port: u16) -> Result<Vec<OsString>, String> {
    let (port, most, backlog) = (port.to_string(), CONNECTIONS.to_string(), BACKLOG.to_string());
    let echo = workshop.echo.display().to_string();
    Ok(words(program, &["-RH", "-l0", "-c", &most, "-b", &backlog, "127.0.0.1", &port, &echo]))
}

fn s6(workshop: &Workshop, program: &Path, port: u16) -> Result<Vec<OsString>, String> {
    let (port, most, backlog) = (port.to_string(), CONNECTIONS.to_string(), BACKLOG.to_string());
    let echo = workshop.echo.display().to_string();
    Ok(words(program, &["-c", &most, "-C", &most, "-b", &backlog, "127.0.0.1", &port, &echo]))
}

fn xinetd(workshop: &Workshop, program: &Path, port: u16) -> Result<Vec<OsString>, String> {
    let service = format!(
        "service bench\n{{\n type = UNLISTED\n user = {}\n server = {}\n",
        own_name()?,
        workshop.echo.display()
    );
    xinetd_with(workshop, program, port, &service)
}

/// Its own echo service, for which it forks but executes nothing.
fn xinetd_internal(workshop: &Workshop, program: &Path, port: u16) -> Result<Vec<OsString>, String> {
    let service = format!("service echo\n{{\n type = INTERNAL UNLISTED\n user = {}\n", own_name()?);
    xinetd_with(workshop, program, port, &service)
}

fn xinetd_with(
    workshop: &Workshop,
    program: &Path,
    port: u16,
    service: &str,
) -> Result<Vec<OsString>, String> {
    let text = format!(
        "defaults\n{{\n instances = UNLIMITED\n per_source = UNLIMITED\n cps = 10000000 1\n}}\n\
         {service} socket_type = stream\n protocol = tcp\n wait = no\n port = {port}\n bind = 127.0.0.1\n}}\n"
    );
    let config = workshop.write(&format!("xinetd-{port}.conf"), &text)?.display().to_string();
    let pid_file = format!("{config}.pid");
    Ok(words(program, &["-dontfork", "-f", &config, "-pidfile", &pid_file]))
}

fn inetd_conf(workshop: &Workshop, port: u16) -> Result<String, String> {
    let echo = workshop.echo.display();
    let text = format!("127.0.0.1:{port} stream tcp nowait {} {echo} echo\n", own_name()?);
    Ok(workshop.write(&format!("inetd-{port}.conf"), &text)?.display().to_string())
}

fn openbsd_inetd(workshop: &Workshop, program: &Path, port: u16) -> Result<Vec<OsString>, String> {
    let config = inetd_conf(workshop, port)?;
    // By default it stops for ten minutes after 256 connections in a minute, also with -R 0.
    Ok(words(program, &["-i", "-q", &BACKLOG.to_string(), "-R", MOST_A_MINUTE, &config]))
}

fn inetutils_inetd(workshop: &Workshop, program: &Path, port: u16) -> Result<Vec<OsString>, String> {
    let config = inetd_conf(workshop, port)?;
    let pid_file = format!("-p{config}.pid");
    // Only with -d it stays in the foreground.
    Ok(words(program, &["-d", &pid_file, "-R", MOST_A_MINUTE, &config]))
}

fn nginx(workshop: &Workshop, program: &Path, port: u16) -> Result<Vec<OsString>, String> {
    let home = workshop.sandbox.path().display().to_string();
    // It makes this one its worker's own.
    let spare = format!("{home}/nginx");
    let text = format!(
        "daemon off;\nworker_processes 1;\npid {home}/nginx.pid;\nerror_log stderr error;\n\
         events {{ worker_connections {CONNECTIONS}; }}\n\
         http {{\n access_log off;\n keepalive_requests 1000000000;\n\
         client_body_temp_path {spare};\n proxy_temp_path {spare};\n fastcgi_temp_path {spare};\n\
         uwsgi_temp_path {spare};\n scgi_temp_path {spare};\n\
         server {{ listen 127.0.0.1:{port} backlog={BACKLOG}; location / {{ return 200 \"{}\"; }} }}\n}}\n",
        BODY.escape_default()
    );
    let config = workshop.write("nginx.conf", &text)?.display().to_string();
    Ok(words(program, &["-p", &home, "-e", "stderr", "-c", &config]))
}

fn apache(workshop: &Workshop, program: &Path, port: u16) -> Result<Vec<OsString>, String> {
    let home = workshop.sandbox.path();
    workshop.write("answer.txt", BODY)?;
    let mut text = String::new();
    for module in ["mpm_prefork", "unixd", "authz_core"] {
        // Not found as a file it may be built in; if it is not, the server says so.
        if let Some(file) = apache_module(program, &format!("mod_{module}.so")) {
            text += &format!("LoadModule {module}_module {}\n", file.display());
        }
    }
    let home = home.display();
    text += &format!(
        "ServerName localhost\nServerRoot {home}\nDefaultRuntimeDir {home}\nPidFile {home}/apache.pid\n\
         ErrorLog {home}/apache.log\nListen 127.0.0.1:{port}\nListenBacklog {BACKLOG}\n\
         DocumentRoot {home}\nStartServers {WORKERS}\nMinSpareServers 1\nMaxSpareServers {WORKERS}\n\
         MaxRequestWorkers {WORKERS}\nMaxConnectionsPerChild 0\nKeepAlive On\nMaxKeepAliveRequests 0\n"
    );
    if Uid::effective().is_root() {
        text += "User daemon\nGroup daemon\n";
    }
    let config = workshop.write("apache.conf", &text)?.display().to_string();
    Ok(words(program, &["-D", "FOREGROUND", "-f", &config]))
}

fn apache_module(program: &Path, name: &str) -> Option<PathBuf> {
    let prefix = program.parent()?.parent()?;
    ["lib/apache2/modules", "lib64/httpd/modules", "lib/httpd/modules", "libexec/apache2"]
        .iter()
        .map(|folder| prefix.join(folder).join(name))
        .find(|file| file.is_file())
}

fn own_name() -> Result<String, String> {
    match User::from_uid(Uid::effective()) {
        Ok(Some(user)) => Ok(user.name),
        _ => Err("the account of this process has no name".to_owned()),
    }
}
