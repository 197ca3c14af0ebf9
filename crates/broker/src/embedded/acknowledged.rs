//! Which messages of a topic are done. Pure memory.

use std::collections::BTreeMap;

/// All below a watermark, and ranges above it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Acknowledged {
    below: u64,
    /// First to one past the last; they neither touch nor overlap, and lie above `below`.
    ranges: BTreeMap<u64, u64>,
    in_ranges: u64,
}

impl Acknowledged {
    pub(super) fn up_to(below: u64) -> Self {
        Self { below, ..Self::default() }
    }

    /// All messages with a smaller number are done.
    pub(super) fn below(&self) -> u64 {
        self.below
    }

    /// One past the last that is done.
    pub(super) fn end(&self) -> u64 {
        self.ranges.last_key_value().map_or(self.below, |(_, end)| *end)
    }

    /// How many below `end` are not done.
    pub(super) fn open_below(&self, end: u64) -> u64 {
        end.saturating_sub(self.below).saturating_sub(self.in_ranges)
    }

    pub(super) fn contains(&self, sequence: u64) -> bool {
        self.covers(sequence, sequence + 1)
    }

    /// Whether all from `start` to before `end` are done.
    pub(super) fn covers(&self, start: u64, end: u64) -> bool {
        if start >= end || end <= self.below {
            return true;
        }
        self.ranges.range(..=start).next_back().is_some_and(|(_, range_end)| *range_end >= end)
    }

    pub(super) fn insert(&mut self, sequence: u64) {
        if sequence == self.below {
            self.raise(sequence + 1);
            return;
        }
        if self.contains(sequence) {
            return;
        }
        self.in_ranges += 1;
        let end = self.ranges.remove(&(sequence + 1)).unwrap_or(sequence + 1);
        if let Some((_, previous_end)) = self.ranges.range_mut(..sequence).next_back()
            && *previous_end == sequence
        {
            *previous_end = end;
            return;
        }
        self.ranges.insert(sequence, end);
    }

    /// All below `floor` are done from now on.
    pub(super) fn raise(&mut self, floor: u64) {
        self.below = self.below.max(floor);
        while let Some(range) = self.ranges.first_entry() {
            let (start, end) = (*range.key(), *range.get());
            if start > self.below {
                break;
            }
            self.below = self.below.max(end);
            self.in_ranges -= end - start;
            range.remove();
        }
    }

    /// As bytes: the watermark, the number of ranges, their bounds.
    pub(super) fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.below.to_le_bytes());
        bytes.extend_from_slice(&(self.ranges.len() as u64).to_le_bytes());
        for (start, end) in &self.ranges {
            bytes.extend_from_slice(&start.to_le_bytes());
            bytes.extend_from_slice(&end.to_le_bytes());
        }
    }

    /// Back from bytes, and what follows them.
    pub(super) fn decode(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (below, rest) = take_number(bytes)?;
        let (count, mut rest) = take_number(rest)?;
        let mut acknowledged = Self::up_to(below);
        for _ in 0..count {
            let (start, behind_start) = take_number(rest)?;
            let (end, behind_end) = take_number(behind_start)?;
            acknowledged.in_ranges += end.checked_sub(start)?;
            acknowledged.ranges.insert(start, end);
            rest = behind_end;
        }
        Some((acknowledged, rest))
    }
}

fn take_number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u64::from_le_bytes(*number), rest))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn agrees_with_a_plain_set(steps in proptest::collection::vec((0_u64..40, prop::bool::weighted(0.1)), 0..80)) {
            let mut acknowledged = Acknowledged::default();
            let mut model = BTreeSet::new();

            for (number, raise) in steps {
                if raise {
                    acknowledged.raise(number);
                    model.extend(0..number);
                } else {
                    acknowledged.insert(number);
                    model.insert(number);
                }
            }

            let below = (0..).find(|number| !model.contains(number)).unwrap();
            prop_assert_eq!(acknowledged.below(), below);
            prop_assert_eq!(acknowledged.open_below(40), 40 - model.len() as u64);
            for number in 0..41 {
                prop_assert_eq!(acknowledged.contains(number), model.contains(&number));
            }
            let mut bytes = Vec::new();
            acknowledged.encode(&mut bytes);
            bytes.push(7);
            prop_assert_eq!(Acknowledged::decode(&bytes), Some((acknowledged, &[7_u8][..])));
        }
    }
}
