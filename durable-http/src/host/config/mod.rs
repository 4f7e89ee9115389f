//! What files and environment say: `host.json` with its overrides, settings with `local.settings.json`.

mod comments;
mod host_json;
mod known;
mod lines;
mod local_settings;
pub(super) mod parse;
#[cfg(test)]
mod tests;
mod unused;
mod variables;

pub(in crate::host) use host_json::Config;
pub(in crate::host) use local_settings::{LocalHost, LocalSettings};
pub(in crate::host) use variables::Variables;
