//! Pages of instances.

use anyhow::ensure;

use super::given::at;
use super::{Given, given};
use crate::model::RuntimeStatus::{Completed, Failed, Pending, Running};
use crate::store::{Change, Cursor, ListQuery, NewInstance, Purge, Store};

fn all(limit: usize) -> ListQuery {
    ListQuery {
        entities: true,
        limit,
        ..ListQuery::default()
    }
}

/// Ids of all pages.
async fn pages<S: Store>(store: &S, query: ListQuery) -> anyhow::Result<Vec<String>> {
    let mut query = query;
    let mut ids = Vec::new();
    loop {
        let page = store.list(query.clone()).await?;
        ensure!(page.len() <= query.limit);
        let Some(last) = page.last() else {
            return Ok(ids);
        };
        query.after = Some(Cursor {
            created: last.created,
            id: last.id.to_string(),
        });
        ids.extend(page.into_iter().map(|record| record.id.to_string()));
    }
}

async fn create<S: Store>(given: &Given<'_, S>, id: &str, created: i64) -> anyhow::Result<()> {
    given
        .write(Change::Create(Box::new(NewInstance {
            created: at(created),
            ..given.instance(id)
        })))
        .await?;
    Ok(())
}

pub(crate) async fn pages_hold_each_row_once<S: Store>(store: &S) -> anyhow::Result<()> {
    let given = given(store);
    // Seven at each of three instants, in an order that is neither that of ids nor that of creation.
    for number in (0..21_i64).rev() {
        create(&given, &format!("i{number:02}"), number % 3).await?;
    }
    let mut expected: Vec<_> = (0..21_i64)
        .map(|number| (number % 3, format!("i{number:02}")))
        .collect();
    expected.sort();
    let expected: Vec<_> = expected.into_iter().map(|(_, id)| id).collect();
    for limit in [1, 4, 7, 100] {
        ensure!(pages(store, all(limit)).await? == expected, "limit {limit}");
        let query = ListQuery {
            statuses: vec![Pending, Completed, Running],
            ..all(limit)
        };
        ensure!(
            pages(store, query).await? == expected,
            "limit {limit}, by status"
        );
    }
    Ok(())
}

pub(crate) async fn pages_are_stable_while_rows_come_and_go<S: Store>(
    store: &S,
) -> anyhow::Result<()> {
    let given = given(store);
    for number in 0..10 {
        given
            .ended(&format!("i{number}"), Completed, 10 * number)
            .await?;
    }
    let first = store.list(all(4)).await?;
    ensure!(
        first
            .iter()
            .map(|record| record.id.as_ref())
            .eq(["i0", "i1", "i2", "i3"])
    );
    // The row of the cursor goes, one comes before it and one after.
    given
        .write(Change::Purge(Purge::One {
            id: "i3".to_owned(),
            running: false,
        }))
        .await?;
    given.ended("before", Completed, 5).await?;
    given.ended("after", Completed, 45).await?;
    let query = ListQuery {
        after: Some(Cursor {
            created: at(30),
            id: "i3".to_owned(),
        }),
        ..all(4)
    };
    ensure!(pages(store, query).await? == ["i4", "after", "i5", "i6", "i7", "i8", "i9"]);
    Ok(())
}

pub(crate) async fn filters_add_up<S: Store>(store: &S) -> anyhow::Result<()> {
    let given = given(store);
    given.ended("a", Completed, 10).await?;
    given.ended("b", Failed, 20).await?;
    given.ended("@counter@x", Completed, 30).await?;
    create(&given, "d", 40).await?;
    let mut other = NewInstance {
        created: at(50),
        ..given.instance("e")
    };
    other.started.name = "Other".into();
    given.write(Change::Create(Box::new(other))).await?;
    let cases: [(ListQuery, &[&str]); 7] = [
        (
            ListQuery {
                entities: false,
                ..all(9)
            },
            &["a", "b", "d", "e"],
        ),
        (all(9), &["a", "b", "@counter@x", "d", "e"]),
        (
            ListQuery {
                statuses: vec![Failed, Pending, Failed],
                ..all(9)
            },
            &["b", "d", "e"],
        ),
        (
            ListQuery {
                created_from: Some(at(20)),
                created_to: Some(at(40)),
                ..all(9)
            },
            &["b", "@counter@x", "d"],
        ),
        (
            ListQuery {
                name: Some("oTHER".to_owned()),
                ..all(9)
            },
            &["e"],
        ),
        (
            ListQuery {
                name: Some("hello".to_owned()),
                statuses: vec![Pending],
                ..all(9)
            },
            &["d"],
        ),
        (
            ListQuery {
                id_prefix: Some("@".to_owned()),
                name: Some("HELLO".to_owned()),
                ..all(9)
            },
            &["@counter@x"],
        ),
    ];
    for (query, expected) in cases {
        let found = pages(store, query.clone()).await?;
        ensure!(found == expected, "{query:?}: {found:?}");
    }
    let inputs = store
        .list(ListQuery {
            input: true,
            ..all(1)
        })
        .await?;
    ensure!(inputs[0].input.is_some() && store.list(all(1)).await?[0].input.is_none());
    Ok(())
}

pub(crate) async fn prefixes_are_walked_by_id<S: Store>(store: &S) -> anyhow::Result<()> {
    let given = given(store);
    for (created, id) in ["b", "ab", "a%c", "a", "A", "a\u{10FFFF}x", "a_"]
        .into_iter()
        .enumerate()
    {
        create(&given, id, -i64::try_from(created)?).await?;
    }
    let prefix = |prefix: &str, limit| ListQuery {
        id_prefix: Some(prefix.to_owned()),
        ..all(limit)
    };
    for limit in [1, 3, 10] {
        ensure!(
            pages(store, prefix("a", limit)).await? == ["a", "a%c", "a_", "ab", "a\u{10FFFF}x"]
        );
        ensure!(
            pages(store, prefix("a%", limit)).await? == ["a%c"]
                && pages(store, prefix("a\u{10FFFF}", limit)).await?.len() == 1
        );
        ensure!(pages(store, prefix("", limit)).await?.len() == 7);
    }
    let from = ListQuery {
        created_to: Some(at(-3)),
        statuses: vec![Pending],
        ..prefix("a", 2)
    };
    ensure!(pages(store, from).await? == ["a", "a_", "a\u{10FFFF}x"]);
    Ok(())
}
