//! An organization's guidelines, version by version.

use crate::conn::{Conn, Tx};
use crate::error::StoreError;
use crate::row::row;
use crate::statement::statements;
use crate::value::Column;
use keystead_domain::ids::OrganizationId;
use keystead_domain::time::Micros;

row! {
    /// A version of an organization's guidelines.
    #[derive(Debug)]
    GuidelinesRow {
        /// Whose they are.
        organization_id: OrganizationId,
        /// Which one, from 1.
        version: i64,
        /// Markdown.
        body: String,
        /// Since when they hold.
        published_at: Micros,
    }
}

macro_rules! columns {
    () => {
        "organization_id, version, body, published_at"
    };
}

statements! {
    LAST(1) = concat!(
        "SELECT ", columns!(), " FROM guidelines WHERE organization_id = $1 ORDER BY version DESC LIMIT 1",
    );
    OF_VERSION(2) =
        concat!("SELECT ", columns!(), " FROM guidelines WHERE organization_id = $1 AND version = $2");
    LAST_VERSION(1) = "SELECT COALESCE(MAX(version), 0) FROM guidelines WHERE organization_id = $1";
    INSERT(4) = concat!(
        "INSERT INTO guidelines (", columns!(), ") VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
    );
}

impl Conn {
    /// The guidelines that an organization published last.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn guidelines(
        &mut self,
        organization: OrganizationId,
    ) -> Result<Option<GuidelinesRow>, StoreError> {
        self.row(&LAST, [organization.value()]).await
    }

    /// One version of them.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn guidelines_of_version(
        &mut self,
        organization: OrganizationId,
        version: i64,
    ) -> Result<Option<GuidelinesRow>, StoreError> {
        self.row(&OF_VERSION, [organization.value(), version.value()]).await
    }

    /// Which version holds; 0 where none was published.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn guidelines_version(&mut self, organization: OrganizationId) -> Result<i64, StoreError> {
        self.number(&LAST_VERSION, [organization.value()]).await
    }
}

impl Tx {
    /// Publishes a version; `false` when there is one of its number.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn insert_guidelines(&mut self, row: &GuidelinesRow) -> Result<bool, StoreError> {
        self.write("guidelines", &row.organization_id.0, &INSERT, row.values()).await
    }
}
