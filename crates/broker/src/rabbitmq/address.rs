//! The address of the broker.

use std::fmt::{self, Debug, Display, Formatter};

use lapin::uri::AMQPUri;

use super::options::Options;
use crate::Error;

/// Bytes of a frame at most, as many as the broker takes from anybody unless it is told otherwise: headers come in one frame,
/// whoever published them, and one that is larger than was agreed ends the connection. The client library keeps 32 of them
/// for each direction of a connection.
pub(super) const FRAME_BYTES: u32 = 128 * 1024;

/// Where the broker is. Shows everything but the password.
#[derive(Clone)]
pub(super) struct Address {
    uri: AMQPUri,
}

impl Address {
    pub(super) fn parse(options: &Options) -> Result<Self, Error> {
        let wrong = |why: String| Error::Address { why };
        // Nothing of what can't be read is repeated: it may be the password.
        let mut uri: AMQPUri = options.url.parse().map_err(|_: String| {
            wrong("it is not of the form amqp://user:password@host:port/vhost (amqps:// for TLS)".into())
        })?;
        if options.url.contains("://[") || options.url.contains("@[") {
            return Err(wrong("its host is an IPv6 address; give a name for it".into()));
        }
        if uri.authority.host.is_empty() {
            return Err(wrong("it names no host".into()));
        }
        if uri.vhost.is_empty() {
            uri.vhost = "/".into();
        }
        if uri.vhost.len() > 255 || uri.authority.userinfo.username.len() > 255 {
            return Err(wrong("its user or virtual host has more than 255 bytes".into()));
        }
        let seconds = options.heartbeat.as_secs().clamp(1, u64::from(u16::MAX));
        uri.query.heartbeat = u16::try_from(seconds).ok();
        uri.query.frame_max = Some(FRAME_BYTES);
        Ok(Self { uri })
    }

    pub(super) const fn uri(&self) -> &AMQPUri {
        &self.uri
    }

    pub(super) fn user(&self) -> &str {
        &self.uri.authority.userinfo.username
    }

    pub(super) fn vhost(&self) -> &str {
        &self.uri.vhost
    }
}

impl Display for Address {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let authority = &self.uri.authority;
        let vhost = self.uri.vhost.replace('/', "%2f");
        write!(formatter, "{}://{}:{}/{vhost}", self.uri.scheme, authority.host, authority.port)
    }
}

impl Debug for Address {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_no_password() {
        let address = Address::parse(&Options::new("amqps://me:secret@mq.example:5671/a%2Fb")).unwrap();
        assert_eq!(format!("{address} {address:?}"), "amqps://mq.example:5671/a%2fb amqps://mq.example:5671/a%2fb");
        assert_eq!((address.user(), address.vhost()), ("me", "a/b"));
    }

    #[test]
    fn refuses_what_is_no_address_without_repeating_it() {
        for url in ["", "http://secret@host/", "secret", "amqp:secret", "amqp://u:secret@host:99999/"] {
            let error = Address::parse(&Options::new(url)).unwrap_err().to_string();
            assert!(error.contains("amqp://user:password@host:port/vhost"), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn takes_the_first_virtual_host_when_none_is_named() {
        for url in ["amqp://localhost", "amqp://localhost:5672/", "amqp://localhost/%2f"] {
            assert_eq!(Address::parse(&Options::new(url)).unwrap().vhost(), "/", "{url}");
        }
    }
}
