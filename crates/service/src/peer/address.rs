//! Where a peer is.

use std::{fmt, net::IpAddr, str::FromStr};

use rustls::pki_types::ServerName;
use serde::Deserialize;

use super::Error;

/// `http://host:port` or `https://host:port`, several separated by commas.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Address {
    pub(crate) places: Vec<Place>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) tls: bool,
    pub(crate) host: Host,
    pub(crate) port: u16,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Host {
    Address(IpAddr),
    Name(String),
}

impl Address {
    /// Whether these places may be called: secrets travel there, so without TLS only on loopback.
    ///
    /// # Errors
    /// [`Error::NeedsTls`], or [`Error::NeedsCertificate`] when `has_certificate` is false and TLS is asked for.
    pub fn permitted(&self, has_certificate: bool) -> Result<(), Error> {
        for place in &self.places {
            if place.tls && !has_certificate {
                return Err(Error::NeedsCertificate { address: place.to_string() });
            }
            if !place.tls && !place.is_loopback() {
                return Err(Error::NeedsTls { address: place.to_string() });
            }
        }
        Ok(())
    }
}

impl Place {
    fn is_loopback(&self) -> bool {
        match &self.host {
            Host::Address(address) => address.is_loopback(),
            Host::Name(name) => name.eq_ignore_ascii_case("localhost"),
        }
    }

    /// `host:port`, as in a URI.
    pub(crate) fn authority(&self) -> String {
        match &self.host {
            Host::Address(IpAddr::V6(address)) => format!("[{address}]:{}", self.port),
            Host::Address(IpAddr::V4(address)) => format!("{address}:{}", self.port),
            Host::Name(name) => format!("{name}:{}", self.port),
        }
    }

    pub(crate) const fn scheme(&self) -> &'static str {
        if self.tls { "https" } else { "http" }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}://{}", self.scheme(), self.authority())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, place) in self.places.iter().enumerate() {
            if position > 0 {
                formatter.write_str(",")?;
            }
            place.fmt(formatter)?;
        }
        Ok(())
    }
}

impl FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let places = text.split(',').map(|part| place(part.trim())).collect::<Result<_, _>>()?;
        Ok(Self { places })
    }
}

impl TryFrom<String> for Address {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

fn place(text: &str) -> Result<Place, Error> {
    if text.contains('@') {
        // What stands before it may be a password.
        return Err(Error::Address { text: "…@…".to_owned(), reason: "it has credentials" });
    }
    parts(text).map_err(|reason| Error::Address { text: text.to_owned(), reason })
}

fn parts(text: &str) -> Result<Place, &'static str> {
    let (tls, rest) = if let Some(rest) = text.strip_prefix("https://") {
        (true, rest)
    } else if let Some(rest) = text.strip_prefix("http://") {
        (false, rest)
    } else {
        return Err("it begins with neither http:// nor https://");
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if rest.contains(['/', '?', '#']) {
        return Err("it has a path");
    }
    let (host, port) = rest.rsplit_once(':').filter(|(_, port)| !port.ends_with(']')).ok_or("it has no port")?;
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    let port = port.parse::<u16>().ok().filter(|port| digits && *port > 0).ok_or("its port is none from 1 to 65535")?;
    Ok(Place { tls, host: self::host(host)?, port })
}

fn host(text: &str) -> Result<Host, &'static str> {
    if let Some(address) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let address = address.parse().map_err(|_| "what stands in brackets is no IPv6 address")?;
        return Ok(Host::Address(IpAddr::V6(address)));
    }
    if text.is_empty() {
        return Err("it has no host");
    }
    if text.contains(':') {
        return Err("an IPv6 address stands in brackets");
    }
    match ServerName::try_from(text) {
        Ok(ServerName::IpAddress(address)) => Ok(Host::Address(IpAddr::from(address))),
        Ok(_) => Ok(Host::Name(text.to_owned())),
        Err(_) => Err("its host is neither a name nor an IP address"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, String> {
        text.parse::<Address>().map(|address| address.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn says_what_is_wrong_and_what_is_expected() {
        for (text, reason) in [
            ("", "it begins with neither http:// nor https://"),
            ("127.0.0.1:8081", "it begins with neither http:// nor https://"),
            ("grpc://host:1", "it begins with neither http:// nor https://"),
            ("HTTP://host:1", "it begins with neither http:// nor https://"),
            ("http://", "it has no port"),
            ("http://host", "it has no port"),
            ("http://[::1]", "it has no port"),
            ("http://:81", "it has no host"),
            ("http://host:0", "its port is none from 1 to 65535"),
            ("http://host:65536", "its port is none from 1 to 65535"),
            ("http://host:+1", "its port is none from 1 to 65535"),
            ("http://host:", "its port is none from 1 to 65535"),
            ("http://host:81/path", "it has a path"),
            ("http://::1:81", "an IPv6 address stands in brackets"),
            ("http://[::g]:81", "what stands in brackets is no IPv6 address"),
            ("http://ho st:81", "its host is neither a name nor an IP address"),
            ("http://a:1,,http://b:2", "it begins with neither http:// nor https://"),
        ] {
            let part = if text.contains(",,") { "" } else { text };
            let expected = "expected http://host:port or https://host:port, several separated by commas";
            assert_eq!(read(text), Err(format!("`{part}` is not an address: {reason}; {expected}")));
        }
    }

    #[test]
    fn a_password_is_not_repeated() {
        let error = read("http://user:password@host:81").unwrap_err();
        assert!(error.starts_with("`…@…` is not an address: it has credentials"), "{error}");
    }

    #[test]
    fn several_are_read() {
        let text = "https://automation.patchbay.svc:8081, https://[fd00::1]:8081/,https://10.0.0.7:1";
        let expected = "https://automation.patchbay.svc:8081,https://[fd00::1]:8081,https://10.0.0.7:1";
        assert_eq!(read(text).as_deref(), Ok(expected));
    }

    #[test]
    fn without_tls_only_loopback_is_permitted() {
        let permitted = |text: &str, certificate| text.parse::<Address>().unwrap().permitted(certificate);
        for loopback in ["http://127.0.0.1:1", "http://127.8.8.8:1", "http://[::1]:1", "http://LocalHost:1"] {
            assert_eq!(permitted(loopback, false), Ok(()));
        }
        for other in ["http://10.0.0.7:1", "http://automation:1", "http://localhost.example.org:1", "http://0.0.0.0:1"]
        {
            let address = other.to_owned();
            assert_eq!(permitted(&format!("http://[::1]:1,{other}"), true), Err(Error::NeedsTls { address }));
        }
        let address = "https://automation:1".to_owned();
        assert_eq!(permitted(&address, true), Ok(()));
        assert_eq!(permitted(&address.clone(), false), Err(Error::NeedsCertificate { address }));
    }
}
