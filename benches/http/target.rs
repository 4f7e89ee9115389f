//! [`Target`]: what is asked again and again, and how fast it answered.

use std::time::{Duration, Instant};

use anyhow::ensure;
use futures::future::try_join_all;

use crate::connection::Connection;

/// What is asked again and again.
pub(crate) struct Target {
    pub(crate) name: &'static str,
    /// The name of the target that it is compared with.
    pub(crate) beside: &'static str,
    address: String,
    request: Vec<u8>,
    /// The status that every answer must have.
    status: u16,
    pub(crate) connections: usize,
    pub(crate) rounds: Vec<Round>,
    /// Requests so far.
    pub(crate) answered: u64,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Round {
    pub(crate) per_second: f64,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
}

impl Target {
    /// `line` is method and path, `headers` whole lines.
    pub(crate) fn new(
        (name, beside): (&'static str, &'static str),
        address: &str,
        line: &str,
        headers: &str,
        body: &str,
    ) -> Self {
        let length = body.len();
        let length = match length {
            0 => String::new(),
            _ => format!("content-length: {length}\r\n"),
        };
        let request = format!("{line} HTTP/1.1\r\nhost: {address}\r\n{headers}{length}\r\n{body}");
        Self {
            name,
            beside,
            address: address.to_owned(),
            request: request.into_bytes(),
            status: 200,
            connections: 32,
            rounds: Vec::new(),
            answered: 0,
        }
    }

    pub(crate) fn answering(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    pub(crate) fn over(mut self, connections: usize) -> Self {
        self.connections = connections;
        self
    }

    /// One request.
    pub(crate) async fn once(&mut self) -> anyhow::Result<()> {
        let mut connection = Connection::open(&self.address).await?;
        let status = connection.ask(&self.request).await?;
        let (name, expected) = (self.name, self.status);
        ensure!(status == expected, "{name}: {status} instead of {expected}");
        self.answered += 1;
        Ok(())
    }

    /// Asks over all connections until the time is over.
    pub(crate) async fn round(&mut self, length: Duration) -> anyhow::Result<Round> {
        let opened = (0..self.connections).map(|_| Connection::open(&self.address));
        let connections = try_join_all(opened).await?;
        let began = Instant::now();
        let tasks = connections.into_iter().map(|connection| {
            let (request, status) = (self.request.clone(), self.status);
            tokio::spawn(keep_asking(connection, request, status, began + length))
        });
        let mut times = Vec::new();
        for task in try_join_all(tasks.collect::<Vec<_>>()).await? {
            times.extend(task?);
        }
        let seconds = began.elapsed().as_secs_f64();
        self.answered += times.len() as u64;
        times.sort_unstable();
        let at = |percent: usize| {
            let time = times.get(times.len() * percent / 100);
            time.copied().unwrap_or_default()
        };
        Ok(Round {
            per_second: times.len() as f64 / seconds,
            p50: at(50),
            p99: at(99),
        })
    }

    /// Of each figure the median of the rounds. How late the last of a hundred is has two modes: whether a thread of the client or of
    /// the server waited for its turn on a core.
    pub(crate) fn median(&self) -> Option<Round> {
        Some(Round {
            per_second: middle(&self.rounds, |round| round.per_second)?,
            p50: middle(&self.rounds, |round| round.p50)?,
            p99: middle(&self.rounds, |round| round.p99)?,
        })
    }
}

fn middle<T: PartialOrd + Copy>(rounds: &[Round], figure: impl Fn(&Round) -> T) -> Option<T> {
    let mut all: Vec<T> = rounds.iter().map(figure).collect();
    all.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
    all.get(all.len() / 2).copied()
}

async fn keep_asking(
    mut connection: Connection,
    request: Vec<u8>,
    expected: u16,
    until: Instant,
) -> anyhow::Result<Vec<Duration>> {
    let mut times = Vec::with_capacity(1 << 16);
    let mut began = Instant::now();
    while began < until {
        let status = connection.ask(&request).await?;
        ensure!(status == expected, "{status} instead of {expected}");
        let ended = Instant::now();
        times.push(ended - began);
        began = ended;
    }
    Ok(times)
}
