//! IP addresses as EventBridge compares them: a block of addresses, of which one may be all.
//!
//! A text that looks like an address is one, however it is written: `::1` equals `0:0:0:0:0:0:0:1`.
//! Source: event-ruler's `CIDR`. To change what is taken for an address, start in [`read`].

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Longest IPv4 address in characters, `255.255.255.255`: with more zeros in front it is none.
const IPV4_CHARACTERS_MAX: usize = 15;

/// The addresses from the first to the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    first: IpAddr,
    last: IpAddr,
}

impl Block {
    /// The one address that a text is.
    pub(super) fn one(text: &str) -> Option<Block> {
        read(text).map(|it| Block { first: it, last: it })
    }

    /// The block that a text such as `10.0.0.0/8` is, or what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Block, &'static str> {
        let mut parts = text.trim_end_matches('/').split('/');
        let (Some(address), Some(bits), None) = (parts.next(), parts.next(), parts.next()) else {
            return Err("is no block of addresses: one `/` is needed");
        };
        let bits: i32 = bits.parse().map_err(|_| "has mask bits that are no whole number")?;
        let bits = u32::try_from(bits).map_err(|_| "has negative mask bits")?;
        // The masks leave the last bits free: all of them for 0.
        match read(address).ok_or("holds no IP address")? {
            IpAddr::V4(it) if bits < Ipv4Addr::BITS => {
                let free = u32::MAX >> bits;
                let [first, last] = [it.to_bits() & !free, it.to_bits() | free];
                Ok(Block {
                    first: Ipv4Addr::from_bits(first).into(),
                    last: Ipv4Addr::from_bits(last).into(),
                })
            }
            IpAddr::V6(it) if bits < Ipv6Addr::BITS => {
                let free = u128::MAX >> bits;
                let [first, last] = [it.to_bits() & !free, it.to_bits() | free];
                Ok(Block {
                    first: Ipv6Addr::from_bits(first).into(),
                    last: Ipv6Addr::from_bits(last).into(),
                })
            }
            IpAddr::V4(_) => Err("has more than 31 mask bits"),
            IpAddr::V6(_) => Err("has more than 127 mask bits"),
        }
    }

    /// Whether a text is an address of the block. EventBridge compares digit by digit and stops where
    /// the shorter address ends, so that an IPv6 block may hold IPv4 addresses, and an IPv4 block all
    /// IPv6 addresses that begin with one of its own.
    pub(super) fn holds(&self, text: &str) -> bool {
        let Some(address) = read(text) else { return false };
        match (self.first, address, self.last) {
            (IpAddr::V4(first), IpAddr::V6(it), IpAddr::V4(last)) => {
                (first..=last).contains(&start(it))
            }
            (IpAddr::V6(first), IpAddr::V4(it), IpAddr::V6(last)) => {
                start(first) < it && it < start(last)
            }
            (first, it, last) => first <= it && it <= last,
        }
    }
}

/// As many digits of an IPv6 address as an IPv4 address has.
fn start(address: Ipv6Addr) -> Ipv4Addr {
    let [a, b, c, d, ..] = address.octets();
    Ipv4Addr::new(a, b, c, d)
}

/// The address that a text is. A number of an IPv4 address is decimal, also with zeros in front; an
/// IPv6 address that maps an IPv4 address is that.
fn read(text: &str) -> Option<IpAddr> {
    if text.contains(':') {
        let plain = text.bytes().all(|it| it == b':' || it.is_ascii_hexdigit());
        // Zeros in front count for nothing, however many; the standard library takes four digits.
        let short = |it: &str| format!("{:0>1}", it.trim_start_matches('0'));
        let groups = text.split(':').map(|it| if it.len() > 4 { short(it) } else { it.to_owned() });
        let address = groups.collect::<Vec<_>>().join(":");
        let address: Ipv6Addr = address.parse().ok().filter(|_| plain)?;
        return Some(address.to_ipv4_mapped().map_or(address.into(), IpAddr::from));
    }
    if text.len() > IPV4_CHARACTERS_MAX || !text.starts_with(|it: char| it.is_ascii_digit()) {
        return None;
    }
    let number = |it: &str| {
        let digits = !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit());
        it.parse::<u8>().ok().filter(|_| digits)
    };
    let mut numbers = text.split('.').map(number);
    let address = [numbers.next()??, numbers.next()??, numbers.next()??, numbers.next()??];
    numbers.next().is_none().then(|| Ipv4Addr::from(address).into())
}
