//! Failed instances go back to before their failure.

use std::sync::Arc;

use anyhow::ensure;

use super::given::at;
use super::{Given, given, turn};
use crate::model::{Payload, RuntimeStatus};
use crate::store::{Change, Error, InstanceKey, PayloadKind, Reuse, Rewind, Store};

fn back(key: InstanceKey, id: &str, expected_sequence: i64, keep: usize) -> Rewind {
    Rewind {
        key,
        id: Arc::from(id),
        expected_sequence,
        keep,
        execution_id: Arc::from("rewound"),
        status: RuntimeStatus::Running,
        updated: at(5000),
        messages: Vec::new(),
        starts: Vec::new(),
        outbox: Vec::new(),
    }
}

/// Two turns, then one that fails it.
async fn failed<S: Store>(given: &Given<'_, S>, id: &str) -> anyhow::Result<InstanceKey> {
    let key = given.running(id).await?;
    given.write(turn(given.turn(key, id, 1))).await?;
    let mut last = given.turn(key, id, 2);
    last.status = RuntimeStatus::Failed;
    last.payloads = vec![
        (PayloadKind::Output, Some(Payload::text("it failed"))),
        (PayloadKind::CustomStatus, Some(Payload::text("halfway"))),
    ];
    given.write(turn(last)).await?;
    Ok(key)
}

pub(crate) async fn what_followed_is_received_again<S: Store>(store: &S) -> anyhow::Result<()> {
    let given = given(store);
    let key = failed(&given, "one").await?;
    let mut rewind = back(key, "one", 3, 2);
    rewind.messages = vec![
        given.message("one", "first"),
        given.message("one", "second"),
    ];
    let ids: Vec<i64> = rewind.messages.iter().map(|message| message.id).collect();
    rewind.starts = vec![given.instance("child")];
    ensure!(given.write(Change::Rewind(vec![rewind])).await?.count == 1);
    let loaded = given.load("one").await?;
    ensure!(loaded.history.len() == 2 && loaded.sequence == 4);
    ensure!(loaded.inbox.iter().map(|message| message.id).eq(ids));
    let record = loaded.record;
    ensure!(record.status == RuntimeStatus::Running && &*record.execution_id == "rewound");
    ensure!(record.output.is_none() && record.updated == at(5000));
    ensure!(record.custom_status == Some(Payload::text("halfway")) && record.input.is_some());
    let mut awake = given.awake(0).await?;
    awake.sort();
    ensure!(awake == ["child", "one"], "{awake:?}");
    let stale = given.write(turn(given.turn(key, "one", 3))).await;
    ensure!(matches!(stale, Err(Error::Conflict(_))), "{stale:?}");
    let mut next = given.turn(key, "one", 4);
    next.consumed = vec![loaded.inbox[0].id];
    given.write(turn(next)).await?;
    ensure!(given.load("one").await?.history.len() == 3);
    Ok(())
}

pub(crate) async fn all_go_back_or_none<S: Store>(store: &S) -> anyhow::Result<()> {
    let given = given(store);
    let one = failed(&given, "one").await?;
    let running = given.running("running").await?;
    for (other, expected) in [
        (back(running, "running", 1, 0), "InvalidState"),
        (back(one, "one", 2, 0), "Conflict"),
        (back(InstanceKey(999_999), "nobody", 0, 0), "NotFound"),
    ] {
        let refused = given
            .write(Change::Rewind(vec![back(one, "one", 3, 0), other]))
            .await;
        let name = match refused {
            Err(Error::InvalidState {
                status: RuntimeStatus::Running,
                ..
            }) => "InvalidState",
            Err(Error::Conflict(_)) => "Conflict",
            Err(Error::NotFound(_)) => "NotFound",
            _ => "",
        };
        ensure!(name == expected, "{refused:?}");
        ensure!(given.load("one").await?.history.len() == 3);
    }
    Ok(())
}

pub(crate) async fn a_child_whose_id_is_taken_is_refused<S: Store>(
    store: &S,
) -> anyhow::Result<()> {
    let given = given(store);
    let key = failed(&given, "one").await?;
    given.running("taken").await?;
    let mut child = given.instance("taken");
    child.reuse = Reuse::NonRunning;
    child.on_refused = Some(given.message("one", "refused"));
    let mut rewind = back(key, "one", 3, 0);
    rewind.status = RuntimeStatus::Pending;
    rewind.starts = vec![child];
    let receipt = given.write(Change::Rewind(vec![rewind])).await?;
    ensure!(receipt.refused == [0]);
    let loaded = given.load("one").await?;
    ensure!(loaded.history.is_empty() && loaded.inbox.len() == 1);
    ensure!(loaded.record.status == RuntimeStatus::Pending);
    Ok(())
}
