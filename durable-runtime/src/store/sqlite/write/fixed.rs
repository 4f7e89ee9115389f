//! [`Fixed`]: an `UPDATE` of an instance's row that is prepared once.

use std::marker::PhantomData;

use diesel::dsl::Eq;
use diesel::prelude::*;
use diesel::query_builder::{AsChangeset, AstPass, QueryFragment, QueryId};
use diesel::sqlite::Sqlite;

use super::super::schema::instances;

/// Sets columns of one row of `instances`.
///
/// Diesel prepares every `UPDATE` of its own anew, since a changeset may leave columns out; that costs more than running it.
/// Ours set the same columns each time, so they are kept like any other statement, under the name `K`.
pub(super) struct Fixed<K, V> {
    values: V,
    row: Eq<instances::iid, i64>,
    name: PhantomData<K>,
}

impl<K, V> Fixed<K, V> {
    /// All changesets under one name must set the same columns.
    pub(super) fn new<C: AsChangeset<Target = instances::table, Changeset = V>>(
        _: K,
        iid: i64,
        changes: C,
    ) -> Self {
        Self {
            values: changes.as_changeset(),
            row: instances::iid.eq(iid),
            name: PhantomData,
        }
    }
}

impl<K: 'static, V> QueryId for Fixed<K, V> {
    type QueryId = K;
}

impl<K, V: QueryFragment<Sqlite>> QueryFragment<Sqlite> for Fixed<K, V> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        pass.push_sql("UPDATE ");
        pass.push_identifier("instances")?;
        pass.push_sql(" SET ");
        self.values.walk_ast(pass.reborrow())?;
        pass.push_sql(" WHERE ");
        self.row.walk_ast(pass)
    }
}

impl<K, V> RunQueryDsl<SqliteConnection> for Fixed<K, V> {}
