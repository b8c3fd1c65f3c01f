//! Consumers of a project: to whom keys are issued.

use crate::{Client, Error};
use keystead_api::{Consumer, CreateConsumer, Page, PageQuery, UpdateConsumer};

impl Client {
    /// Consumers of a project (id or slug), one page.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn list_consumers(&self, project: &str, page: &PageQuery) -> Result<Page<Consumer>, Error> {
        self.get(&["v1", "projects", project, "consumers"], page).await
    }

    /// Makes a consumer.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] says which field the server refuses.
    pub async fn create_consumer(&self, project: &str, new: &CreateConsumer) -> Result<Consumer, Error> {
        self.post(&["v1", "projects", project, "consumers"], new).await
    }

    /// A consumer by id or external id.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 404 when there is none.
    pub async fn consumer(&self, project: &str, consumer: &str) -> Result<Consumer, Error> {
        self.get(&["v1", "projects", project, "consumers", consumer], &()).await
    }

    /// Changes a consumer (id or external id); with `if_match`, only while its `version` is that.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 412 when it has changed since.
    pub async fn update_consumer(
        &self,
        project: &str,
        consumer: &str,
        changes: &UpdateConsumer,
        if_match: Option<i64>,
    ) -> Result<Consumer, Error> {
        self.patch(&["v1", "projects", project, "consumers", consumer], changes, if_match).await
    }

    /// Deletes a consumer (id or external id); with `if_match`, only while its `version` is that.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 409 while something needs it.
    pub async fn delete_consumer(
        &self,
        project: &str,
        consumer: &str,
        if_match: Option<i64>,
    ) -> Result<(), Error> {
        self.delete(&["v1", "projects", project, "consumers", consumer], if_match).await
    }
}
