//! What the tests stand on: two organizations, each with the same things in it.

use keystead_domain::ids::*;
use keystead_domain::time::Micros;
use keystead_store::testing::{START, TestStore};
use keystead_store::*;
use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) type Outcome<T = ()> = Result<T, StoreError>;

/// Acts with one audit record and no change.
macro_rules! act {
    ($store:expr, |$tx:ident| $body:expr) => {
        $store
            .act::<_, StoreError, _>(move |$tx| {
                Box::pin(async move {
                    let value = $body;
                    Ok(Acted { value, events: vec![$crate::world::event(1)], changes: Vec::new() })
                })
            })
            .await
    };
}
pub(crate) use act;

pub(crate) fn org(n: u8) -> OrganizationId {
    OrganizationId([n; 16])
}

pub(crate) fn project(n: u8) -> ProjectId {
    ProjectId([n; 16])
}

pub(crate) fn environment(n: u8) -> EnvironmentId {
    EnvironmentId([n; 16])
}

pub(crate) fn role(n: u8) -> RoleId {
    RoleId([n; 16])
}

pub(crate) fn service_account(n: u8) -> OwnerId {
    OwnerId::ServiceAccount(ServiceAccountId([n; 16]))
}

pub(crate) fn consumer(n: u8) -> ConsumerId {
    ConsumerId([n; 16])
}

pub(crate) fn key_id(n: u64) -> KeyId {
    KeyId::from_slice(format!("{n:012}").as_bytes()).unwrap()
}

pub(crate) const POLICY: [u8; 32] = [7; 32];

/// An audit record of organization `n`, with an id of its own.
pub(crate) fn event(n: u8) -> Event {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let id = u128::from(NEXT.fetch_add(1, Ordering::Relaxed));
    Event {
        id: AuditId(id.to_be_bytes()),
        organization_id: org(n),
        at: START,
        actor_kind: "system".to_owned(),
        actor_key: None,
        actor_owner: None,
        actor_member: None,
        actor_team: None,
        actor_session: None,
        actor_lineage: None,
        target_lineage: None,
        address: None,
        action: "test".to_owned(),
        target_kind: "test".to_owned(),
        target_id: "test".to_owned(),
        target_name: "test".to_owned(),
        project_id: None,
        before_body: None,
        after_body: None,
        request_id: None,
    }
}

pub(crate) fn organization_row(n: u8) -> OrganizationRow {
    OrganizationRow {
        id: org(n),
        name: format!("Organization {n}"),
        slug: format!("organization-{n}"),
        created_at: START,
        updated_at: START,
        version: 1,
    }
}

pub(crate) fn project_row(n: u8) -> ProjectRow {
    ProjectRow {
        id: project(n),
        organization_id: org(n),
        name: "Registry".to_owned(),
        slug: "registry".to_owned(),
        prefix: "acme".to_owned(),
        system: false,
        created_at: START,
        updated_at: START,
        version: 1,
    }
}

pub(crate) fn environment_row(n: u8) -> EnvironmentRow {
    EnvironmentRow {
        id: environment(n),
        organization_id: org(n),
        project_id: project(n),
        name: "Production".to_owned(),
        slug: "production".to_owned(),
        tag: "live".to_owned(),
        created_at: START,
        updated_at: START,
        version: 1,
    }
}

pub(crate) fn permission_row(n: u8) -> PermissionRow {
    PermissionRow {
        id: PermissionId([n; 16]),
        organization_id: org(n),
        project_id: project(n),
        name: "routes.write".to_owned(),
        description: "Changes routes".to_owned(),
        public_safe: false,
        sensitive: true,
        created_at: START,
        updated_at: START,
        version: 1,
    }
}

pub(crate) fn role_row(n: u8) -> RoleRow {
    RoleRow {
        id: role(n),
        organization_id: org(n),
        project_id: project(n),
        name: "editor".to_owned(),
        description: "Edits".to_owned(),
        permissions: r#"["routes.write"]"#.to_owned(),
        created_at: START,
        updated_at: START,
        version: 1,
    }
}

pub(crate) fn service_account_row(n: u8) -> ServiceAccountRow {
    ServiceAccountRow {
        id: ServiceAccountId([n; 16]),
        organization_id: org(n),
        project_id: project(n),
        name: "deployer".to_owned(),
        description: "Deploys".to_owned(),
        ceiling: Some("[]".to_owned()),
        disabled: false,
        created_at: START,
        updated_at: START,
        version: 1,
    }
}

pub(crate) fn consumer_row(n: u8) -> ConsumerRow {
    ConsumerRow {
        id: consumer(n),
        organization_id: org(n),
        project_id: project(n),
        name: "A customer".to_owned(),
        external_id: Some("customer-1".to_owned()),
        contact: Some("noc@example.net".to_owned()),
        ceiling: None,
        limits: "[]".to_owned(),
        quota: None,
        disabled: true,
        created_at: START,
        updated_at: START,
        version: 1,
    }
}

/// The `number`th key of organization `n`; later numbers were made later.
pub(crate) fn key_row(n: u8, number: u64) -> KeyRow {
    KeyRow {
        id: key_id(number),
        organization_id: org(n),
        environment_id: environment(n),
        lineage_id: key_id(number),
        kind: "private".to_owned(),
        digest: [u8::try_from(number % 251).unwrap(); 32],
        pepper_version: 1,
        owner: service_account(n),
        consumer_id: None,
        policy_hash: POLICY,
        disabled: false,
        suspended_until: None,
        revoked_at: None,
        not_before: None,
        expires_at: None,
        project_id: project(n),
        name: format!("Key {number}"),
        start: format!("acme_live_{number:012}"),
        revoked_reason: None,
        metadata: None,
        created_at: START.plus(i64::try_from(number).unwrap()),
        created_by: None,
        created_from: None,
        updated_at: START,
        version: 1,
        parent_id: None,
        uses: None,
        may_mint: None,
    }
}

/// Adds organization `n` with one of everything but keys.
pub(crate) async fn settle(store: &TestStore, n: u8) {
    act!(store.store, |tx| {
        tx.insert_organization(&organization_row(n)).await?;
        tx.insert_project(&project_row(n)).await?;
        tx.insert_environment(&environment_row(n)).await?;
        tx.insert_permission(&permission_row(n)).await?;
        tx.insert_role(&role_row(n)).await?;
        tx.insert_service_account(&service_account_row(n)).await?;
        tx.insert_consumer(&consumer_row(n)).await?;
        tx.insert_policy(org(n), &POLICY, "{}").await?;
    })
    .unwrap();
}

pub(crate) async fn add_key(store: &TestStore, row: KeyRow) {
    add_tagged(store, row, Vec::new()).await;
}

pub(crate) async fn add_tagged(store: &TestStore, row: KeyRow, tags: Vec<String>) {
    act!(store.store, |tx| tx.insert_key(&row, &tags, &[], &[]).await?).unwrap();
}

pub(crate) async fn read(store: &TestStore) -> Reader {
    store.store.read().await.unwrap()
}

pub(crate) const fn minutes(minutes: i64) -> Micros {
    START.plus(minutes * 60_000_000)
}
