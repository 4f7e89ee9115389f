//! A turn commits only on the state that it was computed from.

use anyhow::ensure;

use super::given;
use super::given::turn;
use crate::model::Payload;
use crate::store::{Change, Error, NewInstance, PayloadKind, Reuse, Store};

pub(crate) async fn a_stale_turn_is_a_conflict_and_leaves_no_trace<S: Store>(
    store: &S,
) -> anyhow::Result<()> {
    let given = given(store);
    let key = given.running("one").await?;
    given.pending("other").await?;
    for stale in [0, 2] {
        let mut commit = given.turn(key, "one", stale);
        commit.payloads = vec![(PayloadKind::Output, Some(Payload::text("trace")))];
        commit.messages = vec![given.message("other", "trace")];
        commit.starts = vec![given.instance("trace")];
        let refused = given.write(turn(commit)).await;
        ensure!(
            matches!(&refused, Err(Error::Conflict(id)) if id == "one"),
            "{refused:?}"
        );
    }
    let loaded = given.load("one").await?;
    ensure!(loaded.sequence == 1 && loaded.history.len() == 1 && loaded.record.output.is_none());
    ensure!(given.load("other").await?.inbox.is_empty() && given.status("trace").await?.is_none());
    Ok(())
}

pub(crate) async fn a_turn_of_a_replaced_instance_is_a_conflict<S: Store>(
    store: &S,
) -> anyhow::Result<()> {
    let given = given(store);
    let old = given.pending("one").await?;
    given
        .write(Change::Create(Box::new(NewInstance {
            reuse: Reuse::Any,
            ..given.instance("one")
        })))
        .await?;
    let refused = given.write(turn(given.turn(old, "one", 0))).await;
    ensure!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    Ok(())
}
