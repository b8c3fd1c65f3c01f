//! Organizations: tenants. Each has a system project, whose keys guard Keystead's own API.

use crate::act::{Target, with_difference};
use crate::admin_key::AdminKey;
use crate::caller::Caller;
use crate::cursor::Cut;
use crate::management::{self, BuiltInRole, Management};
use crate::refused::Refused;
use crate::{Keystead, present};
use keystead_api::{CreateOrganization, CreatedOrganization, Organization, Page, PageQuery};
use keystead_domain::ids::{
    EnvironmentId, OrganizationId, PermissionId, ProjectId, RoleId, ServiceAccountId,
};
use keystead_domain::name;
use keystead_domain::time::Micros;
use keystead_domain::token::PlainKey;
use keystead_store::{
    Acted, Change, ChangeKind, EnvironmentRow, OrganizationRow, PepperRow, PermissionRow, ProjectRow,
    RoleRow, ServiceAccountRow, StoreError, Tx, Unique,
};
use std::sync::Arc;

/// How keys that guard Keystead's own API begin.
pub(crate) const PREFIX: &str = "keystead";

impl Keystead {
    /// Creates an organization with the key that administers it. For the installation's operator.
    ///
    /// # Errors
    /// When the caller is not the operator, or the slug is taken.
    pub async fn create_organization(
        self: &Arc<Self>,
        caller: &Caller,
        input: CreateOrganization,
    ) -> Result<CreatedOrganization, Refused> {
        self.authorise(caller, management::INSTALLATION_ADMIN, None).await?;
        name::display_name("/name", &input.name)?;
        name::slug("/slug", &input.slug)?;
        let founded = self.found(input, management::ALL.to_vec())?;
        let mut event = self.event(caller, "organization.create", founded.target());
        event = with_difference(event, None, Some(&present::organization(&founded.organization)));
        let mut own = event.clone();
        own.id = self.entropy.with(|rng| keystead_domain::ids::AuditId::random(rng));
        own.organization_id = founded.organization.id;
        let shown = CreatedOrganization {
            organization: present::organization(&founded.organization),
            key: founded.admin.key.expose().to_owned(),
            key_id: founded.admin.row.id.to_string(),
        };
        let changes = founded.changes();
        self.act_once(caller, move |tx| {
            Box::pin(async move {
                founded.write(tx).await?;
                Ok(Acted { value: shown, events: vec![event, own], changes })
            })
        })
        .await
    }

    /// Every organization of the installation, newest first. For its operator.
    ///
    /// # Errors
    /// When the caller is not the operator.
    pub async fn list_organizations(
        self: &Arc<Self>,
        caller: &Caller,
        query: &PageQuery,
    ) -> Result<Page<Organization>, Refused> {
        self.authorise(caller, management::INSTALLATION_ADMIN, None).await?;
        let cut = Cut::read(query.limit, query.cursor.as_deref())?;
        let rows = self.store.read().await?.organizations(cut.after, cut.rows()).await?;
        cut.page(rows, |row| (row.created_at, row.id.0), |row| Ok(present::organization(&row)))
    }

    /// One organization, by id or slug: the caller's own, or any for the operator.
    ///
    /// # Errors
    /// When there is none, or it is another's.
    pub async fn organization(
        self: &Arc<Self>,
        caller: &Caller,
        id_or_slug: &str,
    ) -> Result<Organization, Refused> {
        self.authorise(caller, management::PROJECTS_READ, None).await?;
        let mut reader = self.store.read().await?;
        let row = match id_or_slug.parse::<OrganizationId>() {
            Ok(id) => reader.organization(id).await?,
            Err(_) => reader.organization_by_slug(id_or_slug).await?,
        };
        row.filter(|row| row.id == caller.organization() || self.is_operator(caller))
            .map(|row| present::organization(&row))
            .ok_or(Refused::not_found("organization"))
    }

    /// A new organization with all that it begins with.
    fn found(&self, input: CreateOrganization, permissions: Vec<Management>) -> Result<Founded, Refused> {
        let now = self.clock.now();
        self.entropy.with(|rng| {
            let organization = OrganizationId::random(rng);
            let (project, environment) = (ProjectId::random(rng), EnvironmentId::random(rng));
            let account = ServiceAccountId::random(rng);
            let admin =
                AdminKey::mint(&self.keyring, rng, (organization, project, environment, account), now)?;
            let permissions = permissions
                .iter()
                .map(|management| {
                    permission_row(management, PermissionId::random(rng), organization, project, now)
                })
                .collect();
            Ok(Founded {
                organization: OrganizationRow {
                    id: organization,
                    name: input.name,
                    slug: input.slug,
                    created_at: now,
                    updated_at: now,
                    version: 1,
                },
                project: system_project(organization, project, now),
                environment: system_environment(organization, project, environment, now),
                permissions,
                account: administrator(organization, project, account, now),
                admin,
                roles: management::ROLES
                    .iter()
                    .map(|role| role_row(role, RoleId::random(rng), organization, project, now))
                    .collect(),
            })
        })
    }
}

