//! [`Ascending`]: a map by ids that are given in ascending order.

use std::collections::VecDeque;

/// Places that are kept, used or not.
const KEPT: usize = 4;

/// Values by id. Ids ascend as they are given, so that nearly all are added at the end, and most go near the front: a row of them is faster
/// than a tree, and one value needs room for one. Any other order is only slower.
#[derive(Debug, Clone)]
pub(crate) struct Ascending<V> {
    /// By ascending id. What was taken out of the middle leaves a gap; the ends are none.
    row: VecDeque<(i64, Option<V>)>,
    /// How many are no gaps.
    len: usize,
}

impl<V> Default for Ascending<V> {
    fn default() -> Self {
        Self {
            row: VecDeque::new(),
            len: 0,
        }
    }
}

impl<V> Ascending<V> {
    fn find(&self, id: i64) -> Result<usize, usize> {
        let first = self.row.front().map_or(id, |(first, _)| *first);
        // Its place, if none is missing before it.
        let place = id
            .checked_sub(first)
            .and_then(|at| usize::try_from(at).ok());
        let place = place.filter(|at| self.row.get(*at).is_some_and(|(found, _)| *found == id));
        place.map_or_else(|| self.row.binary_search_by_key(&id, |(id, _)| *id), Ok)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(crate) fn contains(&self, id: i64) -> bool {
        self.get(id).is_some()
    }

    pub(crate) fn get(&self, id: i64) -> Option<&V> {
        let at = self.find(id).ok()?;
        self.row.get(at)?.1.as_ref()
    }

    pub(crate) fn get_mut(&mut self, id: i64) -> Option<&mut V> {
        let at = self.find(id).ok()?;
        self.row.get_mut(at)?.1.as_mut()
    }

    /// Puts it in, in place of what was there.
    pub(crate) fn insert(&mut self, id: i64, value: V) {
        if self.row.capacity() == 0 {
            self.row.reserve_exact(1);
        }
        if self.row.back().is_none_or(|(last, _)| *last < id) {
            self.row.push_back((id, Some(value)));
            self.len += 1;
            return;
        }
        match self.find(id) {
            Ok(at) => {
                let was = self.row.get_mut(at).and_then(|(_, old)| old.replace(value));
                self.len += usize::from(was.is_none());
            }
            Err(at) => {
                self.row.insert(at, (id, Some(value)));
                self.len += 1;
            }
        }
    }

    /// Takes it out.
    pub(crate) fn remove(&mut self, id: i64) -> Option<V> {
        let at = self.find(id).ok()?;
        let value = self.row.get_mut(at)?.1.take()?;
        self.len -= 1;
        self.tidy();
        Some(value)
    }

    /// Never more gaps than values, nor much more room than for what is there. Either is paid for by as many calls that took something out.
    fn tidy(&mut self) {
        while matches!(self.row.front(), Some((_, None))) {
            self.row.pop_front();
        }
        while matches!(self.row.back(), Some((_, None))) {
            self.row.pop_back();
        }
        if self.row.len() > 2 * self.len {
            self.row.retain(|(_, value)| value.is_some());
        }
        if self.row.capacity() > KEPT.max(4 * self.row.len()) {
            self.row.shrink_to(2 * self.row.len());
        }
    }

    /// All, by ascending id.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (i64, &V)> {
        let all = self.row.iter();
        all.filter_map(|(id, value)| Some((*id, value.as_ref()?)))
    }

    /// All, by ascending id.
    pub(crate) fn into_values(self) -> impl Iterator<Item = V> {
        self.row.into_iter().filter_map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Step {
        Next,
        Insert(i64),
        Remove(i64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => Just(Step::Next),
            1 => (-3_i64..40).prop_map(Step::Insert),
            4 => (-3_i64..40).prop_map(Step::Remove),
        ]
    }

    proptest! {
        #[test]
        fn holds_what_a_tree_holds(steps in prop::collection::vec(step(), 0..200)) {
            let (mut row, mut tree) = (Ascending::default(), BTreeMap::new());
            for (value, step) in steps.into_iter().enumerate() {
                match step {
                    Step::Next => {
                        let id = tree.last_key_value().map_or(0, |(last, _)| last + 1);
                        row.insert(id, value);
                        tree.insert(id, value);
                    }
                    Step::Insert(id) => {
                        row.insert(id, value);
                        tree.insert(id, value);
                    }
                    Step::Remove(id) => prop_assert_eq!(row.remove(id), tree.remove(&id)),
                }
                let all: Vec<(i64, usize)> = row.iter().map(|(id, value)| (id, *value)).collect();
                let expected: Vec<(i64, usize)> = tree.clone().into_iter().collect();
                prop_assert_eq!(all, expected);
                prop_assert_eq!(row.is_empty(), tree.is_empty());
                for id in -4..45 {
                    prop_assert_eq!(row.get(id), tree.get(&id));
                    prop_assert_eq!(row.get_mut(id), tree.get_mut(&id));
                    prop_assert_eq!(row.contains(id), tree.contains_key(&id));
                }
                prop_assert!(row.row.len() <= 2 * row.len);
            }
            prop_assert_eq!(row.into_values().collect::<Vec<_>>(), tree.into_values().collect::<Vec<_>>());
        }
    }

    #[test]
    fn room_goes_with_what_was_there() {
        let mut row = Ascending::default();
        row.insert(0, 0);
        assert_eq!(row.row.capacity(), 1);
        (1..10_000).for_each(|id| row.insert(id, id));
        for id in (0..9_999).rev() {
            assert_eq!(row.remove(id), Some(id));
        }
        assert!(row.row.capacity() <= KEPT);
        assert!(row.contains(9_999));
    }
}
