//! Numbered rows of which only the newest are kept.

use std::collections::VecDeque;

/// How many rows of one kind are kept.
pub(crate) const ROWS_KEPT: usize = 200_000;

/// The newest rows, numbered from 1 without gaps. Numbers are never given twice, not even after [`Self::clear`].
#[derive(Debug)]
pub(crate) struct Ring<T> {
    rows: VecDeque<T>,
    first: u64,
    limit: usize,
}

impl<T> Ring<T> {
    pub(crate) const fn new(limit: usize) -> Self {
        Self { rows: VecDeque::new(), first: 1, limit }
    }

    /// The number of the oldest row that is kept, or of the next one when there is none.
    pub(crate) const fn first(&self) -> u64 {
        self.first
    }

    /// The number that the next row will get.
    pub(crate) fn next(&self) -> u64 {
        self.first + self.rows.len() as u64
    }

    /// Appends a row and gives its number, and the oldest row with its number when that had to go.
    pub(crate) fn push(&mut self, row: T) -> (u64, Option<(u64, T)>) {
        let mut gone = None;
        if self.rows.len() >= self.limit
            && let Some(oldest) = self.rows.pop_front()
        {
            gone = Some((self.first, oldest));
            self.first += 1;
        }
        let number = self.next();
        self.rows.push_back(row);
        (number, gone)
    }

    pub(crate) fn get(&self, number: u64) -> Option<&T> {
        self.rows.get(self.position(number)?)
    }

    pub(crate) fn get_mut(&mut self, number: u64) -> Option<&mut T> {
        let position = self.position(number)?;
        self.rows.get_mut(position)
    }

    /// The rows with their numbers, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &T)> {
        (self.first..).zip(&self.rows)
    }

    pub(crate) fn clear(&mut self) {
        self.first = self.next();
        self.rows = VecDeque::new();
    }

    fn position(&self, number: u64) -> Option<usize> {
        usize::try_from(number.checked_sub(self.first)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_newest_rows_under_their_numbers() {
        let mut ring = Ring::new(2);
        assert_eq!(ring.push("a"), (1, None));
        assert_eq!(ring.push("b"), (2, None));
        assert_eq!(ring.push("c"), (3, Some((1, "a"))));

        assert_eq!(ring.iter().collect::<Vec<_>>(), [(2, &"b"), (3, &"c")]);
        assert_eq!((ring.get(1), ring.get(3), ring.get(4)), (None, Some(&"c"), None));
    }

    #[test]
    fn gives_no_number_twice() {
        let mut ring = Ring::new(2);
        ring.push("a");
        ring.clear();
        assert_eq!(ring.push("b"), (2, None));
        assert_eq!(ring.get(1), None);
    }
}
