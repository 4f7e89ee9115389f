//! `keys import`: the keys of an existing application.

use std::io::Read as _;
use std::path::Path;

use super::failure::Failure;
use super::reach::{Reach, reach};
use super::site::Site;
use super::{Global, table};
use crate::keys::files::{self, Filed};
use crate::keys::{Keys, KeysError, Scope};

pub(super) async fn run(from: &Path, site: &Site, global: &Global) -> Result<(), Failure> {
    // All is read before anything is changed.
    let found = read(from)?;
    let known: Vec<String> = site
        .guarded()
        .iter()
        .chain(&site.others())
        .map(|name| name.to_lowercase())
        .collect();
    let (mine, others): (Vec<_>, Vec<_>) = found.into_iter().partition(|key| match &key.scope {
        Scope::Function(name) => known.contains(name),
        _ => true,
    });
    for key in &others {
        eprintln!("skipped: the {}, which is none of this program", key.scope);
    }
    match reach(site, global)? {
        Reach::Remote(host) => {
            // The master key last: until then the old one opens the host.
            let (masters, rest): (Vec<_>, Vec<_>) =
                mine.iter().partition(|key| key.scope == Scope::Master);
            for key in rest.into_iter().chain(masters) {
                host.set_key(&key.scope, &key.name, &key.value).await?;
            }
        }
        Reach::Local(hub) => {
            let done = match Keys::load(
                hub.store(),
                site.cipher.clone(),
                &site.guarded(),
                &site.others(),
            )
            .await
            {
                Ok(keys) => put(&keys, &mine).await,
                Err(error) => Err(error),
            };
            hub.close().await;
            done?;
        }
    }
    let count = mine.len();
    if global.json {
        return table::print_json(
            &serde_json::json!({ "imported": count, "skipped": others.len() }),
        );
    }
    table::print(&format!("{count} keys were imported\n"))
}

async fn put(keys: &Keys, all: &[Filed]) -> Result<(), KeysError> {
    for key in all {
        keys.set(&key.scope, &key.name, key.value.clone()).await?;
    }
    Ok(())
}

fn read(from: &Path) -> Result<Vec<Filed>, Failure> {
    if from == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().lock().read_to_string(&mut text)?;
        return parse(Path::new("standard input"), &text);
    }
    if !from.is_dir() {
        return parse(from, &text_of(from)?);
    }
    let entries = std::fs::read_dir(from).map_err(|error| unreadable(from, &error))?;
    let files = entries.filter_map(Result::ok).map(|entry| entry.path());
    let mut files: Vec<_> = files.filter(|path| is_key_file(path)).collect();
    files.sort();
    if files.is_empty() {
        let folder = from.display();
        return Err(Failure::refused(format!(
            "`{folder}` holds no key files: expected host.json and one for each function"
        )));
    }
    let mut found = Vec::new();
    for file in files {
        found.extend(parse(&file, &text_of(&file)?)?);
    }
    Ok(found)
}

fn text_of(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|error| unreadable(file, &error))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::refused(format!("`{}` cannot be read: {error}", path.display()))
}

fn parse(file: &Path, text: &str) -> Result<Vec<Filed>, Failure> {
    let function = file.file_stem().unwrap_or_default().to_string_lossy();
    let wrong = |error| Failure::refused(format!("`{}`: {error}", file.display()));
    files::read(text, &function).map_err(wrong)
}

/// Backups that the reference made of keys that it could not read are none.
fn is_key_file(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.to_lowercase();
    path.is_file() && name.ends_with(".json") && !name.contains(".snapshot.")
}
