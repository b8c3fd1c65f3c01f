//! Projects of the caller's organization.

use crate::{Client, Error};
use keystead_api::{CreateProject, Page, PageQuery, Project, UpdateProject};

impl Client {
    /// Projects, one page.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn list_projects(&self, page: &PageQuery) -> Result<Page<Project>, Error> {
        self.get(&["v1", "projects"], page).await
    }

    /// Makes a project.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] says which field the server refuses.
    pub async fn create_project(&self, new: &CreateProject) -> Result<Project, Error> {
        self.post(&["v1", "projects"], new).await
    }

    /// A project by id or slug.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 404 when there is none.
    pub async fn project(&self, project: &str) -> Result<Project, Error> {
        self.get(&["v1", "projects", project], &()).await
    }

    /// Changes a project (id or slug); with `if_match`, only while its `version` is that.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 412 when it has changed since.
    pub async fn update_project(
        &self,
        project: &str,
        changes: &UpdateProject,
        if_match: Option<i64>,
    ) -> Result<Project, Error> {
        self.patch(&["v1", "projects", project], changes, if_match).await
    }
}
