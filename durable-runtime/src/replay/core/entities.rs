//! Entities from an orchestrator: calls, signals, and the critical section that it may be in (spec 1.10).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::Waker;

use super::{Action, Core, State, input_failure};
use crate::model::{EntityId, HistoryEvent, OpenSection, Payload, TaskError};
use crate::replay::slot::{Role, Slot, SlotId, What};

/// The critical section that the execution is in, or asks for.
pub(super) struct Section {
    /// The task id of its request.
    id: i64,
    /// Instance ids, sorted, each once.
    entities: Vec<Arc<str>>,
    granted: bool,
    /// Calls of locked entities that have not answered.
    calls: BTreeMap<i64, Arc<str>>,
}

impl Core {
    /// An operation of an entity is called.
    pub(in crate::replay) fn call_entity(
        &self,
        id: &EntityId,
        operation: &str,
        input: Result<Option<Payload>, TaskError>,
    ) -> SlotId {
        let entity = id.instance_id();
        let what = What::EntityCall {
            name: id.name().into(),
        };
        let state = &mut *self.state();
        let allowed = self
            .registry
            .check_entity(id.name())
            .and_then(|()| state.check_call(&entity))
            .map_err(TaskError::usage);
        let input = match allowed.and(self.fitting(input)) {
            Ok(input) => input,
            Err(error) => return state.add(Slot::failed(what, error)),
        };
        let task = self.take_id(state);
        let slot = state.add(Slot::new(what, task));
        let section = state.enter_call(task, &entity);
        state.ask(Action {
            id: task,
            event: HistoryEvent::EntityOperationCalled {
                id: task,
                entity,
                operation: operation.into(),
                input,
                section,
            },
            attempt: 0,
            scheduled_start: None,
        });
        state.routes.insert(task, (slot, Role::Main));
        slot
    }

    /// An operation of an entity is asked for, one-way.
    pub(in crate::replay) fn signal_entity(
        &self,
        id: &EntityId,
        operation: &str,
        input: Result<Payload, serde_json::Error>,
    ) -> i64 {
        let entity = id.instance_id();
        let allowed = self
            .registry
            .check_entity(id.name())
            .and_then(|()| self.state().check_signal(&entity));
        if let Err(text) = allowed {
            self.misuse(text);
        }
        let input = input.unwrap_or_else(|e| self.misuse(input_failure(&e)));
        self.must_fit("input", &input);
        self.ask_one_way(|id| HistoryEvent::EntityOperationSignaled {
            id,
            entity,
            operation: operation.into(),
            input: (!input.is_null()).then_some(input),
            due: None,
        })
    }

    /// The locks of entities are asked for, in the one order that all use.
    pub(in crate::replay) fn lock_entities(&self, ids: Vec<EntityId>) -> SlotId {
        let mut entities: Vec<Arc<str>> = ids.iter().map(EntityId::instance_id).collect();
        entities.sort();
        entities.dedup();
        let unknown = ids
            .iter()
            .find_map(|id| self.registry.check_entity(id.name()).err());
        let state = &mut *self.state();
        let fault = if entities.is_empty() {
            Some("`lock_entities` needs at least one entity".to_owned())
        } else if state.section.is_some() {
            Some("entities are locked already: a critical section must not lock more; ask for all of them at once".to_owned())
        } else {
            unknown
        };
        if let Some(text) = fault {
            return state.add(Slot::failed(What::Lock, TaskError::usage(text)));
        }
        let id = self.take_id(state);
        let slot = state.add(Slot::new(What::Lock, id));
        state.section = Some(Box::new(Section {
            id,
            entities: entities.clone(),
            granted: false,
            calls: BTreeMap::new(),
        }));
        state.ask(Action {
            id,
            event: HistoryEvent::EntityLockRequested { id, entities },
            attempt: 0,
            scheduled_start: None,
        });
        state.routes.insert(id, (slot, Role::Main));
        slot
    }

    /// What is locked now.
    pub(in crate::replay) fn locked_entities(&self) -> Vec<EntityId> {
        let state = self.state();
        let section = state.section.as_ref().filter(|section| section.granted);
        let ids = section
            .into_iter()
            .flat_map(|section| &section.entities)
            .map(|id| id.parse());
        ids.filter_map(Result::ok).collect()
    }

    /// The section of that request ends, if it has not ended before.
    pub(in crate::replay) fn leave_section(&self, request: i64) {
        if self.is_unloaded() {
            return;
        }
        let state = &mut *self.state();
        if state
            .section
            .as_ref()
            .is_some_and(|section| section.id == request)
        {
            state.unlock();
        }
    }

