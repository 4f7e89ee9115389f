//! Messages wait in inboxes until a turn has taken them in.

use anyhow::ensure;

use super::given;
use super::given::{at, raise, turn};
use crate::model::{HistoryEvent, RuntimeStatus};
use crate::store::{Change, Error, Store};

pub(crate) async fn a_turn_consumes_what_it_took<S: Store>(store: &S) -> anyhow::Result<()> {
    let given = given(store);
    let key = given.running("one").await?;
    let (first, second) = (
        given.message("one", "first"),
        given.message("one", "second"),
    );
    let consumed = vec![first.id, second.id];
    given.write(raise(first)).await?;
    given.write(raise(second)).await?;
    let loaded = given.load("one").await?;
    let names: Vec<_> = loaded
        .inbox
        .iter()
        .map(|message| event_name(&message.event))
        .collect();
    ensure!(names == ["first", "second"], "{names:?}");
    ensure!(given.awake(0).await? == ["one"]);
    given
        .write(turn(crate::store::TurnCommit {
            consumed,
            ..given.turn(key, "one", 1)
        }))
        .await?;
    ensure!(given.load("one").await?.inbox.is_empty() && given.awake(i64::MAX).await?.is_empty());
    Ok(())
}

pub(crate) async fn what_came_meanwhile_keeps_it_awake<S: Store>(store: &S) -> anyhow::Result<()> {
    let given = given(store);
    let key = given.running("one").await?;
    let message = given.message("one", "late");
    let id = message.id;
    let arrived = given.submit(raise(message));
    let timer = crate::store::TurnCommit {
        wake_at: Some(at(9000)),
        ..given.turn(key, "one", 1)
    };
    let turned = given.submit(turn(timer));
    arrived.await??;
    turned.await??;
    ensure!(
        given.awake(0).await? == ["one"],
        "the turn did not take the message, so it must be looked at now"
    );
    let mut taken = given.turn(key, "one", 2);
    taken.wake_at = Some(at(9000));
    taken.consumed = vec![id];
    given.write(turn(taken)).await?;
    ensure!(given.awake(8999).await?.is_empty() && given.awake(9000).await? == ["one"]);
    Ok(())
}

pub(crate) async fn a_message_finds_an_instance_of_its_own_turn<S: Store>(
    store: &S,
) -> anyhow::Result<()> {
    let given = given(store);
    let key = given.running("parent").await?;
    let mut commit = given.turn(key, "parent", 1);
    commit.starts = vec![given.instance("child")];
    commit.messages = vec![
        given.message("child", "hello"),
        given.message("parent", "self"),
    ];
    given.write(turn(commit)).await?;
    ensure!(
        given.load("child").await?.inbox.len() == 1 && given.load("parent").await?.inbox.len() == 1
    );
    let mut awake = given.awake(0).await?;
    awake.sort();
    ensure!(awake == ["child", "parent"], "{awake:?}");
    Ok(())
}

pub(crate) async fn messages_to_nobody_are_dropped<S: Store>(store: &S) -> anyhow::Result<()> {
    let given = given(store);
    given.ended("ended", RuntimeStatus::Completed, 1).await?;
    let key = given.running("sender").await?;
    let mut commit = given.turn(key, "sender", 1);
    commit.messages = vec![given.message("nobody", "x"), given.message("ended", "x")];
    given.write(turn(commit)).await?;
    ensure!(given.load("ended").await?.inbox.is_empty() && given.awake(i64::MAX).await?.is_empty());
    let waiting = given.message("sender", "never taken");
    given.write(raise(waiting)).await?;
    let mut last = given.turn(key, "sender", 2);
    last.status = RuntimeStatus::Terminated;
    given.write(turn(last)).await?;
    ensure!(
        given.load("sender").await?.inbox.is_empty(),
        "an ended instance takes no messages, not even old ones"
    );
    ensure!(given.awake(i64::MAX).await?.is_empty());
    Ok(())
}

pub(crate) async fn a_client_is_told_the_status<S: Store>(store: &S) -> anyhow::Result<()> {
    let given = given(store);
    given.ended("ended", RuntimeStatus::Failed, 1).await?;
    given.pending("pending").await?;
    let missing = given.write(raise(given.message("nobody", "x"))).await;
    ensure!(matches!(missing, Err(Error::NotFound(_))), "{missing:?}");
    let ended = given.write(raise(given.message("ended", "x"))).await;
    ensure!(
        matches!(
            ended,
            Err(Error::InvalidState {
                status: RuntimeStatus::Failed,
                ..
            })
        ),
        "{ended:?}"
    );
    let receipt = given.write(raise(given.message("pending", "x"))).await?;
    ensure!(receipt.status == Some(RuntimeStatus::Pending));
    let change = Change::Message {
        message: given.message("pending", "x"),
        accepted: vec![RuntimeStatus::Suspended],
    };
    ensure!(matches!(
        given.write(change).await,
        Err(Error::InvalidState {
            status: RuntimeStatus::Pending,
            ..
        })
    ));
    ensure!(given.load("pending").await?.inbox.len() == 1);
    Ok(())
}

pub(crate) async fn one_that_has_not_begun_shows_that_it_is_halted<S: Store>(
    store: &S,
) -> anyhow::Result<()> {
    use RuntimeStatus::{Pending, Running, Suspended};
    let given = given(store);
    given.pending("pending").await?;
    let key = given.running("begun").await?;
    let suspend = || HistoryEvent::ExecutionSuspended { reason: None };
    let resume = || HistoryEvent::ExecutionResumed { reason: None };
    let tell = |id: &str, event, accepted: RuntimeStatus| {
        let mut message = given.message(id, "x");
        message.event = event;
        given.write(Change::Message {
            message,
            accepted: vec![accepted],
        })
    };
    tell("pending", suspend(), Pending).await?;
    ensure!(given.status("pending").await? == Some(Suspended));
    let again = tell("pending", suspend(), Pending).await;
    ensure!(matches!(
        again,
        Err(Error::InvalidState {
            status: Suspended,
            ..
        })
    ));
    tell("pending", resume(), Suspended).await?;
    ensure!(given.status("pending").await? == Some(Pending));
    ensure!(
        given.load("pending").await?.inbox.len() == 2,
        "it is told both"
    );
    tell("begun", suspend(), Running).await?;
    ensure!(
        given.status("begun").await? == Some(Running),
        "its next turn says so"
    );
    let mut halted = given.turn(key, "begun", 1);
    halted.status = Suspended;
    given.write(turn(halted)).await?;
    tell("begun", resume(), Suspended).await?;
    ensure!(
        given.status("begun").await? == Some(Suspended),
        "its next turn says so"
    );
    Ok(())
}

fn event_name(event: &HistoryEvent) -> &str {
    match event {
        HistoryEvent::EventRaised { name, .. } => name,
        _ => "",
    }
}
