//! Ended instances are removed.

use std::sync::Arc;

use anyhow::ensure;

use super::given;
use super::given::{at, json, turn};
use crate::model::{EntityMessage, HistoryEvent, RuntimeStatus};
use crate::store::{Change, Error, NewInstance, Purge, Reuse, Store};

fn one(id: &str, running: bool) -> Change {
    Change::Purge(Purge::One {
        id: id.to_owned(),
        running,
    })
}

pub(crate) async fn one_ended_instance_goes_whole<S: Store>(store: &S) -> anyhow::Result<()> {
    let given = given(store);
    given.ended("one", RuntimeStatus::Completed, 1).await?;
    ensure!(given.write(one("one", false)).await?.count == 1);
    ensure!(store.load("one").await?.is_none());
    let gone = given.write(one("one", false)).await;
    ensure!(matches!(gone, Err(Error::NotFound(_))), "{gone:?}");
    Ok(())
}

pub(crate) async fn a_running_one_stays_unless_asked_for<S: Store>(
    store: &S,
) -> anyhow::Result<()> {
    let given = given(store);
    given.running("one").await?;
    let refused = given.write(one("one", false)).await;
    ensure!(
        matches!(
            refused,
            Err(Error::InvalidState {
                status: RuntimeStatus::Running,
                ..
            })
        ),
        "{refused:?}"
    );
    ensure!(given.status("one").await?.is_some());
    ensure!(
        given.write(one("one", true)).await?.count == 1 && given.status("one").await?.is_none()
    );
    Ok(())
}

/// What a live instance has locked would stay locked for ever: nobody is left to let go of it.
pub(crate) async fn locks_of_a_live_one_are_let_go_with_it<S: Store>(
    store: &S,
) -> anyhow::Result<()> {
    let given = given(store);
    let entities: Vec<Arc<str>> = vec!["@cell@a".into(), "@cell@b".into()];
    let (id, granted) = (7, HistoryEvent::EntityLockGranted { id: 7 });
    let asked = HistoryEvent::EntityLockRequested { id, entities };
    let replacing = |id: &str| {
        Change::Create(Box::new(NewInstance {
            reuse: Reuse::Any,
            ..given.instance(id)
        }))
    };
    for (name, events, removal, told) in [
        (
            "waits",
            vec![asked.clone()],
            one("waits", true),
            &["@cell@a"][..],
        ),
        (
            "holds",
            vec![asked.clone(), granted],
            one("holds", true),
            &["@cell@a", "@cell@b"],
        ),
        ("again", vec![asked], replacing("again"), &["@cell@a"]),
        ("free", vec![], replacing("free"), &[]),
    ] {
        let key = given.running(name).await?;
        for (sequence, event) in (1..).zip(events) {
            let mut commit = given.turn(key, name, sequence);
            commit.events = Some(json(&[event]));
            given.write(turn(commit)).await?;
        }
        let receipt = given.write(removal).await?;
        let released = receipt.released;
        let receivers: Vec<&str> = released.iter().map(|message| &*message.to).collect();
        ensure!(receivers == told, "{name}: {receivers:?}");
        for message in &released {
            let waiting = given.load(&message.to).await?.inbox;
            let last = waiting.last().map(|last| (last.id, &last.event));
            ensure!(last == Some((message.id, &message.event)), "{waiting:?}");
            let unlock = EntityMessage::Unlock {
                section: format!("execution-{name}:7").into(),
                forward: told.len() == 1,
            };
            ensure!(
                message.event == HistoryEvent::Entity(Box::new(unlock)),
                "{message:?}"
            );
        }
        ensure!(receipt.replaced.len() == usize::from(matches!(name, "again" | "free")));
    }
    Ok(())
}

pub(crate) async fn the_oldest_ended_go_first<S: Store>(store: &S) -> anyhow::Result<()> {
    use RuntimeStatus::{Completed, Failed, Running, Terminated};

    let given = given(store);
    given.running("running").await?;
    for (number, status) in [Completed, Failed, Terminated, Completed, Failed]
        .into_iter()
        .enumerate()
    {
        given
            .ended(
                &format!("ended-{number}"),
                status,
                10 * (i64::try_from(number)? + 1),
            )
            .await?;
    }
    let matching = |from: Option<i64>, to: Option<i64>, statuses: &[RuntimeStatus], limit| {
        let (created_from, created_to) = (from.map(at), to.map(at));
        Change::Purge(Purge::Matching {
            created_from,
            created_to,
            statuses: statuses.to_vec(),
            limit,
        })
    };
    ensure!(
        given
            .write(matching(None, None, &[Running], 10))
            .await?
            .count
            == 0
    );
    ensure!(given.write(matching(None, None, &[], 2)).await?.count == 2);
    ensure!(given.status("ended-1").await?.is_none() && given.status("ended-2").await?.is_some());
    ensure!(
        given
            .write(matching(Some(41), None, &[Completed], 10))
            .await?
            .count
            == 0
    );
    ensure!(
        given
            .write(matching(Some(40), Some(40), &[Completed, Failed], 10))
            .await?
            .count
            == 1
    );
    ensure!(given.write(matching(None, None, &[], 10)).await?.count == 2);
    ensure!(given.status("running").await? == Some(Running));
    Ok(())
}

pub(crate) async fn what_ended_long_ago_goes<S: Store>(store: &S) -> anyhow::Result<()> {
    use RuntimeStatus::{Completed, Failed, Running};

    let given = given(store);
    given.running("running").await?;
    for (id, status, created) in [
        ("one", Completed, 1),
        ("two", Completed, 2),
        ("bad", Failed, 3),
    ] {
        given.ended(id, status, created).await?;
    }
    let expired = |status, ended_to, limit| {
        let ended_to = at(ended_to);
        given.write(Change::Purge(Purge::Expired {
            status,
            ended_to,
            limit,
        }))
    };
    // A turn of the tests is of instant 2000.
    for (status, ended_to, limit, count) in [
        (Completed, 1999, 10, 0),
        (Running, 9999, 10, 0),
        (Completed, 2000, 1, 1),
        (Completed, 2000, 10, 1),
        (Failed, 2000, 10, 1),
    ] {
        ensure!(
            expired(status, ended_to, limit).await?.count == count,
            "{status} {ended_to}"
        );
    }
    ensure!(given.status("running").await? == Some(Running));
    Ok(())
}
