//! Rotations that are cut short: at any step the next start goes on, and nothing is lost.

use super::reseal::{reseal_some, take_peppers};
use super::{RootKeySource, file};
use crate::caller::Origin;
use crate::{AuditSettings, Entropy, Keystead, OpenFailed, Opened, Settings};
use keystead_domain::ids::{OrganizationId, RequestId};
use keystead_domain::seal::{RootKeyId, RootKeys};
use keystead_domain::time::{Clock, ManualClock};
use keystead_domain::token::PlainKey;
use keystead_store::testing::{START, TestStore, stores};
use keystead_store::{PepperRow, Store};
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub(super) fn entropy(seed: u64) -> Entropy {
    Entropy::from_rng(ChaCha8Rng::seed_from_u64(seed))
}

/// Seals all by the current key: the background does this too; whoever comes first.
pub(super) async fn seal_all_anew(keystead: &Keystead) {
    while reseal_some(&keystead.store, &keystead.root.keys(), &entropy(3), 2).await.unwrap() > 0 {}
}

pub(crate) async fn open(store: &TestStore, source: RootKeySource, seed: u64) -> Result<Opened, OpenFailed> {
    open_with_log(store, source, None, seed).await
}

pub(super) async fn open_with_log(
    store: &TestStore,
    source: RootKeySource,
    log: Option<PathBuf>,
    seed: u64,
) -> Result<Opened, OpenFailed> {
    let settings = Settings {
        store: store.options(),
        root_key: source,
        log,
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
    let clock = Arc::<ManualClock>::clone(&store.clock);
    Keystead::open(settings, clock, entropy(seed)).await
}

pub(crate) fn origin() -> Origin {
    Origin {
        ip: None,
        method: "POST".into(),
        path: "/".into(),
        user_agent: None,
        request_id: RequestId([1; 16]),
        idempotency: None,
    }
}

/// More peppers than one, so that sealing anew takes several steps.
async fn add_peppers(keystead: &Keystead) {
    for version in 2..=4 {
        let place = format!("peppers/{version}/wrapped");
        let sealed = keystead.root.keys().seal(&place, &[9; 32], &mut ChaCha8Rng::seed_from_u64(9)).unwrap();
        let row = PepperRow { version, wrapped: sealed, created_at: START };
        let target =
            crate::act::Target { kind: "pepper", id: version.to_string(), name: "Pepper", project: None };
        let event = keystead.own_event(OrganizationId([1; 16]), "test", target);
        let added = keystead.store.act(move |tx| {
            Box::pin(async move {
                tx.insert_pepper(&row).await?;
                let acted = keystead_store::Acted { value: (), events: vec![event], changes: vec![] };
                Ok::<_, keystead_store::StoreError>(acted)
            })
        });
        added.await.unwrap();
    }
}

pub(super) async fn labels(store: &Store) -> Vec<Option<RootKeyId>> {
    let labels = super::labels(&mut store.read().await.unwrap()).await.unwrap();
    labels.iter().map(|(label, _)| RootKeyId::of(label)).collect()
}

async fn exchanges(store: &Store) -> usize {
    let mut reader = store.read().await.unwrap();
    let operator = reader.all_organizations().await.unwrap()[0].id;
    let records = reader.audit(&keystead_store::AuditFilter::of(operator), None, 99).await.unwrap();
    records.iter().filter(|record| record.action == "root_key.rotate").count()
}

/// Keeps a value for the administrator's key, sealed as a public key's is.
pub(super) async fn add_public_key(keystead: &Keystead, key: &PlainKey) {
    let caller = keystead.identify(key.expose(), origin()).unwrap();
    let (organization, id) = (caller.organization(), caller.key_id());
    let place = keystead_store::public_key_place(organization, id);
    let sealed = keystead.root.keys().seal(&place, b"shown", &mut ChaCha8Rng::seed_from_u64(4)).unwrap();
    let event = event(keystead);
    let added = keystead.store.act(move |tx| {
        Box::pin(async move {
            tx.insert_sealed_key(organization, id, &sealed).await?;
            let acted = keystead_store::Acted { value: (), events: vec![event], changes: vec![] };
            Ok::<_, keystead_store::StoreError>(acted)
        })
    });
    added.await.unwrap();
}

fn event(keystead: &Keystead) -> keystead_store::Event {
    let target = crate::act::Target { kind: "test", id: "test".into(), name: "Test", project: None };
    keystead.own_event(OrganizationId([1; 16]), "test", target)
}

/// What an exchange does in its act.
async fn take(store: &Store, keys: RootKeys, event: keystead_store::Event) {
    let taken = store.act(move |tx| {
        Box::pin(async move {
            take_peppers(tx, &keys, &entropy(8), 9).await?;
            let acted = keystead_store::Acted { value: (), events: vec![event], changes: vec![] };
            Ok::<_, crate::Refused>(acted)
        })
    });
    taken.await.unwrap();
}

/// The steps of a rotation, one after the other; a crash comes after the `steps`th.
async fn rotate_until(store: &Store, path: &Path, event: keystead_store::Event, steps: usize) -> RootKeys {
    let mut keys = file::read(path).unwrap();
    for step in 0..steps {
        match step {
            0 => keys = entropy(7).with(|rng| file::add(path, rng)).unwrap(),
            1 => take(store, file::read(path).unwrap(), event.clone()).await,
            // The public key, then the key that signs identities.
            2 | 3 => assert_eq!(reseal_some(store, &keys, &entropy(8), 1).await.unwrap(), 1),
            4 => assert_eq!(reseal_some(store, &keys, &entropy(8), 1).await.unwrap(), 0),
            _ => keys = file::keep_only(path, keys.current().id()).unwrap(),
        }
    }
    keys
}

/// LESSONS 38: changing the encryption key bricked the installation.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lesson_38_a_rotation_cut_short_at_any_step_goes_on() {
    for steps in 0..=6 {
        for store in stores().await {
            store.store.close().await;
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("root.key");
            let opened = open(&store, path.clone().into(), 1).await.unwrap();
            let key = opened.admin_key.unwrap();
            add_peppers(&opened.keystead).await;
            add_public_key(&opened.keystead, &key).await;
            let event = event(&opened.keystead);
            opened.keystead.close().await;
            let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(&store.clock);
            let beside = Store::open(store.options(), clock).await.unwrap();
            let keys = rotate_until(&beside, &path, event, steps).await;
            beside.close().await;

            let again = open(&store, path.clone().into(), 2).await.unwrap().keystead;
            assert_eq!(again.root.keys().current().id(), keys.current().id());
            // Which key seals stands on the newest pepper: one that a start takes is on record.
            let records = exchanges(&again.store).await;
            assert_eq!(records, usize::from(steps == 1), "{steps}");
            seal_all_anew(&again).await;
            assert_eq!(labels(&again.store).await, [Some(keys.current().id())], "{steps}");
            let caller = again.identify(key.expose(), origin()).unwrap();
            let status = again.rotate_root_key(&caller).await.unwrap();
            assert_ne!(status.current, keys.current().id().to_string());
            seal_all_anew(&again).await;
            let early = again.retire_root_keys(&caller).await.unwrap_err().to_string();
            assert!(early.contains("within the last minute"), "{early}");
            store.clock.step(61_000_000);
            let status = again.retire_root_keys(&caller).await.unwrap();
            assert_eq!((status.waiting, status.keys.len()), (0, 1));
            again.close().await;
            let last = open(&store, path.into(), 3).await.unwrap().keystead;
            assert!(last.identify(key.expose(), origin()).is_ok(), "{steps}");
            last.close().await;
        }
    }
}

