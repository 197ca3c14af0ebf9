//! Lists in pages.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use patchbay_service::problem::Problem;
use patchbay_types::Fault;
use serde::Serialize;

const USUAL: i64 = 50;
const MOST: i64 = 1000;
/// The longest part of a query that can mean anything, in bytes.
const LONGEST: usize = 1024;

/// Which list a cursor belongs to: one of another list is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    Automations = b'a' as isize,
    Connections = b'c' as isize,
    DeadLetters = b'd' as isize,
    Runs = b'r' as isize,
}

/// A page of a list, as it is answered.
#[derive(Debug, Serialize)]
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    /// Where the next page begins; null on the last one.
    pub(super) next_cursor: Option<String>,
}

/// What a query asks for.
#[derive(Debug)]
pub(super) struct Query<'a>(&'a str);

impl<'a> Query<'a> {
    pub(super) fn new(query: Option<&'a str>) -> Self {
        Self(query.unwrap_or_default())
    }

    /// The value of a name; empty counts as not given.
    pub(super) fn text(&self, name: &'static str) -> Result<Option<String>, Problem> {
        let found = form_urlencoded::parse(self.0.as_bytes()).find(|(key, _)| key == name);
        match found.map(|(_, value)| value.into_owned()).filter(|value| !value.is_empty()) {
            Some(value) if value.len() > LONGEST => Err(wrong(name, &format!("{name} is too long"))),
            value => Ok(value),
        }
    }

    /// How many items a page has: 50 when not said, 1,000 at most.
    pub(super) fn limit(&self) -> Result<i64, Problem> {
        let Some(text) = self.text("limit")? else { return Ok(USUAL) };
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse::<u64>() {
            Ok(0) => Err(wrong("limit", "limit must be at least 1")),
            Ok(number) => Ok(i64::try_from(number).unwrap_or(MOST).min(MOST)),
            // More digits than an integer has: clamped like every large number.
            Err(_) if is_number => Ok(MOST),
            Err(_) => Err(wrong("limit", "limit must be a whole number")),
        }
    }

    /// Where the page begins: what [`cursor`] was given, or nothing.
    pub(super) fn cursor(&self, list: List) -> Result<Option<Vec<u8>>, Problem> {
        let Some(text) = self.text("cursor")? else { return Ok(None) };
        let bytes = URL_SAFE_NO_PAD.decode(&text).unwrap_or_default();
        match bytes.split_first() {
            Some((mark, place)) if *mark == list as u8 => Ok(Some(place.to_vec())),
            _ => Err(bad_cursor()),
        }
    }

    /// As [`Self::cursor`], for lists by number; 0 is the beginning.
    pub(super) fn numeric_cursor(&self, list: List) -> Result<i64, Problem> {
        let Some(place) = self.cursor(list)? else { return Ok(0) };
        let place = place.try_into().map_err(|_| bad_cursor())?;
        match i64::from_be_bytes(place) {
            number if number > 0 => Ok(number),
            _ => Err(bad_cursor()),
        }
    }

    /// As [`Self::cursor`], for lists by UUID; empty is the beginning.
    pub(super) fn uuid_cursor(&self, list: List) -> Result<Vec<u8>, Problem> {
        match self.cursor(list)? {
            None => Ok(Vec::new()),
            Some(place) if place.len() == 16 => Ok(place),
            Some(_) => Err(bad_cursor()),
        }
    }
}

/// The cursor to a place that a peer named; none when it named none.
pub(super) fn cursor(list: List, place: &[u8]) -> Option<String> {
    if place.is_empty() {
        return None;
    }
    let mut bytes = vec![list as u8];
    bytes.extend_from_slice(place);
    Some(URL_SAFE_NO_PAD.encode(bytes))
}

/// As [`cursor`], for lists by number.
pub(super) fn numeric_cursor(list: List, place: i64) -> Option<String> {
    if place == 0 { None } else { cursor(list, &place.to_be_bytes()) }
}

pub(super) fn wrong(field: &'static str, reason: &str) -> Problem {
    Problem(Fault::invalid(reason).with_field(field))
}

fn bad_cursor() -> Problem {
    wrong("cursor", "this is no cursor of this list; take next_cursor of the page before")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Query<'_> {
        Query::new(Some(text))
    }

    #[test]
    fn clamps_the_limit() {
        for (text, limit) in
            [("", 50), ("limit=", 50), ("limit=1", 1), ("limit=5000", 1000), ("limit=99999999999999999999999", 1000)]
        {
            assert_eq!(query(text).limit().unwrap(), limit, "{text}");
        }
        for text in ["limit=0", "limit=-1", "limit=ten", "limit=1.5"] {
            assert!(query(text).limit().is_err(), "{text}");
        }
    }

    #[test]
    fn a_cursor_leads_back_to_its_place() {
        let numeric = numeric_cursor(List::Connections, 17).unwrap();
        assert_eq!(query(&format!("cursor={numeric}")).numeric_cursor(List::Connections).unwrap(), 17);
        let uuid = cursor(List::Runs, &[7; 16]).unwrap();
        assert_eq!(query(&format!("cursor={uuid}")).uuid_cursor(List::Runs).unwrap(), [7; 16]);
        assert_eq!((numeric_cursor(List::Runs, 0), cursor(List::Runs, &[])), (None, None));
    }

    #[test]
    fn refuses_what_is_no_cursor_of_the_list() {
        let foreign = cursor(List::Automations, &[7; 16]).unwrap();
        let short = cursor(List::Runs, &[7; 3]).unwrap();
        for text in ["cursor=x", "cursor=%00", "cursor=****", &format!("cursor={foreign}"), &format!("cursor={short}")]
        {
            assert!(query(text).uuid_cursor(List::Runs).is_err(), "{text}");
        }
    }
}
