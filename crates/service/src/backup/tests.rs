//! A backup on its way into another place: opened by its keys, proved by the root key, with what was
//! logged since.

use super::*;
use crate::root_key::{RootKeyError, RootKeySource};
use crate::{AuditSettings, Entropy, Keystead, Opened, Settings};
use age::secrecy::ExposeSecret;
use keystead_domain::ids::{KeyId, OrganizationId};
use keystead_domain::time::{Clock, ManualClock};
use keystead_store::testing::{TestStore, empty_places, stores};
use keystead_store::{Database, MeterId, MeterRow, Options, StoreError};
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

fn entropy(seed: u64) -> Entropy {
    Entropy::from_rng(ChaCha8Rng::seed_from_u64(seed))
}

async fn open(database: &Database, clock: &Arc<ManualClock>, folder: &TempDir, seed: u64) -> Opened {
    let settings = Settings {
        store: Options { database: database.clone(), readers: 2 },
        root_key: folder.path().join("root.key").into(),
        log: Some(folder.path().join("a.log")),
        usage_flush: Duration::from_secs(3_600),
        usage_queue_max: 100,
        max_staleness: Duration::from_secs(3_600),
        alone_max: Duration::from_secs(3_600),
        waits: crate::Waits::default(),
        audit: AuditSettings::default(),
        mail: crate::MailSettings::default(),
        sign_in: crate::SignInSettings::default(),
        new_admin_key: false,
        node_name: "test".into(),
        node_file: None,
        temporary: crate::Temporary::default(),
    };
    Keystead::open(settings, Arc::<ManualClock>::clone(clock), entropy(seed)).await.unwrap()
}

fn pair() -> (Recipients, Keys) {
    let identity = age::x25519::Identity::generate();
    let keys = Keys::parse(identity.to_string().expose_secret()).unwrap();
    (Recipients::parse(&identity.to_public().to_string()).unwrap(), keys)
}

fn meter() -> MeterId {
    MeterId::Lineage(KeyId::from_slice(b"000000000001").unwrap())
}

/// Leaves this many credits.
async fn credits(keystead: &Keystead, left: i64) {
    let written = keystead.store.bookkeeping(move |ledger| {
        Box::pin(async move {
            let row = MeterRow {
                id: meter(),
                organization_id: OrganizationId([1; 16]),
                credits_remaining: Some(left),
                credits_refill_at: None,
                credits_epoch: 0,
                quota_used: 0,
                quota_resets_at: None,
            };
            if ledger.lock_meter(meter()).await?.is_none() {
                ledger.insert_meter(&row).await?;
            }
            ledger.update_meter(&row).await
        })
    });
    let written: Result<bool, StoreError> = written.await;
    assert_eq!(written, Ok(true));
}

/// A backup of an installation with 100 credits, of which 60 were spent after it.
async fn backed_up(store: &TestStore, folder: &TempDir, to: &Path) -> (String, Keys) {
    store.store.close().await;
    let opened = open(&store.database, &store.clock, folder, 1).await;
    credits(&opened.keystead, 100).await;
    let (recipients, keys) = pair();
    let backup = write(&store.database, to, &recipients, store.clock.now()).await.unwrap();
    assert!(backup.bytes > 0 && backup.written.rows["keys"] == 1);
    assert!(matches!(
        write(&store.database, to, &recipients, store.clock.now()).await,
        Err(BackupFailed::Exists(_))
    ));
    credits(&opened.keystead, 40).await;
    opened.keystead.close().await;
    (opened.admin_key.unwrap().expose().to_owned(), keys)
}

async fn left(database: &Database, clock: &Arc<ManualClock>, folder: &TempDir, key: &str) -> i64 {
    let keystead = open(database, clock, folder, 5).await.keystead;
    assert!(keystead.identify(key, crate::root_key::tests::origin()).is_ok(), "its keys open");
    let meter = keystead.store.read().await.unwrap().meter(meter()).await.unwrap().unwrap();
    keystead.close().await;
    meter.credits_remaining.unwrap()
}

