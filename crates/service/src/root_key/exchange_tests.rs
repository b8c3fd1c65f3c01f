//! Exchanges that meet something else: a node with another order of keys, an act that does not commit, a
//! log that goes on in a new file.

use super::file;
use super::reseal::reseal_some;
use super::tests::{add_public_key, entropy, labels, open, open_with_log, origin, seal_all_anew};
use keystead_domain::seal::RootKey;
use keystead_store::Database;
use keystead_store::log::LogFile;
use keystead_store::testing::{TestStore, stores, tamper};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use std::path::Path;
use std::sync::Arc;

/// The same keys in the other order, as a node has them whose file was copied so.
fn swap(path: &Path, to: &Path) {
    let text = std::fs::read_to_string(path).unwrap();
    std::fs::copy(path, to).unwrap();
    std::fs::write(to, text.lines().rev().collect::<Vec<_>>().join("\n")).unwrap();
}

/// LESSONS 38: two nodes that have both keys, and take another one each for the current one, must not
/// undo each other's work for ever, nor an exchange that is on record.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lesson_38_only_who_has_the_sealing_key_for_the_current_one_seals_anew() {
    for store in stores().await {
        store.store.close().await;
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("root.key"), folder.path().join("other.key"));
        let opened = open(&store, path.clone().into(), 1).await.unwrap();
        let (keystead, key) = (opened.keystead, opened.admin_key.unwrap());
        add_public_key(&keystead, &key).await;
        keystead.rotate_root_key(&keystead.identify(key.expose(), origin()).unwrap()).await.unwrap();
        let keys = file::read(&path).unwrap();
        while reseal_some(&keystead.store, &keys, &entropy(3), 1).await.unwrap() > 0 {}
        let current = Some(keys.current().id());
        assert_eq!(labels(&keystead.store).await, [current]);
        swap(&path, &other);
        let swapped = file::read(&other).unwrap();
        assert_eq!(swapped.current().id(), keys.iter().last().map(RootKey::id).unwrap());
        assert_eq!(reseal_some(&keystead.store, &swapped, &entropy(4), 9).await.unwrap(), 0);
        assert_eq!(labels(&keystead.store).await, [current]);
        keystead.close().await;
    }
}

/// Has the database refuse the record of a retirement.
async fn refuse_to_record(store: &TestStore, refuse: bool) {
    let sql = match (&store.database, refuse) {
        (Database::Sqlite(_), true) => {
            "CREATE TRIGGER no BEFORE INSERT ON audit WHEN NEW.action = 'root_key.retire' \
             BEGIN SELECT RAISE(ABORT, 'no'); END"
        }
        (Database::Sqlite(_), false) => "DROP TRIGGER no",
        (Database::Postgres(_), true) => {
            "ALTER TABLE audit ADD CONSTRAINT no CHECK (action <> 'root_key.retire')"
        }
        (Database::Postgres(_), false) => "ALTER TABLE audit DROP CONSTRAINT no",
    };
    tamper(&store.database, sql).await;
}

/// LESSONS 38: a key is let go of once that is on record, and not when it could not be recorded.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lesson_38_a_root_key_goes_once_its_going_is_on_record() {
    for store in stores().await {
        store.store.close().await;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root.key");
        let opened = open(&store, path.clone().into(), 1).await.unwrap();
        let keystead = opened.keystead;
        let caller = keystead.identify(opened.admin_key.unwrap().expose(), origin()).unwrap();
        keystead.rotate_root_key(&caller).await.unwrap();
        seal_all_anew(&keystead).await;
        store.clock.step(61_000_000);
        refuse_to_record(&store, true).await;
        keystead.retire_root_keys(&caller).await.unwrap_err();
        assert_eq!(file::read(&path).unwrap().iter().count(), 2);
        assert_eq!(keystead.root.keys().iter().count(), 2);
        refuse_to_record(&store, false).await;
        let status = keystead.retire_root_keys(&caller).await.unwrap();
        assert_eq!(status.keys.len(), 1);
        assert_eq!(file::read(&path).unwrap().iter().count(), 1);
        keystead.close().await;
    }
}

/// LESSONS 38: a log that went on in a new file while the keys were exchanged is sealed by the earlier
/// key: it opens with the current one alone before the earlier one is let go of.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lesson_38_a_log_that_goes_on_during_an_exchange_is_taken_along() {
    for store in stores().await {
        store.store.close().await;
        let folder = tempfile::tempdir().unwrap();
        let (path, log) = (folder.path().join("root.key"), folder.path().join("a.log"));
        let opened = open_with_log(&store, path.clone().into(), Some(log.clone()), 1).await.unwrap();
        let keystead = opened.keystead;
        let caller = keystead.identify(opened.admin_key.unwrap().expose(), origin()).unwrap();
        let earlier = keystead.root.keys();
        keystead.rotate_root_key(&caller).await.unwrap();
        let alone = file::only(&path, keystead.root.keys().current().id()).unwrap();
        // The background takes the file along that was written then.
        while LogFile::open(&log, &alone).is_err() {
            tokio::task::yield_now().await;
        }
        // The background may look once more: when its first look was still under way at the exchange, it took the file
        // along, and so does the look that the exchange asked for.
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        while LogFile::open(&log, &alone).is_ok() {
            keystead.store.roll_log(&earlier, Box::new(rng.clone())).await.unwrap();
            rng.next_u32();
        }
        seal_all_anew(&keystead).await;
        store.clock.step(61_000_000);
        keystead.retire_root_keys(&caller).await.unwrap();
        assert!(LogFile::open(&log, &alone).is_ok());
        Arc::clone(&keystead).close().await;
    }
}