/// LESSONS 38: the refusal names the key that is needed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lesson_38_another_root_key_is_refused_by_name() {
    for store in stores().await {
        store.store.close().await;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root.key");
        let opened = open(&store, path.clone().into(), 1).await.unwrap();
        let id = opened.keystead.root.keys().current().id().to_string();
        opened.keystead.close().await;
        let other = folder.path().join("other.key");
        let others = entropy(5).with(|rng| file::load_or_create(&other, true, rng)).unwrap();
        let refused = open(&store, other.into(), 2).await.unwrap_err().to_string();
        assert!(refused.contains(&id) && refused.contains(&others.current().id().to_string()), "{refused}");
        assert!(open(&store, path.into(), 3).await.is_ok());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_installation_moves_from_a_file_to_a_command() {
    let Some(store) = stores().await.into_iter().next() else { return };
    store.store.close().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("root.key");
    let opened = open(&store, path.clone().into(), 1).await.unwrap();
    opened.keystead.close().await;
    let new = folder.path().join("new.key");
    entropy(5).with(|rng| file::load_or_create(&new, true, rng)).unwrap();
    let both = RootKeySource::Command(format!("cat {} {}", path.display(), new.display()));
    let keystead = open(&store, both, 2).await.unwrap().keystead;
    while reseal_some(&keystead.store, &keystead.root.keys(), &entropy(3), 2).await.unwrap() > 0 {}
    keystead.close().await;
    assert!(open(&store, RootKeySource::Command(format!("cat {}", path.display())), 3).await.is_err());
    let new = RootKeySource::Command(format!("cat {}", new.display()));
    open(&store, new, 4).await.unwrap().keystead.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_installation_with_a_passphrase_opens_with_it_alone() {
    for store in stores().await {
        store.store.close().await;
        let typed = |text: &str| RootKeySource::Passphrase(zeroize::Zeroizing::new(text.into()));
        let opened = open(&store, typed("correct horse battery"), 1).await.unwrap();
        let key = opened.admin_key.unwrap();
        opened.keystead.close().await;
        assert!(matches!(open(&store, typed("another horse battery"), 2).await, Err(OpenFailed::RootKey(_))));
        let again = open(&store, typed("correct horse battery"), 3).await.unwrap().keystead;
        assert!(again.identify(key.expose(), origin()).is_ok());
        again.close().await;
        let changed = open(&store, typed("correct horse battery\nanother horse battery"), 4).await.unwrap();
        while reseal_some(&changed.keystead.store, &changed.keystead.root.keys(), &entropy(3), 2)
            .await
            .unwrap()
            > 0
        {}
        changed.keystead.close().await;
        open(&store, typed("another horse battery"), 5).await.unwrap().keystead.close().await;
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::copy(from, to).unwrap();
}

/// Two nodes of one database, each with a copy of the root key.
struct Pair {
    store: TestStore,
    here: PathBuf,
    there: PathBuf,
    one: Arc<Keystead>,
    two: Arc<Keystead>,
    key: PlainKey,
    folder: tempfile::TempDir,
}

impl Pair {
    /// `None` without PostgreSQL.
    async fn open() -> Option<Self> {
        let Some(store) = keystead_store::testing::postgres().await else {
            println!("not run: {} is not set", keystead_store::testing::POSTGRES_VARIABLE);
            return None;
        };
        store.store.close().await;
        let folder = tempfile::tempdir().unwrap();
        let (here, there) = (folder.path().join("here.key"), folder.path().join("there.key"));
        let first = open(&store, here.clone().into(), 1).await.unwrap();
        copy(&here, &there);
        let two = open(&store, there.clone().into(), 2).await.unwrap().keystead;
        let (one, key) = (first.keystead, first.admin_key.unwrap());
        Some(Self { store, here, there, one, two, key, folder })
    }
}

/// LESSONS 38: two nodes that exchange at once would seal by keys that the other does not have.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lesson_38_of_two_nodes_that_exchange_at_once_one_does() {
    let Some(pair) = Pair::open().await else { return };
    let Pair { store, here, there, one, two, key, folder: _folder } = pair;
    let callers = [&one, &two].map(|node| node.identify(key.expose(), origin()).unwrap());
    let (first, second) = tokio::join!(one.rotate_root_key(&callers[0]), two.rotate_root_key(&callers[1]));
    let refused = [&first, &second].into_iter().filter_map(|result| result.as_ref().err());
    assert_eq!(refused.count(), 1, "{first:?} {second:?}");
    let (won, lost, lost_caller, key_of_winner, key_of_loser) = if first.is_ok() {
        (&one, &two, &callers[1], &here, &there)
    } else {
        (&two, &one, &callers[0], &there, &here)
    };
    let refused = lost.rotate_root_key(lost_caller).await.unwrap_err().to_string();
    assert!(refused.contains(&won.root.keys().current().id().to_string()), "{refused}");
    copy(key_of_winner, key_of_loser);
    let taken = lost.rotate_root_key(lost_caller).await.unwrap();
    assert_eq!(taken.current, won.root.keys().current().id().to_string());
    seal_all_anew(lost).await;
    assert_eq!(lost.root_key_status(lost_caller).await.unwrap().waiting, 0);
    one.close().await;
    two.close().await;
    open(&store, here.into(), 3).await.unwrap().keystead.close().await;
    open(&store, there.into(), 4).await.unwrap().keystead.close().await;
}

/// What is sealed by an earlier key after an exchange elsewhere would be lost with that key.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lesson_38_a_node_without_the_new_key_seals_nothing() {
    let Some(pair) = Pair::open().await else { return };
    let Pair { here, there, one, two, .. } = &pair;
    one.rotate_root_key(&one.identify(pair.key.expose(), origin()).unwrap()).await.unwrap();
    let seal = async |node: &Arc<Keystead>| {
        let this = Arc::clone(node);
        let id = keystead_domain::ids::KeyId::from_slice(b"000000000009").unwrap();
        let plain = entropy(6).with(|rng| keystead_domain::token::PlainKey::mint("acme", "live", id, rng));
        let kept: Result<(), crate::Refused> = node
            .store
            .act(move |tx| {
                Box::pin(async move {
                    let organization = OrganizationId([1; 16]);
                    this.keep_sealed(tx, organization, id, plain.expose()).await?;
                    Ok(keystead_store::Acted { value: (), events: vec![], changes: vec![] })
                })
            })
            .await;
        kept.unwrap_err().to_string()
    };
    assert!(seal(two).await.contains("exchanged on another node"));
    assert!(!seal(one).await.contains("exchanged on another node"));
    copy(here, there);
    two.rotate_root_key(&two.identify(pair.key.expose(), origin()).unwrap()).await.unwrap();
    assert!(!seal(two).await.contains("exchanged on another node"));
    Arc::clone(one).close().await;
    Arc::clone(two).close().await;
}
