//! The listening sockets of a service, sd_listen_fds(3): opened before its program, with the rights of the supervisor, and held as long
//! as that lives. So a program that ends and starts again refuses nobody: who connects meanwhile waits in the queue.

use std::fs;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use foobar_initscripts::exit::Action;
use foobar_initscripts::service::{Listen, Service, Socket, SocketKind};
use foobar_process::privilege::Account;

use crate::supervisor::image::Refused;
use crate::sys::listen::{self, Inet, Type};

/// The variable that holds the PID of the program that the sockets are for.
pub const PID_VARIABLE: &str = "LISTEN_PID";

/// The open sockets, in the order of the service file.
#[derive(Debug, Default)]
pub struct Sockets {
    open: Vec<OwnedFd>,
    names: Vec<String>,
    shown: Vec<String>,
    paths: Vec<PathBuf>,
}

impl Sockets {
    /// Opens them all.
    ///
    /// # Errors
    /// The address, and why.
    pub fn open(service: &Service) -> Result<Sockets, Refused> {
        let mut sockets = Sockets::default();
        for socket in &service.sockets {
            sockets.open.push(open(socket)?);
            sockets.names.push(socket.name.clone().unwrap_or_else(|| service.name.to_string()));
            sockets.shown.push(socket.listen.to_string());
            if let Listen::Path(path) = &socket.listen {
                sockets.paths.push(PathBuf::from(path));
            }
        }
        Ok(sockets)
    }

    /// Goes on with those that the program before has opened.
    pub fn inherited(service: &Service, open: Vec<OwnedFd>) -> Sockets {
        let name = |socket: &Socket| socket.name.clone().unwrap_or_else(|| service.name.to_string());
        let path = |socket: &Socket| match &socket.listen {
            Listen::Path(path) => Some(PathBuf::from(path)),
            _ => None,
        };
        Sockets {
            open,
            names: service.sockets.iter().map(name).collect(),
            shown: service.sockets.iter().map(|socket| socket.listen.to_string()).collect(),
            paths: service.sockets.iter().filter_map(path).collect(),
        }
    }

    /// Goes on with those that the program before has opened for the service as it was: those that it still has stay open,
    /// others are closed, new ones are opened.
    ///
    /// # Errors
    /// The address, and why.
    pub fn renewed(former: &Service, open: Vec<OwnedFd>, service: &Service) -> Result<Sockets, Refused> {
        let mut former: Vec<(&Socket, OwnedFd)> = former.sockets.iter().zip(open).collect();
        let mut kept = Vec::new();
        for wanted in &service.sockets {
            let same = former.iter().position(|(socket, _)| is_same(socket, wanted));
            kept.push(same.map(|place| former.swap_remove(place)));
        }
        // Before others are opened: one of those may be on the same address.
        for (socket, open) in former {
            drop(open);
            if let Listen::Path(path) = &socket.listen {
                let _ = fs::remove_file(path);
            }
        }
        let mut all = Vec::new();
        for (wanted, kept) in service.sockets.iter().zip(kept) {
            all.push(match kept {
                Some((socket, open)) => {
                    if socket.backlog != wanted.backlog && wanted.kind != SocketKind::Datagram {
                        listen::deepen(&open, wanted.backlog).map_err(|error| not_open(wanted, &error))?;
                    }
                    open
                }
                None => self::open(wanted)?,
            });
        }
        Ok(Sockets::inherited(service, all))
    }

    /// What the program finds from descriptor 3 on.
    pub fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.open.iter().map(|socket| socket.as_fd())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Beside the PID, which only the program's own process knows.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        if self.is_empty() {
            return Vec::new();
        }
        vec![("LISTEN_FDS", self.open.len().to_string()), ("LISTEN_FDNAMES", self.names.join(":"))]
    }

    /// What is listened on, for people.
    pub fn shown(&self) -> Vec<String> {
        self.shown.clone()
    }
}

impl Drop for Sockets {
    fn drop(&mut self) {
        for path in &self.paths {
            let _ = fs::remove_file(path);
        }
    }
}

