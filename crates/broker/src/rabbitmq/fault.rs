//! What errors of the client library mean.

use std::io;

use lapin::ErrorKind;
use lapin::protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError};

use super::address::Address;
use super::tls::Tls;
use crate::Error;

/// Why something does not work.
#[derive(Debug)]
pub(super) enum Fault {
    /// Waiting does not heal it: somebody has to change something.
    Definite(Error),
    /// It may work again by itself.
    Passing(String),
}

impl Fault {
    /// In words for an operator.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Definite(error) => error.to_string(),
            Self::Passing(words) => words.clone(),
        }
    }

    /// What an error at connecting means.
    pub(super) fn of_connecting(error: &lapin::Error, address: &Address, tls: Option<&Tls>) -> Self {
        if let (ErrorKind::IOError(error), Some(tls)) = (error.kind(), tls)
            && let Some(why) = tls.reason(error)
        {
            return Self::Definite(Error::Tls { at: address.to_string(), why });
        }
        if matches!(error.kind(), ErrorKind::ParsingError(_) | ErrorKind::InvalidProtocolVersion(_)) {
            return Self::Definite(Error::Protocol { at: address.to_string() });
        }
        let (at, user) = (address.to_string(), address.user().to_owned());
        let ErrorKind::ProtocolError(said) = error.kind() else {
            let doubt = if hung_up(error) { doubt(tls) } else { "" };
            return Self::Passing(format!("can't be reached at {at}: {}{doubt}", words_of(error)));
        };
        match said.kind() {
            // The same code speaks of a virtual host that is still starting, and of limits.
            AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED | AMQPHardError::INVALIDPATH)
                if ["not found", "for user"].iter().any(|why| said.get_message().as_str().contains(why)) =>
            {
                let (vhost, said) = (address.vhost().to_owned(), said.get_message().to_string());
                Self::Definite(Error::VirtualHost { at, user, vhost, said })
            }
            AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED) => Self::Definite(Error::Credentials { at, user }),
            _ => Self::Passing(format!("refuses the connection at {at}: {}", said.get_message())),
        }
    }

    /// What an error means of something done with a queue or exchange, for which `permission` is needed. Newer brokers say
    /// themselves which one.
    pub(super) fn of_using(error: &lapin::Error, address: &Address, permission: &'static str, name: &str) -> Self {
        let ErrorKind::ProtocolError(said) = error.kind() else {
            return Self::Passing(words_of(error));
        };
        let text = said.get_message().to_string();
        match said.kind() {
            AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED) => Self::Definite(Error::Permission {
                user: address.user().to_owned(),
                vhost: address.vhost().to_owned(),
                permission: ["configure", "write", "read"]
                    .into_iter()
                    .find(|word| text.contains(&format!("{word} access")))
                    .unwrap_or(permission),
                // It may be an exchange that a queue names.
                name: text.split('\'').nth(1).unwrap_or(name).to_owned(),
            }),
            AMQPErrorKind::Soft(AMQPSoftError::PRECONDITIONFAILED) if text.contains("inequivalent arg") => {
                Self::Definite(inequivalent(name, &text))
            }
            _ => Self::Passing(text),
        }
    }
}

/// Whether somebody was there who ended the connection without a word, or whose words were lost with it.
fn hung_up(error: &lapin::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), ErrorKind::IOError(error)
        if matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof))
}

/// What may be the reason.
const fn doubt(tls: Option<&Tls>) -> &'static str {
    match tls {
        Some(_) => " (if it goes on, check that this port speaks TLS)",
        None => " (if it goes on, check the port: one that speaks TLS needs amqps://)",
    }
}

/// Whether the broker has no such queue or exchange.
pub(super) fn is_missing(error: &lapin::Error) -> bool {
    is_soft(error, &AMQPSoftError::NOTFOUND)
}

/// Whether the user has no permission.
pub(super) fn is_refused(error: &lapin::Error) -> bool {
    is_soft(error, &AMQPSoftError::ACCESSREFUSED)
}

fn is_soft(error: &lapin::Error, wanted: &AMQPSoftError) -> bool {
    matches!(error.kind(), ErrorKind::ProtocolError(said)
        if matches!(said.kind(), AMQPErrorKind::Soft(kind) if kind == wanted))
}

/// The words of an error without those of the client library around them.
pub(super) fn words_of(error: &lapin::Error) -> String {
    match error.kind() {
        ErrorKind::IOError(error) => error.to_string().to_lowercase(),
        ErrorKind::ProtocolError(error) => error.get_message().to_string(),
        ErrorKind::MissingHeartbeatError => "it is silent".into(),
        _ => error.to_string(),
    }
}

/// From the text `PRECONDITION_FAILED - inequivalent arg 'x-overflow' for queue 'q' in vhost '/': received … but current is …`.
fn inequivalent(name: &str, text: &str) -> Error {
    let argument = text.split('\'').nth(1).unwrap_or("argument").to_owned();
    let said = text.split_once("': ").map_or(text, |(_, said)| said).to_owned();
    Error::Inequivalent { name: name.to_owned(), argument, said }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_argument_that_differs() {
        let text = "PRECONDITION_FAILED - inequivalent arg 'x-delivery-limit' for queue 'p.dead-letter' in vhost '/': \
                    received the value '20' of type 'long' but current is the value '5' of type 'long'";
        let Error::Inequivalent { name, argument, said } = inequivalent("p.dead-letter", text) else { panic!() };
        assert_eq!((name.as_str(), argument.as_str()), ("p.dead-letter", "x-delivery-limit"));
        assert!(said.starts_with("received the value '20'"), "{said}");
    }
}