/// LESSONS 8: credits came back. LESSONS 38: a restored backup could not be decrypted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lesson_38_a_restored_backup_opens_with_its_root_key_and_gives_nothing_back() {
    for store in stores().await {
        let folder = tempfile::tempdir().unwrap();
        let (from, logs) = (folder.path().join("backup.age"), [folder.path().join("a.log")]);
        let (key, keys) = backed_up(&store, &folder, &from).await;
        for place in empty_places().await {
            let root_key = RootKeySource::File(folder.path().join("root.key"));
            let request = RestoreRequest {
                database: &place.database,
                from: &from,
                keys: &keys,
                root_key: &root_key,
                logs: &logs,
            };
            let covered = |survey: &Survey| {
                assert!(survey.gaps.is_empty() && survey.ends.len() == 1, "{survey:?}");
                assert_eq!(survey.ends[0].how, Ending::Closed);
                Decision::WithCredits
            };
            let report = restore(&request, &entropy(3), covered).await.unwrap();
            assert!(report.replayed > 0);
            // A log of its own: the old one ends with the old place.
            let fresh = tempfile::tempdir().unwrap();
            std::fs::copy(folder.path().join("root.key"), fresh.path().join("root.key")).unwrap();
            assert_eq!(left(&place.database, &store.clock, &fresh, &key).await, 40);
        }
    }
}

/// LESSONS 38: the refusal names the key that is needed, and nothing is there after it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lesson_38_without_its_root_key_or_its_keys_nothing_is_restored() {
    let Some(store) = stores().await.into_iter().next() else { return };
    let folder = tempfile::tempdir().unwrap();
    let from = folder.path().join("backup.age");
    let (_, keys) = backed_up(&store, &folder, &from).await;
    let other = tempfile::tempdir().unwrap();
    let others = open(&Database::Sqlite(other.path().join("x.db")), &store.clock, &other, 9).await;
    others.keystead.close().await;
    for place in empty_places().await {
        let restored = async |keys: &Keys, folder: &TempDir| {
            let root_key = RootKeySource::File(folder.path().join("root.key"));
            let request = RestoreRequest {
                database: &place.database,
                from: &from,
                keys,
                root_key: &root_key,
                logs: &[],
            };
            restore(&request, &entropy(3), |_| Decision::WithoutCredits).await
        };
        let refused = restored(&keys, &other).await.unwrap_err();
        assert!(matches!(refused, BackupFailed::RootKey(RootKeyError::Another { .. })), "{refused}");
        assert!(refused.to_string().matches("rk_").count() == 2, "{refused}");
        assert!(matches!(restored(&pair().1, &folder).await, Err(BackupFailed::Locked(_))));
        assert!(restored(&keys, &folder).await.is_ok(), "the place was still empty");
    }
}

/// LESSONS 8: what nobody knows is not given back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lesson_8_a_gap_is_asked_about_and_gives_no_credit() {
    let Some(store) = stores().await.into_iter().next() else { return };
    let folder = tempfile::tempdir().unwrap();
    let from = folder.path().join("backup.age");
    let (key, keys) = backed_up(&store, &folder, &from).await;
    for (decision, expected) in [(Decision::WithoutCredits, 0), (Decision::WithCredits, 100)] {
        for place in empty_places().await {
            let root_key = RootKeySource::File(folder.path().join("root.key"));
            let request = RestoreRequest {
                database: &place.database,
                from: &from,
                keys: &keys,
                root_key: &root_key,
                logs: &[],
            };
            let random = entropy(3);
            let stopped = restore(&request, &random, |survey| {
                assert_eq!(survey.gaps.len(), 1, "{survey:?}");
                Decision::Stop
            });
            assert!(matches!(stopped.await, Err(BackupFailed::Gap)));
            restore(&request, &entropy(3), |_| decision).await.unwrap();
            let fresh = tempfile::tempdir().unwrap();
            std::fs::copy(folder.path().join("root.key"), fresh.path().join("root.key")).unwrap();
            assert_eq!(left(&place.database, &store.clock, &fresh, &key).await, expected);
        }
    }
}
