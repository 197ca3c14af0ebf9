//! The profiles that one key finds.

use std::collections::BTreeSet;

/// Mostly one; many at a price that does not grow with their count.
#[derive(Debug)]
pub(crate) enum Numbers {
    One(u64),
    Many(BTreeSet<u64>),
}

impl Numbers {
    pub(crate) fn insert(&mut self, number: u64) {
        match self {
            Self::One(one) if *one == number => {}
            Self::One(one) => *self = Self::Many(BTreeSet::from([*one, number])),
            Self::Many(many) => {
                many.insert(number);
            }
        }
    }

    /// Whether nothing is left without this number, which then is still there: drop the whole.
    pub(crate) fn remove(&mut self, number: u64) -> bool {
        match self {
            Self::One(one) => *one == number,
            Self::Many(many) => {
                many.remove(&number);
                many.is_empty()
            }
        }
    }

    pub(crate) fn contains(&self, number: u64) -> bool {
        match self {
            Self::One(one) => *one == number,
            Self::Many(many) => many.contains(&number),
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Many(many) => many.len(),
        }
    }

    /// From the oldest profile on.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u64> {
        let (one, many) = match self {
            Self::One(one) => (Some(*one), None),
            Self::Many(many) => (None, Some(many)),
        };
        one.into_iter().chain(many.into_iter().flatten().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_one_or_many() {
        let mut numbers = Numbers::One(5);
        numbers.insert(5);
        assert_eq!((numbers.len(), numbers.remove(4), numbers.contains(5)), (1, false, true));

        numbers.insert(3);
        numbers.insert(9);
        assert_eq!(numbers.iter().collect::<Vec<_>>(), [3, 5, 9]);
        assert_eq!((numbers.remove(5), numbers.remove(3), numbers.remove(9)), (false, false, true));
    }
}
