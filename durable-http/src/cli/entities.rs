//! `entities list|get|signal|clean`.

use clap::Subcommand;
use durable_runtime::model::{EntityOperation, Payload};
use durable_runtime::{CleanedEntities, EntityId};
use serde::Deserialize;
use serde_json::Value;

use super::failure::Failure;
use super::instances::json;
use super::reach::{Reach, reach, reach_existing};
use super::site::Site;
use super::{Global, table};

#[derive(Debug, Subcommand)]
pub(super) enum Entities {
    /// List those that exist, by id
    #[command(after_help = "Example:\n  app entities list --name counter --json")]
    List {
        /// Only of this name
        #[arg(long)]
        name: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
        top: u32,
    },
    /// Print the state of one, as JSON
    Get {
        /// Its name
        name: String,
        /// Its key; none is the empty one
        #[arg(default_value = "")]
        key: String,
    },
    /// Have one run an operation, without waiting for it
    #[command(after_help = SIGNAL)]
    Signal {
        /// Its name
        name: String,
        /// Its key; `""` is the empty one
        key: String,
        /// The operation
        operation: String,
        /// Its input as JSON; `-` reads standard input
        #[arg(long, value_name = "JSON")]
        input: Option<String>,
    },
    /// Remove those without state, lock and messages, and release locks whose holder is gone
    #[command(after_help = CLEAN)]
    Clean,
}

const CLEAN: &str = "\
An orchestration lets go of its locks when it ends, whatever way; a lock is left over only after a
defect, or from a history that could not be read. While no host runs, the next host releases it.

Example:
  app entities clean --json";

const SIGNAL: &str = "\
While no host runs the signal is stored; the next host runs it.

Example:
  app entities signal counter cats add --input 5";

/// An entity as the webhook lists it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    entity_id: EntityId,
    last_operation_time: String,
    state: Value,
}

pub(super) async fn run(command: Entities, site: &Site, global: &Global) -> Result<(), Failure> {
    match command {
        Entities::List { name, top } => list(name.as_deref(), top, site, global).await,
        Entities::Get { name, key } => get(&EntityId::new(name, key), site, global).await,
        Entities::Signal {
            name,
            key,
            operation,
            input,
        } => {
            let operation = EntityOperation {
                operation: operation.into(),
                input: input.as_deref().map(json).transpose()?,
                due: None,
                reply_to: None,
                section: None,
            };
            signal(&EntityId::new(name, key), operation, site, global).await
        }
        Entities::Clean => clean(site, global).await,
    }
}

async fn list(name: Option<&str>, top: u32, site: &Site, global: &Global) -> Result<(), Failure> {
    let top = usize::try_from(top).unwrap_or(usize::MAX);
    let found: Vec<Value> = match reach_existing(site, global)? {
        Reach::Remote(host) => host.entities(name, top).await?,
        Reach::Local(hub) => {
            let found = hub.entities(name, top).await;
            hub.close().await;
            found?
        }
    };
    if global.json {
        return table::print_json(&found);
    }
    let strange = |error| Failure::refused(format!("the answer is no entity: {error}"));
    let mut rows = Vec::new();
    for entity in found {
        let line: Line = serde_json::from_value(entity).map_err(strange)?;
        rows.push([
            line.entity_id.to_string(),
            line.last_operation_time,
            line.state.to_string(),
        ]);
    }
    table::print(&table::render(["ID", "LAST OPERATION", "STATE"], &rows))
}

async fn get(id: &EntityId, site: &Site, global: &Global) -> Result<(), Failure> {
    let state: Option<Payload> = match reach_existing(site, global)? {
        Reach::Remote(host) => host.entity(id).await?,
        Reach::Local(hub) => {
            let state = hub.entity(id).await;
            hub.close().await;
            state?
        }
    };
    let none = || Failure::refused(format!("there is no entity `{id}`"));
    table::print(&format!("{}\n", state.ok_or_else(none)?.as_str()))
}

async fn clean(site: &Site, global: &Global) -> Result<(), Failure> {
    let cleaned: CleanedEntities = match reach_existing(site, global)? {
        Reach::Remote(host) => host.clean_entities().await?,
        Reach::Local(hub) => {
            let cleaned = hub.clean_entities().await;
            hub.close().await;
            cleaned?
        }
    };
    if global.json {
        return table::print_json(&cleaned);
    }
    let CleanedEntities {
        empty_removed,
        locks_released,
        ..
    } = cleaned;
    table::print(&format!(
        "empty entities removed: {empty_removed}\nlocks released: {locks_released}\n"
    ))
}

async fn signal(
    id: &EntityId,
    operation: EntityOperation,
    site: &Site,
    global: &Global,
) -> Result<(), Failure> {
    if let Some(fault) = id.fault() {
        return Err(Failure::refused(fault.to_string()));
    }
    match reach(site, global)? {
        Reach::Remote(host) => host.signal(id, &operation).await,
        Reach::Local(hub) => {
            let told = hub.signal(id, operation).await;
            hub.close().await;
            told
        }
    }
}
