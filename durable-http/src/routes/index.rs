//! Finding the few routes that a path can lead to, however many there are.

use super::case::{compare, lower};
use super::decode::decode;
use super::matching::split;
use super::template::Template;

/// A tree of the text that templates start with; each node lists, in order, the routes that go no further in text.
#[derive(Debug, Default)]
pub(super) struct Index {
    routes: Vec<usize>,
    /// Sorted by the segment, which is in lower case.
    below: Vec<(String, Index)>,
}

impl Index {
    /// Adds the route of this number; numbers are added in order.
    pub(super) fn add(&mut self, template: &Template, number: usize) {
        let mut node = self;
        for literal in template.literals() {
            node = node.child(literal);
        }
        node.routes.push(number);
    }

    fn child(&mut self, literal: &str) -> &mut Index {
        let found = self
            .below
            .binary_search_by(|(key, _)| compare(key, literal));
        let at = found.unwrap_or_else(|at| {
            let key = lower(literal).collect();
            self.below.insert(at, (key, Index::default()));
            at
        });
        &mut self.below[at].1
    }

    /// The first route, in the order of numbers, for which `attempt` yields something.
    ///
    /// `path` is percent-encoded and has no leading slash.
    pub(super) fn first<M>(&self, path: &str, attempt: impl Fn(usize) -> Option<M>) -> Option<M> {
        let mut best: Option<(usize, M)> = None;
        let mut node = Some(self);
        let mut rest = path;
        while let Some(here) = node {
            let limit = best.as_ref().map_or(usize::MAX, |(number, _)| *number);
            let earlier = here.routes.iter().take_while(|number| **number < limit);
            let found = earlier
                .copied()
                .find_map(|number| Some((number, attempt(number)?)));
            best = found.or(best);
            node = split(rest).and_then(|(segment, after)| {
                rest = after;
                here.below(&decode(segment))
            });
        }
        best.map(|(_, found)| found)
    }

    fn below(&self, segment: &str) -> Option<&Index> {
        let found = self
            .below
            .binary_search_by(|(key, _)| compare(key, segment));
        found
            .ok()
            .and_then(|at| self.below.get(at))
            .map(|(_, node)| node)
    }
}
