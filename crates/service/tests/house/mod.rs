//! A whole installation for one test, on either engine.
#![allow(dead_code, unused_macros, unused_imports, reason = "each suite uses a part of the house")]

use keystead_api::*;
use keystead_domain::ids::{AuditId, OrganizationId, PermissionId, RequestId};
use keystead_domain::time::{Clock, ManualClock};
use keystead_service::caller::{Caller, Origin};
use keystead_service::{AuditSettings, Entropy, Keystead, MailSettings, Refused, Settings, Temporary, Waits};
use keystead_store::testing::TestStore;
use keystead_store::{Acted, Event, Store, StoreError};
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// Runs each test on a fresh house on each engine; PostgreSQL's half needs
/// `KEYSTEAD_TEST_POSTGRES`, without it those tests say so and pass.
macro_rules! suite {
    ($($module:ident :: $name:ident,)*) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    let store = keystead_store::testing::sqlite().await;
                    crate::$module::$name(crate::house::House::open(store).await).await;
                }
            )*
        }

        mod postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    match keystead_store::testing::postgres().await {
                        Some(store) => crate::$module::$name(crate::house::House::open(store).await).await,
                        None => println!("not run: {} is not set", keystead_store::testing::POSTGRES_VARIABLE),
                    }
                }
            )*
        }
    };
}
pub(crate) use suite;

/// The first node's log; each node has its own.
const LOG: &str = "after-backup.log";
/// Longer than any test moves the clock: neither freshness nor who counts is ever in doubt.
const FOREVER: Duration = Duration::from_secs(100 * 366 * 86_400);

/// An opened installation whose clock stands still at [`keystead_store::testing::START`].
pub(crate) struct House {
    pub(crate) keystead: Arc<Keystead>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) admin_key: String,
    database: TestStore,
    root: TempDir,
    seed: u64,
}

impl House {
    /// Opens a new installation in an empty database.
    pub(crate) async fn open(database: TestStore) -> Self {
        database.store.close().await;
        let root = tempfile::tempdir().unwrap();
        let clock = Arc::clone(&database.clock);
        let (keystead, admin_key) =
            start(&database, &root, Arc::<ManualClock>::clone(&clock), 1, LOG, FOREVER).await;
        let admin_key = admin_key.unwrap();
        Self { keystead, clock, admin_key, database, root, seed: 1 }
    }

    /// Where it is.
    pub(crate) fn database(&self) -> &keystead_store::Database {
        &self.database.database
    }

    /// Stops it in order and starts it again.
    pub(crate) async fn restart(&mut self) {
        Arc::clone(&self.keystead).close().await;
        // Another seed: the same ids would be drawn again.
        self.seed += 1;
        (self.keystead, _) = self.start(self.same_clock(), LOG, FOREVER).await;
    }

    /// The same, and it counts rate limits alone for no longer after a sign of life.
    pub(crate) async fn restart_alone_for(&mut self, alone_max: Duration) {
        Arc::clone(&self.keystead).close().await;
        self.seed += 1;
        (self.keystead, _) = self.start(self.same_clock(), LOG, alone_max).await;
    }

    /// Stops it in order and starts it again; audit records are kept for so many seconds.
    pub(crate) async fn retain_audit_for(&mut self, seconds: u64) {
        Arc::clone(&self.keystead).close().await;
        self.seed += 1;
        let retention = Some(Duration::from_secs(seconds));
        let mut settings = settings(&self.database, &self.root, LOG, FOREVER);
        settings.audit = AuditSettings { retention, ..AuditSettings::default() };
        let entropy = Entropy::from_rng(ChaCha8Rng::seed_from_u64(self.seed));
        self.keystead = Keystead::open(settings, self.same_clock(), entropy).await.unwrap().keystead;
    }

    /// Stops it in order and starts it again with another clock.
    pub(crate) async fn restart_with(&mut self, clock: Arc<dyn Clock>) {
        Arc::clone(&self.keystead).close().await;
        self.seed += 1;
        (self.keystead, _) = self.start(clock, LOG, FOREVER).await;
    }

    fn same_clock(&self) -> Arc<dyn Clock> {
        Arc::<ManualClock>::clone(&self.clock)
    }

    /// Another node on the same database.
    pub(crate) async fn another_node(&mut self) -> Arc<Keystead> {
        self.seed += 1;
        self.start(self.same_clock(), &format!("{}.log", self.seed), FOREVER).await.0
    }

    /// Another node, in a copy of the first one's folder, while that runs.
    pub(crate) async fn another_node_in_a_copied_folder(&mut self) -> Arc<Keystead> {
        let copy = self.root.path().join(format!("{}.log", self.seed + 1));
        std::fs::copy(node_file(&self.root.path().join(LOG)), node_file(&copy)).unwrap();
        self.another_node().await
    }

    async fn start(
        &self,
        clock: Arc<dyn Clock>,
        log: &str,
        alone_max: Duration,
    ) -> (Arc<Keystead>, Option<String>) {
        start(&self.database, &self.root, clock, self.seed, log, alone_max).await
    }

