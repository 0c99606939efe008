//! Opening a listening socket as a service file describes it: all that must be set before bind(2), and the permissions of one in the
//! file system, which nobody reaches before it has them.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _, chown};
use std::path::Path;

use rustix::fs::Mode;
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, listen, socket_with, sockopt,
};

/// The type of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// SOCK_STREAM.
    Stream,
    /// SOCK_DGRAM.
    Datagram,
    /// SOCK_SEQPACKET.
    SequentialPacket,
}

impl Type {
    fn kernels(self) -> SocketType {
        match self {
            Type::Stream => SocketType::STREAM,
            Type::Datagram => SocketType::DGRAM,
            Type::SequentialPacket => SocketType::SEQPACKET,
        }
    }
}

/// What is set on a socket of the Internet.
#[derive(Debug, Clone, Copy)]
pub struct Inet {
    /// SO_REUSEPORT.
    pub reuse_port: bool,
    /// IP_FREEBIND.
    pub free_bind: bool,
    /// IPV6_V6ONLY; none: as the kernel has it.
    pub ipv6_only: Option<bool>,
}

/// Opens a socket on an address. All addresses of IPv6 are, where the kernel has no IPv6, all of IPv4.
///
/// # Errors
/// As bind(2).
pub fn on_address(address: SocketAddr, kind: Type, backlog: u32, set: Inet) -> io::Result<OwnedFd> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = match socket_with(family, kind.kernels(), SocketFlags::CLOEXEC, None) {
        Err(Errno::AFNOSUPPORT) if address.is_ipv6() && address.ip().is_unspecified() => {
            return on_address(([0, 0, 0, 0], address.port()).into(), kind, backlog, set);
        }
        other => other?,
    };
    sockopt::set_socket_reuseaddr(&socket, true)?;
    if set.reuse_port {
        sockopt::set_socket_reuseport(&socket, true)?;
    }
    if set.free_bind && address.is_ipv4() {
        sockopt::set_ip_freebind(&socket, true)?;
    } else if set.free_bind {
        sockopt::set_ipv6_freebind(&socket, true)?;
    }
    if let Some(only) = set.ipv6_only.filter(|_| address.is_ipv6()) {
        sockopt::set_ipv6_v6only(&socket, only)?;
    }
    bind(&socket, &address)?;
    heard(socket, kind, backlog)
}

/// Opens a socket at a path, with a mode and perhaps an owner. One that lies there already is replaced unless somebody listens.
///
/// # Errors
/// As bind(2); `AddrInUse` when somebody listens, `AlreadyExists` for what is no socket.
pub fn at_path(
    path: &Path,
    kind: Type,
    backlog: u32,
    mode: u32,
    owner: (Option<u32>, Option<u32>),
) -> io::Result<OwnedFd> {
    match fs::symlink_metadata(path) {
        Ok(there) if !there.file_type().is_socket() => return Err(io::ErrorKind::AlreadyExists.into()),
        Ok(_) if is_heard(path, kind)? => return Err(io::ErrorKind::AddrInUse.into()),
        Ok(_) => fs::remove_file(path)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let socket = socket_with(AddressFamily::UNIX, kind.kernels(), SocketFlags::CLOEXEC, None)?;
    // Nobody may connect before owner and mode are right. A supervisor has one thread, so this is nobody else's umask.
    let usual = rustix::process::umask(Mode::from_raw_mode(0o777));
    let bound = bind(&socket, &SocketAddrUnix::new(path)?);
    rustix::process::umask(usual);
    bound?;
    let set = chown(path, owner.0, owner.1)
        .and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(mode)));
    if let Err(error) = set {
        let _ = fs::remove_file(path);
        return Err(error);
    }
    heard(socket, kind, backlog)
}

/// Opens a socket in the abstract namespace.
///
/// # Errors
/// As bind(2).
pub fn on_name(name: &str, kind: Type, backlog: u32) -> io::Result<OwnedFd> {
    let socket = socket_with(AddressFamily::UNIX, kind.kernels(), SocketFlags::CLOEXEC, None)?;
    bind(&socket, &SocketAddrUnix::new_abstract_name(name.as_bytes())?)?;
    heard(socket, kind, backlog)
}

/// Changes how many connections may wait at a socket that is open.
///
/// # Errors
/// As listen(2).
pub fn deepen(socket: &OwnedFd, backlog: u32) -> io::Result<()> {
    Ok(listen(socket, i32::try_from(backlog).unwrap_or(i32::MAX))?)
}

fn heard(socket: OwnedFd, kind: Type, backlog: u32) -> io::Result<OwnedFd> {
    if kind != Type::Datagram {
        listen(&socket, i32::try_from(backlog).unwrap_or(i32::MAX))?;
    }
    Ok(socket)
}

fn is_heard(path: &Path, kind: Type) -> io::Result<bool> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, kind.kernels(), flags, None)?;
    // A full queue is somebody's.
    Ok(!matches!(
        rustix::net::connect(&socket, &SocketAddrUnix::new(path)?),
        Err(Errno::CONNREFUSED | Errno::NOENT)
    ))
}
