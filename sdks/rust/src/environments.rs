//! Environments of a project.

use crate::{Client, Error};
use keystead_api::{CreateEnvironment, Environment, Page, PageQuery, UpdateEnvironment};

impl Client {
    /// Environments of a project (id or slug), one page.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn list_environments(
        &self,
        project: &str,
        page: &PageQuery,
    ) -> Result<Page<Environment>, Error> {
        self.get(&["v1", "projects", project, "environments"], page).await
    }

    /// Makes an environment.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] says which field the server refuses.
    pub async fn create_environment(
        &self,
        project: &str,
        new: &CreateEnvironment,
    ) -> Result<Environment, Error> {
        self.post(&["v1", "projects", project, "environments"], new).await
    }

    /// An environment by id or slug.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 404 when there is none.
    pub async fn environment(&self, project: &str, environment: &str) -> Result<Environment, Error> {
        self.get(&["v1", "projects", project, "environments", environment], &()).await
    }

    /// Changes an environment (id or slug); with `if_match`, only while its `version` is that.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 412 when it has changed since.
    pub async fn update_environment(
        &self,
        project: &str,
        environment: &str,
        changes: &UpdateEnvironment,
        if_match: Option<i64>,
    ) -> Result<Environment, Error> {
        self.patch(&["v1", "projects", project, "environments", environment], changes, if_match).await
    }

    /// Deletes an environment (id or slug); with `if_match`, only while its `version` is that.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 409 while something needs it.
    pub async fn delete_environment(
        &self,
        project: &str,
        environment: &str,
        if_match: Option<i64>,
    ) -> Result<(), Error> {
        self.delete(&["v1", "projects", project, "environments", environment], if_match).await
    }
}
