//! Keys on a store: what is made at start, and what changes do.

use std::path::PathBuf;
use std::sync::Arc;

use durable_runtime::store::sqlite::SqliteStore;
use durable_runtime::store::{KeyChange, KeyRecord, Store};

use super::{Cipher, Keys, KeysError, Level, Scope};

fn cipher() -> Cipher {
    Cipher::new(Some(&"ab".repeat(32)), PathBuf::new()).unwrap()
}

fn store() -> Arc<dyn Store> {
    Arc::new(SqliteStore::in_memory().unwrap())
}

async fn keys(store: &Arc<dyn Store>) -> Keys {
    let functions = ["HttpTrigger".to_owned(), "Other".to_owned()];
    Keys::load(
        Arc::clone(store),
        cipher(),
        &functions,
        &["Clock".to_owned()],
    )
    .await
    .unwrap()
}

fn names(keys: &Keys, scope: &Scope) -> Vec<String> {
    let keys = keys.list(scope);
    keys.iter().map(|key| key.name.to_string()).collect()
}

#[tokio::test]
async fn a_new_hub_gets_every_key_that_must_exist_and_keeps_them() {
    let store = store();
    let first = keys(&store).await;
    assert_eq!(names(&first, &Scope::Master), ["master"]);
    assert_eq!(names(&first, &Scope::Host), ["default"]);
    assert_eq!(names(&first, &Scope::System), ["durabletask_extension"]);
    assert_eq!(names(&first, &Scope::function("httptrigger")), ["default"]);
    let stored = store.keys().await.unwrap();
    let again = keys(&store).await;
    assert_eq!(store.keys().await.unwrap(), stored, "nothing is made twice");
    let master = first.master().unwrap();
    let grant = again.grant(master.value.expose(), None).unwrap();
    assert_eq!((grant.level, &*grant.name), (Level::Admin, "master"));
}

#[tokio::test]
async fn a_function_without_http_gets_its_key_when_it_is_first_asked_for_and_keeps_it() {
    let store = store();
    let first = keys(&store).await;
    let scope = Scope::function("Clock");
    assert!(names(&first, &scope).is_empty());
    first.make_default(&scope).await.unwrap();
    first.make_default(&scope).await.unwrap();
    assert_eq!(names(&first, &scope), ["default"]);
    let held = keys(&store).await.list(&scope);
    assert_eq!(held[0].value.expose(), first.list(&scope)[0].value.expose());
}

#[tokio::test]
async fn of_hosts_that_race_all_have_the_same_keys() {
    let store = store();
    let all = futures::future::join_all((0..20).map(|_| keys(&store))).await;
    let master = all[0].master().unwrap();
    assert!(
        all.iter()
            .all(|keys| keys.grant(master.value.expose(), None).is_some())
    );
}

#[tokio::test]
async fn the_store_sees_no_value() {
    let store = store();
    let keys = keys(&store).await;
    let records = store.keys().await.unwrap();
    for scope in [Scope::Master, Scope::Host, Scope::System] {
        for key in keys.list(&scope) {
            assert!(
                records
                    .iter()
                    .all(|record| !record.value.contains(key.value.expose()))
            );
        }
    }
}

#[tokio::test]
async fn keys_of_another_encryption_key_refuse_the_start_and_stay() {
    let store = store();
    keys(&store).await;
    let before = store.keys().await.unwrap();
    let other = Cipher::new(Some(&"cd".repeat(32)), PathBuf::new()).unwrap();
    let error = Keys::load(Arc::clone(&store), other, &[], &[])
        .await
        .unwrap_err();
    assert!(matches!(error, KeysError::Undecryptable { .. }), "{error}");
    assert_eq!(store.keys().await.unwrap(), before);
}

/// Vector 144: also where it is the key of one function alone.
#[tokio::test]
async fn one_key_that_cannot_be_decrypted_refuses_the_start() {
    let store = store();
    keys(&store).await;
    let mut record = store.keys().await.unwrap().pop().unwrap();
    record.value = "v1:AAAA".to_owned();
    let named = format!("`{}` ({})", record.name, record.scope);
    let put = super::load::submit(
        &*store,
        vec![KeyChange::Put {
            key: record,
            only_if_absent: false,
        }],
    );
    put.await.unwrap();
    let before = store.keys().await.unwrap();
    let again = Keys::load(Arc::clone(&store), cipher(), &["Other".to_owned()], &[]).await;
    let error = again.unwrap_err().to_string();
    assert!(error.contains(&named), "{error}");
    assert_eq!(store.keys().await.unwrap(), before);
}

/// Vector 142.
#[tokio::test]
async fn keys_of_an_older_encryption_key_are_served_and_encrypted_anew_in_their_order() {
    let store = store();
    let first = keys(&store).await;
    let scope = Scope::function("Other");
    first.renew(&scope, "second").await.unwrap();
    let held = first.list(&scope);
    let present = || Cipher::new(Some(&"cd".repeat(32)), PathBuf::new()).unwrap();
    let old = "ab".repeat(32);
    let functions = ["HttpTrigger".to_owned(), "Other".to_owned()];
    let both = present().with_older([&*old]).unwrap();
    let second = Keys::load(Arc::clone(&store), both, &functions, &[])
        .await
        .unwrap();
    let values = |keys: &[super::Key]| -> Vec<String> {
        keys.iter().map(|key| key.value.expose().into()).collect()
    };
    assert_eq!(values(&second.list(&scope)), values(&held));
    // The old one is not needed any more.
    let third = Keys::load(Arc::clone(&store), present(), &functions, &[])
        .await
        .unwrap();
    assert_eq!(values(&third.list(&scope)), values(&held));
    assert_eq!(names(&third, &scope), ["default", "second"]);
    let master = third.master().unwrap();
    assert!(first.grant(master.value.expose(), None).is_some());
}

