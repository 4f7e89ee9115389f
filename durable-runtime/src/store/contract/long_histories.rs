//! A history that is longer than what is read in one go.

use anyhow::{Context, ensure};

use super::given;
use super::given::turn;
use crate::model::HistoryEvent;
use crate::store::{HistoryPart, Store};

/// Many pages of whatever size, and a row more.
const TURNS: i64 = 2_501;

pub(crate) async fn a_long_history_comes_in_parts_and_as_a_whole<S: Store>(
    store: &S,
) -> anyhow::Result<()> {
    let given = given(store);
    let key = given.pending("long").await?;
    let mut last = None;
    for sequence in 0..TURNS {
        let mut commit = given.turn(key, "long", sequence);
        let event = HistoryEvent::TimerFired { id: sequence };
        commit.events = Some(serde_json::to_string(&[event])?);
        last = Some(given.submit(turn(commit)));
    }
    last.context("no turn")?.await??;
    let whole = store.load("long").await?.context("lost")?;
    let taken_up = store.take_up("long").await?.context("lost")?;
    let (mut turns, mut rest) = (taken_up.loaded.history, taken_up.rest);
    while let Some(mark) = rest {
        let HistoryPart {
            turns: more,
            rest: then,
        } = store.history(mark).await?;
        turns.extend(more);
        rest = then;
    }
    ensure!(i64::try_from(turns.len()) == Ok(TURNS), "{}", turns.len());
    ensure!(
        format!("{turns:?}") == format!("{:?}", whole.history),
        "the parts are not the whole"
    );
    Ok(())
}
