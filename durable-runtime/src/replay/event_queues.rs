//! [`EventQueues`]: events that nobody has read yet, and who waits for which, by name.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::slot::{Buffered, SlotId};

/// The events and waiters of one name.
#[derive(Default)]
pub(super) struct EventQueue {
    /// In the order of their arrival.
    unread: VecDeque<Buffered>,
    /// Slots are numbered as they are made: the first is the oldest.
    waiters: VecDeque<SlotId>,
}

impl EventQueue {
    /// A new slot waits.
    pub(super) fn wait(&mut self, slot: SlotId) {
        self.waiters.push_back(slot);
    }

    /// The slot waits no longer.
    pub(super) fn leave(&mut self, slot: SlotId) {
        if let Ok(index) = self.waiters.binary_search(&slot) {
            self.waiters.remove(index);
        }
    }

    /// An event has come, or comes back to where it was.
    pub(super) fn put(&mut self, event: Buffered) {
        let is_earlier = |other: &Buffered| other.arrival < event.arrival;
        let at = self.unread.partition_point(is_earlier);
        self.unread.insert(at, event);
    }

    /// The oldest unread event and its oldest waiter, if there are both.
    pub(super) fn pair(&mut self) -> Option<(Buffered, SlotId)> {
        let slot = *self.waiters.front()?;
        let event = self.unread.pop_front()?;
        self.waiters.pop_front();
        Some((event, slot))
    }
}

/// The queues of all names. The first lies by itself: most executions know of one, and a map keeps room for eleven.
#[derive(Default)]
pub(super) struct EventQueues {
    first: Option<Box<(Arc<str>, EventQueue)>>,
    others: BTreeMap<Arc<str>, EventQueue>,
}

impl EventQueues {
    /// The queue of that name, if it ever was needed.
    pub(super) fn get_mut(&mut self, name: &str) -> Option<&mut EventQueue> {
        match &mut self.first {
            Some(first) if *first.0 == *name => Some(&mut first.1),
            _ => self.others.get_mut(name),
        }
    }

    /// The queue of that name, made if there is none.
    pub(super) fn of(&mut self, name: &Arc<str>) -> &mut EventQueue {
        let first = self
            .first
            .get_or_insert_with(|| Box::new((Arc::clone(name), EventQueue::default())));
        if first.0 == *name {
            return &mut first.1;
        }
        self.others.entry(Arc::clone(name)).or_default()
    }

    /// Names that somebody waits for, in order.
    pub(super) fn awaited(&self) -> Vec<String> {
        let first = self.first.iter().map(|first| (&first.0, &first.1));
        let awaited = first.chain(&self.others);
        let awaited = awaited.filter(|(_, queue)| !queue.waiters.is_empty());
        let mut names: Vec<String> = awaited.map(|(name, _)| name.to_string()).collect();
        names.sort_unstable();
        names
    }

    /// Events nobody has read, in the order of their arrival.
    pub(super) fn into_unread(self) -> Vec<Buffered> {
        let first = self.first.into_iter().map(|first| first.1);
        let queues = first.chain(self.others.into_values());
        let mut unread: Vec<Buffered> = queues.flat_map(|queue| queue.unread).collect();
        unread.sort_by_key(|event| event.arrival);
        unread
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Payload;

    fn event(name: &str, arrival: u64) -> Buffered {
        Buffered {
            arrival,
            name: name.to_owned(),
            data: Payload::null(),
        }
    }

    #[test]
    fn the_oldest_event_meets_the_oldest_waiter_and_comes_back_to_its_place() {
        let mut queue = EventQueue::default();
        (1..=3).for_each(|slot| queue.wait(slot));
        assert!(queue.pair().is_none(), "nothing has come");
        (7..=9).for_each(|arrival| queue.put(event("a", arrival)));
        queue.leave(2);
        queue.leave(2);
        let (first, slot) = queue.pair().unwrap();
        assert_eq!((first.arrival, slot), (7, 1));
        queue.put(first);
        let (again, slot) = queue.pair().unwrap();
        assert_eq!((again.arrival, slot), (7, 3));
        assert!(queue.pair().is_none(), "nobody waits");
        assert_eq!(queue.unread.len(), 2);
    }

    #[test]
    fn names_are_told_apart_whichever_came_first() {
        let mut queues = EventQueues::default();
        assert!(queues.get_mut("m").is_none());
        for (name, slot) in [("m", 1), ("a", 2), ("z", 3)] {
            queues.of(&name.into()).wait(slot);
        }
        assert_eq!(queues.awaited(), ["a", "m", "z"]);
        queues.get_mut("m").unwrap().leave(1);
        assert_eq!(queues.awaited(), ["a", "z"]);
        for (name, arrival) in [("z", 2), ("m", 1), ("a", 3)] {
            queues.of(&name.into()).put(event(name, arrival));
        }
        assert_eq!(queues.get_mut("z").unwrap().pair().unwrap().1, 3);
        let unread = queues.into_unread();
        let names: Vec<&str> = unread.iter().map(|event| &*event.name).collect();
        assert_eq!(names, ["m", "a"]);
    }
}
