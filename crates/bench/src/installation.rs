//! An installation to measure: made in an empty folder, with a project to issue keys in.

use crate::measure::instant;
use crate::population::permission_names;
use anyhow::{Context, Result, anyhow};
use keystead_domain::ids::{
    AuditId, EnvironmentId, OrganizationId, PermissionId, ProjectId, RequestId, ServiceAccountId,
};
use keystead_domain::time::{Clock, Micros};
use keystead_service::caller::{Caller, Origin};
use keystead_service::{
    ALONE_MAX, AuditSettings, Entropy, Keystead, MailSettings, Opened, Settings, SystemClock, Temporary,
    Waits,
};
use keystead_store::{
    Acted, Database, EnvironmentRow, Event, Options, PermissionRow, ProjectRow, ServiceAccountRow, Store,
    StoreError,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The project and its one environment.
pub const PROJECT: ProjectId = ProjectId([2; 16]);
/// Its environment.
pub const ENVIRONMENT: EnvironmentId = EnvironmentId([3; 16]);
/// Whose its keys are.
pub const OWNER: ServiceAccountId = ServiceAccountId([4; 16]);
/// When everything here was made.
pub const MADE: Micros = Micros(1_767_225_600_000_000);

const ROOT_KEY: &str = "root.key";

/// Where an installation is.
#[derive(Debug, Clone)]
pub struct Installation {
    /// For its root key and the embedded database.
    pub folder: PathBuf,
    /// Its database.
    pub database: Database,
}

impl Installation {
    /// On the embedded database of this folder.
    #[must_use]
    pub fn embedded(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), database: Database::Sqlite(folder.join("keystead.db")) }
    }

    /// For another node on the same database, in a folder of its own with the same root key.
    ///
    /// # Errors
    /// When the folder or the copy of the key cannot be made.
    pub fn beside(&self, name: &str) -> Result<Self> {
        let folder = self.folder.join(name);
        std::fs::create_dir(&folder)?;
        std::fs::copy(self.folder.join(ROOT_KEY), folder.join(ROOT_KEY)).context("no root key to copy")?;
        Ok(Self { folder, database: self.database.clone() })
    }

    /// Opens it, with the settings that a server has by default.
    ///
    /// # Errors
    /// When it does not open.
    pub async fn open(&self) -> Result<Opened> {
        self.open_with(AuditSettings::default()).await
    }

    /// The same, and the audit is kept so.
    ///
    /// # Errors
    /// When it does not open.
    pub async fn open_with(&self, audit: AuditSettings) -> Result<Opened> {
        let settings = Settings {
            store: self.options(),
            root_key: self.folder.join(ROOT_KEY).into(),
            log: Some(self.folder.join("after-backup.log")),
            usage_flush: Duration::from_secs(5),
            usage_queue_max: 65_536,
            max_staleness: Duration::from_secs(10),
            alone_max: ALONE_MAX,
            waits: Waits::default(),
            node_name: "bench".into(),
            node_file: None,
            temporary: Temporary::default(),
            audit,
            mail: MailSettings::default(),
            sign_in: keystead_service::SignInSettings::default(),
            new_admin_key: false,
        };
        let opened = Keystead::open(settings, Arc::new(SystemClock), Entropy::system()).await;
        opened.context("the installation does not open")
    }

    fn options(&self) -> Options {
        Options { database: self.database.clone(), readers: 4 }
    }

    /// Its store alone.
    ///
    /// # Errors
    /// When it does not open.
    pub async fn store(&self) -> Result<Store> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        Store::open(self.options(), clock).await.context("the store does not open")
    }

    /// Makes it, with a project `bench` and its environment `production`; the administrator's key.
    ///
    /// # Errors
    /// When it was there before, or cannot be made.
    pub async fn make(&self) -> Result<String> {
        let opened = self.open().await?;
        let key = opened.admin_key.context("there is an installation already")?.expose().to_owned();
        opened.keystead.close().await;
        let store = self.store().await?;
        let organization = organization(&store).await?;
        store
            .act::<_, StoreError, _>(move |tx| {
                Box::pin(async move {
                    tx.insert_project(&project(organization)).await?;
                    tx.insert_environment(&environment(organization)).await?;
                    tx.insert_service_account(&account(organization)).await?;
                    for (number, name) in (0_u128..).zip(permission_names()) {
                        tx.insert_permission(&permission(organization, number, name)).await?;
                    }
                    Ok(Acted { value: (), events: vec![event(organization, 1)], changes: Vec::new() })
                })
            })
            .await?;
        store.close().await;
        Ok(key)
    }
}

