//! Which page of contacts is asked for.

use patchbay_types::Timestamp;

use crate::call::Call;
use crate::crm::refusal::Refusal;
use crate::crm::time;

const SIZE: usize = 50;
const SIZE_LIMIT: usize = 100;

/// The parameters of a list. Those that are empty count as absent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page {
    pub(crate) updated_since: Option<Timestamp>,
    /// From 1.
    pub(crate) number: usize,
    pub(crate) size: usize,
}

impl Page {
    pub(crate) fn read(call: &Call) -> Result<Self, Refusal> {
        let updated_since = match given(call, "updated_since") {
            None => None,
            Some(text) => {
                let wrong = || Refusal::field("updated_since", "is not a time like 2026-01-31T08:00:00Z");
                Some(time::parse(&text).ok_or_else(wrong)?)
            }
        };
        let number = number(call, "page", 1).ok_or_else(|| Refusal::field("page", "is not a number from 1"))?;
        let size = number_of_items(call)?;
        Ok(Self { updated_since, number, size })
    }

    /// How many contacts the pages before this one have.
    pub(crate) const fn skip(&self) -> usize {
        (self.number - 1).saturating_mul(self.size)
    }
}

fn number_of_items(call: &Call) -> Result<usize, Refusal> {
    number(call, "per_page", SIZE)
        .filter(|size| *size <= SIZE_LIMIT)
        .ok_or_else(|| Refusal::field("per_page", "is not a number from 1 to 100"))
}

/// A number from 1, or `default` when it is not given.
fn number(call: &Call, name: &str, default: usize) -> Option<usize> {
    match given(call, name) {
        None => Some(default),
        Some(text) => text.parse().ok().filter(|number| *number > 0),
    }
}

fn given(call: &Call, name: &str) -> Option<String> {
    call.query_value(name).filter(|text| !text.is_empty())
}
