//! `instances export`: the stored events of one instance, as `testing::History::from_json` reads them.

use durable_runtime::store::sqlite::peek_history;
use durable_runtime::testing::History;

use super::failure::Failure;
use super::site::Site;
use super::{Global, table};

pub(super) const EXAMPLE: &str = "\
The events are read from the hub's file, whoever holds it. Requests of `call_http` and their answers are shown without credentials;
inputs and results of your own functions are as they are: look at them before you share the file. A test replays them against the code:
  testing::replay::<checkout>(&History::from_json(text)?)?;

Example:
  app instances export order-17 > tests/histories/order-17.json";

pub(super) fn export(id: &str, site: &Site, global: &Global) -> Result<(), Failure> {
    if global.url.is_some() {
        let text = "`instances export` reads the hub's own file: leave `--url` out, and run it where the file is";
        return Err(Failure::refused(text));
    }
    site.hub_exists()?;
    let turns = peek_history(&site.hub, id)?.ok_or_else(|| Failure::no_instance(id))?;
    let text = History::to_json(id, &turns)?;
    table::print(&format!("{text}\n"))
}
