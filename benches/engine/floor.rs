//! The floor: the rows that the engine has just written, written once more by bare diesel into a new database of the same schema.
//!
//! One thread writes, in groups as the engine's does: whatever queued while the last transaction was flushed. One thread asks: it holds
//! each instance's turns, and asks for the next when it has heard that the last is durable. Between them is one channel there and one
//! back. There is no engine: no code of users, no JSON, no check of what is there already.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use anyhow::{Context as _, ensure};
use diesel::connection::SimpleConnection as _;
use diesel::dsl::Eq;
use diesel::prelude::*;
use diesel::query_builder::{AsChangeset, AstPass, QueryFragment, QueryId};
use diesel::sqlite::Sqlite;
use durable_functions::store::Store as _;
use durable_functions::store::sqlite::{Options, SqliteStore};

use crate::measure::{Mark, Row};

/// As the store's writer has it.
const GROUP: usize = 2_000;
const INPUT: i32 = 0;

diesel::table! {
    instances (iid) {
        iid -> BigInt,
        id -> Text,
        name -> Text,
        version -> Text,
        execution_id -> Text,
        generation -> BigInt,
        status -> Integer,
        created -> BigInt,
        updated -> BigInt,
        wake_at -> Nullable<BigInt>,
        sequence -> BigInt,
        partition_id -> Integer,
        parent -> Nullable<Text>,
        scheduled_start -> Nullable<BigInt>,
        tags -> Nullable<Text>,
        trace_parent -> Nullable<Text>,
    }
}

diesel::table! {
    history (iid, seq) {
        iid -> BigInt,
        seq -> BigInt,
        events -> Text,
    }
}

diesel::table! {
    payloads (iid, kind) {
        iid -> BigInt,
        kind -> Integer,
        value -> Text,
    }
}

diesel::table! {
    inbox (iid, id) {
        iid -> BigInt,
        id -> BigInt,
        execution_id -> Nullable<Text>,
        event -> Text,
        created -> BigInt,
        due -> BigInt,
    }
}

#[derive(Queryable, Insertable, Clone)]
#[diesel(table_name = instances)]
struct Instance {
    iid: i64,
    id: String,
    name: String,
    version: String,
    execution_id: String,
    generation: i64,
    status: i32,
    created: i64,
    updated: i64,
    wake_at: Option<i64>,
    sequence: i64,
    partition_id: i32,
    parent: Option<String>,
    scheduled_start: Option<i64>,
    tags: Option<String>,
    trace_parent: Option<String>,
}

/// What one commit of one instance writes.
enum Step {
    /// The instance with its first turn.
    Create {
        instance: Box<Instance>,
        input: Option<String>,
        events: String,
    },
    /// A turn that leaves the instance running.
    Turn { iid: i64, seq: i64, events: String },
    /// A message that wakes the instance.
    Message { iid: i64, event: String },
    /// The turn that ends it; `message`: with the message that led to it.
    End {
        iid: i64,
        seq: i64,
        events: String,
        status: i32,
        output: Option<String>,
        message: bool,
    },
}

/// Steps of each instance, in order.
type Script = Vec<VecDeque<Step>>;

/// The database that the engine left, written anew. With `messages` each instance ended by a message, and the rows are in two parts:
/// until all of them wait, and from there on.
pub(crate) async fn run(
    written: &Path,
    names: &[&str],
    (units, unit): (u64, &str),
    messages: bool,
) -> anyhow::Result<Vec<Row>> {
    let mut script = read(written, messages)?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("floor.db");
    // The schema, made by the store itself.
    SqliteStore::open(Options::new(&path))?.close().await;
    let (ask, asked) = channel();
    let (tell, told) = channel();
    let conn = connect(&path)?;
    let writer = thread::spawn(move || write(conn, &asked, &tell));
    let mut flushes = 0;
    let mut rows = Vec::new();
    let mut marks = Vec::new();
    for (part, name) in names.iter().enumerate() {
        let until = if names.len() > 1 && part == 0 {
            1
        } else {
            usize::MAX
        };
        let mark = Mark::new(flushes);
        flushes += drive(&mut script, until, &ask, &told)?;
        rows.push(mark.row(name, (units, unit), flushes, Vec::new()));
        marks.push(mark);
    }
    drop(ask);
    let ended = writer
        .join()
        .map_err(|_| anyhow::anyhow!("the writer panicked"))?;
    ended.context("the floor's writer")?;
    if let ([row], [mark]) = (&mut rows[..], &marks[..]) {
        row.written_bytes = mark.written();
    }
    Ok(rows)
}

