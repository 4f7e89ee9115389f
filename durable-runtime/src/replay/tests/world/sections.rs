//! What entities and critical sections mean (spec 1.10).

use std::collections::BTreeMap;
use std::panic::resume_unwind;

use super::{Part, State, Task, What, World};
use crate::replay::tests::program::{ENTITIES, NOBODY};

/// Ends the program at the spot of a wrong use that no value reports.
pub(in crate::replay::tests) struct Misuse;

/// The one section that an execution may have, from its request on.
#[derive(Debug)]
pub(super) struct Section {
    request: i64,
    entities: Vec<&'static str>,
    granted: bool,
    /// Calls under its locks that are not answered.
    calls: BTreeMap<i64, &'static str>,
}

impl World {
    fn granted(&self) -> Option<&Section> {
        self.section.as_ref().filter(|section| section.granted)
    }

    pub(super) fn in_section(&self) -> bool {
        self.granted().is_some()
    }

    pub(in crate::replay::tests) fn locked(&self) -> Vec<&'static str> {
        let section = self.granted();
        section.map_or_else(Vec::new, |section| section.entities.clone())
    }

    pub(super) fn call_entity(&mut self, index: usize, key: u8) {
        let entity = ENTITIES[usize::from(key)];
        if key == NOBODY {
            return self.fail(index);
        }
        if self.granted().is_some_and(|section| {
            !section.entities.contains(&entity) || section.calls.values().any(|it| *it == entity)
        }) {
            return self.fail(index);
        }
        let id = self.next_id();
        let mut under = None;
        if let Some(section) = self.section.as_mut().filter(|section| section.granted) {
            section.calls.insert(id, entity);
            under = Some(section.request);
        }
        self.ask(
            id,
            format!("call {entity} in {under:?}"),
            Some(Task::Entity),
        );
        self.parts.insert(id, (index, Part::Main));
        self.made[index].task = Some(id);
    }

    /// An entity has answered a call, or will never get it.
    pub(super) fn answered(&mut self, id: i64) {
        if let Some(section) = &mut self.section {
            section.calls.remove(&id);
        }
    }

    pub(in crate::replay::tests) fn signal(&mut self, key: u8, later: Option<u32>) {
        let entity = ENTITIES[usize::from(key)];
        if key == NOBODY || self.locked().contains(&entity) {
            resume_unwind(Box::new(Misuse));
        }
        let due = later.map(|seconds| self.now + i64::from(seconds) * self.second);
        self.one_way(&format!("signal {entity} at {due:?}"));
    }

    pub(in crate::replay::tests) fn lock(&mut self, keys: &[u8]) -> usize {
        let index = self.make(What::Lock);
        let is_unknown = keys.contains(&NOBODY);
        let keys = keys.iter().map(|key| ENTITIES[usize::from(*key)]);
        let mut entities: Vec<&str> = keys.collect();
        entities.sort_unstable();
        entities.dedup();
        if entities.is_empty() || is_unknown || self.section.is_some() {
            self.fail(index);
            return index;
        }
        let request = self.next_id();
        self.ask(
            request,
            format!("lock {}", entities.join(" ")),
            Some(Task::Lock),
        );
        self.parts.insert(request, (index, Part::Main));
        self.made[index].task = Some(request);
        self.section = Some(Section {
            request,
            entities,
            granted: false,
            calls: BTreeMap::new(),
        });
        index
    }

    /// The task id of a request for locks.
    pub(in crate::replay::tests) fn request(&self, index: usize) -> i64 {
        self.made[index].task.unwrap()
    }

    pub(super) fn grant(&mut self, request: i64) {
        if let Some(section) = &mut self.section
            && section.request == request
        {
            section.granted = true;
        }
    }

    /// The future of a request for locks is dropped before its guard was taken out of it.
    pub(super) fn leave_lock(&mut self, index: usize) {
        let made = &self.made[index];
        if matches!(made.what, What::Lock)
            && !matches!(made.state, State::Gone)
            && let Some(request) = made.task
        {
            self.leave_section(request);
        }
    }

    /// A request that nobody has seen is taken back, one that is under way is called off at its first entity; locks are let go one by one.
    pub(in crate::replay::tests) fn leave_section(&mut self, request: i64) {
        let Some(section) = self.section.take_if(|it| it.request == request) else {
            return;
        };
        if self.fresh.remove(&request).is_some() {
            self.parts.remove(&request);
            return;
        }
        let early = !section.granted;
        let count = if early { 1 } else { section.entities.len() };
        for entity in section.entities.into_iter().take(count) {
            self.one_way(&format!("unlock {entity} of {request}, early: {early}"));
        }
    }
}
