//! What a page costs, counted in steps of SQLite's machine: as much for the last page as for the first, while instances come and go.

use std::time::Duration;

use anyhow::{Context, ensure};
use diesel::SqliteConnection;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::super::fault::Fault;
use super::super::open::{Durability, Place};
use super::super::{list, query};
use crate::model::{RuntimeStatus, Timestamp};
use crate::store::{Cursor, InstanceKey, ListQuery};

const ALL: i64 = 5_000;
const PAGE: usize = 10;

/// A hub with so many instances: every seventh is another function's, every fifth has another status.
fn hub() -> anyhow::Result<SqliteConnection> {
    let mut conn = Place {
        path: None,
        busy_timeout: Duration::ZERO,
        durability: Durability::Full,
    }
    .writer()?;
    insert(&mut conn, 1, ALL)?;
    Ok(conn)
}

fn insert(conn: &mut SqliteConnection, first: i64, last: i64) -> anyhow::Result<()> {
    let (running, failed) = (RuntimeStatus::Running.code(), RuntimeStatus::Failed.code());
    let rows = format!(
        "WITH RECURSIVE n(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM n WHERE n < {last})
         INSERT INTO instances (iid, id, name, version, execution_id, generation, status, created, updated, wake_at, sequence, partition_id)
         SELECT n, printf('i%08d', n), iif(n % 7, 'one', 'other'), '', 'e', 0, iif(n % 5, {running}, {failed}), n, n, n, 1, 0 FROM n"
    );
    diesel::sql_query(rows).execute(conn)?;
    Ok(())
}

/// How many steps all statements of this connection have taken.
fn steps(conn: &mut SqliteConnection) -> anyhow::Result<i64> {
    #[derive(QueryableByName)]
    struct Total {
        #[diesel(sql_type = BigInt)]
        steps: i64,
    }
    let total = "SELECT sum(nstep) AS steps FROM sqlite_stmt WHERE sql NOT LIKE '%sqlite_stmt%'";
    let total: Total = diesel::sql_query(total)
        .get_result(conn)
        .context("SQLite was built without SQLITE_ENABLE_STMTVTAB: see .cargo/config.toml")?;
    Ok(total.steps)
}

/// The steps of each page of what `read` reads from the cursor on that it is given, to the last.
fn pages<C: Clone>(
    conn: &mut SqliteConnection,
    mut read: impl FnMut(&mut SqliteConnection, Option<&C>) -> anyhow::Result<Vec<C>>,
) -> anyhow::Result<Vec<i64>> {
    // Prepared once, and of the kind that begins somewhere: the first page of all has less to say.
    let (mut last, mut costs) = (read(conn, None)?.pop(), Vec::new());
    read(conn, last.as_ref())?;
    for page in 0_i64.. {
        let before = steps(conn)?;
        let found = read(conn, last.as_ref())?;
        if found.len() < PAGE {
            break;
        }
        costs.push(steps(conn)? - before);
        last = found.last().cloned();
        // Some go that were read, some come that are read later.
        diesel::sql_query(format!(
            "DELETE FROM instances WHERE iid = {}",
            page * 3 + 1
        ))
        .execute(conn)?;
        insert(conn, ALL + 1 + page, ALL + 1 + page)?;
        ensure!(page < 2 * ALL, "it never ends");
    }
    Ok(costs)
}

fn unreadable(fault: Fault) -> anyhow::Error {
    anyhow::anyhow!("{fault:?}")
}

fn same_for_all(costs: &[i64]) -> anyhow::Result<()> {
    ensure!(costs.len() > 60, "{costs:?}");
    let (least, most) = (costs.iter().min(), costs.iter().max());
    let (least, most) = least.zip(most).context("no page")?;
    // A row and its payloads take some thirty steps: what visits more rows than it gives shows at once.
    ensure!(*least > 0 && most - least <= least / 4, "{costs:?}");
    Ok(())
}

fn listed(query: &ListQuery) -> anyhow::Result<()> {
    let costs = pages(&mut hub()?, |conn, after: Option<&Cursor>| {
        let page = ListQuery {
            after: after.cloned(),
            limit: PAGE,
            ..query.clone()
        };
        let page = list::list(conn, &page).map_err(unreadable)?.into_iter();
        let cursors = page.map(|record| Cursor {
            created: record.created,
            id: record.id.to_string(),
        });
        Ok(cursors.collect())
    })?;
    same_for_all(&costs)
}

#[test]
fn the_last_page_visits_as_much_as_the_first() -> anyhow::Result<()> {
    listed(&ListQuery::default())
}

#[test]
fn the_last_page_of_a_status_visits_as_much_as_the_first() -> anyhow::Result<()> {
    listed(&ListQuery {
        statuses: vec![RuntimeStatus::Failed],
        ..ListQuery::default()
    })
}

#[test]
fn the_last_page_of_a_function_visits_as_much_as_the_first() -> anyhow::Result<()> {
    listed(&ListQuery {
        name: Some("other".to_owned()),
        ..ListQuery::default()
    })
}

#[test]
fn the_last_page_of_a_span_of_time_visits_as_much_as_the_first() -> anyhow::Result<()> {
    listed(&ListQuery {
        created_from: Some(Timestamp::from_micros(1_000)),
        created_to: Some(Timestamp::from_micros(4_000)),
        ..ListQuery::default()
    })
}

#[test]
fn the_last_page_of_a_prefix_visits_as_much_as_the_first() -> anyhow::Result<()> {
    listed(&ListQuery {
        id_prefix: Some("i0000".to_owned()),
        ..ListQuery::default()
    })
}

#[test]
fn the_last_page_of_wakes_visits_as_much_as_the_first() -> anyhow::Result<()> {
    let costs = pages(
        &mut hub()?,
        |conn, after: Option<&(Timestamp, InstanceKey)>| {
            let wakes =
                query::wakes(conn, Timestamp::MAX, after.copied(), PAGE).map_err(unreadable)?;
            Ok(wakes.into_iter().map(|wake| (wake.at, wake.key)).collect())
        },
    )?;
    same_for_all(&costs)
}
