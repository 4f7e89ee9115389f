//! Who creates an instance that many want to create.

use anyhow::ensure;

use super::given;
use super::given::turn;
use crate::model::RuntimeStatus;
use crate::store::{Change, Error, Parts, Store};

pub(crate) async fn one_of_a_hundred_racers_creates<S: Store>(store: &S) -> anyhow::Result<()> {
    let given = given(store);
    let racers: Vec<_> = (0..100)
        .map(|_| given.submit(Change::Create(Box::new(given.instance("race")))))
        .collect();
    let mut winners = 0;
    for racer in racers {
        match racer.await? {
            Ok(_) => winners += 1,
            Err(Error::AlreadyExists { id, status }) => {
                ensure!(id == "race" && status == RuntimeStatus::Pending)
            }
            Err(other) => return Err(other.into()),
        }
    }
    ensure!(winners == 1, "{winners} winners, expected 1");
    Ok(())
}

pub(crate) async fn a_first_turn_creates_with_it<S: Store>(store: &S) -> anyhow::Result<()> {
    let given = given(store);
    let new = given.instance("first");
    let mut commit = given.turn(new.key, "first", 0);
    commit.create = Some(Box::new(new));
    given.write(turn(commit)).await?;
    let loaded = given.load("first").await?;
    ensure!(
        loaded.record.status == RuntimeStatus::Running
            && loaded.sequence == 1
            && loaded.history.len() == 1
    );
    ensure!(loaded.record.created.micros() == 1000 && loaded.record.updated.micros() == 2000);
    Ok(())
}

pub(crate) async fn a_running_instance_is_in_the_way<S: Store>(store: &S) -> anyhow::Result<()> {
    let given = given(store);
    given.running("taken").await?;
    let new = given.instance("taken");
    let mut commit = given.turn(new.key, "taken", 0);
    commit.create = Some(Box::new(new));
    let refused = given.write(turn(commit)).await;
    ensure!(
        matches!(
            refused,
            Err(Error::AlreadyExists {
                status: RuntimeStatus::Running,
                ..
            })
        ),
        "{refused:?}"
    );
    ensure!(
        given.load("taken").await?.sequence == 1,
        "the refused turn left a trace"
    );
    ensure!(store.find("nobody", Parts::ALL).await?.is_none());
    Ok(())
}
