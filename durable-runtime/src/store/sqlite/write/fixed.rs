//! [`Fixed`]: an `UPDATE` that is prepared once.

use std::marker::PhantomData;

use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sqlite::Sqlite;

/// Diesel prepares every `UPDATE` anew, since a changeset may leave columns out: 5 µs each. Ours set the same columns each time,
/// so they may be kept like any other statement, under the name `K`.
pub(super) struct Fixed<K, Q> {
    query: Q,
    name: PhantomData<K>,
}

impl<K, Q> Fixed<K, Q> {
    /// `query` must have one and the same text under this name.
    pub(super) const fn new(_: K, query: Q) -> Self
    where
        K: Copy,
    {
        Self { query, name: PhantomData }
    }
}

impl<K: 'static, Q> QueryId for Fixed<K, Q> {
    type QueryId = K;
}

impl<K, Q: QueryFragment<Sqlite>> QueryFragment<Sqlite> for Fixed<K, Q> {
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.query.walk_ast(pass)
    }

    fn is_safe_to_cache_prepared(&self, _: &Sqlite) -> QueryResult<bool> {
        Ok(true)
    }
}

impl<K, Q> RunQueryDsl<SqliteConnection> for Fixed<K, Q> {}
