//! Which addresses may be asked: public ones, and private ones the configuration lists.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A CIDR block such as `127.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    base: u128,
    bits: u32,
    v4: bool,
}

/// Why a text is not a CIDR block.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} is not a network: write it like 127.0.0.0/8 or fd00::/8")]
pub struct CidrError(String);

impl FromStr for Cidr {
    type Err = CidrError;
    fn from_str(text: &str) -> Result<Self, CidrError> {
        let bad = || CidrError(text.to_owned());
        let (address, bits) = text.trim().split_once('/').ok_or_else(bad)?;
        let address: IpAddr = address.parse().map_err(|_| bad())?;
        let bits: u32 = bits.parse().map_err(|_| bad())?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        if bits > width {
            return Err(bad());
        }
        Ok(Self { base: number(address), bits, v4: address.is_ipv4() })
    }
}

impl Cidr {
    /// Whether an address lies in the block.
    pub fn contains(&self, address: IpAddr) -> bool {
        let width = if self.v4 { 32 } else { 128 };
        let shift = width - self.bits;
        address.is_ipv4() == self.v4 && (shift == 128 || number(address) >> shift == self.base >> shift)
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(u32::from(v4)),
        IpAddr::V6(v6) => u128::from(v6),
    }
}

/// Refuses private, loopback and link-local addresses unless they are listed.
#[derive(Clone, Debug, Default)]
pub struct AddressGuard {
    allowed: Vec<Cidr>,
}

impl AddressGuard {
    /// A guard that lets the listed private networks pass.
    pub fn new(allowed: Vec<Cidr>) -> Self {
        Self { allowed }
    }

    /// Whether an address may be asked.
    pub fn allows(&self, address: IpAddr) -> bool {
        let address = match address {
            IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
            v4 => v4,
        };
        !is_private(address) || self.allowed.iter().any(|network| network.contains(address))
    }
}

/// Addresses that are not of the public internet (RFC 6890 and its successors).
pub(crate) fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_private_v4(v4),
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or_else(|| is_private_v6(v6), is_private_v4),
    }
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    let [a, b, ..] = address.octets();
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_unspecified()
        || address.is_broadcast()
        || address.is_multicast()
        || a == 0
        || a == 100 && (64..128).contains(&b)
        || a == 198 && (18..20).contains(&b)
        || a >= 240
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    let head = address.segments()[0];
    address.is_loopback()
        || address.is_unspecified()
        || address.is_multicast()
        || head & 0xFE00 == 0xFC00
        || head & 0xFFC0 == 0xFE80
        // NAT64 and 6to4 can carry a private IPv4 address inside.
        || head == 0x2002
        || head == 0x0064 && address.segments()[1] == 0xFF9B
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_pass_only_when_listed() {
        let loopback = "127.0.0.0/8".parse().expect("network");
        let guard = AddressGuard::new(vec![loopback]);
        let table = [
            ("127.0.0.1", true),
            ("10.0.0.1", false),
            ("192.168.1.1", false),
            ("169.254.169.254", false),
            ("100.64.0.1", false),
            ("8.8.8.8", true),
            ("::1", false),
            ("fe80::1", false),
            ("fd00::1", false),
            ("::ffff:10.0.0.1", false),
            ("::ffff:127.0.0.1", true),
            ("2400:3200::1", true),
            ("0.0.0.0", false),
        ];
        for (address, allowed) in table {
            assert_eq!(guard.allows(address.parse().expect(address)), allowed, "{address}");
        }
        assert!(!AddressGuard::default().allows("127.0.0.1".parse().expect("address")));
        for bad in ["127.0.0.1", "127.0.0.0/33", "x/8", "::/129"] {
            assert!(bad.parse::<Cidr>().is_err(), "{bad}");
        }
    }
}
