//! Children that a turn starts.

use std::sync::Arc;

use anyhow::ensure;

use super::given;
use super::given::{at, turn};
use crate::model::{Parent, RuntimeStatus};
use crate::store::{Change, InstanceKey, NewInstance, Purge, Receipt, Store};

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

pub(crate) async fn children_of_all_generations_are_found<S: Store>(
    store: &S,
) -> anyhow::Result<()> {
    let given = given(store);
    let called_by = |id: &str, execution_id: &str, child: &str| {
        let mut new = given.instance(child);
        new.started.parent = Some(Parent {
            instance_id: Arc::from(id),
            execution_id: Arc::from(execution_id),
            name: Arc::from("Hello"),
            task_id: 0,
        });
        new
    };
    // Of an instance that had the id before.
    let old = called_by("parent", "before", "old");
    given.write(Change::Create(Box::new(old))).await?;
    let key = given.running("parent").await?;
    given.running("unrelated").await?;
    let mut commit = given.turn(key, "parent", 1);
    commit.starts = vec![
        called_by("parent", "first", "one"),
        called_by("parent", "second", "two"),
        called_by("Parent", "first", "another's"),
        given.instance("detached"),
    ];
    given.write(turn(commit)).await?;
    let children = async |key: InstanceKey, id: &str| -> anyhow::Result<Vec<String>> {
        let children = store.children(key, id).await?;
        Ok(children.iter().map(|child| child.id.to_string()).collect())
    };
    ensure!(children(key, "parent").await? == ["one", "two"]);
    ensure!(children(key, "one").await?.is_empty());
    let (id, running) = ("one".to_owned(), true);
    given
        .write(Change::Purge(Purge::One { id, running }))
        .await?;
    let left = store.children(key, "parent").await?;
    ensure!(left.len() == 1 && left[0].status == RuntimeStatus::Pending);
    Ok(())
}
