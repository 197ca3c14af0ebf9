//! Which deliveries of a channel are settled, and the fewest words that tell the broker so.

use std::collections::VecDeque;

/// What the broker is to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// This delivery is done; with `multiple`, all before it are as well.
    Acknowledge { tag: u64, multiple: bool },
    /// Deliver it again.
    Release { tag: u64 },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tag {
    Open,
    Acknowledged,
    Told,
}

/// The deliveries of one channel, which the broker numbers from 1.
#[derive(Debug)]
pub(super) struct Window {
    /// From `first` on; before it everything is told.
    tags: VecDeque<Tag>,
    first: u64,
    open: usize,
    acknowledged: Vec<u64>,
    released: Vec<u64>,
}

impl Default for Window {
    fn default() -> Self {
        Self { tags: VecDeque::new(), first: 1, open: 0, acknowledged: Vec::new(), released: Vec::new() }
    }
}

impl Window {
    pub(super) fn deliver(&mut self, tag: u64) {
        // None is left out; if one were, it would never be settled.
        while self.first + (self.tags.len() as u64) < tag {
            self.tags.push_back(Tag::Told);
        }
        self.tags.push_back(Tag::Open);
        self.open += 1;
    }

    pub(super) fn acknowledge(&mut self, tag: u64) {
        if self.settle(tag, Tag::Acknowledged) {
            self.acknowledged.push(tag);
        }
    }

    pub(super) fn release(&mut self, tag: u64) {
        if self.settle(tag, Tag::Told) {
            self.released.push(tag);
        }
    }

    fn settle(&mut self, tag: u64, now: Tag) -> bool {
        let index = tag.checked_sub(self.first).and_then(|index| usize::try_from(index).ok());
        let Some(place) = index.and_then(|index| self.tags.get_mut(index)).filter(|place| **place == Tag::Open) else {
            return false;
        };
        *place = now;
        self.open -= 1;
        true
    }

    /// Deliveries that nobody has settled.
    pub(super) const fn open(&self) -> usize {
        self.open
    }

    /// Whether there is something to tell.
    pub(super) const fn has_orders(&self) -> bool {
        !(self.acknowledged.is_empty() && self.released.is_empty())
    }

    /// What was settled since the last call. A word for many names a delivery that the broker has not been told of yet: it
    /// closes the channel otherwise.
    pub(super) fn take_orders(&mut self) -> Vec<Order> {
        let mut orders: Vec<_> = self.released.drain(..).map(|tag| Order::Release { tag }).collect();
        let (mut last, mut count) = (0, 0);
        while let Some(tag) = self.tags.front().filter(|tag| **tag != Tag::Open) {
            if *tag == Tag::Acknowledged {
                (last, count) = (self.first, count + 1);
            }
            self.tags.pop_front();
            self.first += 1;
        }
        if count > 0 {
            orders.push(Order::Acknowledge { tag: last, multiple: count > 1 });
        }
        for tag in self.acknowledged.drain(..).filter(|tag| *tag >= self.first) {
            if let Some(place) = usize::try_from(tag - self.first).ok().and_then(|index| self.tags.get_mut(index)) {
                *place = Tag::Told;
                orders.push(Order::Acknowledge { tag, multiple: false });
            }
        }
        orders
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Order::{Acknowledge, Release};
    use super::*;

    fn window(count: u64) -> Window {
        let mut window = Window::default();
        (1..=count).for_each(|tag| window.deliver(tag));
        window
    }

    #[test]
    fn tells_of_many_with_one_word() {
        let mut window = window(5);
        for tag in [3, 1, 2, 5] {
            window.acknowledge(tag);
        }
        assert_eq!(
            window.take_orders(),
            [Acknowledge { tag: 3, multiple: true }, Acknowledge { tag: 5, multiple: false }]
        );
        window.acknowledge(4);
        assert_eq!(window.take_orders(), [Acknowledge { tag: 4, multiple: false }]);
        assert_eq!((window.open(), window.has_orders()), (0, false));
    }

    #[test]
    fn a_word_for_many_never_names_what_was_released() {
        let mut window = window(4);
        window.release(2);
        window.acknowledge(1);
        assert_eq!(window.take_orders(), [Release { tag: 2 }, Acknowledge { tag: 1, multiple: false }]);
        window.acknowledge(3);
        window.release(4);
        assert_eq!(window.take_orders(), [Release { tag: 4 }, Acknowledge { tag: 3, multiple: false }]);
    }

    #[test]
    fn settles_once_and_only_what_was_delivered() {
        let mut window = window(1);
        window.acknowledge(1);
        window.release(1);
        window.acknowledge(1);
        window.acknowledge(2);
        window.release(0);
        assert_eq!(window.take_orders(), [Acknowledge { tag: 1, multiple: false }]);
        window.acknowledge(1);
        assert_eq!(window.take_orders(), []);
    }

    proptest! {
        /// As the broker understands the orders, exactly what was acknowledged is acknowledged, and no word is an error.
        #[test]
        fn the_broker_learns_exactly_what_was_settled(steps in prop::collection::vec((0_u8..4, 1_u64..40), 0..200)) {
            let mut window = Window::default();
            let mut broker = std::collections::BTreeSet::new();
            let (mut delivered, mut acknowledged, mut released) = (0, Vec::new(), Vec::new());
            let mut settled = std::collections::BTreeSet::new();
            let (mut told_acknowledged, mut told_released) = (Vec::new(), Vec::new());
            for (kind, tag) in steps.into_iter().chain([(3, 1)]) {
                match kind {
                    0 => { delivered += 1; window.deliver(delivered); broker.insert(delivered); }
                    1 if tag <= delivered && settled.insert(tag) => { window.acknowledge(tag); acknowledged.push(tag); }
                    2 if tag <= delivered && settled.insert(tag) => { window.release(tag); released.push(tag); }
                    3 => for order in window.take_orders() {
                        match order {
                            Release { tag } => { prop_assert!(broker.remove(&tag)); told_released.push(tag); }
                            Acknowledge { tag, multiple } => {
                                prop_assert!(broker.remove(&tag));
                                told_acknowledged.push(tag);
                                let before: Vec<_> = broker.range(..tag).copied().collect();
                                for tag in before.into_iter().filter(|_| multiple) {
                                    broker.remove(&tag);
                                    told_acknowledged.push(tag);
                                }
                            }
                        }
                    },
                    _ => {}
                }
            }
            for list in [&mut acknowledged, &mut released, &mut told_acknowledged, &mut told_released] {
                list.sort_unstable();
            }
            prop_assert_eq!((acknowledged, released), (told_acknowledged, told_released));
            prop_assert_eq!(window.open(), broker.len());
        }
    }
}
