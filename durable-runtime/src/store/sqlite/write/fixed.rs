//! [`Fixed`]: an `UPDATE` of an instance's row that is prepared once.

use std::marker::PhantomData;

use diesel::prelude::*;
use diesel::query_builder::{AsChangeset, AstPass, QueryFragment, QueryId};
use diesel::sqlite::Sqlite;

use super::super::schema::instances;

/// Sets columns of the row of `instances` that a condition finds.
///
/// Diesel prepares every `UPDATE` of its own anew, since a changeset may leave columns out; that costs more than running it.
/// Ours set the same columns each time, so they are kept like any other statement, under the name `K`.
pub(super) struct Fixed<K, V, F> {
    values: V,
    row: F,
    name: PhantomData<K>,
}

impl<K, V, F> Fixed<K, V, F> {
    /// All changesets under one name must set the same columns, under conditions of the same shape.
    pub(super) fn new<C: AsChangeset<Target = instances::table, Changeset = V>>(
        _: K,
        row: F,
        changes: C,
    ) -> Self {
        Self {
            values: changes.as_changeset(),
            row,
            name: PhantomData,
        }
    }
}

impl<K: 'static, V, F> QueryId for Fixed<K, V, F> {
    type QueryId = K;
}

impl<K, V, F> QueryFragment<Sqlite> for Fixed<K, V, F>
where
    V: QueryFragment<Sqlite>,
    F: QueryFragment<Sqlite>,
{
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        pass.push_sql("UPDATE ");
        pass.push_identifier("instances")?;
        pass.push_sql(" SET ");
        self.values.walk_ast(pass.reborrow())?;
        pass.push_sql(" WHERE ");
        self.row.walk_ast(pass)
    }
}

impl<K, V, F> RunQueryDsl<SqliteConnection> for Fixed<K, V, F> {}
