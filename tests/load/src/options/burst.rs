//! How hard and how long a burst is.

use std::str::FromStr;

/// So many orders a second for so long.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Burst {
    pub(crate) speed: Speed,
    pub(crate) seconds: u64,
}

/// Orders a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Speed {
    Exactly(u64),
    /// Of what was completed at saturation.
    Times(f64),
}

const LONGEST_SECONDS: u64 = 3600;
const FASTEST: u64 = 1_000_000;
const MOST_TIMES: f64 = 1000.0;

impl Speed {
    /// The rate, when so many were completed at saturation.
    pub(crate) fn rate(self, saturation: f64) -> u64 {
        match self {
            Self::Exactly(rate) => rate,
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate far below 2^53")]
            Self::Times(times) => (times * saturation).max(1.0) as u64,
        }
    }
}

impl FromStr for Burst {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "expected ORDERS-A-SECOND:SECONDS, as 20000:10, or TIMES-SATURATION, as 5x:10";
        let (speed, seconds) = text.split_once(':').ok_or(EXPECTED)?;
        let speed = match speed.strip_suffix('x') {
            Some(times) => Speed::Times(times.parse().map_err(|_| EXPECTED)?),
            None => Speed::Exactly(speed.parse().map_err(|_| EXPECTED)?),
        };
        let is_possible = match speed {
            Speed::Exactly(rate) => (1..=FASTEST).contains(&rate),
            Speed::Times(times) => times > 0.0 && times <= MOST_TIMES,
        };
        let seconds = seconds.parse().map_err(|_| EXPECTED)?;
        if !is_possible || !(1..=LONGEST_SECONDS).contains(&seconds) {
            return Err(EXPECTED);
        }
        Ok(Self { speed, seconds })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_rate_or_a_multiple_of_saturation() {
        assert_eq!("20000:10".parse(), Ok(Burst { speed: Speed::Exactly(20_000), seconds: 10 }));
        assert_eq!("2.5x:3".parse(), Ok(Burst { speed: Speed::Times(2.5), seconds: 3 }));
        assert_eq!(Speed::Times(2.5).rate(1000.0), 2500);
    }

    #[test]
    fn refuses_what_is_none() {
        for wrong in ["", "5", "5:", ":5", "x:5", "0:5", "5:0", "-1x:5", "NaNx:5", "infx:5", "2000000:5", "5:4000"] {
            assert!(wrong.parse::<Burst>().is_err(), "{wrong}");
        }
    }
}
