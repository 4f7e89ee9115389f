//! What every instance goes through costs few statements, none of which makes a table of its own.

use anyhow::ensure;
use diesel::prelude::*;

use super::super::write;
use super::in_memory;
use super::plans::statements;
use crate::model::{Payload, RuntimeStatus};
use crate::store::contract::given;
use crate::store::{Change, Ids, PayloadKind, Store as _};

#[tokio::test]
async fn an_instance_that_starts_and_ends_makes_no_table() -> anyhow::Result<()> {
    let (store, ()) = in_memory()?;
    let given = given(&store);
    let new = given.instance("one");
    let mut first = given.turn(new.key, "one", 0);
    let mut last = given.turn(new.key, "one", 1);
    first.create = Some(Box::new(new));
    last.status = RuntimeStatus::Completed;
    last.payloads = vec![(PayloadKind::Output, Some(Payload::null()))];
    let ids = Ids::from(1);
    let mut written = Vec::new();
    let (mut conn, statements) = statements(|conn| {
        written.extend([first, last].map(|turn| {
            let change = Change::Turn(Box::new(turn));
            write::apply(conn, &ids, &change).is_ok()
        }));
    })?;
    store.close().await;
    ensure!(written == [true, true]);
    // Row, input, history; row, history, output, and a look into two queues.
    ensure!(statements.len() == 8, "{statements:#?}");
    for statement in statements {
        let program = program(&mut conn, &statement)?;
        ensure!(
            !program.is_empty() && program.iter().all(|step| step.opcode != "OpenEphemeral"),
            "{statement}: {program:#?}"
        );
    }
    Ok(())
}

/// A step of what SQLite makes of a statement.
#[derive(Debug, QueryableByName)]
struct Step {
    #[diesel(sql_type = diesel::sql_types::Text)]
    opcode: String,
}

fn program(conn: &mut SqliteConnection, statement: &str) -> anyhow::Result<Vec<Step>> {
    Ok(diesel::sql_query(format!("EXPLAIN {statement}")).load(conn)?)
}
