//! dbos 0.5 on Postgres with `synchronous_commit` and `fsync` on. A step runs inside the workflow's task and only its result is stored.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::ensure;
use dbos::{Config, DBOS};
use futures::future::try_join_all;
use futures::{StreamExt as _, TryStreamExt as _, stream};

use crate::postgres::Postgres;
use crate::{CLIENTS, Parts, STARTS};

const DAY: Duration = Duration::from_secs(86_400);

async fn next(n: u64) -> Result<u64, dbos::Error> {
    dbos::step("next", move || async move { Ok(n + 1) }).await
}

pub(crate) async fn run(workload: &str, folder: &Path) -> anyhow::Result<Parts> {
    let postgres = Postgres::start(folder)?;
    let config = Config {
        app_version: Some("peers".to_owned()),
        max_connections: 16,
        ..Config::new("peers", postgres.url())
    };
    let dbos = DBOS::new(config);
    let chain = dbos.register_workflow("chain", |length: u64| async move {
        let mut n = 0;
        while n < length {
            n = next(n).await?;
        }
        Ok::<u64, dbos::Error>(n)
    })?;
    let fan_out = dbos.register_workflow("fan_out", |width: u64| async move {
        let all = try_join_all((0..width).map(next)).await?;
        Ok::<u64, dbos::Error>(all.into_iter().sum())
    })?;
    let waits = dbos.register_workflow("waits", |()| async {
        let n: Option<u64> = dbos::recv(None, DAY).await?;
        Ok::<u64, dbos::Error>(n.unwrap_or(0))
    })?;
    dbos.launch().await?;
    let began = Instant::now();
    let parts = match workload {
        "W1" => {
            let all = (0..1_000).map(async |_| chain.start(5).await?.result().await);
            ensure!(try_join_all(all).await?.iter().all(|n| *n == 5));
            vec![(workload.to_owned(), began.elapsed().as_secs_f64())]
        }
        "W2" => {
            ensure!(chain.start(1_000).await?.result().await? == 1_000);
            vec![(workload.to_owned(), began.elapsed().as_secs_f64())]
        }
        "W3" => {
            ensure!(fan_out.start(2_000).await?.result().await? == 2_000 * 2_001 / 2);
            vec![(workload.to_owned(), began.elapsed().as_secs_f64())]
        }
        "W4" => {
            let all = stream::iter(0..STARTS).map(async |_| chain.start(1).await?.result().await);
            let ends: Vec<u64> = all.buffer_unordered(CLIENTS).try_collect().await?;
            ensure!(ends.len() == STARTS && ends.iter().all(|n| *n == 1));
            vec![(workload.to_owned(), began.elapsed().as_secs_f64())]
        }
        "W5" => {
            let all = try_join_all((0..10_000).map(|_| waits.start(()))).await?;
            let started = began.elapsed().as_secs_f64();
            let began = Instant::now();
            try_join_all(
                all.iter()
                    .map(|handle| dbos.send(handle.workflow_id(), &1_u64)),
            )
            .await?;
            let ends = all.into_iter().map(async |handle| handle.result().await);
            ensure!(try_join_all(ends).await?.iter().all(|n| *n == 1));
            let raised = began.elapsed().as_secs_f64();
            vec![("W5 start".into(), started), ("W5 event".into(), raised)]
        }
        other => anyhow::bail!("no workload `{other}`"),
    };
    dbos.shutdown().await;
    Ok(parts)
}
