//! Access keys.

use anyhow::ensure;

use super::given;
use crate::store::{Change, KeyChange, KeyRecord, Store};

fn put(name: &str, value: &str, only_if_absent: bool) -> KeyChange {
    KeyChange::Put {
        key: record(name, value),
        only_if_absent,
    }
}

fn record(name: &str, value: &str) -> KeyRecord {
    KeyRecord {
        scope: "host".to_owned(),
        name: name.to_owned(),
        value: value.to_owned(),
    }
}

pub(crate) async fn keys_are_unique_without_case<S: Store>(store: &S) -> anyhow::Result<()> {
    let given = given(store);
    let other = KeyChange::Put {
        key: KeyRecord {
            scope: "system".to_owned(),
            ..record("default", "s")
        },
        only_if_absent: false,
    };
    given
        .write(Change::Keys(vec![
            put("default", "1", false),
            other,
            put("Zürich", "2", false),
        ]))
        .await?;
    let receipt = given
        .write(Change::Keys(vec![
            put("DEFAULT", "3", false),
            put("zÜrich", "4", true),
        ]))
        .await?;
    ensure!(receipt.count == 1, "{receipt:?}");
    let keys = store.keys().await?;
    let expected = [
        KeyRecord {
            scope: "system".to_owned(),
            ..record("default", "s")
        },
        record("Zürich", "2"),
        record("DEFAULT", "3"),
    ];
    ensure!(keys == expected, "{keys:?}");
    let delete = |name: &str| KeyChange::Delete {
        scope: "host".to_owned(),
        name: name.to_owned(),
    };
    ensure!(
        given
            .write(Change::Keys(vec![delete("default"), delete("missing")]))
            .await?
            .count
            == 1
    );
    ensure!(store.keys().await?.len() == 2);
    Ok(())
}

pub(crate) async fn the_first_generation_wins<S: Store>(store: &S) -> anyhow::Result<()> {
    let given = given(store);
    let racers: Vec<_> = (0..20)
        .map(|racer| given.submit(Change::Keys(vec![put("default", &racer.to_string(), true)])))
        .collect();
    let mut touched = 0;
    for racer in racers {
        touched += racer.await??.count;
    }
    ensure!(touched == 1 && store.keys().await? == [record("default", "0")]);
    Ok(())
}
