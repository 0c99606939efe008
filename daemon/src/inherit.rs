//! Sockets that were bound before this program began: by whoever started it, as sd_listen_fds(3) describes, or by the program
//! that it replaces. A server that is to listen on such an address takes the socket instead of binding its own.

use std::collections::VecDeque;
use std::env;
use std::os::fd::{OwnedFd, RawFd};

use foobar_process::inheritance;
use socket2::{SockRef, Type};

use crate::address::Address;

/// The variables of sd_listen_fds(3).
const VARIABLES: [&str; 3] = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"];
/// Their first descriptor.
const FIRST: RawFd = 3;
/// Nobody hands over more.
const MOST: RawFd = 1024;

/// Sockets that wait for their server.
#[derive(Debug, Default)]
pub(crate) struct Inheritance {
    sockets: VecDeque<(Address, OwnedFd)>,
    /// What was handed over and is of no use.
    useless: Vec<String>,
}

impl Inheritance {
    /// What the environment tells of; nothing if it is meant for another process. The variables are gone afterwards.
    pub(crate) fn of_environment() -> Inheritance {
        let number = |name: &str| env::var(name).ok()?.parse::<RawFd>().ok();
        let (pid, count) = (number("LISTEN_PID"), number("LISTEN_FDS"));
        let names: Vec<String> =
            env::var("LISTEN_FDNAMES").unwrap_or_default().split(':').map(str::to_owned).collect();
        let mut found = Inheritance::default();
        if let Err(error) = inheritance::forget(&VARIABLES) {
            found.useless.push(format!("cannot take LISTEN_FDS out of the environment: {error}"));
        }
        if pid.and_then(|pid| u32::try_from(pid).ok()) != Some(std::process::id()) {
            return found;
        }
        // Nothing is opened in this loop: it could get the number of one that was promised and is not there.
        for (index, number) in (FIRST..FIRST + count.unwrap_or(0).clamp(0, MOST)).enumerate() {
            let name = names.get(index).filter(|name| !name.is_empty());
            let shown =
                name.map_or(format!("descriptor {number}"), |name| format!("descriptor {number} ({name})"));
            match inheritance::take(number) {
                Ok(socket) => match address_of(&socket) {
                    Some(address) => found.add(address, socket),
                    None => found
                        .useless
                        .push(format!("closed {shown} of LISTEN_FDS: it is no socket to listen on")),
                },
                Err(error) => found.useless.push(format!("{shown} of LISTEN_FDS cannot be used: {error}")),
            }
        }
        found
    }

    pub(crate) fn add(&mut self, address: Address, socket: OwnedFd) {
        self.sockets.push_back((address, socket));
    }

    /// The socket that is bound to `address`, if there is one.
    pub(crate) fn take(&mut self, address: &Address) -> Option<OwnedFd> {
        let index = self.sockets.iter().position(|row| row.0 == *address)?;
        self.sockets.remove(index).map(|row| row.1)
    }

    /// Closes what nobody wanted. Returns what is worth a warning.
    pub(crate) fn close(self) -> Vec<String> {
        let unused = |(address, _): &(Address, OwnedFd)| {
            format!("closed the inherited socket of {address}: no server listens on that address")
        };
        self.useless.into_iter().chain(self.sockets.iter().map(unused)).collect()
    }
}

/// Where a socket is bound, if that is an address that could be configured.
fn address_of(socket: &OwnedFd) -> Option<Address> {
    let socket = SockRef::from(socket);
    let bound = socket.local_addr().ok()?;
    match (socket.r#type().ok()?, bound.as_socket(), bound.as_pathname()) {
        (Type::STREAM, Some(inet), _) => Some(Address::Tcp(inet)),
        (Type::DGRAM, Some(inet), _) => Some(Address::Udp(inet)),
        (Type::STREAM, None, Some(path)) => Some(Address::Unix(path.to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_are_known_by_where_they_are_bound() {
        let tcp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let udp = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let sandbox = foobar_tests::Sandbox::new("inherit");
        let path = sandbox.path().join("sock");
        let unix = std::os::unix::net::UnixListener::bind(&path).unwrap();
        let (tcp_at, udp_at) = (tcp.local_addr().unwrap(), udp.local_addr().unwrap());
        let unnamed = std::os::unix::net::UnixDatagram::unbound().unwrap();
        assert_eq!(address_of(&unnamed.into()), None);
        assert_eq!(address_of(&std::fs::File::open("/dev/null").unwrap().into()), None);
        let mut inheritance = Inheritance::default();
        for socket in [OwnedFd::from(tcp), udp.into(), unix.into()] {
            inheritance.add(address_of(&socket).unwrap(), socket);
        }
        assert!(inheritance.take(&Address::Udp(tcp_at)).is_none(), "the type counts as well");
        assert!(inheritance.take(&Address::Tcp(tcp_at)).is_some());
        assert!(inheritance.take(&Address::Tcp(tcp_at)).is_none(), "once");
        assert!(inheritance.take(&Address::Unix(path)).is_some());
        assert_eq!(
            inheritance.close(),
            [format!("closed the inherited socket of udp:{udp_at}: no server listens on that address")]
        );
    }
}