/// Lets each instance take `until` of its steps. The result counts transactions.
fn drive(
    script: &mut Script,
    until: usize,
    ask: &Sender<(usize, Step)>,
    told: &Receiver<Vec<usize>>,
) -> anyhow::Result<u64> {
    let mut left: Vec<usize> = script.iter().map(|steps| steps.len().min(until)).collect();
    let mut open: usize = left.iter().sum();
    let mut flushes = 0;
    let mut next = |index: usize, left: &mut Vec<usize>| {
        if left[index] == 0 {
            return Ok(());
        }
        left[index] -= 1;
        let step = script[index].pop_front().context("a step")?;
        ask.send((index, step))
            .context("the floor's writer is gone")
    };
    for index in 0..left.len() {
        next(index, &mut left)?;
    }
    while open > 0 {
        let durable = told.recv().context("the floor's writer is gone")?;
        flushes += 1;
        open -= durable.len();
        for index in durable {
            next(index, &mut left)?;
        }
    }
    Ok(flushes)
}

/// The writer: commits whatever queued, tells who was in it, and empties the log at the end as the store does.
fn write(
    mut conn: SqliteConnection,
    asked: &Receiver<(usize, Step)>,
    tell: &Sender<Vec<usize>>,
) -> anyhow::Result<()> {
    let mut messages = 1_000_000_000;
    while let Ok(first) = asked.recv() {
        let mut group = vec![first];
        while group.len() < GROUP
            && let Ok(more) = asked.try_recv()
        {
            group.push(more);
        }
        conn.immediate_transaction(|conn| {
            group
                .iter()
                .try_for_each(|(_, step)| apply(conn, step, &mut messages))
        })?;
        let durable = group.into_iter().map(|(index, _)| index).collect();
        if tell.send(durable).is_err() {
            break;
        }
    }
    conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")?;
    Ok(())
}

fn apply(conn: &mut SqliteConnection, step: &Step, messages: &mut i64) -> QueryResult<()> {
    struct Turn;
    struct Wake;
    struct End;
    match step {
        Step::Create {
            instance,
            input,
            events,
        } => {
            diesel::insert_into(instances::table)
                .values(&**instance)
                .execute(conn)?;
            if let Some(input) = input {
                put(conn, instance.iid, INPUT, input)?;
            }
            append(conn, instance.iid, 0, events)
        }
        Step::Turn { iid, seq, events } => {
            let next = (
                instances::sequence.eq(seq + 1),
                instances::updated.eq(1_732_435_200_000_000 + seq),
            );
            Fixed::new(Turn, *iid, next).execute(conn)?;
            append(conn, *iid, *seq, events)
        }
        Step::Message { iid, event } => {
            *messages += 1;
            diesel::insert_into(inbox::table)
                .values((
                    inbox::iid.eq(iid),
                    inbox::id.eq(*messages),
                    inbox::execution_id.eq(None::<&str>),
                    inbox::event.eq(event),
                    inbox::created.eq(1_732_435_200_000_000),
                    inbox::due.eq(0),
                ))
                .execute(conn)?;
            Fixed::new(Wake, *iid, instances::wake_at.eq(Some(0))).execute(conn)?;
            Ok(())
        }
        Step::End {
            iid,
            seq,
            events,
            status,
            output,
            message,
        } => {
            let last = (
                instances::sequence.eq(seq + 1),
                instances::updated.eq(1_732_435_200_000_000 + seq),
                instances::status.eq(status),
                instances::wake_at.eq(None::<i64>),
            );
            Fixed::new(End, *iid, last).execute(conn)?;
            append(conn, *iid, *seq, events)?;
            if *message {
                diesel::delete(inbox::table.filter(inbox::iid.eq(iid))).execute(conn)?;
            }
            match output {
                Some(output) => put(conn, *iid, INPUT + 1, output),
                None => Ok(()),
            }
        }
    }
}

