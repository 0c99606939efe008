//! Networks of the allow and deny lists: an address and how many of its leading bits count (RFC 4632).

use std::fmt;
use std::net::IpAddr;

/// An IPv4 or IPv6 network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// Reads `192.0.2.1`, `192.0.2.0/24` or `2001:db8::/32`. Bits beyond the prefix must be zero: where they are not,
    /// one of the two numbers is a slip.
    ///
    /// # Errors
    /// What is wrong.
    pub fn parse(word: &str) -> Result<Network, String> {
        let (text, prefix) = word.split_once('/').map_or((word, None), |(text, bits)| (text, Some(bits)));
        let wrong = || format!("{word:?} is no network: write 192.0.2.1, 192.0.2.0/24 or 2001:db8::/32");
        let address: IpAddr = text.parse().map_err(|_| wrong())?;
        let most: u8 = if address.is_ipv4() { 32 } else { 128 };
        let bits = match prefix {
            None => most,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().ok().filter(|bits| *bits <= most).ok_or_else(wrong)?
            }
            Some(_) => return Err(wrong()),
        };
        let network = Network { address, bits };
        if network.masked(address) != number(address) {
            return Err(format!("{word:?} has bits set beyond its prefix of {bits}: correct one of the two"));
        }
        Ok(network)
    }

    /// Whether `address` lies in it. An IPv4-mapped address must have been made canonical before.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        address.is_ipv4() == self.address.is_ipv4() && self.masked(address) == number(self.address)
    }

    fn masked(&self, address: IpAddr) -> u128 {
        let length: u32 = if address.is_ipv4() { 32 } else { 128 };
        let drop = length - u32::from(self.bits);
        number(address).checked_shr(drop).unwrap_or(0).checked_shl(drop).unwrap_or(0)
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_count_bits() {
        let inside = |network: &str, address: &str| {
            Network::parse(network).unwrap().contains(address.parse().unwrap())
        };
        assert!(inside("192.0.2.0/24", "192.0.2.255") && !inside("192.0.2.0/24", "192.0.3.0"));
        assert!(inside("192.0.2.7", "192.0.2.7") && !inside("192.0.2.7", "192.0.2.6"));
        assert!(inside("0.0.0.0/0", "1.2.3.4") && !inside("0.0.0.0/0", "::1"));
        assert!(inside("::/0", "::1") && !inside("::/0", "1.2.3.4"));
        assert!(inside("2001:db8::/32", "2001:db8:1::") && !inside("2001:db8::/32", "2001:db9::"));
    }

    #[test]
    fn slips_are_refused() {
        for word in
            ["192.0.2.1/24", "192.0.2.0/33", "192.0.2.0/", "192.0.2.0/+8", "x", "", "192.0.2", "::/129"]
        {
            assert!(Network::parse(word).is_err(), "{word}");
        }
    }
}
