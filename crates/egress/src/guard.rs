//! Which addresses may be reached: the public internet, and what the operator allowed.
//!
//! IPv6 is judged by what is public (`2000::/3` less its special parts, RFC 6890 and the IANA registries), so that a range
//! invented later is closed. Forms that stand for an IPv4 address (mapped, compatible, NAT64, 6to4) are judged by it, and
//! the end of an ISATAP tunnel as well. For metadata, whatever could be read out of an address counts.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::{AllowRule, carried};

/// Names under which clouds serve credentials to whoever asks from the machine.
const METADATA_HOSTS: [&str; 7] = [
    "metadata.google.internal",
    "metadata.goog",
    "metadata",
    "instance-data.ec2.internal",
    "instance-data",
    "metadata.tencentyun.com",
    "api.metadata.cloud.ibm.com",
];

/// Addresses that serve metadata or credentials: the common one, the task and pod roles of Amazon, Tencent, Scaleway,
/// Alibaba, Oracle, Azure.
const METADATA_V4: [Ipv4Addr; 8] = [
    Ipv4Addr::new(169, 254, 169, 254),
    Ipv4Addr::new(169, 254, 170, 2),
    Ipv4Addr::new(169, 254, 170, 23),
    Ipv4Addr::new(169, 254, 0, 23),
    Ipv4Addr::new(169, 254, 42, 42),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(192, 0, 0, 192),
    Ipv4Addr::new(168, 63, 129, 16),
];

/// The same of Amazon, its pods, Google, Scaleway and `OpenStack`.
const METADATA_V6: [Ipv6Addr; 5] = [
    Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254),
    Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0023),
    Ipv6Addr::new(0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x0254),
    Ipv6Addr::new(0xfd00, 0x0042, 0, 0, 0, 0, 0, 0x0042),
    Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0xa9fe, 0xa9fe),
];

/// Decides about every address before it is connected to.
#[derive(Debug)]
pub(crate) struct Guard {
    rules: Box<[AllowRule]>,
}

/// Why an address or a host may not be reached.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("host {0} serves cloud metadata and is never allowed")]
    MetadataHost(String),
    #[error("address {address} of host {host} serves cloud metadata and is never allowed")]
    MetadataAddress { host: String, address: IpAddr },
    #[error("address {address} of host {host} is {class}; allow it with egress.allow_private")]
    NotPublic { host: String, address: IpAddr, class: &'static str },
}

impl Guard {
    pub(crate) fn new(rules: Vec<AllowRule>) -> Self {
        Self { rules: rules.into_boxed_slice() }
    }

    /// Refuses names that no rule may open.
    pub(crate) fn check_host(&self, host: &str) -> Result<(), Refusal> {
        let name = host.strip_suffix('.').unwrap_or(host);
        if METADATA_HOSTS.iter().any(|metadata| metadata.eq_ignore_ascii_case(name)) {
            return Err(Refusal::MetadataHost(host.to_owned()));
        }
        Ok(())
    }

    /// Judges one resolved address of `host`.
    pub(crate) fn check_address(&self, host: &str, address: SocketAddr) -> Result<(), Refusal> {
        let outer = address.ip().to_canonical();
        if is_metadata(outer) {
            return Err(Refusal::MetadataAddress { host: host.to_owned(), address: outer });
        }
        let Some(class) = class_of(outer) else {
            return Ok(());
        };
        if self.rules.iter().any(|rule| rule.opens(host, outer, address.port())) {
            return Ok(());
        }
        Err(Refusal::NotPublic { host: host.to_owned(), address: outer, class })
    }

    /// The addresses that may be connected to, or why there is none.
    pub(crate) fn permitted(&self, host: &str, resolved: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, Refusal> {
        let mut permitted = Vec::with_capacity(resolved.len());
        let mut refusal = None;
        for address in resolved {
            match self.check_address(host, address) {
                Ok(()) => permitted.push(address),
                Err(reason) => refusal = refusal.or(Some(reason)),
            }
        }
        match refusal {
            Some(refusal) if permitted.is_empty() => Err(refusal),
            _ => Ok(permitted),
        }
    }
}

fn is_metadata(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => METADATA_V4.contains(&address),
        IpAddr::V6(address) => {
            METADATA_V6.contains(&address) || carried::possible(address).any(|inner| METADATA_V4.contains(&inner))
        }
    }
}

