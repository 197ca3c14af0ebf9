//! Which messages of a topic are done.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::disk::Disk;
use crate::Error;

pub(super) const FILE_NAME: &str = "acknowledged";
const MAGIC: &[u8; 8] = b"PBACK001";

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

    /// Replaces the file of a topic's directory by this, whole on the medium before it takes the name.
    pub(super) fn save(&self, disk: &dyn Disk, directory: &Path) -> io::Result<()> {
        let temporary = directory.join("acknowledged.new");
        let file = File::create(&temporary)?;
        disk.write(&file, &self.encode(), 0)?;
        disk.sync(&file)?;
        fs::rename(&temporary, directory.join(FILE_NAME))
    }

    /// What the file says; nothing when there is none.
    pub(super) fn load(directory: &Path) -> Result<Option<Self>, Error> {
        let path = directory.join(FILE_NAME);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("read", &path, error)),
        };
        let damaged = || Error::Damaged { path: path.clone(), offset: 0, what: "the checksum does not match" };
        Self::decode(&bytes).map(Some).ok_or_else(damaged)
    }

    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(24 + self.ranges.len() * 16);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&self.below.to_le_bytes());
        for (start, end) in &self.ranges {
            bytes.extend_from_slice(&start.to_le_bytes());
            bytes.extend_from_slice(&end.to_le_bytes());
        }
        let checksum = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&checksum.to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (content, checksum) = bytes.split_last_chunk::<4>()?;
        if crc32fast::hash(content) != u32::from_le_bytes(*checksum) {
            return None;
        }
        let (numbers, rest) = content.strip_prefix(MAGIC)?.as_chunks::<8>();
        let (below, bounds) = numbers.split_first()?;
        let (pairs, odd) = bounds.as_chunks::<2>();
        if !rest.is_empty() || !odd.is_empty() {
            return None;
        }
        let number = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes);
        let ranges: BTreeMap<_, _> = pairs.iter().map(|[start, end]| (number(start), number(end))).collect();
        let in_ranges = ranges.iter().map(|(start, end)| end.saturating_sub(*start)).sum();
        Some(Self { below: number(below), ranges, in_ranges })
    }
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
            prop_assert_eq!(Acknowledged::decode(&acknowledged.encode()), Some(acknowledged));
        }
    }

    #[test]
    fn refuses_a_damaged_file() {
        let mut bytes = Acknowledged::up_to(7).encode();
        bytes[9] ^= 1;

        assert_eq!(Acknowledged::decode(&bytes), None);
    }
}