fn append(conn: &mut SqliteConnection, iid: i64, seq: i64, events: &str) -> QueryResult<()> {
    diesel::insert_into(history::table)
        .values((
            history::iid.eq(iid),
            history::seq.eq(seq),
            history::events.eq(events),
        ))
        .execute(conn)
        .map(drop)
}

fn put(conn: &mut SqliteConnection, iid: i64, kind: i32, value: &str) -> QueryResult<()> {
    diesel::insert_into(payloads::table)
        .values((
            payloads::iid.eq(iid),
            payloads::kind.eq(kind),
            payloads::value.eq(value),
        ))
        .execute(conn)
        .map(drop)
}

/// What the engine's database holds, as the steps that led to it.
fn read(path: &Path, messages: bool) -> anyhow::Result<Script> {
    let mut conn = connect(path)?;
    let mut texts: BTreeMap<i64, Vec<String>> = BTreeMap::new();
    let turns = history::table.order((history::iid, history::seq));
    for (iid, _, events) in turns.load::<(i64, i64, String)>(&mut conn)? {
        texts.entry(iid).or_default().push(events);
    }
    let mut values: BTreeMap<(i64, i32), String> = BTreeMap::new();
    for (iid, kind, value) in payloads::table.load::<(i64, i32, String)>(&mut conn)? {
        values.insert((iid, kind), value);
    }
    let all: Vec<Instance> = instances::table.order(instances::iid).load(&mut conn)?;
    ensure!(!all.is_empty(), "the engine has left no rows");
    let mut script = Vec::with_capacity(all.len());
    for instance in all {
        let iid = instance.iid;
        let mut texts = texts.remove(&iid).unwrap_or_default();
        ensure!(texts.len() > 1, "an instance of at least two turns");
        let (last, status) = (texts.pop().context("a turn")?, instance.status);
        let mut turns = (0..).zip(texts);
        let (_, events) = turns.next().context("a turn")?;
        let first = Instance {
            status: 0,
            wake_at: (!messages).then_some(0),
            sequence: 1,
            ..instance
        };
        let mut steps = VecDeque::from([Step::Create {
            instance: Box::new(first),
            input: values.remove(&(iid, INPUT)),
            events,
        }]);
        steps.extend(turns.map(|(seq, events)| Step::Turn { iid, seq, events }));
        let output = values.remove(&(iid, INPUT + 1));
        if messages {
            let data = output.as_deref().unwrap_or("0");
            let event = format!(r#"{{"EventRaised":{{"name":"go","data":{data}}}}}"#);
            steps.push_back(Step::Message { iid, event });
        }
        let seq = i64::try_from(steps.len())? - i64::from(messages);
        steps.push_back(Step::End {
            iid,
            seq,
            events: last,
            status,
            output,
            message: messages,
        });
        script.push(steps);
    }
    Ok(script)
}

/// With the settings of the store's writer.
fn connect(path: &Path) -> anyhow::Result<SqliteConnection> {
    let mut conn = SqliteConnection::establish(path.to_str().context("a path in UTF-8")?)?;
    conn.batch_execute(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA foreign_keys = ON; \
         PRAGMA cache_size = -32000; PRAGMA temp_store = MEMORY",
    )?;
    Ok(conn)
}

/// An `UPDATE` of one row of `instances` that diesel prepares once: its own are prepared each time. `K` names the set of columns.
struct Fixed<K, V> {
    values: V,
    row: Eq<instances::iid, i64>,
    name: std::marker::PhantomData<K>,
}

impl<K, V> Fixed<K, V> {
    fn new<C: AsChangeset<Target = instances::table, Changeset = V>>(
        _: K,
        iid: i64,
        changes: C,
    ) -> Self {
        Self {
            values: changes.as_changeset(),
            row: instances::iid.eq(iid),
            name: std::marker::PhantomData,
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
