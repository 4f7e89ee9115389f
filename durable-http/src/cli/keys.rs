//! `keys list|renew|set|delete`.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use durable_runtime::store::Store;
use durable_runtime::store::sqlite::{peek_keys, read_holder};
use serde::{Deserialize, Serialize};

use super::failure::Failure;
use super::reach::{Reach, opened, reach};
use super::site::Site;
use super::{Global, import, table};
use crate::keys::{Key, Keys, Scope, Secret};

#[derive(Debug, Subcommand)]
pub(super) enum KeysCommand {
    /// Show them all; a new hub gets its keys
    #[command(after_help = LIST)]
    List,
    /// Give a key a new value; the old one is dead at once
    #[command(after_help = RENEW)]
    Renew(Which),
    /// Give a key the value that standard input holds
    #[command(after_help = SET)]
    Set(Which),
    /// Take over the keys of an existing application
    #[command(after_help = IMPORT)]
    Import {
        /// A folder of key files, or a file; `-` reads standard input
        from: PathBuf,
    },
    /// Revoke a key
    #[command(after_help = "Example:\n  app keys delete old --function hello")]
    Delete(Which),
}

const LIST: &str = "\
A key opens: masterKey everything, a functionKey every function, a key of a function that one,
the systemKey `durabletask_extension` the management webhooks. Call a function with it as
header `x-functions-key` or as query parameter `code`.

Example, without the key on a command line:
  app keys list --json | jq -r '\"x-functions-key: \" + .functions.hello.default' > key.txt
  curl -H @key.txt http://localhost:7071/api/hello";

const RENEW: &str = "\
Examples:
  app keys renew --function hello          the key `default` of the function
  app keys renew partner --host            another key that opens every function
  app keys renew --master                  the master key";

const SET: &str = "\
The value is read from standard input and never stands on a command line.

Example:
  app keys set partner --function hello < partner.key";

const IMPORT: &str = "\
A folder holds host.json and {function}.json, as Functions keeps them. A file or standard input may also hold
what `az functionapp keys list` or `keys list --json` prints. Keys of the same names are replaced.

Examples:
  app keys import ./data/Functions/secrets
  az functionapp keys list -g group -n app | app keys import -";

/// Which key.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// The key's name
    #[arg(default_value = "default")]
    name: String,
    #[command(flatten)]
    whose: Whose,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Whose {
    /// A key of this function
    #[arg(long, value_name = "NAME")]
    function: Option<String>,
    /// A host key: it opens every function
    #[arg(long)]
    host: bool,
    /// A key of an extension, such as `durabletask_extension`
    #[arg(long)]
    system: bool,
    /// The master key
    #[arg(long)]
    master: bool,
}

impl Which {
    fn scope(&self) -> Scope {
        match &self.whose.function {
            Some(name) => Scope::function(name),
            None if self.whose.system => Scope::System,
            None if self.whose.master => Scope::Master,
            None => Scope::Host,
        }
    }

    fn name(&self) -> &str {
        if self.whose.master {
            "_master"
        } else {
            &self.name
        }
    }
}

/// A key as it is printed.
#[derive(Serialize, Deserialize)]
pub(super) struct Value {
    name: String,
    value: String,
}

impl From<&Key> for Value {
    fn from(key: &Key) -> Self {
        Self {
            name: key.name.to_string(),
            value: key.value.expose().to_owned(),
        }
    }
}

/// All keys, as scripts read them.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct All {
    master_key: String,
    function_keys: BTreeMap<String, String>,
    system_keys: BTreeMap<String, String>,
    functions: BTreeMap<String, BTreeMap<String, String>>,
}

pub(super) async fn run(command: KeysCommand, site: &Site, global: &Global) -> Result<(), Failure> {
    let which = match command {
        KeysCommand::List => return list(site, global).await,
        KeysCommand::Import { from } => return import::run(&from, site, global).await,
        KeysCommand::Renew(ref which)
        | KeysCommand::Set(ref which)
        | KeysCommand::Delete(ref which) => which,
    };
    let changed = match reach(site, global)? {
        Reach::Remote(host) => {
            let (scope, name) = (which.scope(), which.name());
            match command {
                KeysCommand::Set(_) => Some(host.set_key(&scope, name, &from_stdin()?).await?),
                KeysCommand::Delete(_) => {
                    host.delete_key(&scope, name).await?;
                    None
                }
                _ => Some(host.renew_key(&scope, name).await?),
            }
        }
        Reach::Local(hub) => {
            let changed = change(&command, which, hub.store(), site).await;
            hub.close().await;
            changed?
        }
    };
    match changed {
        None => Ok(()),
        Some(key) if global.json => table::print_json(&key),
        Some(key) => table::print(&format!("{}\n", key.value)),
    }
}

