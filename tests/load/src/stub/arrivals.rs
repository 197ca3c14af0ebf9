//! What arrived when.

use bytes::{BufMut, Bytes, BytesMut};
use serde::{Deserialize, Serialize};

/// Arrival times of a page, eight little-endian bytes each.
pub(crate) const ARRIVALS_A_PAGE: u64 = 1 << 16;
/// A soak of an hour stays far below; larger numbers are none of ours.
const MAX_NUMBER: u64 = 1 << 28;

/// The time of the first arrival of each order, by its number. Pages are made when they are needed, so that growing never
/// stops the clock.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    pages: Vec<Vec<u64>>,
    counters: Counters,
}

/// How much arrived.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counters {
    /// Orders that arrived, each counted once.
    pub(crate) arrived: u64,
    /// Arrivals of orders that had arrived before.
    pub(crate) repeated: u64,
    /// Calls without the number of an order.
    pub(crate) unknown: u64,
}

impl Arrivals {
    pub(super) fn record(&mut self, number: Option<u64>, at_nanos: u64) {
        let Some(number) = number.filter(|number| *number < MAX_NUMBER) else {
            self.counters.unknown += 1;
            return;
        };
        let (page, place) = (index(number / ARRIVALS_A_PAGE), index(number % ARRIVALS_A_PAGE));
        if self.pages.len() <= page {
            self.pages.resize_with(page + 1, Vec::new);
        }
        let page = &mut self.pages[page];
        if page.is_empty() {
            page.resize(index(ARRIVALS_A_PAGE), 0);
        }
        if page[place] != 0 {
            self.counters.repeated += 1;
            return;
        }
        page[place] = at_nanos.max(1);
        self.counters.arrived += 1;
    }

    pub(super) const fn counters(&self) -> Counters {
        self.counters
    }

    /// The page that holds order `number`; a time of 0 says that it did not arrive. Empty where nothing arrived.
    pub(super) fn page(&self, number: u64) -> Bytes {
        let times = self.pages.get(index(number / ARRIVALS_A_PAGE)).map_or(&[][..], Vec::as_slice);
        let mut bytes = BytesMut::with_capacity(times.len() * 8);
        for time in times {
            bytes.put_u64_le(*time);
        }
        bytes.freeze()
    }
}

fn index(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_first_repeated_and_unknown_arrivals() {
        let mut arrivals = Arrivals::default();
        for (number, at) in [(Some(0), 5), (Some(70_000), 6), (Some(0), 7), (None, 8), (Some(MAX_NUMBER), 9)] {
            arrivals.record(number, at);
        }
        assert_eq!(arrivals.counters(), Counters { arrived: 2, repeated: 1, unknown: 2 });
    }

    #[test]
    fn keeps_the_time_of_the_first_arrival() {
        let mut arrivals = Arrivals::default();
        arrivals.record(Some(ARRIVALS_A_PAGE + 1), 5);
        arrivals.record(Some(ARRIVALS_A_PAGE + 1), 9);
        assert!(arrivals.page(0).is_empty());
        let page = arrivals.page(ARRIVALS_A_PAGE);
        assert_eq!(page[..24], [0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    }
}
