//! Log lines: readable on a terminal, JSON by a flag; `RUST_LOG` decides what is written, else the level that `host.json` gives. No key is ever in one.

mod lines;

use std::io::{IsTerminal as _, Stderr, stderr};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

use lines::{Gathered, Lines};

/// Libraries whose finer lines help nobody who runs functions.
const LIBRARIES: [&str; 8] = [
    "actix_server",
    "actix_web",
    "actix_http",
    "hyper",
    "hyper_util",
    "h2",
    "reqwest",
    "rustls",
];

/// What is written when `RUST_LOG` says nothing.
fn own_filter(level: LevelFilter) -> String {
    let mut filter = level.to_string();
    if level > LevelFilter::WARN {
        filter.extend(LIBRARIES.map(|library| format!(",{library}=warn")));
    }
    filter
}

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

/// As long as it is there, lines may wait to be written with others; dropped, it writes them.
#[derive(Debug)]
#[must_use = "dropped at once, every line is written by itself"]
pub(crate) struct Log(Option<&'static Lines<Stderr>>);

impl Drop for Log {
    fn drop(&mut self) {
        if let Some(lines) = self.0 {
            lines.finish();
        }
    }
}

/// Writes log lines to standard error, unless the program has set up its own subscriber. Without a level: `info` and above.
pub(crate) fn init(format: Format, level: Option<LevelFilter>) -> Log {
    let told = std::env::var(EnvFilter::DEFAULT_ENV).unwrap_or_default();
    let told = Some(told).filter(|filter| !filter.trim().is_empty());
    let filter = told.and_then(|filter| EnvFilter::try_new(filter).ok());
    let filter =
        filter.unwrap_or_else(|| EnvFilter::new(own_filter(level.unwrap_or(LevelFilter::INFO))));
    // Who watches a terminal sees each line when it comes.
    let terminal = stderr().is_terminal();
    let gathered = (!terminal).then(|| Lines::start(stderr()));
    let writer = match gathered {
        Some(lines) => BoxMakeWriter::new(Gathered(lines)),
        None => BoxMakeWriter::new(stderr),
    };
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer)
        .with_ansi(terminal);
    // A program that has its own subscriber keeps it.
    let _ = match format {
        Format::Text => lines.with_target(false).try_init(),
        Format::Json => lines.json().try_init(),
    };
    if let Some(lines) = gathered {
        // What a panic says comes after what led to it, and a program that it ends has said all.
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            lines.flush();
            previous(panic);
        }));
    }
    Log(gathered)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_counts_for_all_but_what_libraries_chatter() {
        let info = "info,actix_server=warn,actix_web=warn,actix_http=warn,hyper=warn,hyper_util=warn,h2=warn,reqwest=warn,rustls=warn";
        assert_eq!(own_filter(LevelFilter::INFO), info);
        for (level, filter) in [
            (LevelFilter::WARN, "warn"),
            (LevelFilter::ERROR, "error"),
            (LevelFilter::OFF, "off"),
        ] {
            assert_eq!(own_filter(level), filter);
            assert_eq!(EnvFilter::new(filter).max_level_hint(), Some(level));
        }
    }
}
