//! Entities: instances that exist from the first message to them, and keep a state instead of a history.

use std::sync::Arc;

use anyhow::ensure;

use super::given;
use super::given::{at, raise, turn};
use crate::model::{
    EntityCaller, EntityLockRequest, EntityLockState, EntityMessage, EntityOperation, HistoryEvent,
    Payload, RuntimeStatus,
};
use crate::store::{
    Change, Error, ListQuery, NewMessage, PayloadKind, Purge, Receipt, Store, TurnCommit,
};

const ID: &str = "@counter@cats";

fn operation(due: Option<i64>) -> HistoryEvent {
    HistoryEvent::Entity(Box::new(EntityMessage::Operation(EntityOperation {
        operation: "add".into(),
        input: None,
        due: due.map(at),
        reply_to: None,
        section: None,
    })))
}

fn message<S: Store>(store: &S, due: Option<i64>) -> NewMessage {
    NewMessage {
        event: operation(due),
        ..given(store).message(ID, "")
    }
}

pub(crate) async fn an_entity_exists_from_the_first_message_on<S: Store>(
    store: &S,
) -> anyhow::Result<()> {
    let given = given(store);
    let (first, second) = (message(store, None), message(store, None));
    let ids = vec![first.id, second.id];
    given.write(raise(first)).await?;
    let key = given.running("sender").await?;
    let mut sends = given.turn(key, "sender", 1);
    sends.messages = vec![second];
    given.write(turn(sends)).await?;
    let loaded = given.load(ID).await?;
    let inbox: Vec<i64> = loaded.inbox.iter().map(|message| message.id).collect();
    ensure!(inbox == ids, "{inbox:?}");
    ensure!(
        loaded.record.status == RuntimeStatus::Running && loaded.record.name.as_ref() == "@counter"
    );
    ensure!(
        loaded
            .record
            .entity
            .is_some_and(|kept| kept.state.is_none() && kept.lock.is_none())
    );
    ensure!(given.awake(0).await? == [ID]);
    Ok(())
}

/// Whatever may be purged while it runs: an entity is always running.
fn purge() -> Change {
    Change::Purge(Purge::One {
        id: ID.to_owned(),
        running: true,
    })
}

fn is_busy(purged: &Result<Receipt, Error>) -> bool {
    matches!(
        purged,
        Err(Error::InvalidState {
            status: RuntimeStatus::Running,
            ..
        })
    )
}

pub(crate) async fn state_and_lock_come_back_and_go<S: Store>(store: &S) -> anyhow::Result<()> {
    let given = given(store);
    let first = message(store, None);
    let consumed = vec![first.id];
    given.write(raise(first)).await?;
    let key = given.load(ID).await?.record.key;
    let requester = EntityCaller {
        instance_id: "holder".into(),
        execution_id: "e".into(),
        task_id: 3,
    };
    let lock = EntityLockState {
        section: requester.section(),
        request: EntityLockRequest {
            requester,
            entities: vec![Arc::from(ID)],
            position: 0,
        },
    };
    let batch = TurnCommit {
        events: None,
        payloads: vec![
            (PayloadKind::State, Some(Payload::text("state"))),
            (PayloadKind::Lock, Payload::of(&lock).ok()),
        ],
        consumed,
        ..given.turn(key, ID, 0)
    };
    given.write(turn(batch)).await?;
    let kept = given.load(ID).await?.record.entity.unwrap_or_default();
    ensure!(kept.state == Some(Payload::text("state")) && kept.lock == Some(lock));
    ensure!(is_busy(&given.write(purge()).await), "it is locked");
    ensure!(given.awake(i64::MAX).await?.is_empty());
    let listed = store
        .list(ListQuery {
            id_prefix: Some("@counter@".to_owned()),
            entities: true,
            limit: 5,
            ..ListQuery::default()
        })
        .await?;
    ensure!(
        listed.len() == 1
            && listed[0]
                .entity
                .as_ref()
                .is_some_and(|kept| kept.state.is_some())
    );
    let gone = TurnCommit {
        events: None,
        payloads: vec![(PayloadKind::State, None), (PayloadKind::Lock, None)],
        ..given.turn(key, ID, 1)
    };
    given.write(turn(gone)).await?;
    let kept = given.load(ID).await?.record.entity.unwrap_or_default();
    ensure!(kept.state.is_none() && kept.lock.is_none());
    given.write(raise(message(store, Some(7000)))).await?;
    let waits = message(store, None);
    let consumed = vec![waits.id];
    given.write(raise(waits)).await?;
    ensure!(is_busy(&given.write(purge()).await), "a message waits");
    let taken = TurnCommit {
        events: None,
        consumed,
        ..given.turn(key, ID, 2)
    };
    given.write(turn(taken)).await?;
    ensure!(given.write(purge()).await?.count == 1);
    ensure!(store.load(ID).await?.is_none());
    Ok(())
}

pub(crate) async fn a_scheduled_message_wakes_at_its_time<S: Store>(
    store: &S,
) -> anyhow::Result<()> {
    let given = given(store);
    let (late, later) = (message(store, Some(7000)), message(store, Some(9000)));
    let consumed = vec![late.id];
    given.write(raise(later)).await?;
    given.write(raise(late)).await?;
    ensure!(given.awake(6999).await?.is_empty() && given.awake(7000).await? == [ID]);
    let key = given.load(ID).await?.record.key;
    let batch = TurnCommit {
        events: None,
        consumed,
        ..given.turn(key, ID, 0)
    };
    given.write(turn(batch)).await?;
    ensure!(given.awake(8999).await?.is_empty() && given.awake(9000).await? == [ID]);
    Ok(())
}

pub(crate) async fn only_an_empty_entity_is_cleaned<S: Store>(store: &S) -> anyhow::Result<()> {
    let given = given(store);
    let clean = || Change::Purge(Purge::EmptyEntity { id: ID.to_owned() });
    ensure!(given.write(clean()).await?.count == 0);
    let first = message(store, None);
    let consumed = vec![first.id];
    given.write(raise(first)).await?;
    ensure!(given.write(clean()).await?.count == 0, "a message waits");
    let key = given.load(ID).await?.record.key;
    let batch = TurnCommit {
        events: None,
        consumed,
        payloads: vec![(PayloadKind::State, Some(Payload::null()))],
        ..given.turn(key, ID, 0)
    };
    given.write(turn(batch)).await?;
    ensure!(given.write(clean()).await?.count == 0, "`null` is a state");
    let gone = TurnCommit {
        events: None,
        payloads: vec![(PayloadKind::State, None)],
        ..given.turn(key, ID, 1)
    };
    given.write(turn(gone)).await?;
    ensure!(given.write(clean()).await?.count == 1);
    ensure!(store.load(ID).await?.is_none());
    Ok(())
}
