//! The end of a store.

use anyhow::ensure;

use super::given;
use super::given::turn;
use crate::store::{Change, Error, Store};

pub(crate) async fn what_is_queued_is_written_before_the_end<S: Store>(
    store: &S,
) -> anyhow::Result<()> {
    let given = given(store);
    let key = given.pending("one").await?;
    let answers: Vec<_> = (0..5000)
        .map(|sequence| given.submit(turn(given.turn(key, "one", sequence))))
        .collect();
    store.close().await;
    for answer in answers {
        answer.await??;
    }
    Ok(())
}

pub(crate) async fn a_closed_store_takes_nothing<S: Store>(store: &S) -> anyhow::Result<()> {
    let given = given(store);
    store.close().await;
    store.close().await;
    let refused = given.write(Change::Keys(Vec::new())).await;
    ensure!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
    ensure!(store.load("one").await.is_err() && store.backlog() == 0);
    Ok(())
}
