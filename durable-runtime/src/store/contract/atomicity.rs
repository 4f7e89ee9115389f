//! All of a change or nothing, whatever becomes of its neighbours.

use std::sync::Arc;

use anyhow::{Context, ensure};

use super::given;
use super::given::{at, json, turn};
use crate::model::{FailureDetails, HistoryEvent, Parent, Payload, RuntimeStatus};
use crate::store::{Change, Error, Parts, PayloadKind, Store};

pub(crate) async fn a_turn_is_read_back_as_it_was_written<S: Store>(
    store: &S,
) -> anyhow::Result<()> {
    let given = given(store);
    let mut new = given.instance("whole");
    let parent = Parent {
        instance_id: Arc::from("p"),
        execution_id: Arc::from("e"),
        name: Arc::from("P"),
        task_id: 7,
    };
    new.started.parent = Some(parent.clone());
    new.started.scheduled_start = Some(at(500));
    new.started.trace_parent = Some("00-1-2-01".to_owned());
    let started = new.started.clone();
    let stripped = HistoryEvent::ExecutionStarted(Box::new(crate::model::ExecutionStarted {
        input: None,
        ..started.clone()
    }));
    let failure = FailureDetails::new("E", "it broke");
    let mut commit = given.turn(new.key, "whole", 0);
    commit.create = Some(Box::new(new));
    commit.events = Some(json(&[
        HistoryEvent::OrchestratorStarted { at: at(9) },
        stripped,
    ]));
    commit.status = RuntimeStatus::Failed;
    commit.payloads = vec![
        (PayloadKind::Output, Some(Payload::text("it broke"))),
        (PayloadKind::CustomStatus, Some(Payload::of(&[1, 2])?)),
        (PayloadKind::Failure, Some(Payload::of(&failure)?)),
    ];
    given.write(turn(commit)).await?;
    let loaded = given.load("whole").await?;
    ensure!(
        loaded.history
            == [[
                HistoryEvent::OrchestratorStarted { at: at(9) },
                HistoryEvent::ExecutionStarted(Box::new(started))
            ]]
    );
    let record = loaded.record;
    ensure!(
        record.parent == Some(parent)
            && record.scheduled_start == Some(at(500))
            && record.version == "1.0"
    );
    ensure!(
        record.tags.get("team").is_some_and(|team| team == "red")
            && record.trace_parent.as_deref() == Some("00-1-2-01")
    );
    ensure!(
        record.output == Some(Payload::text("it broke"))
            && record.failure.as_deref() == Some(&failure)
    );
    ensure!(
        record.custom_status == Some(Payload::of(&[1, 2])?)
            && record.input == Some(Payload::text("input"))
    );
    let bare = store
        .find(
            "whole",
            Parts {
                input: false,
                result: false,
            },
        )
        .await?
        .context("gone")?;
    ensure!(bare.input.is_none() && bare.output.is_none() && bare.failure.is_none());
    let result = store
        .find("whole", Parts::NO_INPUT)
        .await?
        .context("gone")?;
    ensure!(result.input.is_none() && result.output.is_some());
    Ok(())
}

pub(crate) async fn a_refused_change_does_not_stop_its_group<S: Store>(
    store: &S,
) -> anyhow::Result<()> {
    let given = given(store);
    let key = given.pending("one").await?;
    let answers = [
        given.submit(turn(given.turn(key, "one", 0))),
        given.submit(turn(given.turn(key, "one", 0))),
        given.submit(Change::Create(Box::new(given.instance("one")))),
        given.submit(turn(given.turn(key, "one", 1))),
    ];
    let mut results = Vec::new();
    for answer in answers {
        results.push(answer.await?);
    }
    ensure!(results[0].is_ok() && results[3].is_ok(), "{results:?}");
    ensure!(
        matches!(results[1], Err(Error::Conflict(_)))
            && matches!(results[2], Err(Error::AlreadyExists { .. })),
        "{results:?}"
    );
    ensure!(given.load("one").await?.sequence == 2);
    Ok(())
}
