//! What holds for connections of all partners.

use std::sync::Arc;

use patchbay_connector::Connector;
use patchbay_types::{ConnectionId, Fault};

use super::Connections;

const LONGEST_TITLE: usize = 200;
const MOST_CONCURRENCY: i64 = 1_000_000;

impl Connections {
    pub(super) fn connector(&self, partner: &str) -> Result<&Arc<Connector>, Fault> {
        let found = self.catalog.connector(partner);
        found.ok_or_else(|| Fault::invalid(self.catalog.unknown_partner(partner)).with_field("partner"))
    }
}

pub(super) fn no_connection(id: ConnectionId) -> Fault {
    Fault::not_found(format_args!("connection {id}"))
}

/// A title as it is stored.
pub(super) fn title(given: &str) -> Result<String, Fault> {
    let title = given.trim();
    let refused = |message: String| Err(Fault::invalid(message).with_field("title"));
    if title.is_empty() {
        return refused("the title is empty".to_owned());
    }
    if title.chars().any(char::is_control) {
        return refused("the title has control characters".to_owned());
    }
    if title.chars().nth(LONGEST_TITLE).is_some() {
        return refused(format!("the title is longer than {LONGEST_TITLE} characters"));
    }
    Ok(title.to_owned())
}

pub(super) fn concurrency(given: Option<i64>) -> Result<Option<i64>, Fault> {
    if given.is_none_or(|number| (0..=MOST_CONCURRENCY).contains(&number)) {
        return Ok(given);
    }
    let message = format!("concurrency is a number from 0 (no limit) to {MOST_CONCURRENCY}");
    Err(Fault::invalid(message).with_field("concurrency"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_trimmed() {
        assert_eq!(title(" Main account\t"), Ok("Main account".to_owned()));
    }

    #[test]
    fn odd_titles_are_refused() {
        for given in ["", "  ", "a\0b", "a\nb", &"ä".repeat(LONGEST_TITLE + 1)] {
            assert_eq!(title(given).unwrap_err().field.as_deref(), Some("title"), "{given:?}");
        }
        assert!(title(&"ä".repeat(LONGEST_TITLE)).is_ok());
    }

    #[test]
    fn concurrency_is_never_negative() {
        assert_eq!(concurrency(Some(0)), Ok(Some(0)));
        assert_eq!(concurrency(None), Ok(None));
        for number in [-1, i64::MIN, i64::MAX] {
            assert_eq!(concurrency(Some(number)).unwrap_err().field.as_deref(), Some("concurrency"));
        }
    }
}
