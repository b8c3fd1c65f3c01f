//! Service accounts of a project.

use crate::{Client, Error};
use keystead_api::{CreateServiceAccount, Page, PageQuery, ServiceAccount, UpdateServiceAccount};

impl Client {
    /// Service accounts of a project (id or slug), one page.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn list_service_accounts(
        &self,
        project: &str,
        page: &PageQuery,
    ) -> Result<Page<ServiceAccount>, Error> {
        self.get(&["v1", "projects", project, "service-accounts"], page).await
    }

    /// Makes a service account.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] says which field the server refuses.
    pub async fn create_service_account(
        &self,
        project: &str,
        new: &CreateServiceAccount,
    ) -> Result<ServiceAccount, Error> {
        self.post(&["v1", "projects", project, "service-accounts"], new).await
    }

    /// A service account by id or name.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 404 when there is none.
    pub async fn service_account(
        &self,
        project: &str,
        service_account: &str,
    ) -> Result<ServiceAccount, Error> {
        self.get(&["v1", "projects", project, "service-accounts", service_account], &()).await
    }

    /// Changes a service account (id or name); with `if_match`, only while its `version` is that.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 412 when it has changed since.
    pub async fn update_service_account(
        &self,
        project: &str,
        service_account: &str,
        changes: &UpdateServiceAccount,
        if_match: Option<i64>,
    ) -> Result<ServiceAccount, Error> {
        self.patch(&["v1", "projects", project, "service-accounts", service_account], changes, if_match).await
    }

    /// Deletes a service account (id or name); with `if_match`, only while its `version` is that.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 409 while something needs it.
    pub async fn delete_service_account(
        &self,
        project: &str,
        service_account: &str,
        if_match: Option<i64>,
    ) -> Result<(), Error> {
        self.delete(&["v1", "projects", project, "service-accounts", service_account], if_match).await
    }
}
