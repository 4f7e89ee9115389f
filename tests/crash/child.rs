//! The process that is killed.

use std::path::Path;
use std::time::Duration;

use durable_functions::reqwest;
use durable_functions::{DurableClient, Host, InstanceQuery, OrchestrationStatus, RuntimeStatus};

use futures::future::join_all;

use crate::functions::{EVENTS, GENERATIONS, append, chain, events, fan_out, folder, generations};
use crate::functions::{parent, paused, polls, timers, transfer};

/// Instances that one wave starts, by what they run.
pub(crate) const WAVE: [&str; 12] = [
    "transfer",
    "transfer",
    "chain",
    "chain",
    "chain",
    "fan_out",
    "timers",
    "events",
    "parent",
    "paused",
    "polls",
    "generations",
];

/// The id of one instance of a wave; `n` is its input.
pub(crate) fn id_of(prefix: &str, index: usize, n: u64) -> String {
    format!("{prefix}-{index}-{n}")
}

/// What it prints once the hub is open.
pub(crate) const OPENED: &str = "the hub is open";

/// A hub on the shared folder; `speculative`: its activities start before their turns are durable.
pub(crate) fn host(folder: &Path, speculative: bool) -> Host {
    // Kills come so fast that an activity may be cut down ten times in a row: that is no poison here.
    let deliveries = "AzureFunctionsJobHost__extensions__durableTask__maxActivityDeliveries";
    let host = Host::new().without_http().with_script_root(folder);
    let delay = "AzureFunctionsJobHost__extensions__durableTask__redeliveryDelay";
    let early = "AzureFunctionsJobHost__extensions__durableTask__speculative";
    let early_is = if speculative { "true" } else { "false" };
    // The client is made at the start, and knows no authorities: to read them takes longer than a child lives.
    host.with_setting(deliveries, "10000")
        .with_setting(delay, "00:00:00")
        .with_setting(early, early_is)
        .with_http_client_factory(|| reqwest::Client::builder().tls_certs_only([]))
}

/// Every instance there is.
pub(crate) async fn list(client: &DurableClient) -> Vec<OrchestrationStatus> {
    pages(client, InstanceQuery::new()).await
}

async fn pages(client: &DurableClient, query: InstanceQuery) -> Vec<OrchestrationStatus> {
    let query = query.with_page_size(500);
    let (mut all, mut next) = (Vec::new(), query.clone());
    loop {
        let page = client.list_instances(next).await.unwrap();
        all.extend(page.items);
        let Some(token) = page.continuation_token else {
            return all;
        };
        next = query.clone().with_continuation(token);
    }
}

/// Runs until it is killed; the last run, until nothing is left to do.
pub(crate) async fn run() {
    let number: u64 = std::env::var("CRASH_RUN").unwrap().parse().unwrap();
    let last = std::env::var_os("CRASH_LAST").is_some();
    let speculative = std::env::var_os("CRASH_SPECULATIVE").is_some();
    let host = host(&folder().unwrap(), speculative);
    let host = host.start().await.unwrap();
    let client = host.client();
    append("opened", &number.to_string()).unwrap();
    println!("{OPENED}");
    // What earlier runs left unstarted, the newest first: it was killed over these.
    let oldest = if last { 0 } else { number.saturating_sub(3) };
    for n in (oldest..=number).rev() {
        wave(&client, &format!("wave{n}"), n).await;
    }
    finish(&client).await;
    for more in 0.. {
        if last {
            host.shutdown().await.unwrap();
            return;
        }
        wave(&client, &format!("more{number}.{more}"), number).await;
        finish(&client).await;
    }
}

/// Starts, all at once, what does not exist yet; an ended instance would be replaced.
async fn wave(client: &DurableClient, prefix: &str, n: u64) {
    let starts = WAVE.into_iter().enumerate().map(async |(index, function)| {
        let id = id_of(prefix, index, n);
        if client.get_status(&id).await.unwrap().is_some() {
            return;
        }
        let start = match function {
            "chain" => client.start_new::<chain>(n),
            "fan_out" => client.start_new::<fan_out>(n),
            "timers" => client.start_new::<timers>(n),
            "events" => client.start_new::<events>(n),
            "parent" => client.start_new::<parent>(n),
            "transfer" => client.start_new::<transfer>(n + index as u64),
            "paused" => client.start_new::<paused>(n),
            "polls" => client.start_new::<polls>(n),
            _ => client.start_new::<generations>((GENERATIONS, n)),
        };
        start.with_instance_id(&id).await.unwrap();
        append("acknowledged", &id).unwrap();
    });
    join_all(starts).await;
}

/// Raises what is waited for (again, if an earlier run did), and waits for every end.
async fn finish(client: &DurableClient) {
    let alive = [
        RuntimeStatus::Pending,
        RuntimeStatus::Running,
        RuntimeStatus::Suspended,
    ];
    let open = pages(client, InstanceQuery::new().with_status(alive)).await;
    for status in open.iter().filter(|status| status.name == "events") {
        for (data, name) in EVENTS.into_iter().enumerate() {
            // It may have ended by the first two; the third is one too many then.
            drop(client.raise_event(&status.instance_id, name, data).await);
        }
    }
    for status in open.iter().filter(|status| status.name == "paused") {
        pause(client, &status.instance_id).await;
    }
    let mut progress = None;
    for status in open {
        let id = &status.instance_id;
        while let Err(error) = client
            .wait_for_completion(id, Duration::from_secs(30))
            .await
        {
            // Hundreds may wait for one lock, on a machine that does much else: as long as any of them goes on, this one may.
            let alive = pages(client, InstanceQuery::new().with_status(alive)).await;
            let last = alive.iter().map(|status| status.last_updated_time).max();
            if last > progress {
                progress = last;
                continue;
            }
            let now = client.get_status(id).await;
            let history = client.events(id).await;
            panic!("{id}: {error}, and nothing went on meanwhile; {now:?}; {history:?}");
        }
    }
}

/// Suspends, raises what is waited for, and resumes: whatever an earlier run left of that.
async fn pause(client: &DurableClient, id: &str) {
    // Refused if it is suspended already, or has ended.
    let suspends = client.suspend(id, "crash").await.is_ok();
    drop(client.raise_event(id, EVENTS[0], 0).await);
    loop {
        let status = client.get_status(id).await.unwrap().unwrap();
        match status.runtime_status {
            RuntimeStatus::Suspended => drop(client.resume(id, "crash").await),
            _ if suspends && !status.is_terminal() => {}
            _ => return,
        }
        if status.runtime_status == RuntimeStatus::Suspended {
            return;
        }
        tokio::task::yield_now().await;
    }
}
