//! How large an execution has become.

use crate::model::HistoryEvent;

/// How large the history of an execution is. What is counted is what history holds, so loading it anew counts the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Size {
    /// Its events.
    pub(crate) events: usize,
    /// Bytes of the largest value in it.
    pub(crate) largest: usize,
}

impl Size {
    pub(super) fn add(&mut self, event: &HistoryEvent) {
        self.events += 1;
        self.largest = self.largest.max(event.payload_bytes());
    }
}