/// What keeps an address from being public; none if it is.
fn class_of(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => class_of_v4(address),
        IpAddr::V6(address) => class_of_v6(address),
    }
}

fn class_of_v4(address: Ipv4Addr) -> Option<&'static str> {
    match address.octets() {
        [0, 0, 0, 0] => Some("unspecified"),
        [0, ..] => Some("of this network"),
        [127, ..] => Some("loopback"),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Some("private"),
        [169, 254, ..] => Some("link-local"),
        [100, 64..=127, ..] => Some("carrier-grade NAT"),
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Some("for documentation"),
        [198, 18..=19, ..] => Some("for benchmarks"),
        [224..=239, ..] => Some("multicast"),
        [255, 255, 255, 255] => Some("broadcast"),
        [192, 0, 0, _] | [192, 88, 99, _] | [240..=255, ..] => Some("reserved"),
        _ => None,
    }
}

fn class_of_v6(address: Ipv6Addr) -> Option<&'static str> {
    if address.is_unspecified() {
        return Some("unspecified");
    }
    if address.is_loopback() {
        return Some("loopback");
    }
    if let Some(inner) = carried::stands_for(address) {
        return class_of_v4(inner);
    }
    match address.segments() {
        [0x2001, 0x0000..=0x01ff, ..] => Some("reserved"),
        [0x2001, 0x0db8, ..] | [0x3fff, 0x0000..=0x0fff, ..] => Some("for documentation"),
        [0x2000..=0x3fff, ..] => carried::tunnel_end(address).and_then(class_of_v4),
        [0xfc00..=0xfdff, ..] => Some("unique-local"),
        [0xfe80..=0xfebf, ..] => Some("link-local"),
        [0xff00..=0xffff, ..] => Some("multicast"),
        _ => Some("not public"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(rules: &[&str], address: &str) -> Result<(), String> {
        let guard = Guard::new(rules.iter().map(|rule| rule.parse().unwrap()).collect());
        let address = SocketAddr::new(address.parse().unwrap(), 443);
        guard.check_address("x.example", address).map_err(|refusal| match refusal {
            Refusal::NotPublic { class, .. } => class.to_owned(),
            _ => "metadata".to_owned(),
        })
    }

    #[test]
    fn refuses_the_first_and_last_address_of_every_closed_range() {
        let closed = [
            ("0.0.0.0", "0.0.0.0", "unspecified"),
            ("0.0.0.1", "0.255.255.255", "of this network"),
            ("10.0.0.0", "10.255.255.255", "private"),
            ("100.64.0.0", "100.127.255.255", "carrier-grade NAT"),
            ("127.0.0.0", "127.255.255.255", "loopback"),
            ("169.254.0.0", "169.254.255.255", "link-local"),
            ("172.16.0.0", "172.31.255.255", "private"),
            ("192.0.0.0", "192.0.0.255", "reserved"),
            ("192.0.2.0", "192.0.2.255", "for documentation"),
            ("192.88.99.0", "192.88.99.255", "reserved"),
            ("192.168.0.0", "192.168.255.255", "private"),
            ("198.18.0.0", "198.19.255.255", "for benchmarks"),
            ("198.51.100.0", "198.51.100.255", "for documentation"),
            ("203.0.113.0", "203.0.113.255", "for documentation"),
            ("224.0.0.0", "239.255.255.255", "multicast"),
            ("240.0.0.0", "255.255.255.254", "reserved"),
            ("255.255.255.255", "255.255.255.255", "broadcast"),
            ("::", "::", "unspecified"),
            ("::1", "::1", "loopback"),
            ("::127.0.0.1", "::10.0.0.1", ""),
            ("::ffff:127.0.0.0", "::ffff:127.255.255.255", "loopback"),
            ("::ffff:10.0.0.0", "::ffff:10.255.255.255", "private"),
            ("::ffff:0:10.0.0.1", "::ffff:0:8.8.8.8", "not public"),
            ("64:ff9b::10.0.0.0", "64:ff9b::10.255.255.255", "private"),
            ("64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", "not public"),
            ("2002:7f00:0001::", "2002:7f00:0001:ffff::1", "loopback"),
            ("2002:0a00:0001::1", "2002:0aff:ffff::1", "private"),
            ("100::", "100::ffff:ffff:ffff:ffff", "not public"),
            ("2001:0:808:808::", "2001:0:808:808:0:0:f7f7:f7f7", "reserved"),
            ("2606:4700::5efe:10.0.0.0", "2606:4700::200:5efe:10.255.255.255", "private"),
            ("2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "reserved"),
            ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "for documentation"),
            ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "for documentation"),
            ("4000::", "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "not public"),
            ("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "unique-local"),
            ("fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "link-local"),
            ("fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "not public"),
            ("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "multicast"),
        ];
        for (first, last, class) in closed {
            for address in [first, last] {
                let reason = judge(&[], address).expect_err(address);
                assert!(class.is_empty() || reason == class, "{address} is {reason}");
            }
        }
    }

    #[test]
    fn permits_public_addresses_up_to_the_edges_of_closed_ranges() {
        let open = [
            "1.0.0.0",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "::8.8.8.8",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "2002:0808:0808::1",
            "2001:200::",
            "2001:db7:ffff::1",
            "2001:db9::",
            "2606:4700::1111",
            "3fff:1000::",
            "2606:4700::5efe:8.8.8.8",
        ];
        for address in open {
            assert_eq!(judge(&[], address), Ok(()), "{address}");
        }
    }

    #[test]
    fn refuses_metadata_in_every_form_even_when_all_is_allowed() {
        let metadata = [
            "169.254.169.254",
            "169.254.170.2",
            "169.254.170.23",
            "100.100.100.200",
            "192.0.0.192",
            "168.63.129.16",
            "fd00:ec2::254",
            "fd00:ec2::23",
            "fd20:ce::254",
            "::ffff:169.254.169.254",
            "::169.254.169.254",
            "64:ff9b::169.254.169.254",
            "2002:a9fe:a9fe::1",
            "169.254.0.23",
            "169.254.42.42",
            "fd00:42::42",
            "fe80::a9fe:a9fe",
            "::ffff:0:169.254.169.254",
            "64:ff9b:1::169.254.169.254",
            "64:ff9b:1:a9fe:a9:fe00::",
            "2001:0:a9fe:a9fe::1",
            "2001:0:808:808:0:0:5601:5601",
            "2606:4700::5efe:169.254.169.254",
            "2606:4700:64::169.254.169.254",
            "::ffff:100.100.100.200",
        ];
        for address in metadata {
            assert_eq!(judge(&["0.0.0.0/0", "::/0", "x.example"], address), Err("metadata".to_owned()), "{address}");
        }
        let guard = Guard::new(vec!["metadata.google.internal".parse().unwrap()]);
        for host in
            ["metadata.google.internal", "METADATA.google.internal.", "metadata.goog", "metadata", "instance-data."]
        {
            assert_eq!(guard.check_host(host), Err(Refusal::MetadataHost(host.to_owned())));
        }
        assert_eq!(guard.check_host("metadata.example.com"), Ok(()));
    }

    #[test]
    fn opens_a_private_address_to_its_rule_only() {
        assert_eq!(judge(&["10.0.0.0/8:443"], "10.1.2.3"), Ok(()));
        assert_eq!(judge(&["10.0.0.0/8"], "::ffff:10.1.2.3"), Ok(()));
        assert_eq!(judge(&["x.example"], "10.1.2.3"), Ok(()));
        assert_eq!(judge(&["64:ff9b::/96"], "64:ff9b::10.1.2.3"), Ok(()));
        assert_eq!(judge(&["10.0.0.0/8:80"], "10.1.2.3"), Err("private".to_owned()));
        assert_eq!(judge(&["y.example", "10.2.0.0/16"], "10.1.2.3"), Err("private".to_owned()));
    }

    #[test]
    fn keeps_the_permitted_addresses_of_a_mixed_answer() {
        let guard = Guard::new(Vec::new());
        let private: SocketAddr = "10.1.2.3:443".parse().unwrap();
        let public: SocketAddr = "8.8.8.8:443".parse().unwrap();

        assert_eq!(guard.permitted("x", vec![private, public]), Ok(vec![public]));
        assert_eq!(
            guard.permitted("x", vec![private]).unwrap_err().to_string(),
            "address 10.1.2.3 of host x is private; allow it with egress.allow_private"
        );
    }
}
