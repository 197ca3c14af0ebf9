//! Random URLs, rules and addresses: nothing panics, and nothing is accepted that is neither public nor allowed.
//!
//! What is public is told here a second time, by the registries' networks alone, so that a slip in the guard shows.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use ipnet::IpNet;

use crate::guard::Guard;
use crate::{AllowRule, target};

const ROUNDS: usize = 60_000;

/// Networks that the internet does not route to, or that are no single machine's (IANA special-purpose registries).
const CLOSED: [&str; 23] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "64:ff9b:1::/48",
    "2001::/23",
    "2001:db8::/32",
    "3fff::/20",
    "fc00::/7",
    "fe80::/10",
    "ff00::/8",
    "100::/64",
];

const METADATA: [&str; 4] = ["169.254.169.254/32", "100.100.100.200/32", "fd00:ec2::254/128", "192.0.0.192/32"];

/// Pieces that hosts and rules are made of, and their tricks.
const PIECES: [&str; 44] = [
    "http://",
    "https://",
    "http:",
    "//",
    "\\",
    "/",
    "@",
    ":",
    "?",
    "#",
    "%",
    "%00",
    "%2e",
    "%31",
    ".",
    "..",
    "[",
    "]",
    "::",
    "::ffff:",
    "64:ff9b::",
    "64:ff9b:1::",
    "2002:",
    "fe80::",
    "fd00:ec2::254",
    "127",
    "0x7f",
    "0177",
    "10.0.0.1",
    "2130706433",
    "169.254.169.254",
    "a9fe",
    "localhost",
    "metadata.google.internal",
    "example.com",
    "１",
    "。",
    "ⓛ",
    "\u{ad}",
    "ß",
    "0",
    "8080",
    "65536",
    "/8",
];

/// Numbers as they come, the same in every run (`SplitMix64`, Steele et al. 2014).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    fn text(&mut self) -> String {
        let mut text = String::new();
        for _ in 0..=self.below(8) {
            match self.below(5) {
                0 => text.push(char::from_u32(u32::try_from(self.next() % 0x11_0000).unwrap()).unwrap_or('x')),
                1 => text.push(char::from(u8::try_from(self.next() % 128).unwrap())),
                _ => text.push_str(PIECES[self.below(PIECES.len())]),
            }
        }
        text
    }

    /// Any address, often one near the edge of a closed network.
    fn address(&mut self) -> IpAddr {
        let v4 = |number: u64| Ipv4Addr::from(u32::try_from(number & 0xffff_ffff).unwrap());
        match self.below(6) {
            0 => IpAddr::V4(v4(self.next())),
            1 => IpAddr::V6(Ipv6Addr::from(u128::from(self.next()) << 64 | u128::from(self.next()))),
            2 => IpAddr::V6(v4(self.next()).to_ipv6_mapped()),
            3 => match METADATA[self.below(METADATA.len())].parse::<IpNet>().unwrap().addr() {
                IpAddr::V4(address) if self.below(2) == 0 => IpAddr::V6(address.to_ipv6_compatible()),
                address => address,
            },
            _ => {
                let network: IpNet = CLOSED[self.below(CLOSED.len())].parse().unwrap();
                let edge = if self.below(2) == 0 { network.network() } else { network.broadcast() };
                let step = u32::try_from(self.below(5)).unwrap();
                match edge {
                    IpAddr::V4(edge) => IpAddr::V4(Ipv4Addr::from(u32::from(edge).wrapping_add(step).wrapping_sub(2))),
                    IpAddr::V6(edge) => {
                        IpAddr::V6(Ipv6Addr::from(u128::from(edge).wrapping_add(step.into()).wrapping_sub(2)))
                    }
                }
            }
        }
    }

    fn rule(&mut self) -> Option<AllowRule> {
        let text = match self.below(4) {
            0 => self.text(),
            1 => "0.0.0.0/0".to_owned(),
            2 => "::/0".to_owned(),
            _ => {
                let address = self.address();
                let most = if address.is_ipv4() { 33 } else { 129 };
                let port = if self.below(2) == 0 { ":443" } else { "" };
                format!("[{address}/{}]{port}", self.below(most))
            }
        };
        AllowRule::from_str(&text).ok()
    }
}

