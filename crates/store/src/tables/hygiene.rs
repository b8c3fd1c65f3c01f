//! What hygiene reads of keys: a page of a project or an environment, with what was observed of each and who
//! owns it, in one statement.

use crate::After;
use crate::conn::Conn;
use crate::error::StoreError;
use crate::row::row;
use crate::statement::statements;
use crate::tables::page::{limit, page};
use crate::value::Column;
use keystead_domain::ids::{EnvironmentId, KeyId, OrganizationId, ProjectId};
use keystead_domain::time::Micros;

row! {
    /// A key as hygiene looks at it; what is resident is not read.
    #[derive(Debug)]
    only_read HygieneRow {
        /// Its id.
        id: KeyId,
        /// Its name.
        name: String,
        /// How its token begins.
        start: String,
        /// When it was made.
        created_at: Micros,
        /// When it was last changed.
        updated_at: Micros,
        /// What was observed of its lineage, as JSON.
        seen: Option<String>,
        /// The project of the service account that owns it.
        account_project: Option<ProjectId>,
        /// What that service account is.
        account_description: Option<String>,
        /// When that service account was last changed.
        account_updated_at: Option<Micros>,
        /// The contact of the consumer that owns it.
        consumer_contact: Option<String>,
        /// When the consumer that owns it was last changed.
        owner_updated_at: Option<Micros>,
        /// When the consumer that it was issued to was last changed.
        consumer_updated_at: Option<Micros>,
    }
}

macro_rules! select {
    ($place:literal) => {
        concat!(
            "SELECT keys.id, keys.name, keys.start, keys.created_at, keys.updated_at, seen.body, ",
            "service_accounts.project_id, service_accounts.description, service_accounts.updated_at, ",
            "owners.contact, owners.updated_at, consumers.updated_at FROM keys ",
            "LEFT JOIN seen ON seen.lineage_id = keys.lineage_id ",
            "LEFT JOIN service_accounts ON service_accounts.id = keys.owner_account ",
            "LEFT JOIN consumers AS owners ON owners.id = keys.owner_consumer ",
            "LEFT JOIN consumers ON consumers.id = keys.consumer_id ",
            "WHERE keys.",
            $place,
            // Nothing is found of these, and they can be many.
            " = $1 AND keys.parent_id IS NULL AND keys.revoked_at IS NULL AND keys.organization_id = $2 ",
            "AND (keys.created_at, keys.id) < ($3, $4) ",
            "ORDER BY keys.created_at DESC, keys.id DESC LIMIT $5"
        )
    };
}

statements! {
    OF_PROJECT(5) = select!("project_id");
    OF_ENVIRONMENT(5) = select!("environment_id");
}

impl Conn {
    /// A page of a project's keys, or of one of its environments', newest first: without those that were revoked or
    /// minted.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn hygiene_rows(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
        environment: Option<EnvironmentId>,
        after: After<KeyId>,
        rows_max: u32,
    ) -> Result<Vec<HygieneRow>, StoreError> {
        let (at, id) = page(after.map(|(at, id)| (at, *id.as_bytes())));
        let (statement, place) = match &environment {
            Some(environment) => (&OF_ENVIRONMENT, environment.value()),
            None => (&OF_PROJECT, project.value()),
        };
        let values = [place, organization.value(), at.value(), id.value(), limit(rows_max)];
        self.rows(statement, values).await
    }
}
