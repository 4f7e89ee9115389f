//! An `UPDATE` of one row of `instances` that diesel prepares once: its own are prepared each time.

use std::marker::PhantomData;

use diesel::dsl::Eq;
use diesel::prelude::*;
use diesel::query_builder::{AsChangeset, AstPass, QueryFragment, QueryId};
use diesel::sqlite::Sqlite;

use super::schema::instances;

/// `K` names the set of columns.
pub(crate) struct Fixed<K, V> {
    values: V,
    row: Eq<instances::iid, i64>,
    name: PhantomData<K>,
}

impl<K, V> Fixed<K, V> {
    pub(crate) fn new<C: AsChangeset<Target = instances::table, Changeset = V>>(
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
        pass.push_sql("UPDATE instances SET ");
        self.values.walk_ast(pass.reborrow())?;
        pass.push_sql(" WHERE ");
        self.row.walk_ast(pass)
    }
}

impl<K, V> RunQueryDsl<SqliteConnection> for Fixed<K, V> {}
