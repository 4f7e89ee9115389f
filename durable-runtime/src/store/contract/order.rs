//! Changes are applied as they were submitted, and answered once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;

use anyhow::ensure;

use super::given;
use super::given::turn;
use crate::store::{Change, Store};

pub(crate) async fn changes_are_applied_and_answered_in_order<S: Store>(
    store: &S,
) -> anyhow::Result<()> {
    let given = given(store);
    let key = given.pending("one").await?;
    let (told, heard) = channel();
    for sequence in 0..3000 {
        let told = told.clone();
        store.submit(
            turn(given.turn(key, "one", sequence)),
            Box::new(move |result| {
                let _ = told.send((sequence, result));
            }),
        );
    }
    given.write(Change::Keys(Vec::new())).await?;
    for (expected, (sequence, result)) in heard.try_iter().enumerate() {
        ensure!(
            usize::try_from(sequence)? == expected,
            "answer {sequence} at {expected}"
        );
        result?;
    }
    let loaded = given.load("one").await?;
    ensure!(loaded.sequence == 3000 && loaded.history.len() == 3000);
    Ok(())
}

pub(crate) async fn each_change_is_answered_once<S: Store>(store: &S) -> anyhow::Result<()> {
    let given = given(store);
    let answers = Arc::new(AtomicUsize::new(0));
    for number in 0..500 {
        let answers = Arc::clone(&answers);
        // Every other one is refused.
        let new = given.instance(&format!("id-{}", number / 2));
        store.submit(
            Change::Create(Box::new(new)),
            Box::new(move |_| {
                answers.fetch_add(1, Ordering::SeqCst);
            }),
        );
    }
    given.write(Change::Keys(Vec::new())).await?;
    ensure!(answers.load(Ordering::SeqCst) == 500);
    ensure!(
        store.backlog() == 0,
        "{} left in the backlog",
        store.backlog()
    );
    Ok(())
}
