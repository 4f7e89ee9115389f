//! Log lines: readable on a terminal, JSON by a flag; `RUST_LOG` decides what is written. No key is ever in one.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// What is written when `RUST_LOG` says nothing.
const DEFAULT: &str = "info,actix_server=warn,actix_web=warn,actix_http=warn";

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Format {
    #[default]
    Text,
    #[cfg_attr(
        not(feature = "cli"),
        allow(dead_code, reason = "it is the command line that asks for it")
    )]
    Json,
}

/// Writes log lines to standard error, unless the program has set up its own.
pub(crate) fn init(format: Format) {
    let told = std::env::var(EnvFilter::DEFAULT_ENV).unwrap_or_default();
    let told = Some(told).filter(|filter| !filter.trim().is_empty());
    let filter = told.and_then(|filter| EnvFilter::try_new(filter).ok());
    let filter = filter.unwrap_or_else(|| EnvFilter::new(DEFAULT));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    // A program that has its own subscriber keeps it.
    let _ = match format {
        Format::Text => lines.with_target(false).try_init(),
        Format::Json => lines.json().try_init(),
    };
}
