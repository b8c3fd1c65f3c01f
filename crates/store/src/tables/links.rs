//! Links that are used once: of an invitation, a recovery or a team's contact. Of a token only its keyed digest is kept.

use crate::conn::{Conn, Ledger, Tx};
use crate::error::StoreError;
use crate::row::row;
use crate::statement::statements;
use crate::value::Column;
use keystead_domain::ids::OrganizationId;
use keystead_domain::time::Micros;
use std::fmt;

row! {
    /// A link.
    LinkRow {
        /// Of which member, account or team: each has one at a time.
        subject_id: [u8; 16],
        /// Whose the member or the team is.
        organization_id: Option<OrganizationId>,
        /// `invitation`, `recovery` or `contact`.
        purpose: String,
        /// The keyed digest of its token.
        digest: [u8; 32],
        /// When it was made.
        created_at: Micros,
        /// When it ends.
        expires_at: Micros,
    }
}

impl fmt::Debug for LinkRow {
    /// Without the digest.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkRow").field("purpose", &self.purpose).finish_non_exhaustive()
    }
}

macro_rules! columns {
    () => {
        "subject_id, organization_id, purpose, digest, created_at, expires_at"
    };
}

statements! {
    PUT(6) = concat!(
        "INSERT INTO links (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (subject_id) DO UPDATE ",
        "SET organization_id = excluded.organization_id, purpose = excluded.purpose, digest = excluded.digest, ",
        "created_at = excluded.created_at, expires_at = excluded.expires_at",
    );
    OF(1) = concat!("SELECT ", columns!(), " FROM links WHERE subject_id = $1");
    // Of two at once the second waits for the first, and then finds none.
    TAKE(3) = "DELETE FROM links WHERE subject_id = $1 AND digest = $2 AND expires_at > $3";
    END(1) = "DELETE FROM links WHERE subject_id = $1";
    PURGE(1) = "DELETE FROM links WHERE expires_at <= $1";
}

impl Conn {
    /// The link of a member, an account or a team.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn link(&mut self, subject: &[u8; 16]) -> Result<Option<LinkRow>, StoreError> {
        self.row(&OF, [subject.value()]).await
    }
}

impl Ledger {
    /// Forgets links whose time is over; how many. The log has not that they went: what a restore brings back
    /// is over too.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn purge_links(&mut self, now: Micros) -> Result<u64, StoreError> {
        self.execute(&PURGE, [now.value()]).await
    }
}

impl Tx {
    /// Puts a link in place of the one that its member, account or team had.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn put_link(&mut self, row: &LinkRow) -> Result<(), StoreError> {
        self.write("links", &row.subject_id, &PUT, row.values()).await.map(|_| ())
    }

    /// Uses a link up; `false` when it was used, replaced, or its time is over.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn take_link(&mut self, row: &LinkRow, now: Micros) -> Result<bool, StoreError> {
        let values = [row.subject_id.value(), row.digest.value(), now.value()];
        self.write("links", &row.subject_id, &TAKE, values).await
    }

    /// Ends the link of a member, an account or a team, if there is one.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn end_link(&mut self, subject: &[u8; 16]) -> Result<bool, StoreError> {
        self.write("links", subject, &END, [subject.value()]).await
    }
}
