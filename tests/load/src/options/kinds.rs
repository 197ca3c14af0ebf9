//! Kinds of databases and brokers, and where they are.

use std::str::FromStr;

/// The database that is measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Store {
    Sqlite,
    /// At this address; without one, that of the services for tests.
    Postgres(Option<String>),
}

/// The broker that is measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Broker {
    Embedded,
    /// At this address; without one, that of the services for tests.
    RabbitMq(Option<String>),
}

impl Store {
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres(_) => "postgres",
        }
    }
}

impl Broker {
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::RabbitMq(_) => "rabbitmq",
        }
    }
}

impl FromStr for Store {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "sqlite" => Ok(Self::Sqlite),
            "postgres" => Ok(Self::Postgres(None)),
            url if has_scheme(url, &["postgres", "postgresql"]) => Ok(Self::Postgres(Some(url.to_owned()))),
            _ => Err("expected sqlite, postgres, or postgres://USER@HOST:PORT/NAME"),
        }
    }
}

impl FromStr for Broker {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "embedded" => Ok(Self::Embedded),
            "rabbitmq" => Ok(Self::RabbitMq(None)),
            url if has_scheme(url, &["amqp", "amqps"]) => Ok(Self::RabbitMq(Some(url.to_owned()))),
            _ => Err("expected embedded, rabbitmq, or amqp://USER:PASSWORD@HOST:PORT/VHOST"),
        }
    }
}

fn has_scheme(url: &str, schemes: &[&str]) -> bool {
    url.split_once("://").is_some_and(|(scheme, _)| schemes.contains(&scheme))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_tells_the_kind() {
        let amqps = "amqps://me:secret@broker/bench";
        assert_eq!(amqps.parse(), Ok(Broker::RabbitMq(Some(amqps.to_owned()))));
        assert_eq!("postgresql://db/x".parse::<Store>().unwrap().name(), "postgres");
    }

    #[test]
    fn refuses_kinds_and_addresses_of_others() {
        for wrong in ["", "Postgres", "sqlite:///tmp/x.db", "mysql://db/x", "postgres:"] {
            assert!(wrong.parse::<Store>().is_err(), "{wrong}");
        }
        for wrong in ["", "kafka", "kafka://broker:9092", "embedded:///tmp/x"] {
            assert!(wrong.parse::<Broker>().is_err(), "{wrong}");
        }
    }
}
