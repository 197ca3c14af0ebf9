//! What lies ready from several lanes, given out in turns.

use std::collections::VecDeque;

/// See above.
#[derive(Debug)]
pub(super) struct Turns<T> {
    lanes: Vec<VecDeque<T>>,
    next: usize,
    count: usize,
}

impl<T> Turns<T> {
    pub(super) fn new(lanes: usize) -> Self {
        Self { lanes: (0..lanes).map(|_| VecDeque::new()).collect(), next: 0, count: 0 }
    }

    pub(super) fn put(&mut self, lane: usize, item: T) {
        if let Some(items) = self.lanes.get_mut(lane) {
            items.push_back(item);
            self.count += 1;
        }
    }

    pub(super) const fn count(&self) -> usize {
        self.count
    }

    /// The oldest of the lane whose turn it is; the next lane that has something is next.
    pub(super) fn take(&mut self) -> Option<T> {
        for _ in 0..self.lanes.len() {
            let lane = self.next;
            self.next = (lane + 1) % self.lanes.len();
            if let Some(item) = self.lanes[lane].pop_front() {
                self.count -= 1;
                return Some(item);
            }
        }
        None
    }

    pub(super) fn clear(&mut self) {
        self.lanes.iter_mut().for_each(VecDeque::clear);
        self.count = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_turns_between_lanes_that_have_something() {
        let mut turns = Turns::new(3);
        for (lane, item) in [(0, 'a'), (0, 'b'), (0, 'c'), (2, 'x'), (2, 'y')] {
            turns.put(lane, item);
        }
        let taken: String = std::iter::from_fn(|| turns.take()).collect();
        assert_eq!((taken.as_str(), turns.count()), ("axbyc", 0));
    }
}
