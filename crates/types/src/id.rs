//! Every id is its own type, so that one can't be given for another.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a valid {kind} id")]
pub struct ParseIdError {
    kind: &'static str,
    text: String,
}

/// Ids that are integers of at most 2^53, so that every JSON reader keeps them.
macro_rules! integer_id {
    ($name:ident, $kind:literal, $doc:literal) => {
        #[doc = $doc]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(i64);

        impl $name {
            /// The id with this number.
            #[must_use]
            pub const fn new(number: i64) -> Self {
                Self(number)
            }

            /// The number, as it is stored and sent.
            #[must_use]
            pub const fn get(self) -> i64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text.parse::<i64>() {
                    Ok(number) if number > 0 => Ok(Self(number)),
                    _ => Err(ParseIdError { kind: $kind, text: text.chars().take(40).collect() }),
                }
            }
        }
    };
}

/// Ids that are time-ordered UUIDs (version 7), made by whoever makes the thing.
macro_rules! uuid_id {
    ($name:ident, $kind:literal, $doc:literal) => {
        #[doc = $doc]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id, later than all that this process made before.
            #[must_use]
            pub fn generate() -> Self {
                Self(Uuid::now_v7())
            }

            /// The id with these bits.
            #[must_use]
            pub const fn new(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The 16 bytes, as they are stored and sent.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// The UUID itself.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }

            /// Reads the 16 bytes that [`Self::as_bytes`] gave.
            ///
            /// # Errors
            /// When there are not exactly 16.
            pub fn from_slice(bytes: &[u8]) -> Result<Self, ParseIdError> {
                Uuid::from_slice(bytes)
                    .map(Self)
                    .map_err(|_| ParseIdError { kind: $kind, text: format!("{} bytes", bytes.len()) })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(formatter)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::try_parse(text)
                    .map(Self)
                    .map_err(|_| ParseIdError { kind: $kind, text: text.chars().take(40).collect() })
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

integer_id!(WorkspaceId, "workspace", "A tenant: everything but users belongs to exactly one.");
integer_id!(UserId, "user", "A person who can log in.");
integer_id!(ConnectionId, "connection", "A workspace's access to one account of a partner.");
uuid_id!(AutomationId, "automation", "One trigger with its ordered steps.");
uuid_id!(SourceId, "source", "One live instance of a trigger.");
uuid_id!(RunId, "run", "One execution of one automation version for one event.");
uuid_id!(IncarnationId, "incarnation", "One life of one executor process.");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_wrote() {
        let run = RunId::generate();
        assert_eq!(run.to_string().parse(), Ok(run));
        assert_eq!(RunId::from_slice(run.as_bytes()), Ok(run));
        assert_eq!("42".parse(), Ok(ConnectionId::new(42)));
    }

    #[test]
    fn refuses_what_is_no_id() {
        assert!("x".parse::<RunId>().is_err());
        assert!("0".parse::<ConnectionId>().is_err());
        assert!("-3".parse::<ConnectionId>().is_err());
        assert!(RunId::from_slice(b"short").is_err());
    }

    #[test]
    fn later_runs_sort_after_earlier_ones() {
        let ids: Vec<RunId> = (0..1000).map(|_| RunId::generate()).collect();
        assert!(ids.is_sorted());
    }
}
