//! Every read is a walk along an index, whatever the number of its page: nothing is scanned, nothing sorted.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::ensure;
use diesel::SqliteConnection;
use diesel::connection::InstrumentationEvent;
use diesel::prelude::*;

use super::super::open::{Durability, Place};
use super::super::{list, query};
use crate::model::{RuntimeStatus, Timestamp};
use crate::store::{Cursor, InstanceKey, ListQuery};

/// A hub's connection, and all statements that `work` has it run.
pub(super) fn statements<T>(
    work: impl FnOnce(&mut SqliteConnection) -> T,
) -> anyhow::Result<(SqliteConnection, Vec<String>)> {
    let mut conn = Place {
        path: None,
        busy_timeout: Duration::ZERO,
        durability: Durability::Full,
    }
    .writer()?;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&seen);
    conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            sink.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(query.to_string());
        }
    });
    work(&mut conn);
    conn.set_instrumentation(|_: InstrumentationEvent<'_>| {});
    let statements = std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner));
    Ok((conn, statements))
}

/// The plans of all queries that `read` makes.
fn plans<T>(read: impl FnOnce(&mut SqliteConnection) -> T) -> anyhow::Result<Vec<String>> {
    #[derive(QueryableByName)]
    struct Step {
        #[diesel(sql_type = diesel::sql_types::Text)]
        detail: String,
    }
    let (mut conn, queries) = statements(read)?;
    let mut plans = Vec::new();
    for query in queries
        .into_iter()
        .filter(|query| query.starts_with("SELECT"))
    {
        let steps: Vec<Step> =
            diesel::sql_query(format!("EXPLAIN QUERY PLAN {query}")).load(&mut conn)?;
        plans.extend(steps.into_iter().map(|step| step.detail));
    }
    Ok(plans)
}

fn check(plans: &[String], index: &str) -> anyhow::Result<()> {
    ensure!(
        !plans.is_empty()
            && plans
                .iter()
                .all(|plan| plan.starts_with("SEARCH") && plan.contains(index)),
        "{plans:#?}"
    );
    Ok(())
}

fn second_page() -> ListQuery {
    ListQuery {
        after: Some(Cursor {
            created: Timestamp::from_micros(5),
            id: "i".to_owned(),
        }),
        limit: 10,
        ..ListQuery::default()
    }
}

#[test]
fn pages_walk_the_index_of_creation() -> anyhow::Result<()> {
    check(
        &plans(|conn| list::list(conn, &second_page()))?,
        "instances_by_created (created",
    )?;
    let bounded = ListQuery {
        created_from: Some(Timestamp::from_micros(5)),
        created_to: Some(Timestamp::MAX),
        ..second_page()
    };
    check(
        &plans(|conn| list::list(conn, &bounded))?,
        "instances_by_created (created",
    )
}

#[test]
fn pages_of_statuses_walk_their_index() -> anyhow::Result<()> {
    let query = ListQuery {
        statuses: vec![RuntimeStatus::Running, RuntimeStatus::Failed],
        ..second_page()
    };
    let plans = plans(|conn| list::list(conn, &query))?;
    ensure!(plans.len() == 4, "{plans:#?}");
    check(&plans, "instances_by_status (status=? AND created")
}

#[test]
fn pages_of_names_walk_their_index() -> anyhow::Result<()> {
    let query = ListQuery {
        name: Some("hello".to_owned()),
        ..second_page()
    };
    check(
        &plans(|conn| list::list(conn, &query))?,
        "instances_by_name (name=? AND created",
    )
}

#[test]
fn pages_of_prefixes_walk_the_index_of_ids() -> anyhow::Result<()> {
    let query = ListQuery {
        id_prefix: Some("i".to_owned()),
        name: Some("hello".to_owned()),
        statuses: vec![RuntimeStatus::Running],
        created_from: Some(Timestamp::from_micros(5)),
        ..second_page()
    };
    check(
        &plans(|conn| list::list(conn, &query))?,
        "sqlite_autoindex_instances_1 (id>? AND id<?)",
    )
}

#[test]
fn wakes_walk_their_index() -> anyhow::Result<()> {
    let after = Some((Timestamp::from_micros(5), InstanceKey(3)));
    check(
        &plans(|conn| query::wakes(conn, Timestamp::MAX, after, 10))?,
        "instances_by_wake (wake_at",
    )?;
    check(
        &plans(|conn| query::wakes(conn, Timestamp::MAX, None, 10))?,
        "instances_by_wake (wake_at",
    )
}

#[test]
fn a_purge_walks_the_index_of_statuses() -> anyhow::Result<()> {
    check(
        &plans(|conn| list::ended(conn, None, None, &[], 10))?,
        "instances_by_status (status=?",
    )
}

#[test]
fn children_walk_the_index_of_parents() -> anyhow::Result<()> {
    let plans = plans(|conn| query::children(conn, InstanceKey(1), "it"))?;
    check(&plans, "instances_by_parent")
}
