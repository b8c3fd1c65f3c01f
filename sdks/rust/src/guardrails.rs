//! Guardrails: what keys may be at most, of the organization and of each project.

use crate::{Client, Error};
use keystead_api::{Guardrails, GuardrailsPreview, GuardrailsView, Page, PageQuery, ViolatingKey};

impl Client {
    /// The organization's guardrails; with a project (id or slug) that one's, and all that holds there.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn guardrails(&self, project: Option<&str>) -> Result<GuardrailsView, Error> {
        self.get(&path(project, &[]), &()).await
    }

    /// Replaces guardrails; with `if_match`, only while their `version` is that: 0 while none were ever
    /// set. Keys that exist stay as they are.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 412 when they have changed since.
    pub async fn set_guardrails(
        &self,
        project: Option<&str>,
        rules: &Guardrails,
        if_match: Option<i64>,
    ) -> Result<GuardrailsView, Error> {
        self.put(&path(project, &[]), rules, if_match).await
    }

    /// How many keys that exist would violate these guardrails, before they are set.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] says which field the server refuses.
    pub async fn preview_guardrails(
        &self,
        project: Option<&str>,
        rules: &Guardrails,
    ) -> Result<GuardrailsPreview, Error> {
        self.post(&path(project, &["preview"]), rules).await
    }

    /// Keys of a project that violate a guardrail now, one page; it may hold fewer than asked and still
    /// say where the next begins.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn guardrails_report(
        &self,
        project: &str,
        page: &PageQuery,
    ) -> Result<Page<ViolatingKey>, Error> {
        self.get(&path(Some(project), &["report"]), page).await
    }
}

fn path<'a>(project: Option<&'a str>, rest: &[&'a str]) -> Vec<&'a str> {
    let beginning = match project {
        Some(project) => vec!["v1", "projects", project, "guardrails"],
        None => vec!["v1", "guardrails"],
    };
    beginning.into_iter().chain(rest.iter().copied()).collect()
}
