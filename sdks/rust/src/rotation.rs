//! Rotating keys: one, and by a project's plan.

use crate::{Client, Error};
use keystead_api::{
    DueKey, KeyRotation, Notice, Page, PageQuery, RotateKey, RotatedKey, RotationPlan, SetRotationPlan,
};

impl Client {
    /// Rotates a key. The answer holds the new key, which is shown only now.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 409 when it has ended or is being rotated.
    pub async fn rotate_key(&self, id: &str, rotation: &RotateKey) -> Result<RotatedKey, Error> {
        self.post(&["v1", "keys", id, "rotate"], rotation).await
    }

    /// Ends the old key of a rotation now, by the id of either of its keys.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 409 when it is in no rotation that is not over.
    pub async fn complete_rotation(&self, id: &str) -> Result<KeyRotation, Error> {
        self.post_nothing(&["v1", "keys", id, "rotate", "complete"]).await
    }

    /// Drops the new key of a rotation, by the id of either of its keys.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 409 when it is in no rotation that is not over.
    pub async fn cancel_rotation(&self, id: &str) -> Result<KeyRotation, Error> {
        self.post_nothing(&["v1", "keys", id, "rotate", "cancel"]).await
    }

    /// Keys of a project that are due to be rotated, or will be soon, one page; the oldest first.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn list_due_keys(&self, project: &str, page: &PageQuery) -> Result<Page<DueKey>, Error> {
        self.get(&["v1", "projects", project, "keys", "due"], page).await
    }

    /// A project's rotation plan.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn rotation_plan(&self, project: &str) -> Result<RotationPlan, Error> {
        self.get(&["v1", "projects", project, "rotation-plan"], &()).await
    }

    /// Sets a project's whole rotation plan; with `if_match`, only while its `version` is that.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 412 when it has changed since.
    pub async fn set_rotation_plan(
        &self,
        project: &str,
        plan: &SetRotationPlan,
        if_match: Option<i64>,
    ) -> Result<RotationPlan, Error> {
        self.put(&["v1", "projects", project, "rotation-plan"], plan, if_match).await
    }

    /// What people are told about the rotation of a project's keys, one page, newest first.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn list_notices(&self, project: &str, page: &PageQuery) -> Result<Page<Notice>, Error> {
        self.get(&["v1", "projects", project, "notices"], page).await
    }

    /// Has a notice sent now, also one that was given up.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 409 when it was sent, is being sent, or has nobody to
    /// go to.
    pub async fn retry_notice(&self, project: &str, id: &str) -> Result<Notice, Error> {
        self.post_nothing(&["v1", "projects", project, "notices", id, "retry"]).await
    }
}
