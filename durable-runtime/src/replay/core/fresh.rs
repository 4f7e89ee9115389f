//! [`Fresh`]: what one poll of user code has asked for so far.

use std::collections::VecDeque;

use super::Action;

/// Actions by ascending id. Ids ascend as they are given, so that nearly all come at the end; a poll may ask for very many.
#[derive(Default)]
pub(super) struct Fresh(VecDeque<Action>);

impl Fresh {
    fn find(&self, id: i64) -> Result<usize, usize> {
        self.0.binary_search_by_key(&id, |action| action.id)
    }

    pub(super) fn has(&self, id: i64) -> bool {
        self.find(id).is_ok()
    }

    pub(super) fn get_mut(&mut self, id: i64) -> Option<&mut Action> {
        let index = self.find(id).ok()?;
        self.0.get_mut(index)
    }

    /// Asks for something, in place of what was asked for under that id.
    pub(super) fn ask(&mut self, action: Action) {
        if self.0.back().is_none_or(|last| last.id < action.id) {
            return self.0.push_back(action);
        }
        match self.find(action.id) {
            Ok(index) => self.0[index] = action,
            Err(index) => self.0.insert(index, action),
        }
    }

    /// Takes it back, if it was asked for.
    pub(super) fn withdraw(&mut self, id: i64) {
        if let Ok(index) = self.find(id) {
            self.0.remove(index);
        }
    }

    /// All that was asked for and not taken back, in order.
    pub(super) fn into_all(self) -> VecDeque<Action> {
        self.0
    }
}