fn is_in(networks: &[&str], address: IpAddr) -> bool {
    networks.iter().any(|network| network.parse::<IpNet>().unwrap().contains(&address))
}

/// The address that an old IPv6 form means.
fn plain(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => match v6.to_ipv4() {
            Some(v4) if v6 != Ipv6Addr::LOCALHOST && v6 != Ipv6Addr::UNSPECIFIED => IpAddr::V4(v4),
            _ => address,
        },
        IpAddr::V4(_) => address,
    }
}

fn is_public(address: IpAddr) -> bool {
    let routed = match address {
        IpAddr::V4(_) => true,
        IpAddr::V6(v6) => {
            let nat64 = is_in(&["64:ff9b::/96"], address);
            let six_to_four = is_in(&["2002::/16"], address);
            if nat64 || six_to_four {
                let at = if nat64 { 12 } else { 2 };
                let octets = v6.octets();
                let inner = Ipv4Addr::new(octets[at], octets[at + 1], octets[at + 2], octets[at + 3]);
                return is_public(IpAddr::V4(inner));
            }
            is_in(&["2000::/3"], address)
        }
    };
    routed && !is_in(&CLOSED, address)
}

#[test]
fn nothing_is_accepted_that_is_neither_public_nor_allowed() {
    let mut numbers = Numbers(20_240_229);
    let mut accepted = 0;
    for _ in 0..ROUNDS {
        let rules: Vec<AllowRule> = (0..numbers.below(3)).filter_map(|_| numbers.rule()).collect();
        let host = numbers.text();
        let address = SocketAddr::new(numbers.address(), if numbers.below(2) == 0 { 443 } else { 80 });
        let guard = Guard::new(rules.clone());
        if guard.permitted(&host, vec![address]).is_err() {
            continue;
        }
        accepted += 1;
        let meant = plain(address.ip());
        let allowed = rules.iter().any(|rule| rule.opens(&host, address.ip().to_canonical(), address.port()));
        assert!(!is_in(&METADATA, meant), "{address} serves metadata, by {rules:?}");
        assert!(is_public(meant) || allowed, "{address} of {host:?} was accepted by {rules:?}");
    }
    assert!(accepted > ROUNDS / 20, "only {accepted} accepted: the numbers prove nothing");
}

#[test]
fn no_text_of_a_url_leads_past_the_guard() {
    let mut numbers = Numbers(7);
    let guard = Guard::new(Vec::new());
    let mut read = 0;
    for round in 0..ROUNDS {
        let text = if round % 2 == 0 { format!("http://{}", numbers.text()) } else { numbers.text() };
        let Ok(uri) = target::parse(&text) else { continue };
        read += 1;
        let host = uri.host().unwrap();
        let again = target::parse(&uri.to_string()).unwrap();
        assert_eq!(again, uri, "{text:?} has two normal forms");
        assert!(!uri.to_string().bytes().any(|byte| byte.is_ascii_control() || byte == b' '), "{text:?}");
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = host.parse::<IpAddr>() {
            let judged = guard.permitted(host, vec![SocketAddr::new(address, target::port(&uri))]);
            assert!(judged.is_err() || is_public(plain(address)), "{text:?} leads to {address}");
        } else {
            // Whatever a resolver of the machine takes for a number was made one before.
            let last = host.strip_suffix('.').unwrap_or(host).rsplit('.').next().unwrap();
            let is_hex = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            let is_numeric =
                last.bytes().all(|byte| byte.is_ascii_digit()) || last.strip_prefix("0x").is_some_and(is_hex);
            assert!(!is_numeric || last.is_empty(), "{text:?} has the numeric name {host}");
        }
    }
    assert!(read > ROUNDS / 20, "only {read} read: the texts prove nothing");
}

#[test]
fn a_rule_that_was_read_is_read_again_from_what_it_shows() {
    let mut numbers = Numbers(99);
    let mut read = 0;
    for _ in 0..ROUNDS {
        let Some(rule) = numbers.rule() else { continue };
        read += 1;
        assert_eq!(rule.to_string().parse::<AllowRule>(), Ok(rule));
    }
    assert!(read > ROUNDS / 20);
}
