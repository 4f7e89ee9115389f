//! The figures, as a table or as JSON.

use serde::Serialize;

use crate::measure::{Row, flush_time};

/// Of five times the steps, how much longer they may take.
const W2_GOAL: f64 = 5.5;

/// What was measured so far.
#[derive(Serialize)]
pub(crate) struct Report {
    /// Microseconds for an append of 8 KiB with `fdatasync`, median.
    flush_us: f64,
    rows: Vec<Row>,
    #[serde(skip_serializing_if = "Option::is_none")]
    w2_ratio: Option<f64>,
    #[serde(skip)]
    as_json: bool,
}

impl Report {
    pub(crate) fn begin(as_json: bool) -> anyhow::Result<Self> {
        let flush_us = flush_time()?.as_secs_f64() * 1e6;
        if !as_json {
            println!("flush: {flush_us:.0} us (append of 8 KiB and fdatasync, median)");
            println!(
                "{:<14} {:>8} {:>8} {:>6} {:>5} {:>18} {:>8} {:>8} {:>8} {:>9} {:>7} {:>8}",
                "workload",
                "seconds",
                "floor",
                "ratio",
                "aim",
                "per second",
                "p50 ms",
                "p99 ms",
                "flushes",
                "written",
                "CPU s",
                "peak"
            );
        }
        Ok(Self {
            flush_us,
            rows: Vec::new(),
            w2_ratio: None,
            as_json,
        })
    }

    pub(crate) fn add(&mut self, name: &str, what: &str, rows: Vec<Row>) {
        if !self.as_json {
            println!("{name}: {what}");
            rows.iter().for_each(line);
        }
        self.rows.extend(rows);
    }

    pub(crate) fn end(mut self) -> anyhow::Result<()> {
        let seconds = |name: &str| {
            let row = self.rows.iter().find(|row| row.workload == name);
            row.map(|row| row.seconds)
        };
        self.w2_ratio = seconds("W2x5")
            .zip(seconds("W2"))
            .map(|(long, short)| long / short);
        if self.as_json {
            println!("{}", serde_json::to_string_pretty(&self)?);
        } else if let Some(ratio) = self.w2_ratio {
            println!(
                "W2: five times the steps take {ratio:.2} times as long (goal: at most {W2_GOAL}, {})",
                verdict(ratio, W2_GOAL)
            );
        }
        Ok(())
    }
}

fn verdict(ratio: f64, aim: f64) -> &'static str {
    if ratio <= aim { "met" } else { "missed" }
}

fn line(row: &Row) {
    let number = |value: Option<f64>, digits: usize| {
        value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
    };
    let mib = |bytes: Option<f64>| {
        bytes.map_or_else(
            || "n/a".to_owned(),
            |b| format!("{:.1}M", b / f64::from(1 << 20)),
        )
    };
    println!(
        "{:<14} {:>8.4} {:>8} {:>6} {:>5} {:>18} {:>8} {:>8} {:>8} {:>9} {:>7.3} {:>8} {}",
        row.workload,
        row.seconds,
        number(row.floor_seconds, 4),
        number(row.ratio, 2),
        number(row.aim, 2),
        format!("{:.0} {}", row.per_second, row.unit),
        number(row.p50_ms, 2),
        number(row.p99_ms, 2),
        row.flushes,
        mib(row.written_bytes.map(|bytes| bytes as f64)),
        row.cpu_seconds,
        mib(row.peak_kib.map(|kib| kib as f64 * 1024.0)),
        row.ratio
            .zip(row.aim)
            .map_or("", |(ratio, aim)| verdict(ratio, aim)),
    );
    for (what, value) in &row.notes {
        println!("  {what}: {value:.2}");
    }
}
