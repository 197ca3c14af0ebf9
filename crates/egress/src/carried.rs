//! IPv4 addresses inside of IPv6 addresses.

use std::net::{Ipv4Addr, Ipv6Addr};

/// The IPv4 address that an IPv6 form stands for: mapped, compatible, NAT64 (`64:ff9b::/96`), 6to4 (`2002::/16`).
pub(crate) fn stands_for(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0x0064, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            Some(joined(high, low))
        }
        _ => None,
    }
}

/// The IPv4 address at the end of an ISATAP interface identifier (RFC 5214, section 6.1).
pub(crate) fn tunnel_end(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        [_, _, _, _, 0 | 0x0200, 0x5efe, high, low] => Some(joined(high, low)),
        _ => None,
    }
}

/// Every IPv4 address that a translator or tunnel could read out of it. The last 32 bits always count: operators give
/// NAT64 prefixes of their own (RFC 6052, section 2.2).
pub(crate) fn possible(address: Ipv6Addr) -> impl Iterator<Item = Ipv4Addr> {
    let octets = address.octets();
    let at = |places: [usize; 4]| Ipv4Addr::from(places.map(|place| octets[place]));
    let found = match address.segments() {
        [0x2002, ..] => [Some(at([2, 3, 4, 5])), None, None],
        // Teredo (RFC 4380, section 4): the server, and the client with its bits turned over.
        [0x2001, 0, ..] => {
            let client = u32::from(at([12, 13, 14, 15]));
            [Some(at([4, 5, 6, 7])), Some(Ipv4Addr::from(!client)), None]
        }
        // NAT64 of local use (RFC 8215), by each length of prefix that fits in it.
        [0x0064, 0xff9b, 1, ..] => [Some(at([6, 7, 9, 10])), Some(at([7, 9, 10, 11])), Some(at([9, 10, 11, 12]))],
        _ => [None; 3],
    };
    found.into_iter().flatten().chain([at([12, 13, 14, 15])])
}

fn joined(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(high) << 16 | u32::from(low))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_every_form_stands_for() {
        let forms = [
            ("::ffff:10.0.0.1", Some("10.0.0.1")),
            ("::10.0.0.1", Some("10.0.0.1")),
            ("64:ff9b::10.0.0.1", Some("10.0.0.1")),
            ("2002:a00:1::9", Some("10.0.0.1")),
            ("::", None),
            ("::1", None),
            ("2606:4700::1111", None),
        ];
        for (form, inner) in forms {
            let inner = inner.map(|inner| inner.parse().unwrap());
            assert_eq!(stands_for(form.parse().unwrap()), inner, "{form}");
        }
    }

    #[test]
    fn finds_the_end_of_a_tunnel() {
        let forms = [
            ("2606:4700::5efe:10.0.0.1", Some("10.0.0.1")),
            ("2606:4700::200:5efe:10.0.0.1", Some("10.0.0.1")),
            ("2606:4700::100:5efe:10.0.0.1", None),
        ];
        for (form, inner) in forms {
            let inner = inner.map(|inner| inner.parse().unwrap());
            assert_eq!(tunnel_end(form.parse().unwrap()), inner, "{form}");
        }
    }

    #[test]
    fn finds_all_that_could_be_read_out_of_an_address() {
        let forms = [
            ("2002:a9fe:a9fe::1", "169.254.169.254"),
            ("2001:0:a9fe:a9fe::1", "169.254.169.254"),
            ("2001:0:1:1:0:0:5601:5601", "169.254.169.254"),
            ("64:ff9b:1:a9fe:a9:fe00::", "169.254.169.254"),
            ("64:ff9b:1:a9:fe:a9fe::", "169.254.169.254"),
            ("64:ff9b:1::a9:fea9:fe00:0", "169.254.169.254"),
            ("64:ff9b:1::169.254.169.254", "169.254.169.254"),
            ("2606:4700::169.254.169.254", "169.254.169.254"),
        ];
        for (form, inner) in forms {
            let inner: Ipv4Addr = inner.parse().unwrap();
            assert!(possible(form.parse().unwrap()).any(|found| found == inner), "{form}");
        }
    }
}
