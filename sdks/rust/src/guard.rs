//! How the APIs of projects are guarded.

use crate::{Client, Error};
use keystead_api::{
    Guard, GuardDifference, GuardImport, GuardObservation, GuardView, Page, PageQuery, SetGuardMode,
};

impl Client {
    /// How a project's API (id or slug) is guarded.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 404 when it is not.
    pub async fn guard(&self, project: &str) -> Result<GuardView, Error> {
        self.get(&["v1", "projects", project, "guard"], &()).await
    }

    /// Replaces how a project's API is guarded; with `if_match`, only while its `version` is that: 0 while there is
    /// none.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] says which field the server refuses, with status 412 when it has changed.
    pub async fn set_guard(
        &self,
        project: &str,
        guard: &Guard,
        if_match: Option<i64>,
    ) -> Result<GuardView, Error> {
        self.put(&["v1", "projects", project, "guard"], guard, if_match).await
    }

    /// Lets a guard, or some of its routes, observe or enforce.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] when a route is named that there is not.
    pub async fn set_guard_mode(&self, project: &str, mode: &SetGuardMode) -> Result<GuardView, Error> {
        self.post(&["v1", "projects", project, "guard", "mode"], mode).await
    }

    /// What an OpenAPI document changes in a guard; applied only where `apply` says so.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] says what the server refuses of the document.
    pub async fn import_guard(&self, project: &str, import: &GuardImport) -> Result<GuardDifference, Error> {
        self.post(&["v1", "projects", project, "guard", "import"], import).await
    }

    /// The requests that observing let pass and enforcing would refuse, the most frequent first.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn guard_report(
        &self,
        project: &str,
        page: &PageQuery,
    ) -> Result<Page<GuardObservation>, Error> {
        self.get(&["v1", "projects", project, "guard", "report"], page).await
    }
}
