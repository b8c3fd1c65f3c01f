//! Roles of a project: named sets of permissions.

use crate::{Client, Error};
use keystead_api::{CreateRole, Page, PageQuery, Role, UpdateRole};

impl Client {
    /// Roles of a project (id or slug), one page.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn list_roles(&self, project: &str, page: &PageQuery) -> Result<Page<Role>, Error> {
        self.get(&["v1", "projects", project, "roles"], page).await
    }

    /// Makes a role.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] says which field the server refuses.
    pub async fn create_role(&self, project: &str, new: &CreateRole) -> Result<Role, Error> {
        self.post(&["v1", "projects", project, "roles"], new).await
    }

    /// A role by id or name.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 404 when there is none.
    pub async fn role(&self, project: &str, role: &str) -> Result<Role, Error> {
        self.get(&["v1", "projects", project, "roles", role], &()).await
    }

    /// Changes a role (id or name); with `if_match`, only while its `version` is that.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 412 when it has changed since.
    pub async fn update_role(
        &self,
        project: &str,
        role: &str,
        changes: &UpdateRole,
        if_match: Option<i64>,
    ) -> Result<Role, Error> {
        self.patch(&["v1", "projects", project, "roles", role], changes, if_match).await
    }

    /// Deletes a role (id or name); with `if_match`, only while its `version` is that.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 409 while something needs it.
    pub async fn delete_role(&self, project: &str, role: &str, if_match: Option<i64>) -> Result<(), Error> {
        self.delete(&["v1", "projects", project, "roles", role], if_match).await
    }
}
