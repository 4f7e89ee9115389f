//! Continue-as-new.

use std::sync::Arc;

use anyhow::ensure;

use super::given;
use super::given::turn;
use crate::model::Payload;
use crate::store::{NewGeneration, PayloadKind, Store};

pub(crate) async fn continue_as_new_drops_the_history<S: Store>(store: &S) -> anyhow::Result<()> {
    let given = given(store);
    let key = given.running("one").await?;
    given.write(turn(given.turn(key, "one", 1))).await?;
    let mut commit = given.turn(key, "one", 2);
    commit.new_generation = Some(NewGeneration {
        execution_id: Arc::from("second"),
        generation: 1,
        version: "2".to_owned(),
    });
    commit.payloads = vec![(PayloadKind::Input, Some(Payload::text("next")))];
    given.write(turn(commit)).await?;
    let loaded = given.load("one").await?;
    ensure!(
        loaded.sequence == 3 && loaded.history.len() == 1,
        "{} rows",
        loaded.history.len()
    );
    ensure!(
        loaded.record.execution_id.as_ref() == "second"
            && loaded.record.generation == 1
            && loaded.record.version == "2"
    );
    ensure!(loaded.record.input == Some(Payload::text("next")));
    let mut silent = given.turn(key, "one", 3);
    silent.events = None;
    given.write(turn(silent)).await?;
    given.write(turn(given.turn(key, "one", 4))).await?;
    let loaded = given.load("one").await?;
    ensure!(loaded.sequence == 5 && loaded.history.len() == 2);
    Ok(())
}
