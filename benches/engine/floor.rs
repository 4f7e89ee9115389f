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
use diesel::prelude::*;

use crate::bare::schema::{history, inbox, instances, payloads};
use crate::bare::{self, Fixed, INPUT, Instance, Last, OUTPUT};
use crate::measure::{Mark, Row};

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
    let conn = bare::new_database(folder.path()).await?;
    let (ask, asked) = channel();
    let (tell, told) = channel();
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

/// The writer.
fn write(
    conn: SqliteConnection,
    asked: &Receiver<(usize, Step)>,
    tell: &Sender<Vec<usize>>,
) -> anyhow::Result<()> {
    let mut messages = 1_000_000_000;
    bare::write_groups(
        conn,
        asked,
        |conn, (_, step)| apply(conn, step, &mut messages),
        |group| {
            let durable = group.into_iter().map(|(index, _)| index).collect();
            tell.send(durable).context("nobody asks any more")
        },
    )
}

fn apply(conn: &mut SqliteConnection, step: &Step, messages: &mut i64) -> QueryResult<()> {
    struct Turn;
    struct Wake;
    let updated = |seq: i64| 1_732_435_200_000_000 + seq;
    match step {
        Step::Create {
            instance,
            input,
            events,
        } => bare::create(conn, instance, input.as_deref(), events),
        Step::Turn { iid, seq, events } => {
            let next = (
                instances::sequence.eq(seq + 1),
                instances::updated.eq(updated(*seq)),
            );
            Fixed::new(Turn, *iid, next).execute(conn)?;
            bare::append(conn, *iid, *seq, events)
        }
        Step::Message { iid, event } => {
            *messages += 1;
            diesel::insert_into(inbox::table)
                .values((
                    inbox::iid.eq(iid),
                    inbox::id.eq(*messages),
                    inbox::execution_id.eq(None::<&str>),
                    inbox::event.eq(event),
                    inbox::created.eq(updated(0)),
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
            let last = Last {
                seq: *seq,
                updated: updated(*seq),
                events,
                status: *status,
                output: output.as_deref(),
            };
            bare::end(conn, *iid, &last)?;
            if *message {
                diesel::delete(inbox::table.filter(inbox::iid.eq(iid))).execute(conn)?;
            }
            Ok(())
        }
    }
}

/// What the engine's database holds, as the steps that led to it.
fn read(path: &Path, messages: bool) -> anyhow::Result<Script> {
    let mut conn = bare::connect(path)?;
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
        let output = values.remove(&(iid, OUTPUT));
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
