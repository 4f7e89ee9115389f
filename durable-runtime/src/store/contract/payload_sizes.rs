//! Payloads, large and gone.

use anyhow::ensure;

use super::given;
use super::given::turn;
use crate::model::Payload;
use crate::store::{Change, PayloadKind, Store};

pub(crate) async fn a_megabyte_comes_back<S: Store>(store: &S) -> anyhow::Result<()> {
    let given = given(store);
    let large = Payload::text(&"ü".repeat(512 * 1024));
    let mut new = given.instance("large");
    new.started.input = Some(large.clone());
    let key = new.key;
    given.write(Change::Create(Box::new(new))).await?;
    let mut commit = given.turn(key, "large", 0);
    commit.payloads = vec![(PayloadKind::Output, Some(large.clone()))];
    given.write(turn(commit)).await?;
    let record = given.load("large").await?.record;
    ensure!(record.input.as_ref() == Some(&large) && record.output == Some(large));
    Ok(())
}

pub(crate) async fn none_deletes<S: Store>(store: &S) -> anyhow::Result<()> {
    let given = given(store);
    let key = given.pending("one").await?;
    for (sequence, payload) in [Some(Payload::text("1")), Some(Payload::null()), None, None]
        .into_iter()
        .enumerate()
    {
        let mut commit = given.turn(key, "one", i64::try_from(sequence)?);
        commit.payloads = vec![(PayloadKind::CustomStatus, payload.clone())];
        given.write(turn(commit)).await?;
        ensure!(given.load("one").await?.record.custom_status == payload);
    }
    Ok(())
}
