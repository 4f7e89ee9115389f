//! durare 0.5 on SQLite. It ships `synchronous = NORMAL`; here its pool is made with FULL, and with one connection, which is its fastest.
//! A step runs inside the workflow's task and only its result is stored.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::ensure;
use durare::{DurableContext, DurableEngine, Result, SqliteProvider, WorkflowOptions};
use futures::future::try_join_all;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use crate::{CLIENTS, Parts, STARTS};

const DAY: Duration = Duration::from_secs(86_400);

#[durare::workflow]
async fn chain(ctx: DurableContext, length: u64) -> Result<u64> {
    let mut n = 0;
    while n < length {
        n = ctx.step("next", move || async move { Ok(n + 1) }).await?;
    }
    Ok(n)
}

#[durare::workflow]
async fn fan_out(ctx: DurableContext, width: u64) -> Result<u64> {
    let steps = (0..width).map(|n| ctx.step("next", move || async move { Ok(n + 1) }));
    Ok(try_join_all(steps).await?.into_iter().sum())
}

#[durare::workflow]
async fn waits(ctx: DurableContext, _: ()) -> Result<u64> {
    Ok(ctx.recv::<u64>("go", DAY).await?.unwrap_or(0))
}

pub(crate) async fn run(workload: &str, folder: &Path) -> anyhow::Result<Parts> {
    let options = SqliteConnectOptions::new()
        .filename(folder.join("durare.db"))
        .create_if_missing(true)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(5));
    let pool = SqlitePoolOptions::new().max_connections(1);
    let provider = SqliteProvider::from_pool(pool.connect_with(options).await?);
    let engine = DurableEngine::builder(Arc::new(provider)).build().await?;
    let options = |n: usize| WorkflowOptions::with_id(format!("w-{n}"));
    let began = Instant::now();
    match workload {
        "W1" => {
            let all = (0..1_000).map(async |n| {
                engine
                    .start_with(Chain, 5, options(n))
                    .await?
                    .result()
                    .await
            });
            ensure!(try_join_all(all).await?.iter().all(|n| *n == 5));
        }
        "W2" => {
            let end = engine.start_with(Chain, 1_000, options(0)).await?;
            ensure!(end.result().await? == 1_000);
        }
        "W3" => {
            let end = engine.start_with(FanOut, 2_000, options(0)).await?;
            ensure!(end.result().await? == 2_000 * 2_001 / 2);
        }
        "W4" => {
            let all = stream::iter(0..STARTS).map(async |n| {
                let end = engine.start_with(Chain, 1, options(n)).await?;
                end.result().await
            });
            let ends: Vec<u64> = all.buffer_unordered(CLIENTS).try_collect().await?;
            ensure!(ends.len() == STARTS && ends.iter().all(|n| *n == 1));
        }
        "W5" => {
            let starts = (0..10_000).map(|n| engine.start_with(Waits, (), options(n)));
            let all = try_join_all(starts).await?;
            let started = began.elapsed().as_secs_f64();
            let began = Instant::now();
            let sends =
                (0..10_000).map(async |n| engine.send(&format!("w-{n}"), 1_u64, "go").await);
            try_join_all(sends).await?;
            let ends = all.into_iter().map(async |handle| handle.result().await);
            ensure!(try_join_all(ends).await?.iter().all(|n| *n == 1));
            let raised = began.elapsed().as_secs_f64();
            return Ok(vec![
                ("W5 start".into(), started),
                ("W5 event".into(), raised),
            ]);
        }
        other => anyhow::bail!("no workload `{other}`"),
    }
    Ok(vec![(workload.to_owned(), began.elapsed().as_secs_f64())])
}
