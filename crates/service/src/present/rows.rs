//! Rows as the API shows them.

use crate::present::json;
use crate::refused::Refused;
use keystead_api::{
    AuditActor, AuditRecord, AuditTarget, Consumer, Environment, Permission, Project, Role, ServiceAccount,
};
use keystead_store::{
    AuditRow, ConsumerRow, EnvironmentRow, PermissionRow, ProjectRow, RoleRow, ServiceAccountRow,
};

/// A project.
pub(crate) fn project(row: &ProjectRow) -> Project {
    Project {
        id: row.id.to_string(),
        name: row.name.clone(),
        slug: row.slug.clone(),
        prefix: row.prefix.clone(),
        system: row.system,
        created_at: row.created_at.to_timestamp(),
        updated_at: row.updated_at.to_timestamp(),
        version: row.version,
    }
}

/// An environment.
pub(crate) fn environment(row: &EnvironmentRow) -> Environment {
    Environment {
        id: row.id.to_string(),
        name: row.name.clone(),
        slug: row.slug.clone(),
        tag: row.tag.clone(),
        created_at: row.created_at.to_timestamp(),
        updated_at: row.updated_at.to_timestamp(),
        version: row.version,
    }
}

/// A permission.
pub(crate) fn permission(row: &PermissionRow) -> Permission {
    Permission {
        id: row.id.to_string(),
        name: row.name.clone(),
        description: row.description.clone(),
        public_safe: row.public_safe,
        sensitive: row.sensitive,
        created_at: row.created_at.to_timestamp(),
        updated_at: row.updated_at.to_timestamp(),
        version: row.version,
    }
}

/// A role.
pub(crate) fn role(row: &RoleRow) -> Result<Role, Refused> {
    Ok(Role {
        id: row.id.to_string(),
        name: row.name.clone(),
        description: row.description.clone(),
        permissions: json(&row.permissions)?,
        created_at: row.created_at.to_timestamp(),
        updated_at: row.updated_at.to_timestamp(),
        version: row.version,
    })
}

/// A service account.
pub(crate) fn service_account(row: &ServiceAccountRow) -> Result<ServiceAccount, Refused> {
    Ok(ServiceAccount {
        id: row.id.to_string(),
        name: row.name.clone(),
        description: row.description.clone(),
        ceiling: row.ceiling.as_deref().map(json).transpose()?,
        disabled: row.disabled,
        created_at: row.created_at.to_timestamp(),
        updated_at: row.updated_at.to_timestamp(),
        version: row.version,
    })
}

/// A consumer.
pub(crate) fn consumer(row: &ConsumerRow) -> Result<Consumer, Refused> {
    Ok(Consumer {
        id: row.id.to_string(),
        name: row.name.clone(),
        external_id: row.external_id.clone(),
        contact: row.contact.clone(),
        ceiling: row.ceiling.as_deref().map(json).transpose()?,
        limits: json(&row.limits)?,
        quota: row.quota.as_deref().map(json).transpose()?,
        disabled: row.disabled,
        created_at: row.created_at.to_timestamp(),
        updated_at: row.updated_at.to_timestamp(),
        version: row.version,
    })
}

/// An audit record.
pub(crate) fn audit_record(row: AuditRow) -> Result<AuditRecord, Refused> {
    Ok(AuditRecord {
        id: row.id.to_string(),
        at: row.at.to_timestamp(),
        actor: AuditActor {
            kind: row.actor_kind,
            key_id: row.actor_key.map(|id| id.to_string()),
            owner: row.actor_owner,
            member: row.actor_member.map(|id| id.to_string()),
            team: row.actor_team.map(|id| id.to_string()),
            session: row.actor_session,
            lineage: row.actor_lineage.map(|id| id.to_string()),
        },
        address: row.address,
        action: row.action,
        target: AuditTarget {
            kind: row.target_kind,
            id: row.target_id,
            name: row.target_name,
            lineage: row.target_lineage.map(|id| id.to_string()),
        },
        project: row.project_id.map(|id| id.to_string()),
        before: row.before_body.as_deref().map(json).transpose()?,
        after: row.after_body.as_deref().map(json).transpose()?,
        request_id: row.request_id,
    })
}
