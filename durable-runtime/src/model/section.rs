//! [`OpenSection`]: the critical section that an execution is in, or waits to enter, as its history tells.

use std::sync::Arc;

use super::{EntityCaller, EntityMessage, HistoryEvent};

/// Locks that were asked for and not let go. An execution has one section at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OpenSection {
    /// The task id of the request.
    pub(crate) id: i64,
    /// Instance ids of the entities, sorted, each once.
    pub(crate) entities: Vec<Arc<str>>,
    /// Whether all of them are held.
    pub(crate) granted: bool,
}

impl OpenSection {
    /// The section that is open after these events, which need not be all of a history: those of locks will do.
    pub(crate) fn of<'a>(history: impl IntoIterator<Item = &'a HistoryEvent>) -> Option<Self> {
        let mut open: Option<Self> = None;
        for event in history {
            match event {
                HistoryEvent::EntityLockRequested { id, entities } => {
                    open = Some(Self {
                        id: *id,
                        entities: entities.clone(),
                        granted: false,
                    });
                }
                HistoryEvent::EntityLockGranted { id } => {
                    if let Some(section) = open.as_mut().filter(|section| section.id == *id) {
                        section.granted = true;
                    }
                }
                HistoryEvent::EntityUnlockSent { section, .. } => {
                    // All of a section are let go in one turn.
                    open.take_if(|open| open.id == *section);
                }
                _ => {}
            }
        }
        open
    }

    /// Those that are told that the section is over: of one that was not granted only the first, which knows how far the request got.
    fn told(&self) -> &[Arc<str>] {
        let count = if self.granted { self.entities.len() } else { 1 };
        self.entities.get(..count).unwrap_or_default()
    }

    /// What each of them is told, when nobody of that instance and execution is there any more to say so.
    pub(crate) fn unlocks(
        &self,
        instance_id: Arc<str>,
        execution_id: Arc<str>,
    ) -> impl Iterator<Item = (Arc<str>, EntityMessage)> {
        let requester = EntityCaller {
            instance_id,
            execution_id,
            task_id: self.id,
        };
        let section = requester.section();
        let forward = !self.granted;
        self.told().iter().map(move |entity| {
            let section = Arc::clone(&section);
            let unlock = EntityMessage::Unlock { section, forward };
            (Arc::clone(entity), unlock)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requested(id: i64) -> HistoryEvent {
        HistoryEvent::EntityLockRequested {
            id,
            entities: vec!["@cell@a".into(), "@cell@b".into()],
        }
    }

    fn unlocked(id: i64, section: i64) -> HistoryEvent {
        HistoryEvent::EntityUnlockSent {
            id,
            entity: "@cell@a".into(),
            section,
            early: false,
        }
    }

    fn told(history: &[HistoryEvent]) -> Vec<String> {
        let section = OpenSection::of(history);
        let unlocks = section
            .iter()
            .flat_map(|open| open.unlocks("i".into(), "e".into()));
        unlocks
            .map(|(entity, message)| match message {
                EntityMessage::Unlock { section, forward } => {
                    format!("{entity} {section} {forward}")
                }
                other => panic!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn each_entity_is_told_once_the_locks_are_held_and_the_first_alone_before() {
        let granted = HistoryEvent::EntityLockGranted { id: 3 };
        assert_eq!(told(&[requested(3)]), ["@cell@a e:3 true"]);
        assert_eq!(
            told(&[requested(3), granted]),
            ["@cell@a e:3 false", "@cell@b e:3 false"]
        );
    }

    #[test]
    fn a_section_that_is_over_holds_nothing_and_the_next_one_does() {
        let mut history = vec![requested(3), unlocked(4, 3), unlocked(5, 3)];
        assert!(told(&history).is_empty());
        history.push(requested(6));
        assert_eq!(told(&history), ["@cell@a e:6 true"]);
    }
}
