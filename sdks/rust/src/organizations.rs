//! Organizations of the installation; for its operator.

use crate::{Client, Error};
use keystead_api::{CreateOrganization, CreatedOrganization, Organization, Page, PageQuery};

impl Client {
    /// Organizations, one page.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn list_organizations(&self, page: &PageQuery) -> Result<Page<Organization>, Error> {
        self.get(&["v1", "organizations"], page).await
    }

    /// Makes an organization. The answer holds its administrator's key, which is shown only now.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] says which field the server refuses.
    pub async fn create_organization(&self, new: &CreateOrganization) -> Result<CreatedOrganization, Error> {
        self.post(&["v1", "organizations"], new).await
    }

    /// An organization by id or slug.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 404 when there is none.
    pub async fn organization(&self, organization: &str) -> Result<Organization, Error> {
        self.get(&["v1", "organizations", organization], &()).await
    }
}
