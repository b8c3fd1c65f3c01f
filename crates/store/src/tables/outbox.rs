//! The outbox: notices to people, written with what they are about, and sent after its commit.

use crate::After;
use crate::conn::{Conn, Ledger};
use crate::error::StoreError;
use crate::row::row;
use crate::statement::statements;
use crate::tables::page::{limit, page};
use crate::value::Column;
use keystead_domain::ids::{KeyId, NoticeId, OrganizationId, ProjectId};
use keystead_domain::time::Micros;

row! {
    /// A notice.
    #[derive(Debug)]
    NoticeRow {
        /// Its id.
        id: NoticeId,
        /// Whose it is.
        organization_id: OrganizationId,
        /// Of which project.
        project_id: ProjectId,
        /// What it is about: `rotation_due`, `rotation_started`, …
        kind: String,
        /// Which key.
        key_id: KeyId,
        /// Names the occasion: for each there is one notice.
        once: String,
        /// To which addresses, as JSON.
        recipients: String,
        /// Its first line.
        subject: String,
        /// Its text.
        body: String,
        /// `waiting`, or `nobody` when no address is known.
        state: String,
        /// When it was written.
        created_at: Micros,
    }
}

macro_rules! columns {
    () => {
        "id, organization_id, project_id, kind, key_id, once, recipients, subject, body, state, created_at"
    };
}

statements! {
    INSERT(11) = concat!(
        "INSERT INTO outbox (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ",
        "ON CONFLICT (once) DO NOTHING",
    );
    PAGE(5) = concat!(
        "SELECT ", columns!(), " FROM outbox WHERE organization_id = $1 AND project_id = $2 ",
        "AND (created_at, id) < ($3, $4) ORDER BY created_at DESC, id DESC LIMIT $5",
    );
    // That a key is due is told once in its life.
    TRIM(1) = "DELETE FROM outbox WHERE created_at < $1 AND NOT (kind = 'rotation_due' \
        AND EXISTS (SELECT 1 FROM keys WHERE keys.id = outbox.key_id))";
}

impl Conn {
    /// A page of a project's notices, newest first.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn notices(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
        after: After<[u8; 16]>,
        rows_max: u32,
    ) -> Result<Vec<NoticeRow>, StoreError> {
        let (at, id) = page(after);
        self.rows(&PAGE, [organization.value(), project.value(), at.value(), id.value(), limit(rows_max)])
            .await
    }
}

impl Ledger {
    /// Adds a notice; `false` when there is one of the same occasion.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn insert_notice(&mut self, row: &NoticeRow) -> Result<bool, StoreError> {
        self.execute(&INSERT, row.values()).await.map(|rows| rows > 0)
    }

    /// Deletes notices from before an instant; how many. Those that a living key is due stay.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn trim_notices(&mut self, before: Micros) -> Result<u64, StoreError> {
        self.execute(&TRIM, [before.value()]).await
    }
}
