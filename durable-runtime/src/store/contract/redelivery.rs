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
