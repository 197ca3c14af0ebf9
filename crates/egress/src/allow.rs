//! Exceptions from the guard, as the configuration writes them.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

/// One entry of `egress.allow_private`: a network, an address or a host name, for all ports or for one.
///
/// `10.0.0.0/8`, `10.0.0.0/8:8443`, `127.0.0.1:8090`, `host.internal`, `host.internal:8090`, `[::1]:80`, `fd00::/8`,
/// `[fd00::/8]:443`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowRule {
    target: Target,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Target {
    Network(IpNet),
    /// In lower case, without the final dot.
    Host(String),
}

/// Why a text is not an [`AllowRule`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseAllowRuleError {
    #[error("an allow rule is empty")]
    Empty,
    #[error("`{0}` is a url; write the host, with `:port` if only one port is meant")]
    Url(String),
    #[error("`{rule}` has the port `{port}`, which is not a number from 1 to 65535")]
    Port { rule: String, port: String },
    #[error("`{0}` is not a network, an address or a host name")]
    Target(String),
}

impl AllowRule {
    /// Whether this rule opens the address, reached as `host` on `port`.
    pub(crate) fn opens(&self, host: &str, address: IpAddr, port: u16) -> bool {
        if self.port.is_some_and(|only| only != port) {
            return false;
        }
        match &self.target {
            Target::Network(network) => network.contains(&address),
            Target::Host(name) => name.eq_ignore_ascii_case(host.strip_suffix('.').unwrap_or(host)),
        }
    }
}

impl FromStr for AllowRule {
    type Err = ParseAllowRuleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rule = text.trim();
        if rule.is_empty() {
            return Err(ParseAllowRuleError::Empty);
        }
        if rule.contains("://") {
            return Err(ParseAllowRuleError::Url(rule.to_owned()));
        }
        let (name, port) = split_port(rule)?;
        let port = port.map(|port| parse_port(rule, port)).transpose()?;
        let target = parse_target(name).ok_or_else(|| ParseAllowRuleError::Target(rule.to_owned()))?;
        Ok(Self { target, port })
    }
}

impl fmt::Display for AllowRule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.target, self.port) {
            (Target::Network(IpNet::V6(network)), Some(port)) => write!(formatter, "[{network}]:{port}"),
            (Target::Network(network), Some(port)) => write!(formatter, "{network}:{port}"),
            (Target::Network(network), None) => write!(formatter, "{network}"),
            (Target::Host(host), Some(port)) => write!(formatter, "{host}:{port}"),
            (Target::Host(host), None) => formatter.write_str(host),
        }
    }
}

/// Splits `[a]:1` and `a:1`; more than one colon without brackets is an IPv6 address without a port.
fn split_port(rule: &str) -> Result<(&str, Option<&str>), ParseAllowRuleError> {
    let Some(bracketed) = rule.strip_prefix('[') else {
        return Ok(match rule.split_once(':') {
            Some((name, port)) if !port.contains(':') => (name, Some(port)),
            _ => (rule, None),
        });
    };
    let Some((name, rest)) = bracketed.split_once(']') else {
        return Err(ParseAllowRuleError::Target(rule.to_owned()));
    };
    match rest.strip_prefix(':') {
        Some(port) => Ok((name, Some(port))),
        None if rest.is_empty() => Ok((name, None)),
        None => Err(ParseAllowRuleError::Target(rule.to_owned())),
    }
}

fn parse_port(rule: &str, port: &str) -> Result<u16, ParseAllowRuleError> {
    match port.parse::<u16>() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(ParseAllowRuleError::Port { rule: rule.to_owned(), port: port.to_owned() }),
    }
}

fn parse_target(name: &str) -> Option<Target> {
    if let Ok(address) = name.parse::<IpAddr>() {
        return Some(Target::Network(IpNet::from(address)));
    }
    if name.contains('/') {
        return name.parse::<IpNet>().ok().map(|network| Target::Network(network.trunc()));
    }
    let host = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    is_host_name(&host).then_some(Target::Host(host))
}

/// A DNS name whose last label is not a number: `10.0.0` or `300.1.1.1` is a mistyped address.
fn is_host_name(host: &str) -> bool {
    let label_fits = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    let last = host.rsplit('.').next().unwrap_or_default();
    host.len() <= 253 && host.split('.').all(label_fits) && !last.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_documented_form() {
        let forms = [
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("10.1.2.3/8", "10.0.0.0/8"),
            ("10.0.0.0/8:8443", "10.0.0.0/8:8443"),
            ("127.0.0.1", "127.0.0.1/32"),
            ("127.0.0.1:8090", "127.0.0.1/32:8090"),
            ("host.internal", "host.internal"),
            (" Host.Internal.:80 ", "host.internal:80"),
            ("::1", "::1/128"),
            ("[::1]", "::1/128"),
            ("[::1]:80", "[::1/128]:80"),
            ("fd00::/8", "fd00::/8"),
            ("[fd00::/8]:443", "[fd00::/8]:443"),
        ];
        for (text, shown) in forms {
            let rule: AllowRule = text.parse().unwrap();
            assert_eq!(rule.to_string(), shown, "{text}");
            assert_eq!(rule.to_string().parse::<AllowRule>(), Ok(rule), "{text}");
        }
    }

    #[test]
    fn says_what_is_wrong_with_a_rule() {
        let wrong = [
            ("  ", "an allow rule is empty"),
            ("http://host", "`http://host` is a url; write the host, with `:port` if only one port is meant"),
            ("host:0", "`host:0` has the port `0`, which is not a number from 1 to 65535"),
            ("host:", "`host:` has the port ``, which is not a number from 1 to 65535"),
            ("host:70000", "`host:70000` has the port `70000`, which is not a number from 1 to 65535"),
            ("10.0.0.0/33", "`10.0.0.0/33` is not a network, an address or a host name"),
            ("10.0.0", "`10.0.0` is not a network, an address or a host name"),
            ("300.1.1.1", "`300.1.1.1` is not a network, an address or a host name"),
            ("a b", "`a b` is not a network, an address or a host name"),
            ("*.internal", "`*.internal` is not a network, an address or a host name"),
            ("[::1", "`[::1` is not a network, an address or a host name"),
            ("[::1]80", "`[::1]80` is not a network, an address or a host name"),
            ("host/8", "`host/8` is not a network, an address or a host name"),
        ];
        for (text, message) in wrong {
            assert_eq!(text.parse::<AllowRule>().unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn opens_only_its_own_host_network_and_port() {
        let inside: IpAddr = "10.1.2.3".parse().unwrap();
        let cases = [
            ("10.0.0.0/8", "any", 1, true),
            ("10.2.0.0/16", "any", 1, false),
            ("10.0.0.0/8:443", "any", 443, true),
            ("10.0.0.0/8:443", "any", 80, false),
            ("db.internal", "DB.internal.", 1, true),
            ("db.internal", "x.db.internal", 1, false),
            ("db.internal:5432", "db.internal", 5433, false),
            ("fd00::/8", "any", 1, false),
        ];
        for (rule, host, port, opens) in cases {
            assert_eq!(rule.parse::<AllowRule>().unwrap().opens(host, inside, port), opens, "{rule} {host}:{port}");
        }
    }
}
