//! How many calls the partner takes from one connection.

use std::time::Duration;

use http::{HeaderMap, HeaderName};
use patchbay_types::Timestamp;

/// The longest that an answer can make us wait.
const MAX_PAUSE: Duration = Duration::from_secs(60 * 60);
/// The wait when nothing says how long.
const PAUSE: Duration = Duration::from_secs(1);
/// Smaller numbers are a wait in seconds, larger ones seconds since 1970.
const EARLIEST_MOMENT: u64 = 1_000_000_000;

/// How many calls the partner takes from one connection, where it says so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Budget {
    /// How many calls may be in flight.
    pub concurrency: Option<u32>,
    /// How many calls may start in a time.
    pub rate: Option<Rate>,
    /// The header of answers that says how many calls are left.
    pub remaining_header: Option<HeaderName>,
    /// The header of answers that says when calls are taken again: in seconds from now, or since 1970.
    pub reset_header: Option<HeaderName>,
}

/// How many calls may start in a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// The number of calls, above zero.
    pub requests: u32,
    /// The time that they count in.
    pub per: Duration,
}

impl Budget {
    /// How long no call should be made after this answer: the partner says that none is left.
    #[must_use]
    pub fn pause(&self, answer: &HeaderMap, now: Timestamp) -> Option<Duration> {
        let remaining = number(answer, self.remaining_header.as_ref()?)?;
        if remaining > 0 {
            return None;
        }
        let usual = self.rate.map_or(PAUSE, |rate| rate.per);
        let reset = self.reset_header.as_ref().and_then(|name| number(answer, name));
        let pause = reset.map_or(usual, |reset| match reset {
            seconds if seconds < EARLIEST_MOMENT => Duration::from_secs(seconds),
            moment => Duration::from_secs(moment).saturating_sub(since_1970(now)),
        });
        Some(pause.min(MAX_PAUSE))
    }
}

/// A whole number in a header; a fraction of it is cut off.
fn number(headers: &HeaderMap, name: &HeaderName) -> Option<u64> {
    let text = headers.get(name)?.to_str().ok()?.trim();
    text.split('.').next()?.parse().ok()
}

fn since_1970(now: Timestamp) -> Duration {
    Duration::from_micros(u64::try_from(now.as_micros()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_as_long_as_the_partner_says_that_nothing_is_left() {
        let budget = Budget {
            remaining_header: Some(HeaderName::from_static("x-remaining")),
            reset_header: Some(HeaderName::from_static("x-reset")),
            rate: Some(Rate { requests: 5, per: Duration::from_secs(10) }),
            concurrency: None,
        };
        let now = Timestamp::from_micros(1_800_000_000 * 1_000_000);
        let answer = |pairs: &[(&'static str, &'static str)]| {
            let pair = |(name, value): &(&'static str, &'static str)| (name.parse().unwrap(), value.parse().unwrap());
            pairs.iter().map(pair).collect::<HeaderMap>()
        };
        for (pairs, seconds) in [
            (&[][..], None),
            (&[("x-remaining", "1"), ("x-reset", "5")], None),
            (&[("x-remaining", "none")], None),
            (&[("x-remaining", "0")], Some(10)),
            (&[("x-remaining", "0"), ("x-reset", "7.5")], Some(7)),
            (&[("x-remaining", "0"), ("x-reset", "1800000030")], Some(30)),
            (&[("x-remaining", "0"), ("x-reset", "1799999999")], Some(0)),
            (&[("x-remaining", "0"), ("x-reset", "999999")], Some(3600)),
        ] {
            assert_eq!(budget.pause(&answer(pairs), now), seconds.map(Duration::from_secs), "{pairs:?}");
        }
        assert_eq!(Budget::default().pause(&answer(&[("x-remaining", "0")]), now), None);
    }
}
