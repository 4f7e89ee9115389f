//! Deliveries of activities that were handed out again.

use anyhow::ensure;

use super::given;
use super::given::turn;
use crate::store::{Change, Error, InstanceKey, Store};

pub(crate) async fn the_second_delivery_is_the_first_counted<S: Store>(
    store: &S,
) -> anyhow::Result<()> {
    let given = given(store);
    let key = given.running("one").await?;
    given
        .write(Change::Redeliver {
            key,
            tasks: vec![3, 5],
        })
        .await?;
    given
        .write(Change::Redeliver {
            key,
            tasks: vec![5],
        })
        .await?;
    ensure!(given.load("one").await?.deliveries == [(3, 2), (5, 3)]);
    let mut commit = given.turn(key, "one", 1);
    commit.settled = vec![5, 9];
    given.write(turn(commit)).await?;
    ensure!(given.load("one").await?.deliveries == [(3, 2)]);
    let missing = given
        .write(Change::Redeliver {
            key: InstanceKey(999_999),
            tasks: vec![0],
        })
        .await;
    ensure!(matches!(missing, Err(Error::NotFound(_))), "{missing:?}");
    Ok(())
}

pub(crate) async fn what_a_host_stopped_is_not_counted<S: Store>(store: &S) -> anyhow::Result<()> {
    let given = given(store);
    let key = given.running("one").await?;
    let tasks = vec![3, 5];
    given.write(Change::Redeliver { key, tasks }).await?;
    let tasks = vec![5];
    given.write(Change::Redeliver { key, tasks }).await?;
    let back = |tasks: Vec<i64>| given.write(Change::Return { key, tasks });
    ensure!(back(vec![3, 5, 9]).await?.count == 2);
    ensure!(given.load("one").await?.deliveries == [(3, 1), (5, 2)]);
    ensure!(back(vec![3]).await?.count == 0);
    let tasks = vec![3];
    given.write(Change::Redeliver { key, tasks }).await?;
    ensure!(given.load("one").await?.deliveries == [(3, 2), (5, 2)]);
    Ok(())
}
