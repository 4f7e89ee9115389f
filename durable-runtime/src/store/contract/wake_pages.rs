//! What start-up walks: instances by their wake-up.

use anyhow::ensure;

use super::given;
use super::given::{at, turn};
use crate::store::Store;

pub(crate) async fn wakes_come_earliest_first_in_pages<S: Store>(store: &S) -> anyhow::Result<()> {
    let given = given(store);
    for number in 0..25 {
        let id = format!("i{number:02}");
        let key = given.pending(&id).await?;
        let mut commit = given.turn(key, &id, 0);
        // Five at each instant; every fifth never.
        commit.wake_at = if number % 5 == 4 {
            None
        } else {
            Some(at(i64::from(number % 5) * 10))
        };
        given.write(turn(commit)).await?;
    }
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = store.wakes(at(20), after, 4).await?;
        ensure!(page.len() <= 4);
        let Some(last) = page.last() else { break };
        after = Some((last.at, last.key));
        seen.extend(page.into_iter().map(|wake| (wake.at, wake.key)));
    }
    ensure!(seen.len() == 15 && seen.is_sorted(), "{seen:?}");
    Ok(())
}
