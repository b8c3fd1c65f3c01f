//! What observing guards found: requests that enforcing would refuse, in bounded aggregates.

use crate::conn::{Conn, Ledger};
use crate::error::StoreError;
use crate::row::row;
use crate::statement::statements;
use crate::value::{Column, Value};
use keystead_domain::ids::{EnvironmentId, OrganizationId, ProjectId};
use keystead_domain::time::Micros;

row! {
    /// Requests of one route, reason and key.
    #[derive(Debug)]
    GuardObservationRow {
        /// At which project.
        project_id: ProjectId,
        /// At which environment of it.
        environment_id: EnvironmentId,
        /// The route, as people write it.
        route: String,
        /// The verdict's code.
        code: String,
        /// The key's id; empty where none was recognised.
        key_id: String,
        /// Whose the project is.
        organization_id: OrganizationId,
        /// How many.
        count: i64,
        /// When the first came.
        first_at: Micros,
        /// When the last came.
        last_at: Micros,
        /// Why, and what the last one was, as JSON.
        body: String,
    }
}

macro_rules! columns {
    () => {
        "project_id, environment_id, route, code, key_id, organization_id, count, first_at, last_at, body"
    };
}

statements! {
    OF_PROJECT(2) = concat!(
        "SELECT ", columns!(), " FROM guard_observations WHERE organization_id = $1 AND project_id = $2");
    COUNT(1) = "SELECT count(*) FROM guard_observations WHERE project_id = $1";
    TRIM(2) = "DELETE FROM guard_observations WHERE project_id = $1 AND last_at < $2";
    ADD(10) = concat!(
        "INSERT INTO guard_observations (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ",
        "ON CONFLICT (project_id, environment_id, route, code, key_id) DO UPDATE SET ",
        "count = guard_observations.count + excluded.count, last_at = excluded.last_at, body = excluded.body",
    );
    KNOWN(5) = "SELECT count(*) FROM guard_observations WHERE project_id = $1 AND environment_id = $2 \
        AND route = $3 AND code = $4 AND key_id = $5";
}

impl Conn {
    /// All that was found at a project, in no order.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn guard_observations(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
    ) -> Result<Vec<GuardObservationRow>, StoreError> {
        self.rows(&OF_PROJECT, [organization.value(), project.value()]).await
    }
}

impl Ledger {
    /// Adds to what was found, unless that would make more than `rows_max` rows of its project; `false` then.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn add_guard_observation(
        &mut self,
        row: &GuardObservationRow,
        rows_max: i64,
    ) -> Result<bool, StoreError> {
        let key = [
            row.project_id.value(),
            row.environment_id.value(),
            Value::Text(Some(&row.route)),
            Value::Text(Some(&row.code)),
            Value::Text(Some(&row.key_id)),
        ];
        if self.number(&KNOWN, key).await? == 0
            && self.number(&COUNT, [row.project_id.value()]).await? >= rows_max
        {
            return Ok(false);
        }
        self.execute(&ADD, row.values()).await.map(|_| true)
    }

    /// Forgets what was last found before then.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn trim_guard_observations(
        &mut self,
        project: ProjectId,
        before: Micros,
    ) -> Result<(), StoreError> {
        self.execute(&TRIM, [project.value(), before.value()]).await.map(|_| ())
    }
}