    /// Does on the database what no Keystead does.
    pub(crate) async fn session(&self) -> sqlx::postgres::PgConnection {
        let keystead_store::Database::Postgres(url) = &self.database.database else {
            panic!("not on PostgreSQL")
        };
        <sqlx::postgres::PgConnection as sqlx::Connection>::connect(url).await.unwrap()
    }

    /// Stops it, takes a permission from a catalogue as if it had never been in it, and starts again.
    pub(crate) async fn restart_without(&mut self, organization: OrganizationId, permission: PermissionId) {
        Arc::clone(&self.keystead).close().await;
        let store =
            Store::open(self.database.options(), Arc::<ManualClock>::clone(&self.clock)).await.unwrap();
        store
            .act(move |tx| {
                Box::pin(async move {
                    assert!(tx.delete_permission(organization, permission).await?);
                    Ok::<_, StoreError>(Acted {
                        value: (),
                        events: vec![event(organization)],
                        changes: vec![],
                    })
                })
            })
            .await
            .unwrap();
        store.close().await;
        self.seed += 1;
        (self.keystead, _) = self.start(self.same_clock(), LOG, FOREVER).await;
    }

    /// The installation's operator, who administers the first organization.
    pub(crate) fn admin(&self) -> Caller {
        self.caller(&self.admin_key)
    }

    /// Its clock, as the API writes it.
    pub(crate) fn clock_now(&self) -> Timestamp {
        self.clock.now().to_timestamp()
    }

    /// Whoever holds this key of Keystead's own API.
    pub(crate) fn caller(&self, key: &str) -> Caller {
        self.keystead.identify(key, origin()).unwrap()
    }

    /// The administrator of a new organization.
    pub(crate) async fn tenant(&self, slug: &str) -> Caller {
        let input = CreateOrganization { name: slug.into(), slug: slug.into() };
        let created = self.keystead.create_organization(&self.admin(), input).await.unwrap();
        self.caller(&created.key)
    }

    /// A new key of Keystead's own API with these permissions.
    pub(crate) async fn key_of(&self, maker: &Caller, permissions: Vec<PermissionGrant>) -> Caller {
        let input = CreateKey {
            name: "Limited".into(),
            environment: "production".into(),
            permissions,
            ..CreateKey::default()
        };
        let created = self.keystead.create_key(maker, "keystead", input).await.unwrap();
        self.caller(&created.key)
    }

    /// A project `acme` with the environment `production` and the permissions `routes.read` and
    /// `routes.write`.
    pub(crate) async fn acme(&self, admin: &Caller) -> Project {
        let project = self.project(admin, "acme").await;
        let input = CreateEnvironment { name: "Production".into(), slug: "production".into(), tag: None };
        self.keystead.create_environment(admin, "acme", input).await.unwrap();
        for name in ["routes.read", "routes.write"] {
            self.permission(admin, "acme", name).await;
        }
        project
    }

    /// A project with nothing in it.
    pub(crate) async fn project(&self, admin: &Caller, slug: &str) -> Project {
        let input = CreateProject { name: slug.into(), slug: slug.into(), prefix: None };
        self.keystead.create_project(admin, input).await.unwrap()
    }

    /// A permission of a catalogue.
    pub(crate) async fn permission(&self, admin: &Caller, project: &str, name: &str) -> Permission {
        let input = CreatePermission {
            name: name.into(),
            description: String::new(),
            public_safe: false,
            sensitive: false,
        };
        self.keystead.create_permission(admin, project, input).await.unwrap()
    }

    /// A role.
    pub(crate) async fn role(
        &self,
        admin: &Caller,
        project: &str,
        name: &str,
        permissions: &[&str],
    ) -> Result<Role, Refused> {
        let input =
            CreateRole { name: name.into(), description: String::new(), permissions: texts(permissions) };
        self.keystead.create_role(admin, project, input).await
    }

    /// A consumer of `acme` with nothing but a name and a ceiling.
    pub(crate) async fn consumer(
        &self,
        admin: &Caller,
        name: &str,
        ceiling: Option<&[&str]>,
    ) -> Result<Consumer, Refused> {
        let input =
            CreateConsumer { name: name.into(), ceiling: ceiling.map(texts), ..CreateConsumer::default() };
        self.keystead.create_consumer(admin, "acme", input).await
    }

    /// A key of `acme` in `production`.
    pub(crate) async fn key(&self, admin: &Caller, input: CreateKey) -> CreatedKey {
        let input = CreateKey { name: "Key".into(), environment: "production".into(), ..input };
        self.keystead.create_key(admin, "acme", input).await.unwrap()
    }

    /// The verdict on a key of `acme`, asked for one permission.
    pub(crate) async fn verdict(&self, admin: &Caller, key: &str, permission: &str) -> Code {
        let ask = Verify {
            key: key.into(),
            project: Some("acme".into()),
            environment: Some("production".into()),
            permissions: Some(PermissionQuery::One(permission.into())),
            ..Verify::default()
        };
        self.keystead.verify(admin, &ask).await.unwrap().code
    }