/// Changes a key of a hub that this process holds; gives the key as it is now, unless it is gone.
async fn change(
    command: &KeysCommand,
    which: &Which,
    store: Arc<dyn Store>,
    site: &Site,
) -> Result<Option<Value>, Failure> {
    let keys = Keys::load(store, site.cipher.clone(), &site.guarded(), &site.others()).await?;
    let (scope, name) = (which.scope(), which.name());
    let changed = match command {
        KeysCommand::Delete(_) => {
            keys.delete(&scope, name).await?;
            return Ok(None);
        }
        KeysCommand::Set(_) => keys.set(&scope, name, from_stdin()?).await?,
        _ => keys.renew(&scope, name).await?,
    };
    Ok(Some(Value::from(&changed.key)))
}

async fn list(site: &Site, global: &Global) -> Result<(), Failure> {
    let all = all(site, global).await?;
    if global.json {
        return table::print_json(&all);
    }
    let mut rows = vec![row("master", "_master", &all.master_key)];
    rows.extend(
        all.function_keys
            .iter()
            .map(|(name, value)| row("host", name, value)),
    );
    rows.extend(
        all.system_keys
            .iter()
            .map(|(name, value)| row("system", name, value)),
    );
    for (function, keys) in &all.functions {
        rows.extend(keys.iter().map(|(name, value)| row(function, name, value)));
    }
    table::print(&table::render(["OPENS", "NAME", "VALUE"], &rows))
}

fn row(opens: &str, name: &str, value: &str) -> [String; 3] {
    [opens.into(), name.into(), value.into()]
}

/// Reads all keys. The hub's database is enough, whoever holds it; only a host that is elsewhere is asked.
async fn all(site: &Site, global: &Global) -> Result<All, Failure> {
    let scopes = [Scope::Master, Scope::Host, Scope::System];
    let functions = site.guarded();
    let scopes = scopes
        .into_iter()
        .chain(functions.iter().map(|name| Scope::function(name)));
    let way = match global.url {
        Some(_) => Some(reach(site, global)?),
        None => held(site)?,
    };
    let mut found = Vec::new();
    match way {
        Some(Reach::Remote(host)) => {
            for scope in scopes {
                found.push(host.keys(&scope).await?);
            }
        }
        Some(Reach::Local(hub)) => {
            let keys =
                Keys::load(hub.store(), site.cipher.clone(), &functions, &site.others()).await;
            hub.close().await;
            let keys = keys?;
            found.extend(scopes.map(|scope| values(&keys.list(&scope))));
        }
        None => {
            let stored = peek_keys(&site.hub)?;
            for scope in scopes {
                found.push(values(&Keys::of_scope(&stored, &site.cipher, &scope)?));
            }
        }
    }
    let mut found = found.into_iter();
    let master = found.next().unwrap_or_default().into_iter().next();
    Ok(All {
        master_key: master.map(|key| key.value).unwrap_or_default(),
        function_keys: by_name(found.next().unwrap_or_default()),
        system_keys: by_name(found.next().unwrap_or_default()),
        functions: functions.into_iter().zip(found.map(by_name)).collect(),
    })
}

/// `None`: a process holds the hub, so it is looked into beside it.
fn held(site: &Site) -> Result<Option<Reach>, Failure> {
    match read_holder(&site.hub)? {
        Some(_) => Ok(None),
        None => opened(site).map(Some),
    }
}

fn values(keys: &[Key]) -> Vec<Value> {
    keys.iter().map(Value::from).collect()
}

fn by_name(keys: Vec<Value>) -> BTreeMap<String, String> {
    keys.into_iter().map(|key| (key.name, key.value)).collect()
}

/// What standard input holds, without the new line at its end.
fn from_stdin() -> Result<Secret, Failure> {
    let mut text = String::new();
    std::io::stdin().lock().read_to_string(&mut text)?;
    Ok(text.trim_end_matches(['\r', '\n']).into())
}