/// The installation's one organization.
///
/// # Errors
/// When there is none.
pub async fn organization(store: &Store) -> Result<OrganizationId> {
    let row = store.read().await?.organization_by_slug("default").await?;
    Ok(row.context("there is no organization")?.id)
}

/// Who a raw key is.
///
/// # Errors
/// When it is refused.
pub fn caller(keystead: &Keystead, key: &str) -> Result<Caller> {
    let origin = Origin {
        idempotency: None,
        ip: None,
        method: "POST".into(),
        path: "/".into(),
        user_agent: None,
        request_id: RequestId([0; 16]),
    };
    keystead.identify(key, origin).map_err(|refused| anyhow!("the administrator's key is refused: {refused}"))
}

/// Waits for `work` for as long as `limit`, in steps of a millisecond.
///
/// # Errors
/// When it does not come true in time.
pub fn wait_until(limit: Duration, mut work: impl FnMut() -> bool) -> Result<()> {
    let begun = instant();
    while !work() {
        anyhow::ensure!(begun.elapsed() < limit, "waited in vain");
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// An audit record for what is put straight into the store.
#[must_use]
pub fn event(organization_id: OrganizationId, number: u128) -> Event {
    Event {
        id: AuditId(number.to_be_bytes()),
        organization_id,
        at: MADE,
        actor_kind: "server".into(),
        actor_key: None,
        actor_owner: None,
        actor_member: None,
        actor_team: None,
        actor_session: None,
        actor_lineage: None,
        target_lineage: None,
        address: None,
        action: "bench.fill".into(),
        target_kind: "project".into(),
        target_id: PROJECT.to_string(),
        target_name: "bench".into(),
        project_id: Some(PROJECT),
        before_body: None,
        after_body: None,
        request_id: None,
    }
}

fn project(organization_id: OrganizationId) -> ProjectRow {
    ProjectRow {
        id: PROJECT,
        organization_id,
        name: "Bench".into(),
        slug: "bench".into(),
        prefix: "acme".into(),
        system: false,
        created_at: MADE,
        updated_at: MADE,
        version: 1,
    }
}

fn environment(organization_id: OrganizationId) -> EnvironmentRow {
    EnvironmentRow {
        id: ENVIRONMENT,
        organization_id,
        project_id: PROJECT,
        name: "Production".into(),
        slug: "production".into(),
        tag: "live".into(),
        created_at: MADE,
        updated_at: MADE,
        version: 1,
    }
}

fn account(organization_id: OrganizationId) -> ServiceAccountRow {
    ServiceAccountRow {
        id: OWNER,
        organization_id,
        project_id: PROJECT,
        name: "owner".into(),
        description: String::new(),
        ceiling: None,
        disabled: false,
        created_at: MADE,
        updated_at: MADE,
        version: 1,
    }
}

fn permission(organization_id: OrganizationId, number: u128, name: String) -> PermissionRow {
    PermissionRow {
        id: PermissionId(number.to_be_bytes()),
        organization_id,
        project_id: PROJECT,
        name,
        description: String::new(),
        public_safe: false,
        sensitive: false,
        created_at: MADE,
        updated_at: MADE,
        version: 1,
    }
}
