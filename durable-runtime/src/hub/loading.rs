//! Histories on their way into memory: a long one passes through part by part and is never there as a whole.

use std::sync::Arc;

use futures::executor::block_on;

use super::{Engine, turns};
use crate::replay::Execution;
use crate::store::{Error, HistoryMark, LoadedInstance};

/// Replays what is loaded, then the rest. Only if the code does not fit its history is that read again, and whole: what is to be said
/// then follows from all of it.
pub(super) fn replay(
    engine: &Arc<Engine>,
    mut execution: Execution,
    loaded: &LoadedInstance,
    mut rest: Option<HistoryMark>,
) -> Result<Execution, Error> {
    if rest.is_none() {
        execution.replay(&loaded.history);
        return Ok(execution);
    }
    let mut differs = execution.replay_part(&loaded.history).is_some();
    while let (Some(mark), false) = (rest, differs) {
        let part = block_on(engine.store.history(mark))?;
        differs = execution.replay_part(&part.turns).is_some();
        rest = part.rest;
    }
    if !differs && execution.strayed().is_none() {
        execution.end_replay(None, &[]);
        return Ok(execution);
    }
    let whole = read_whole(engine, loaded)?;
    if let Some(mut again) = engine.new_execution(&loaded.record.id, &turns::started_of(&whole)) {
        again.replay(&whole.history);
        execution = again;
    }
    Ok(execution)
}

/// The instance with all of its history.
pub(super) fn whole(
    engine: &Engine,
    loaded: LoadedInstance,
    rest: Option<HistoryMark>,
) -> Result<LoadedInstance, Error> {
    match rest {
        Some(_) => read_whole(engine, &loaded),
        None => Ok(loaded),
    }
}

fn read_whole(engine: &Engine, loaded: &LoadedInstance) -> Result<LoadedInstance, Error> {
    let id = &loaded.record.id;
    let whole = block_on(engine.store.load(id))?;
    whole.ok_or_else(|| Error::NotFound(id.to_string()))
}
