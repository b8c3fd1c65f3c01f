//! Which permissions a request needs: names joined by `all` and `any`, compiled and bounded.

use crate::invalid::Invalid;
use crate::{name, resource};
use keystead_api::PermissionQuery;

/// Most levels of `all` and `any` within each other.
pub const DEPTH_MAX: usize = 8;
/// Most names in one query, repeated ones counted.
pub const NAMES_MAX: usize = 64;

/// A question about permissions; see [`PermissionQuery`] for its written form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query(Node);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    One(Box<str>),
    On { permission: Box<str>, resource: Box<str> },
    All(Box<[Node]>),
    Any(Box<[Node]>),
}

impl Query {
    /// Compiles a query.
    ///
    /// # Errors
    /// When it nests more than 8 levels, has more than 64 names, an empty list (which would hold
    /// for everyone or no one), a pattern instead of a name, or a malformed resource.
    pub fn parse(query: &PermissionQuery) -> Result<Self, Invalid> {
        let mut names_left = NAMES_MAX;
        Node::parse(query, DEPTH_MAX, &mut names_left).map(Self)
    }

    /// Whether it holds when `held` says of each permission, with the resource it is needed on,
    /// whether it is held. `resource` is the request's; a part that names its own uses that.
    /// Asks no more than it must; allocates nothing.
    pub fn holds(&self, resource: Option<&str>, held: &mut dyn FnMut(&str, Option<&str>) -> bool) -> bool {
        self.0.holds(resource, held)
    }

    /// Calls `each` with every name, in order, repeated ones too. Allocates nothing.
    pub fn names(&self, each: &mut dyn FnMut(&str)) {
        self.0.names(each);
    }
}

impl Node {
    fn parse(query: &PermissionQuery, levels: usize, names_left: &mut usize) -> Result<Self, Invalid> {
        match query {
            PermissionQuery::One(permission) => Self::name("", permission, names_left).map(Self::One),
            PermissionQuery::On(on) => {
                let permission = Self::name("/permission", &on.permission, names_left)?;
                resource::check(&on.resource).map_err(|error| error.below("/resource"))?;
                Ok(Self::On { permission, resource: on.resource.as_str().into() })
            }
            PermissionQuery::All(parts) => Self::parts("/all", &parts.all, levels, names_left).map(Self::All),
            PermissionQuery::Any(parts) => Self::parts("/any", &parts.any, levels, names_left).map(Self::Any),
        }
    }

    fn name(field: &str, permission: &str, names_left: &mut usize) -> Result<Box<str>, Invalid> {
        *names_left = names_left.checked_sub(1).ok_or_else(|| {
            Invalid::new(
                field,
                "This query has too many names.",
                format!("Ask for at most {NAMES_MAX} permissions at once."),
            )
        })?;
        if permission.contains('*') {
            return Err(Invalid::new(
                field,
                "A request asks for permissions by name, and this is a pattern.",
                "Name each permission that the request needs, such as `routes.read`.",
            ));
        }
        name::permission_name(field, permission)?;
        Ok(permission.into())
    }

    fn parts(
        field: &str,
        parts: &[PermissionQuery],
        levels: usize,
        names_left: &mut usize,
    ) -> Result<Box<[Self]>, Invalid> {
        let Some(levels) = levels.checked_sub(1) else {
            return Err(Invalid::new(
                field,
                "This query nests too deep.",
                format!("Nest `all` and `any` at most {DEPTH_MAX} levels deep."),
            ));
        };
        if parts.is_empty() {
            return Err(Invalid::new(
                field,
                "This list is empty.",
                "Name at least one permission, or leave `permissions` out when none is needed.",
            ));
        }
        parts
            .iter()
            .enumerate()
            .map(|(at, part)| {
                Self::parse(part, levels, names_left).map_err(|error| error.below(&format!("{field}/{at}")))
            })
            .collect()
    }

    fn holds(&self, resource: Option<&str>, held: &mut dyn FnMut(&str, Option<&str>) -> bool) -> bool {
        match self {
            Self::One(permission) => held(permission, resource),
            Self::On { permission, resource } => held(permission, Some(resource)),
            Self::All(parts) => parts.iter().all(|part| part.holds(resource, held)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(resource, held)),
        }
    }

    fn names(&self, each: &mut dyn FnMut(&str)) {
        match self {
            Self::One(permission) | Self::On { permission, .. } => each(permission),
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.names(each)),
        }
    }
}

#[cfg(test)]
mod tests;
