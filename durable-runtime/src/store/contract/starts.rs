//! Children that a turn starts.

use anyhow::ensure;

use super::given;
use super::given::{at, turn};
use crate::model::RuntimeStatus;
use crate::store::{NewInstance, Receipt, Store};

pub(crate) async fn a_refused_start_tells_the_parent<S: Store>(store: &S) -> anyhow::Result<()> {
    let given = given(store);
    given.running("taken").await?;
    let key = given.running("parent").await?;
    let mut commit = given.turn(key, "parent", 1);
    let refused = NewInstance {
        on_refused: Some(given.message("parent", "refused")),
        ..given.instance("taken")
    };
    let silent = given.instance("taken");
    commit.starts = vec![given.instance("free"), refused, silent];
    let receipt = given.write(turn(commit)).await?;
    ensure!(
        receipt
            == Receipt {
                refused: vec![1, 2],
                ..Receipt::default()
            },
        "{receipt:?}"
    );
    let parent = given.load("parent").await?;
    ensure!(
        parent.sequence == 2 && parent.inbox.len() == 1,
        "the turn itself must be committed"
    );
    ensure!(given.status("free").await? == Some(RuntimeStatus::Pending));
    ensure!(given.load("taken").await?.sequence == 1);
    Ok(())
}

pub(crate) async fn starts_are_pending<S: Store>(store: &S) -> anyhow::Result<()> {
    let given = given(store);
    let key = given.running("parent").await?;
    let mut later = given.instance("later");
    later.started.scheduled_start = Some(at(7000));
    let mut commit = given.turn(key, "parent", 1);
    commit.starts = vec![given.instance("now"), later];
    given.write(turn(commit)).await?;
    ensure!(given.awake(6999).await? == ["now"] && given.awake(7000).await? == ["now", "later"]);
    let loaded = given.load("later").await?;
    ensure!(
        loaded.record.status == RuntimeStatus::Pending
            && loaded.history.is_empty()
            && loaded.record.input.is_some()
    );
    Ok(())
}