    /// The execution ends, whatever way: nothing stays locked.
    pub(in crate::replay) fn leave_any_section(&self) {
        self.state().unlock();
    }

    /// Takes over what a history that the code does not fit says of ids and locks: the last turn lets go of what is still locked.
    pub(in crate::replay) fn adopt<'a>(
        &self,
        history: impl Iterator<Item = &'a HistoryEvent> + Clone,
    ) {
        let state = &mut *self.state();
        for event in history.clone() {
            state.next_id = state.next_id.max(event.task_id().map_or(0, |id| id + 1));
        }
        state.section = OpenSection::of(history).map(|open| {
            Box::new(Section {
                id: open.id,
                entities: open.entities,
                granted: open.granted,
                calls: BTreeMap::new(),
            })
        });
    }

    /// All locks are held.
    pub(super) fn enter_section(&self, id: i64) -> Option<Waker> {
        let state = &mut *self.state();
        if let Some(section) = state.section.as_mut().filter(|section| section.id == id) {
            section.granted = true;
        }
        state.end_task(id, Ok(Payload::null()))
    }
}

impl State {
    /// Whether the execution is in a critical section.
    pub(super) fn in_section(&self) -> bool {
        self.section.as_ref().is_some_and(|section| section.granted)
    }

    fn check_call(&self, entity: &str) -> Result<(), String> {
        let Some(section) = self.section.as_ref().filter(|section| section.granted) else {
            return Ok(());
        };
        if !section.entities.iter().any(|locked| **locked == *entity) {
            return Err(format!(
                "inside a critical section only locked entities may be called, and `{entity}` is not locked"
            ));
        }
        if section.calls.values().any(|called| **called == *entity) {
            return Err(format!(
                "`{entity}` is locked and has not yet answered the last call; await that one first"
            ));
        }
        Ok(())
    }

    fn check_signal(&self, entity: &str) -> Result<(), String> {
        let locked = self.section.as_ref().filter(|section| {
            section.granted && section.entities.iter().any(|locked| **locked == *entity)
        });
        match locked {
            Some(_) => Err(format!(
                "`{entity}` is locked: inside the critical section it must be called, not signalled"
            )),
            None => Ok(()),
        }
    }

    /// Notes a call of a locked entity; gives the request that locked it.
    fn enter_call(&mut self, task: i64, entity: &Arc<str>) -> Option<i64> {
        let section = self.section.as_mut().filter(|section| section.granted)?;
        section.calls.insert(task, Arc::clone(entity));
        Some(section.id)
    }

    /// A call has been answered.
    pub(super) fn leave_call(&mut self, task: i64) {
        if let Some(section) = &mut self.section {
            section.calls.remove(&task);
        }
    }

    /// Lets go of all locks: of a request that was not granted, by the first entity, which knows how far it got.
    /// Not held against the limit of actions, since a destructor that panics would take the process with it.
    fn unlock(&mut self) {
        let Some(section) = self.section.take() else {
            return;
        };
        if self.fresh.has(section.id) {
            return self.withdraw(section.id);
        }
        let early = !section.granted;
        let count = if early { 1 } else { section.entities.len() };
        for entity in section.entities.into_iter().take(count) {
            let id = self.next_id;
            self.next_id += 1;
            self.ask(Action {
                id,
                event: HistoryEvent::EntityUnlockSent {
                    id,
                    entity,
                    section: section.id,
                    early,
                },
                attempt: 0,
                scheduled_start: None,
            });
        }
    }

    /// These actions have not happened: the section is the one before them.
    pub(super) fn restore_section(&mut self, withdrawn: &[Action]) {
        let is_withdrawn = |id: i64| withdrawn.iter().any(|action| action.id == id);
        self.section.take_if(|section| is_withdrawn(section.id));
        for action in withdrawn {
            let HistoryEvent::EntityUnlockSent {
                entity,
                section: id,
                early,
                ..
            } = &action.event
            else {
                continue;
            };
            if is_withdrawn(*id) {
                continue;
            }
            let section = self.section.get_or_insert_with(|| {
                Box::new(Section {
                    id: *id,
                    entities: Vec::new(),
                    granted: !early,
                    calls: BTreeMap::new(),
                })
            });
            section.entities.push(Arc::clone(entity));
        }
    }

    /// A lock's future is dropped: nobody will hold the guard.
    pub(super) fn drop_lock(&mut self, request: i64) {
        if self
            .section
            .as_ref()
            .is_some_and(|section| section.id == request)
        {
            self.unlock();
        }
    }
}