/// The operator's organization, on first start.
pub(crate) async fn bootstrap(keystead: &Keystead, peppers: Vec<PepperRow>) -> Result<PlainKey, Refused> {
    let permissions = [management::ALL, management::OPERATOR].concat();
    let input = CreateOrganization { name: "Default organization".into(), slug: "default".into() };
    let founded = keystead.found(input, permissions)?;
    let event = keystead.own_event(founded.organization.id, "installation.create", founded.target());
    keystead
        .store
        .act(move |tx| {
            Box::pin(async move {
                for pepper in &peppers {
                    tx.insert_pepper(pepper).await?;
                }
                founded.write(tx).await?;
                let changes = founded.changes();
                Ok::<_, Refused>(Acted { value: founded.admin.key, events: vec![event], changes })
            })
        })
        .await
}

/// Everything that a new organization begins with.
struct Founded {
    organization: OrganizationRow,
    project: ProjectRow,
    environment: EnvironmentRow,
    permissions: Vec<PermissionRow>,
    account: ServiceAccountRow,
    admin: AdminKey,
    roles: Vec<RoleRow>,
}

impl Founded {
    fn target(&self) -> Target<'_> {
        Target {
            kind: "organization",
            id: self.organization.id.to_string(),
            name: &self.organization.name,
            project: None,
        }
    }

    async fn write(&self, tx: &mut Tx) -> Result<(), Refused> {
        tx.insert_organization(&self.organization).await.map_err(|error| match error {
            StoreError::Unique(Unique::OrganizationSlug) => {
                Refused::conflict("An organization with this slug exists.", "Choose another slug.")
            }
            other => other.into(),
        })?;
        tx.insert_project(&self.project).await?;
        tx.insert_environment(&self.environment).await?;
        for permission in &self.permissions {
            tx.insert_permission(permission).await?;
        }
        for role in &self.roles {
            tx.insert_role(role).await?;
        }
        tx.insert_service_account(&self.account).await?;
        self.admin.write(tx).await
    }

    /// In the order in which they refer to each other.
    fn changes(&self) -> Vec<Change> {
        let organization = self.organization.id;
        let mut changes = vec![
            Change::new(organization, ChangeKind::Organization, organization.0),
            Change::new(organization, ChangeKind::Project, self.project.id.0),
            Change::new(organization, ChangeKind::Environment, self.environment.id.0),
        ];
        changes.extend(self.roles.iter().map(|role| Change::new(organization, ChangeKind::Role, role.id.0)));
        changes.push(Change::new(organization, ChangeKind::ServiceAccount, self.account.id.0));
        changes.push(Change::new(organization, ChangeKind::Key, self.admin.row.id.as_bytes()));
        changes
    }
}

fn system_project(organization_id: OrganizationId, id: ProjectId, now: Micros) -> ProjectRow {
    ProjectRow {
        id,
        organization_id,
        name: "Keystead".into(),
        slug: "keystead".into(),
        prefix: PREFIX.into(),
        system: true,
        created_at: now,
        updated_at: now,
        version: 1,
    }
}

fn system_environment(
    organization_id: OrganizationId,
    project_id: ProjectId,
    id: EnvironmentId,
    now: Micros,
) -> EnvironmentRow {
    EnvironmentRow {
        id,
        organization_id,
        project_id,
        name: "Production".into(),
        slug: "production".into(),
        tag: "live".into(),
        created_at: now,
        updated_at: now,
        version: 1,
    }
}

fn administrator(
    organization_id: OrganizationId,
    project_id: ProjectId,
    id: ServiceAccountId,
    now: Micros,
) -> ServiceAccountRow {
    ServiceAccountRow {
        id,
        organization_id,
        project_id,
        name: "administrator".into(),
        description: "Owns the first key of this organization.".into(),
        ceiling: None,
        disabled: false,
        created_at: now,
        updated_at: now,
        version: 1,
    }
}

pub(crate) fn role_row(
    role: &BuiltInRole,
    id: RoleId,
    organization_id: OrganizationId,
    project_id: ProjectId,
    now: Micros,
) -> RoleRow {
    RoleRow {
        id,
        organization_id,
        project_id,
        name: role.name.into(),
        description: role.description.into(),
        permissions: serde_json::Value::from(role.permissions).to_string(),
        created_at: now,
        updated_at: now,
        version: 1,
    }
}

pub(crate) fn permission_row(
    management: &Management,
    id: PermissionId,
    organization_id: OrganizationId,
    project_id: ProjectId,
    now: Micros,
) -> PermissionRow {
    PermissionRow {
        id,
        organization_id,
        project_id,
        name: management.name.into(),
        description: management.description.into(),
        public_safe: false,
        sensitive: management.sensitive,
        created_at: now,
        updated_at: now,
        version: 1,
    }
}
