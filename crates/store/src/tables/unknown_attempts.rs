//! Unknown attempts: requests whose key nobody issued, in bounded aggregates: they are what a
//! search for keys looks like (LESSONS 5).

use crate::conn::{Conn, Ledger};
use crate::error::StoreError;
use crate::row::row;
use crate::statement::statements;
use crate::value::Column;
use keystead_domain::ids::{EnvironmentId, OrganizationId, ProjectId};
use keystead_domain::time::Micros;

row! {
    /// The attempts of one kind at one place.
    #[derive(Debug)]
    UnknownAttemptsRow {
        /// Where they were made.
        organization_id: OrganizationId,
        /// At which project; 16 zero bytes when none was named.
        project_id: ProjectId,
        /// At which environment; 16 zero bytes when none was named.
        environment_id: EnvironmentId,
        /// The verdict's code.
        code: String,
        /// How many.
        count: i64,
        /// When the first was made.
        first_at: Micros,
        /// When the last was made.
        last_at: Micros,
        /// From which networks and the like, as JSON.
        body: String,
    }
}

macro_rules! columns {
    () => {
        "organization_id, project_id, environment_id, code, count, first_at, last_at, body"
    };
}

statements! {
    OF_PROJECT(2) = concat!(
        "SELECT ", columns!(), " FROM unknown_attempts WHERE organization_id = $1 AND project_id = $2 ",
        "ORDER BY environment_id",
    );
    PUT(8) = concat!(
        "INSERT INTO unknown_attempts (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ",
        "ON CONFLICT (organization_id, project_id, environment_id, code) DO UPDATE SET count = excluded.count, ",
        "first_at = excluded.first_at, last_at = excluded.last_at, body = excluded.body",
    );
}

impl Conn {
    /// The attempts at a project of an organization, its environments' included.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn unknown_attempts(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
    ) -> Result<Vec<UnknownAttemptsRow>, StoreError> {
        self.rows(&OF_PROJECT, [organization.value(), project.value()]).await
    }
}

impl Ledger {
    /// Writes the attempts of one kind at one place, in place of what stood there.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn put_unknown_attempts(&mut self, row: &UnknownAttemptsRow) -> Result<(), StoreError> {
        self.execute(&PUT, row.values()).await.map(|_| ())
    }
}
