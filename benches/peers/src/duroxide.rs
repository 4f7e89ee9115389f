//! duroxide 0.1.32 on SQLite. What it ships says `PRAGMA synchronous = WAL`, which SQLite takes for NORMAL; here each connection of its
//! pool is told FULL. Its activities go through a stored queue, as ours do in meaning.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{anyhow, ensure};
use duroxide::providers::sqlite::SqliteProvider;
use duroxide::runtime::registry::ActivityRegistry;
use duroxide::runtime::{Runtime, RuntimeOptions};
use duroxide::{
    ActivityContext, Client, OrchestrationContext, OrchestrationRegistry, OrchestrationStatus,
};
use futures::future::try_join_all;
use futures::{StreamExt as _, TryStreamExt as _, stream};

use crate::{CLIENTS, PATIENCE, Parts, STARTS};

/// Connections of its pool.
const POOL: usize = 5;

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|error| format!("{error}"))
}

async fn chain(ctx: OrchestrationContext, length: String) -> Result<String, String> {
    let (length, mut n) = (number(&length)?, 0);
    while n < length {
        n = number(&ctx.schedule_activity("Next", n.to_string()).await?)?;
    }
    Ok(n.to_string())
}

async fn fan_out(ctx: OrchestrationContext, width: String) -> Result<String, String> {
    let width = number(&width)?;
    let all = (0..width).map(|n| ctx.schedule_activity("Next", n.to_string()));
    let mut sum = 0;
    for one in ctx.join(all.collect::<Vec<_>>()).await {
        sum += number(&one?)?;
    }
    Ok(sum.to_string())
}

async fn waits(ctx: OrchestrationContext, _: String) -> Result<String, String> {
    Ok(ctx.schedule_wait("go").await)
}

pub(crate) async fn run(workload: &str, folder: &Path) -> anyhow::Result<Parts> {
    let url = format!("sqlite:{}?mode=rwc", folder.join("duroxide.db").display());
    let store = Arc::new(SqliteProvider::new(&url, None).await?);
    let mut held = Vec::new();
    for _ in 0..POOL {
        let mut connection = store.get_pool().acquire().await?;
        sqlx::query("PRAGMA synchronous = FULL")
            .execute(&mut *connection)
            .await?;
        held.push(connection);
    }
    drop(held);
    let activities = ActivityRegistry::builder()
        .register("Next", |_: ActivityContext, n: String| async move {
            Ok((number(&n)? + 1).to_string())
        })
        .build();
    let orchestrations = OrchestrationRegistry::builder()
        .register("Chain", chain)
        .register("FanOut", fan_out)
        .register("Waits", waits)
        .build();
    let mut options = RuntimeOptions::default();
    if matches!(workload, "W2" | "W3") {
        // One instance: what it waits for is its own polling.
        options.dispatcher_min_poll_interval = Duration::from_millis(1);
    }
    let runtime =
        Runtime::start_with_options(store.clone(), activities, orchestrations, options).await;
    let client = Client::new(store);
    let parts = work(&client, workload).await?;
    runtime.shutdown(None).await;
    Ok(parts)
}

async fn work(client: &Client, workload: &str) -> anyhow::Result<Parts> {
    let began = Instant::now();
    let start = |n: usize, name: &'static str, input: String| {
        client.start_orchestration(format!("w-{n}"), name, input)
    };
    match workload {
        "W1" => {
            try_join_all((0..1_000).map(|n| start(n, "Chain", "5".into()))).await?;
            try_join_all((0..1_000).map(|n| end(client, n, 5))).await?;
        }
        "W2" => {
            start(0, "Chain", "1000".into()).await?;
            end(client, 0, 1_000).await?;
        }
        "W3" => {
            start(0, "FanOut", "2000".into()).await?;
            end(client, 0, 2_000 * 2_001 / 2).await?;
        }
        "W4" => {
            let all = stream::iter(0..STARTS).map(async |n| {
                start(n, "Chain", "1".into()).await?;
                end(client, n, 1).await
            });
            all.buffer_unordered(CLIENTS).try_collect::<()>().await?;
        }
        "W5" => {
            try_join_all((0..10_000).map(|n| start(n, "Waits", String::new()))).await?;
            let accepted = began.elapsed().as_secs_f64();
            let began = Instant::now();
            let raises = (0..10_000).map(|n| client.raise_event(format!("w-{n}"), "go", "1"));
            try_join_all(raises).await?;
            try_join_all((0..10_000).map(|n| end(client, n, 1))).await?;
            let raised = began.elapsed().as_secs_f64();
            // An accepted start has not run yet, and nothing tells when all wait: part of starting is in the second figure.
            return Ok(vec![
                ("W5 start".into(), accepted),
                ("W5 event".into(), raised),
            ]);
        }
        other => anyhow::bail!("no workload `{other}`"),
    }
    Ok(vec![(workload.to_owned(), began.elapsed().as_secs_f64())])
}

async fn end(client: &Client, n: usize, expected: u64) -> anyhow::Result<()> {
    let status = client
        .wait_for_orchestration(&format!("w-{n}"), PATIENCE)
        .await
        .map_err(|error| anyhow!("{error:?}"))?;
    match status {
        OrchestrationStatus::Completed { output, .. } => {
            ensure!(output == expected.to_string(), "w-{n} gave {output}");
            Ok(())
        }
        other => Err(anyhow!("w-{n} ended as {other:?}")),
    }
}