fn open(socket: &Socket) -> Result<OwnedFd, Refused> {
    let kind = match socket.kind {
        SocketKind::Stream => Type::Stream,
        SocketKind::Datagram => Type::Datagram,
        SocketKind::SequentialPacket => Type::SequentialPacket,
    };
    let opened = match &socket.listen {
        Listen::Inet(address) => {
            let set = Inet {
                reuse_port: socket.reuse_port,
                free_bind: socket.free_bind,
                ipv6_only: socket.ipv6_only,
            };
            listen::on_address(*address, kind, socket.backlog, set)
        }
        Listen::Abstract(name) => listen::on_name(name, kind, socket.backlog),
        Listen::Path(path) => {
            listen::at_path(Path::new(path), kind, socket.backlog, socket.mode.0, owner(socket)?)
        }
    };
    opened.map_err(|error| not_open(socket, &error))
}

/// Whether they differ in nothing that is set when one is opened.
fn is_same(former: &Socket, wanted: &Socket) -> bool {
    let bare = |socket: &Socket| Socket { name: None, backlog: 0, ..socket.clone() };
    bare(former) == bare(wanted)
}

fn not_open(socket: &Socket, error: &std::io::Error) -> Refused {
    let action = match error.kind() {
        std::io::ErrorKind::PermissionDenied => Action::Permission,
        _ => Action::Error,
    };
    Refused(action, format!("cannot listen on {}: {error}", socket.listen))
}

fn owner(socket: &Socket) -> Result<(Option<u32>, Option<u32>), Refused> {
    if socket.user.is_none() && socket.group.is_none() {
        return Ok((None, None));
    }
    let account = Account::of_service(socket.user.as_deref(), socket.group.as_deref(), &[])
        .map_err(|error| Refused(Action::NotConfigured, format!("{}: {error}", socket.listen)))?;
    let user = socket.user.as_ref().map(|_| account.uid().as_raw());
    Ok((user, Some(account.gid().as_raw())))
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::net::{UnixListener, UnixStream};

    use foobar_initscripts::name::ServiceName;
    use foobar_initscripts::service::Mode;
    use foobar_tests::Sandbox;

    use super::*;

    fn service(sockets: Vec<Socket>) -> Service {
        Service { sockets, ..Service::new(ServiceName::parse("app").unwrap(), "/bin/true") }
    }

    #[test]
    fn each_is_opened_as_it_is_described() {
        let sandbox = Sandbox::new("sockets");
        let path = sandbox.path().join("socket");
        let at = Listen::Path(path.to_str().unwrap().to_owned());
        let port = foobar_tests::free_port();
        let inet = Socket {
            name: Some("web".to_owned()),
            ..Socket::new(Listen::Inet(([127, 0, 0, 1], port).into()))
        };
        let unix = Socket { mode: Mode(0o620), ..Socket::new(at.clone()) };
        let hidden = Socket::new(Listen::Abstract(format!("foobar-sockets-{port}")));
        let sockets = Sockets::open(&service(vec![inet, unix.clone(), hidden])).unwrap();
        let wanted = [("LISTEN_FDS", "3".to_owned()), ("LISTEN_FDNAMES", "web:app:app".to_owned())];
        assert_eq!((sockets.variables().as_slice(), sockets.descriptors().count()), (wanted.as_slice(), 3));
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o7777, 0o620);
        assert_eq!(sockets.shown()[0], format!("127.0.0.1:{port}"));
        let listener = UnixListener::from(sockets.open[1].try_clone().unwrap());
        let mut client = UnixStream::connect(&path).unwrap();
        drop(listener.accept().unwrap());
        assert_eq!(client.read(&mut [0]).unwrap(), 0);
        let Refused(_, why) = Sockets::open(&service(vec![unix.clone()])).unwrap_err();
        assert!(why.contains("in use"), "{why}");
        drop((sockets, listener));
        assert!(!path.exists());
        // What a supervisor that was killed has left is replaced, and what is no socket is not.
        drop(UnixListener::bind(&path).unwrap());
        drop(Sockets::open(&service(vec![unix.clone()])).unwrap());
        fs::write(&path, "kept").unwrap();
        assert!(Sockets::open(&service(vec![unix])).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "kept");
    }
}
