//! What a run costs: time, flushes, bytes, CPU, memory.

use std::io::Write as _;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// One line of the table.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) workload: String,
    pub(crate) seconds: f64,
    pub(crate) unit: String,
    pub(crate) units: u64,
    pub(crate) per_second: f64,
    pub(crate) p50_ms: Option<f64>,
    pub(crate) p99_ms: Option<f64>,
    /// Transactions that were flushed.
    pub(crate) flushes: u64,
    /// What the kernel accounts to the process until the store is closed, page by page, the write-ahead log and its copy included.
    pub(crate) written_bytes: Option<u64>,
    /// User and system, all threads, those of the load included.
    pub(crate) cpu_seconds: f64,
    pub(crate) peak_kib: Option<u64>,
    /// Whatever else the workload tells, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) notes: Vec<(String, f64)>,
    /// The floor's seconds in the same run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) floor_seconds: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ratio: Option<f64>,
    /// What the ratio should be at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) aim: Option<f64>,
}

/// Where a measurement began.
pub(crate) struct Mark {
    began: Instant,
    cpu: Duration,
    flushes: u64,
    written: Option<u64>,
}

impl Mark {
    /// From here on; `flushes` are those so far.
    pub(crate) fn new(flushes: u64) -> Self {
        Self {
            flushes,
            written: written_bytes(),
            cpu: cpu_time(),
            began: Instant::now(),
        }
    }

    /// Up to here.
    pub(crate) fn row(
        &self,
        workload: &str,
        (units, unit): (u64, &str),
        flushes: u64,
        latencies: Vec<Duration>,
    ) -> Row {
        let seconds = self.began.elapsed().as_secs_f64();
        let latencies = Latencies::new(latencies);
        Row {
            workload: workload.to_owned(),
            seconds,
            unit: unit.to_owned(),
            units,
            per_second: units as f64 / seconds,
            p50_ms: latencies.at(50),
            p99_ms: latencies.at(99),
            flushes: flushes - self.flushes,
            written_bytes: self.written(),
            cpu_seconds: (cpu_time() - self.cpu).as_secs_f64(),
            peak_kib: proc_number("status", "VmHWM:"),
            notes: Vec::new(),
            floor_seconds: None,
            ratio: None,
            aim: None,
        }
    }

    /// Bytes since.
    pub(crate) fn written(&self) -> Option<u64> {
        let (now, then) = (written_bytes()?, self.written?);
        Some(now.saturating_sub(then))
    }

    pub(crate) fn cpu(&self) -> Duration {
        cpu_time() - self.cpu
    }
}

struct Latencies(Vec<Duration>);

impl Latencies {
    fn new(mut all: Vec<Duration>) -> Self {
        all.sort_unstable();
        Self(all)
    }

    /// Milliseconds within which so many percent were done.
    fn at(&self, percent: usize) -> Option<f64> {
        let last = self.0.len().checked_sub(1)?;
        self.0
            .get(last * percent / 100)
            .map(|time| time.as_secs_f64() * 1e3)
    }
}

/// What one flush costs on this disk, median.
pub(crate) fn flush_time() -> anyhow::Result<Duration> {
    let mut file = tempfile::tempfile()?;
    let mut times = Vec::new();
    for _ in 0..200 {
        let began = Instant::now();
        file.write_all(&[7; 8192])?;
        file.sync_data()?;
        times.push(began.elapsed());
    }
    times.sort_unstable();
    Ok(times[times.len() / 2])
}

/// Memory of this process that is in RAM now.
pub(crate) fn resident_bytes() -> Option<u64> {
    proc_number("status", "VmRSS:").map(|kib| kib * 1024)
}

fn written_bytes() -> Option<u64> {
    proc_number("io", "write_bytes:")
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanos = u32::try_from(time.tv_nsec).unwrap_or(0);
    Duration::new(seconds, nanos)
}

/// A number that Linux keeps of this process.
fn proc_number(file: &str, field: &str) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/self/{file}")).ok()?;
    text.lines()
        .find_map(|line| line.strip_prefix(field))?
        .split_whitespace()
        .next()?
        .parse()
        .ok()
}
