//! What a request needs beyond a valid key.

use keystead_api::{AllOf, AnyOf, PermissionOn, PermissionQuery};

/// What a request needs beyond a valid key: nothing by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Need {
    /// Which permissions.
    pub permissions: Option<PermissionQuery>,
    /// What they are needed on, such as `networks/NET-7`.
    pub resource: Option<String>,
    /// What the request takes of limits, quotas and credits; 1 when left out.
    pub cost: Option<u64>,
    /// Labels for the usage record; at most 8.
    pub tags: Vec<String>,
}

impl Need {
    /// One permission, by name.
    #[must_use]
    pub fn permission(name: impl Into<String>) -> Self {
        PermissionQuery::One(name.into()).into()
    }

    /// Every one of these.
    #[must_use]
    pub fn all_of<P: Into<String>>(names: impl IntoIterator<Item = P>) -> Self {
        PermissionQuery::All(AllOf { all: each(names) }).into()
    }

    /// At least one of these.
    #[must_use]
    pub fn any_of<P: Into<String>>(names: impl IntoIterator<Item = P>) -> Self {
        PermissionQuery::Any(AnyOf { any: each(names) }).into()
    }

    /// One permission on a resource of its own instead of the request's.
    #[must_use]
    pub fn permission_on(permission: impl Into<String>, resource: impl Into<String>) -> Self {
        PermissionQuery::On(PermissionOn { permission: permission.into(), resource: resource.into() }).into()
    }

    /// On this resource.
    #[must_use]
    pub fn on(mut self, resource: impl Into<String>) -> Self {
        self.resource = Some(resource.into());
        self
    }

    /// Takes so much of limits, quotas and credits.
    #[must_use]
    pub fn cost(mut self, cost: u64) -> Self {
        self.cost = Some(cost);
        self
    }
}

fn each<P: Into<String>>(names: impl IntoIterator<Item = P>) -> Vec<PermissionQuery> {
    names.into_iter().map(|name| PermissionQuery::One(name.into())).collect()
}

impl From<PermissionQuery> for Need {
    fn from(permissions: PermissionQuery) -> Self {
        Self { permissions: Some(permissions), ..Self::default() }
    }
}

impl From<&str> for Need {
    fn from(permission: &str) -> Self {
        Self::permission(permission)
    }
}
