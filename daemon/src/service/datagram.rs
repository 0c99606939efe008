//! Which datagrams are better left without an answer. The sender of a datagram can be forged, so whoever answers is a
//! tool for others: to flood a third one with more than was sent, or to keep two servers busy with each other.

use std::net::SocketAddr;

use crate::address::Address;
use crate::config::Server;

/// Ports below this are those of servers, ip(7): no client of ours asks from there, but a forged sender would have a DNS,
/// TFTP, echo or chargen server answer our answer, and so on for ever (the loop of CVE-2024-2169).
const SERVERS: u16 = 1024;

/// The shortest frame of Ethernet carries 46 bytes, 28 of which are the headers of IPv4 and UDP (RFC 894): up to here an
/// answer is no longer on the wire than the emptiest question.
const FREE: usize = 18;

/// What a service over UDP knows to be dangerous.
#[derive(Debug, Clone, Default)]
pub struct Caution {
    /// Ports on which this server listens itself: two of its kind could talk to each other.
    own: Vec<u16>,
}

impl Caution {
    /// For the service of `server`.
    #[must_use]
    pub fn of(server: &Server) -> Caution {
        let port = |address: &Address| match address {
            Address::Udp(address) => Some(address.port()),
            Address::Tcp(_) | Address::Unix(_) => None,
        };
        Caution { own: server.listen.iter().filter_map(port).collect() }
    }

    /// Whether a question of so many bytes may be answered by so many.
    ///
    /// Nobody is answered at port 0, which is none, at the port of a server, or at our own; and no other host gets more
    /// than it has sent.
    #[must_use]
    pub fn allows(&self, sender: SocketAddr, question: usize, answer: usize) -> bool {
        let port = sender.port();
        let loops = port < SERVERS || self.own.contains(&port);
        let amplifies = answer > question.max(FREE) && !sender.ip().to_canonical().is_loopback();
        !loops && !amplifies
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(address: &str) -> SocketAddr {
        address.parse().unwrap()
    }

    #[test]
    fn servers_are_not_answered() {
        let server =
            Server { listen: vec![Address::parse("udp:127.0.0.1:4007").unwrap()], ..Server::default() };
        let caution = Caution::of(&server);
        for port in [0, 7, 13, 17, 19, 37, 53, 69, 123, 1023, 4007] {
            assert!(!caution.allows(from(&format!("127.0.0.1:{port}")), 10, 10), "{port}");
        }
        assert!(caution.allows(from("127.0.0.1:1024"), 10, 10));
        assert!(Caution::default().allows(from("127.0.0.1:4007"), 10, 10));
    }

    #[test]
    fn nothing_grows_on_the_way_to_another_host() {
        let caution = Caution::default();
        let other = from("192.0.2.1:40000");
        assert!(caution.allows(other, 0, 4), "time costs the wire no more than the question");
        assert!(caution.allows(other, 100, 100));
        assert!(!caution.allows(other, 100, 101));
        assert!(!caution.allows(other, 1, 45));
        for loopback in ["127.0.0.1:40000", "[::1]:40000", "[::ffff:127.0.0.1]:40000"] {
            assert!(caution.allows(from(loopback), 0, 512), "{loopback}");
        }
    }
}