/// Vector 149.
#[tokio::test]
async fn keys_of_a_function_that_is_gone_are_removed() {
    let store = store();
    let first = keys(&store).await;
    let kept = first.get(&Scope::function("Other"), "default").unwrap();
    let functions = ["OTHER".to_owned()];
    let left = Keys::load(
        Arc::clone(&store),
        cipher(),
        &functions,
        &["Clock".to_owned()],
    )
    .await
    .unwrap();
    let scopes = store.keys().await.unwrap();
    assert!(scopes.iter().all(|key| key.scope != "function/httptrigger"));
    assert!(left.grant(kept.value.expose(), Some("Other")).is_some());
    assert!(left.master().is_some() && left.get(&Scope::Host, "default").is_some());
}

#[tokio::test]
async fn a_renewed_key_moves_to_the_end_and_its_old_value_is_dead_at_once() {
    let keys = keys(&store()).await;
    let scope = Scope::function("HttpTrigger");
    let old = keys.get(&scope, "default").unwrap();
    assert!(
        keys.set(&scope, "key1", "fk-a1".into())
            .await
            .unwrap()
            .created
    );
    let new = keys.renew(&scope, "DEFAULT").await.unwrap();
    assert!(!new.created);
    assert_eq!(names(&keys, &scope), ["key1", "DEFAULT"]);
    assert!(
        keys.grant(old.value.expose(), Some("HttpTrigger"))
            .is_none()
    );
    assert!(
        keys.grant(new.key.value.expose(), Some("HttpTrigger"))
            .is_some()
    );
    assert!(keys.grant(new.key.value.expose(), Some("Other")).is_none());
}

#[tokio::test]
async fn a_deleted_key_is_dead_at_once() {
    let keys = keys(&store()).await;
    let key = keys.get(&Scope::Host, "default").unwrap();
    keys.delete(&Scope::Host, "Default").await.unwrap();
    assert!(keys.grant(key.value.expose(), Some("Other")).is_none());
    let again = keys.delete(&Scope::Host, "default").await;
    assert!(matches!(again, Err(KeysError::NoSuchKey(_))));
}

#[tokio::test]
async fn the_master_key_is_renewed_and_set_but_never_deleted() {
    let keys = keys(&store()).await;
    for scope in [Scope::Host, Scope::System, Scope::function("Other")] {
        let refused = keys.delete(&scope, "_MASter").await.unwrap_err();
        assert_eq!(refused.to_string(), "Cannot delete System Key.");
    }
    let old = keys.master().unwrap();
    let new = keys.renew(&Scope::Host, "_master").await.unwrap();
    assert!(keys.grant(old.value.expose(), None).is_none());
    keys.set(&Scope::System, "_MASTER", "PLACEHOLDER".into())
        .await
        .unwrap();
    assert!(keys.grant(new.key.value.expose(), None).is_none());
    assert_eq!(keys.grant("PLACEHOLDER", None).unwrap().level, Level::Admin);
    assert_eq!(names(&keys, &Scope::Master), ["master"]);
}

#[tokio::test]
async fn what_no_key_can_be_is_refused() {
    let keys = keys(&store()).await;
    let other = Scope::function("Other");
    for name in ["", "a/b", "a\nb", &"x".repeat(129)] {
        let refused = keys.renew(&other, name).await;
        assert!(matches!(refused, Err(KeysError::Name(_))), "{name:?}");
    }
    assert!(matches!(
        keys.renew(&other, "_master").await,
        Err(KeysError::Name(_))
    ));
    for value in ["", &"x".repeat(4097)] {
        let refused = keys.set(&other, "k", value.into()).await;
        assert!(matches!(refused, Err(KeysError::Value)));
    }
    let nobody = keys.renew(&Scope::function("DNE"), "k").await;
    assert!(matches!(nobody, Err(KeysError::NoSuchFunction(_))));
}

#[tokio::test]
async fn an_extension_key_that_was_deleted_is_made_when_it_is_needed() {
    let store = store();
    let keys = keys(&store).await;
    let old = keys.of_extension("durabletask");
    keys.delete(&Scope::System, "durabletask_extension")
        .await
        .unwrap();
    let new = keys.of_extension("durabletask");
    assert_ne!(old.expose(), new.expose());
    assert!(keys.grant(new.expose(), None).is_some());
    // Changes are stored in their order: after this one the other is there too.
    keys.renew(&Scope::Host, "k").await.unwrap();
    assert!(keys.grant(new.expose(), None).is_some(), "it was stored");
}

#[tokio::test]
async fn no_debug_shows_a_value() {
    let store = store();
    let keys = keys(&store).await;
    let changed = keys
        .set(&Scope::Host, "k", "very-secret".into())
        .await
        .unwrap();
    let all: Vec<KeyRecord> = store.keys().await.unwrap();
    let shown = format!(
        "{keys:?} {changed:?} {:?} {all:?} {:?}",
        keys.list(&Scope::Host),
        cipher()
    );
    assert!(!shown.contains("very-secret") && !shown.contains(&"ab".repeat(32)));
}
