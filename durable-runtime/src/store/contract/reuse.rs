//! An id that is used again.

use anyhow::ensure;

use super::given;
use super::given::{raise, turn};
use crate::model::{Payload, RuntimeStatus};
use crate::store::{Change, NewInstance, PayloadKind, Reuse, Store};

pub(crate) async fn an_ended_instance_is_replaced_whole<S: Store>(store: &S) -> anyhow::Result<()> {
    let given = given(store);
    let key = given.running("one").await?;
    let mut last = given.turn(key, "one", 1);
    last.status = RuntimeStatus::Completed;
    last.payloads = vec![
        (PayloadKind::Output, Some(Payload::text("old"))),
        (PayloadKind::CustomStatus, Some(Payload::null())),
    ];
    given.write(turn(last)).await?;
    let new = given.instance("one");
    let fresh = new.key;
    given.write(Change::Create(Box::new(new))).await?;
    let loaded = given.load("one").await?;
    ensure!(
        loaded.record.key == fresh
            && loaded.record.status == RuntimeStatus::Pending
            && loaded.sequence == 0
    );
    ensure!(
        loaded.history.is_empty()
            && loaded.record.output.is_none()
            && loaded.record.custom_status.is_none()
    );
    Ok(())
}

pub(crate) async fn any_replaces_a_running_one<S: Store>(store: &S) -> anyhow::Result<()> {
    let given = given(store);
    let key = given.running("one").await?;
    given.write(raise(given.message("one", "old"))).await?;
    given
        .write(Change::Redeliver {
            key,
            tasks: vec![0],
        })
        .await?;
    given
        .write(Change::Create(Box::new(NewInstance {
            reuse: Reuse::Any,
            ..given.instance("one")
        })))
        .await?;
    let loaded = given.load("one").await?;
    ensure!(
        loaded.record.key != key
            && loaded.inbox.is_empty()
            && loaded.deliveries.is_empty()
            && loaded.history.is_empty()
    );
    Ok(())
}
