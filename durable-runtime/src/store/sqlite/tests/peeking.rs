//! Keys are read while another process holds the hub.

use crate::store::sqlite::{Options, SqliteStore, peek_keys};
use crate::store::{Change, KeyChange, KeyRecord, Store as _};

#[tokio::test]
async fn keys_are_read_beside_the_holder() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("hub.db");
    let store = SqliteStore::open(Options::new(&path))?;
    let key = KeyRecord {
        scope: "master".into(),
        name: "master".into(),
        value: "sealed".into(),
    };
    let (done, stored) = tokio::sync::oneshot::channel();
    let put = KeyChange::Put {
        key: key.clone(),
        only_if_absent: false,
    };
    store.submit(
        Change::Keys(vec![put]),
        Box::new(|result| drop(done.send(result))),
    );
    stored.await??;
    assert_eq!(peek_keys(&path)?, [key]);
    store.close().await;
    Ok(())
}

#[test]
fn nothing_is_made_where_no_hub_is() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("hub.db");
    assert!(peek_keys(&path).is_err());
    assert!(!path.exists());
    Ok(())
}
