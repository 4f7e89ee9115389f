//! `instances list|get|history|export|start|raise-event|terminate|suspend|resume|rewind|restart|purge`.

use std::io::Read as _;

use clap::{Args, Subcommand};
use durable_runtime::model::{Payload, RuntimeStatus};
use serde_json::Value;

use super::failure::Failure;
use super::reach::{Reach, reach, reach_existing};
use super::request::{Filter, Message, NewStart};
use super::row::Row;
use super::site::Site;
use super::{Global, export, table};

#[derive(Debug, Subcommand)]
pub(super) enum Instances {
    /// List them, oldest first
    #[command(
        after_help = "Example:\n  app instances list --status running --status failed --prefix order-"
    )]
    List(ListArgs),
    /// Show one, with input and output, and what it waits for
    Get {
        /// Its id
        id: String,
    },
    /// Show what happened to one, oldest first
    History {
        /// Its id
        id: String,
    },
    /// Print the stored events of one as JSON, for `testing::replay`
    #[command(after_help = export::EXAMPLE)]
    Export {
        /// Its id
        id: String,
    },
    /// Start an orchestration and print its id
    #[command(after_help = START)]
    Start(StartInstance),
    /// Raise an event to an instance
    #[command(
        after_help = "Example:\n  app instances raise-event order-17 approved --data '{\"by\":\"me\"}'"
    )]
    RaiseEvent {
        /// The instance's id
        id: String,
        /// The event's name
        name: String,
        /// Its data as JSON; `-` reads standard input
        #[arg(long, value_name = "JSON", default_value = "null")]
        data: String,
    },
    /// End an instance
    Terminate {
        /// Its id
        id: String,
        /// Why; becomes its output
        #[arg(long)]
        reason: Option<String>,
        /// Its children too
        #[arg(long)]
        recursive: bool,
    },
    /// Halt an instance
    Suspend {
        /// Its id
        id: String,
        /// Why
        #[arg(long)]
        reason: Option<String>,
    },
    /// Let a suspended instance go on
    Resume {
        /// Its id
        id: String,
        /// Why
        #[arg(long)]
        reason: Option<String>,
    },
    /// Take a failed instance back to before its failure: what failed runs again
    Rewind {
        /// Its id
        id: String,
        /// Why
        #[arg(long)]
        reason: Option<String>,
    },
    /// Start the function of an instance once more, with its input, and print the id
    Restart {
        /// Its id
        id: String,
        /// Under the same id, once it has ended [default: a new one]
        #[arg(long)]
        same_id: bool,
    },
    /// Remove an ended instance with its history
    Purge {
        /// Its id
        id: String,
        /// Its children too, as far as they have ended
        #[arg(long)]
        recursive: bool,
    },
}

const START: &str = "\
While no host runs the instance is stored; the next host runs it.

Examples:
  app instances start hello_cities
  app instances start checkout --id order-17 --input '{\"items\":2}'
  app instances start checkout --input - < order.json";

/// People do not write the capitals that the wire has.
fn in_any_case(text: &str) -> Result<RuntimeStatus, String> {
    let mut all = RuntimeStatus::ALL.into_iter();
    let found = all.find(|status| status.name().eq_ignore_ascii_case(text));
    found.map_or_else(|| text.parse(), Ok)
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Only of this status; may be repeated
    #[arg(long, value_name = "STATUS", value_parser = in_any_case)]
    status: Vec<RuntimeStatus>,
    /// Only ids that begin so
    #[arg(long)]
    prefix: Option<String>,
    /// At most so many; if there are more, standard error says so
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    top: u32,
}

#[derive(Debug, Args)]
pub(super) struct StartInstance {
    /// The orchestrator's name
    name: String,
    /// The instance's id [default: a new one]
    #[arg(long)]
    id: Option<String>,
    /// Its input as JSON; `-` reads standard input
    #[arg(long, value_name = "JSON")]
    input: Option<String>,
    /// Version of the orchestrator
    #[arg(long)]
    version: Option<String>,
}

pub(super) async fn run(command: Instances, site: &Site, global: &Global) -> Result<(), Failure> {
    let (id, message) = match command {
        Instances::List(args) => return list(args, site, global).await,
        Instances::Get { id } => return get(&id, site, global).await,
        Instances::Export { id } => return export::export(&id, site, global),
        Instances::Start(args) => return start(args, site, global).await,
        Instances::History { id } => return history(&id, site, global).await,
        Instances::Restart { id, same_id } => return restart(&id, same_id, site, global).await,
        Instances::Purge { id, recursive } => return purge(&id, recursive, site, global).await,
        Instances::Rewind { id, reason } => (id, Message::Rewind { reason }),
        Instances::RaiseEvent { id, name, data } => {
            let data = json(&data)?;
            (id, Message::Event { name, data })
        }
        Instances::Terminate {
            id,
            reason,
            recursive,
        } => (id, Message::Terminate { reason, recursive }),
        Instances::Suspend { id, reason } => (id, Message::Suspend { reason }),
        Instances::Resume { id, reason } => (id, Message::Resume { reason }),
    };
    match reach_existing(site, global)? {
        Reach::Remote(host) => host.tell(&id, &message).await,
        Reach::Local(hub) => {
            let told = hub.tell(&id, &message).await;
            hub.close().await;
            told
        }
    }
}