    /// Revokes and purges a key.
    pub(crate) async fn purge(&self, admin: &Caller, id: &str) {
        let reason = RevokeKey { reason: "no longer used".into() };
        self.keystead.revoke_key(admin, id, reason, None).await.unwrap();
        self.keystead.delete_key(admin, id, None).await.unwrap();
    }

    /// The records of one kind of act, newest first.
    pub(crate) async fn audit(&self, admin: &Caller, action: &str) -> Vec<AuditRecord> {
        let query = AuditQuery { action: Some(action.into()), ..AuditQuery::default() };
        self.keystead.list_audit(admin, &query).await.unwrap().items
    }
}

/// A record of an act behind the installation's back.
fn event(organization_id: OrganizationId) -> Event {
    Event {
        id: AuditId([7; 16]),
        organization_id,
        at: keystead_store::testing::START,
        actor_kind: "test".into(),
        actor_key: None,
        actor_owner: None,
        actor_member: None,
        actor_team: None,
        actor_session: None,
        actor_lineage: None,
        target_lineage: None,
        address: None,
        action: "test".into(),
        target_kind: "test".into(),
        target_id: "test".into(),
        target_name: "test".into(),
        project_id: None,
        before_body: None,
        after_body: None,
        request_id: None,
    }
}

/// What names the node whose log this is.
fn node_file(log: &Path) -> PathBuf {
    log.with_extension("node")
}

async fn start(
    database: &TestStore,
    root: &TempDir,
    clock: Arc<dyn Clock>,
    seed: u64,
    log: &str,
    alone_max: Duration,
) -> (Arc<Keystead>, Option<String>) {
    let settings = settings(database, root, log, alone_max);
    let entropy = Entropy::from_rng(ChaCha8Rng::seed_from_u64(seed));
    let opened = Keystead::open(settings, clock, entropy).await.unwrap();
    (opened.keystead, opened.admin_key.map(|key| key.expose().to_owned()))
}

fn settings(database: &TestStore, root: &TempDir, log: &str, alone_max: Duration) -> Settings {
    Settings {
        store: database.options(),
        root_key: root.path().join("root.key").into(),
        log: Some(root.path().join(log)),
        usage_flush: Duration::from_secs(3_600),
        usage_queue_max: 1_000,
        max_staleness: FOREVER,
        alone_max,
        waits: Waits { slow_digest: Duration::from_secs(3_600), seek: Duration::from_secs(3_600) },
        temporary: Temporary::default(),
        node_name: "here".into(),
        node_file: Some(node_file(&root.path().join(log))),
        audit: AuditSettings::default(),
        mail: MailSettings::default(),
        sign_in: keystead_service::SignInSettings::default(),
        new_admin_key: false,
    }
}

/// A request from a documentation address.
pub(crate) fn origin() -> Origin {
    Origin {
        idempotency: None,
        ip: Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7))),
        method: "POST".into(),
        path: "/v1/test".into(),
        user_agent: Some("test".into()),
        request_id: RequestId([7; 16]),
    }
}

pub(crate) fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

/// Permissions on every resource.
pub(crate) fn everywhere(names: &[&str]) -> Vec<PermissionGrant> {
    names.iter().map(|name| PermissionGrant::Everywhere((*name).into())).collect()
}

/// One permission on some resources.
pub(crate) fn narrowed(permission: &str, resources: &[&str]) -> PermissionGrant {
    PermissionGrant::Narrowed(NarrowedPermission {
        permission: permission.into(),
        resources: texts(resources),
    })
}

/// A request that names a page.
pub(crate) fn page(limit: u32, cursor: Option<String>) -> PageQuery {
    PageQuery { limit: Some(limit), cursor }
}

/// The field that a request was refused for.
pub(crate) fn field<T: std::fmt::Debug>(result: Result<T, Refused>) -> String {
    match result {
        Err(Refused::Invalid(invalid) | Refused::Unknown(invalid)) => invalid.field,
        other => panic!("expected a refused field, got {other:?}"),
    }
}

/// What was in the way.
pub(crate) fn conflict<T: std::fmt::Debug>(result: Result<T, Refused>) -> String {
    match result {
        Err(Refused::Conflict { detail, .. }) => detail,
        other => panic!("expected a conflict, got {other:?}"),
    }
}

pub(crate) fn assert_unknown<T: std::fmt::Debug>(result: Result<T, Refused>) {
    assert!(matches!(result, Err(Refused::Unknown(_))), "{result:?}");
}

pub(crate) fn assert_forbidden<T: std::fmt::Debug>(result: Result<T, Refused>) {
    assert!(matches!(result, Err(Refused::Forbidden { .. })), "{result:?}");
}

pub(crate) fn assert_not_found<T: std::fmt::Debug>(result: Result<T, Refused>) {
    assert!(matches!(result, Err(Refused::NotFound { .. })), "{result:?}");
}

pub(crate) fn assert_changed<T: std::fmt::Debug>(result: Result<T, Refused>, version: i64) {
    assert!(matches!(result, Err(Refused::Changed { current }) if current == version), "{result:?}");
}
