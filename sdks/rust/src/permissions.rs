//! A project's catalogue of permissions.

use crate::{Client, Error};
use keystead_api::{CreatePermission, Page, PageQuery, Permission, UpdatePermission};

impl Client {
    /// Permissions of a project (id or slug), one page.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn list_permissions(&self, project: &str, page: &PageQuery) -> Result<Page<Permission>, Error> {
        self.get(&["v1", "projects", project, "permissions"], page).await
    }

    /// Makes a permission.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] says which field the server refuses.
    pub async fn create_permission(
        &self,
        project: &str,
        new: &CreatePermission,
    ) -> Result<Permission, Error> {
        self.post(&["v1", "projects", project, "permissions"], new).await
    }

    /// A permission by id or name.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 404 when there is none.
    pub async fn permission(&self, project: &str, permission: &str) -> Result<Permission, Error> {
        self.get(&["v1", "projects", project, "permissions", permission], &()).await
    }

    /// Changes a permission (id or name); with `if_match`, only while its `version` is that.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 412 when it has changed since.
    pub async fn update_permission(
        &self,
        project: &str,
        permission: &str,
        changes: &UpdatePermission,
        if_match: Option<i64>,
    ) -> Result<Permission, Error> {
        self.patch(&["v1", "projects", project, "permissions", permission], changes, if_match).await
    }

    /// Deletes a permission (id or name); with `if_match`, only while its `version` is that.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 409 while something needs it.
    pub async fn delete_permission(
        &self,
        project: &str,
        permission: &str,
        if_match: Option<i64>,
    ) -> Result<(), Error> {
        self.delete(&["v1", "projects", project, "permissions", permission], if_match).await
    }
}