async fn list(args: ListArgs, site: &Site, global: &Global) -> Result<(), Failure> {
    let top = usize::try_from(args.top).unwrap_or(usize::MAX);
    let filter = Filter {
        statuses: args.status,
        prefix: args.prefix,
        // One more tells whether there are more.
        top: top.saturating_add(1),
    };
    let found = match reach_existing(site, global)? {
        Reach::Remote(host) => host.list(&filter).await?,
        Reach::Local(hub) => {
            let found = hub.list(&filter).await;
            hub.close().await;
            found?
        }
    };
    let mut rows = Vec::new();
    for instance in &found {
        rows.push((Row::read(instance)?, instance));
    }
    rows.retain(|(row, _)| filter.entities() || !row.instance_id.starts_with('@'));
    if rows.len() > top {
        rows.truncate(top);
        eprintln!(
            "the first {top} are shown, and there are more: give `--top`, `--status` or `--prefix`"
        );
    }
    if global.json {
        let instances: Vec<_> = rows.iter().map(|(_, instance)| instance).collect();
        return table::print_json(&instances);
    }
    let rows: Vec<_> = rows.into_iter().map(|(row, _)| row.cells()).collect();
    let headings = ["ID", "NAME", "STATUS", "CREATED", "UPDATED"];
    table::print(&table::render(headings, &rows))
}

async fn get(id: &str, site: &Site, global: &Global) -> Result<(), Failure> {
    let found = match reach_existing(site, global)? {
        Reach::Remote(host) => host.get(id).await?,
        Reach::Local(hub) => {
            let found = hub.get(id).await;
            hub.close().await;
            found?
        }
    };
    if global.json {
        return table::print_json(&found);
    }
    let row = Row::read(&found)?;
    table::print(&row.lines())
}

async fn start(args: StartInstance, site: &Site, global: &Global) -> Result<(), Failure> {
    let input = args.input.as_deref().map(json).transpose()?;
    let start = NewStart {
        name: args.name,
        id: args.id,
        input,
        version: args.version,
    };
    let id = match reach(site, global)? {
        Reach::Remote(host) => host.start(&start).await?,
        Reach::Local(hub) => {
            let id = hub.start(&start).await;
            hub.close().await;
            id?
        }
    };
    if global.json {
        return table::print_json(&serde_json::json!({ "id": id }));
    }
    table::print(&format!("{id}\n"))
}

async fn history(id: &str, site: &Site, global: &Global) -> Result<(), Failure> {
    let events = match reach_existing(site, global)? {
        Reach::Remote(host) => host.history(id).await?,
        Reach::Local(hub) => {
            let events = hub.history(id).await;
            hub.close().await;
            events?
        }
    };
    if global.json {
        return table::print_json(&events);
    }
    let text = |event: &Value, name: &str| event[name].as_str().unwrap_or_default().to_owned();
    let rows = events.iter().map(|event| {
        let named = ["FunctionName", "Name"].map(|member| text(event, member));
        let name = named.into_iter().find(|name| !name.is_empty());
        let [at, kind] = ["Timestamp", "EventType"].map(|member| text(event, member));
        [at, kind, name.unwrap_or_default()]
    });
    let rows: Vec<_> = rows.collect();
    table::print(&table::render(["TIME", "EVENT", "NAME"], &rows))
}

async fn restart(id: &str, same_id: bool, site: &Site, global: &Global) -> Result<(), Failure> {
    let id = match reach_existing(site, global)? {
        Reach::Remote(host) => host.restart(id, same_id).await?,
        Reach::Local(hub) => {
            let id = hub.restart(id, same_id).await;
            hub.close().await;
            id?
        }
    };
    if global.json {
        return table::print_json(&serde_json::json!({ "id": id }));
    }
    table::print(&format!("{id}\n"))
}

async fn purge(id: &str, recursive: bool, site: &Site, global: &Global) -> Result<(), Failure> {
    match reach_existing(site, global)? {
        Reach::Remote(host) => host.purge(id, recursive).await,
        Reach::Local(hub) => {
            let purged = hub.purge(id, recursive).await;
            hub.close().await;
            purged
        }
    }
}

pub(super) fn json(text: &str) -> Result<Payload, Failure> {
    let mut given = text.to_owned();
    if text == "-" {
        given.clear();
        std::io::stdin().lock().read_to_string(&mut given)?;
    }
    Payload::parse(given)
        .map_err(|error| Failure::refused(format!("`{text}` is not JSON: {error}")))
}
