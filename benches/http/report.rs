//! What is printed.

use std::time::Duration;

use durable_functions::prelude::*;

use crate::target::Target;

pub(crate) fn table(targets: &[Target]) -> anyhow::Result<()> {
    println!(
        "{:<26} {:>8} {:>11} {:>8} {:>8} {:>20}",
        "target", "clients", "requests/s", "p50 us", "p99 us", "ratio"
    );
    for target in targets {
        let Some(round) = target.median() else {
            continue;
        };
        let ratio = ratio(target, targets);
        let ratio = ratio.map_or_else(String::new, |ratio| {
            format!("{ratio:.3} of {}", target.beside)
        });
        println!(
            "{:<26} {:>8} {:>11.0} {:>8.0} {:>8.0} {ratio:>20}",
            target.name,
            target.connections,
            round.per_second,
            us(round.p50),
            us(round.p99),
        );
    }
    Ok(())
}

pub(crate) fn json(targets: &[Target]) -> anyhow::Result<()> {
    let rows = targets.iter().filter_map(|target| {
        let round = target.median()?;
        Some(json!({
            "target": target.name,
            "clients": target.connections,
            "requests_per_second": round.per_second,
            "p50_us": us(round.p50),
            "p99_us": us(round.p99),
            "beside": target.beside,
            "ratio": ratio(target, targets),
        }))
    });
    let rows: Vec<Value> = rows.collect();
    println!("{}", serde_json::to_string_pretty(&rows)?);
    Ok(())
}

/// The median of the ratios of its rounds to those of the target beside it.
fn ratio(target: &Target, targets: &[Target]) -> Option<f64> {
    let mut others = targets.iter();
    let beside = others.find(|other| other.name == target.beside && other.name != target.name)?;
    let rounds = target.rounds.iter().zip(&beside.rounds);
    let mut ratios: Vec<f64> = rounds
        .map(|(own, other)| own.per_second / other.per_second)
        .collect();
    ratios.sort_by(f64::total_cmp);
    ratios.get(ratios.len() / 2).copied()
}

fn us(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
