//! What members have read: versions of the guidelines, and lessons.

use crate::conn::{Conn, Tx};
use crate::error::StoreError;
use crate::row::row;
use crate::statement::statements;
use crate::value::Column;
use keystead_domain::ids::MemberId;
use keystead_domain::time::Micros;

row! {
    /// Something that a member has read.
    #[derive(Debug)]
    ReadingRow {
        /// Who.
        member_id: MemberId,
        /// What: `guidelines`, or `lesson/` and its name.
        what: String,
        /// Which version of it.
        version: i64,
        /// When.
        read_at: Micros,
    }
}

statements! {
    OF_MEMBER(1) = "SELECT member_id, what, version, read_at FROM readings WHERE member_id = $1 \
        ORDER BY what, version";
    INSERT(4) = "INSERT INTO readings (member_id, what, version, read_at) VALUES ($1, $2, $3, $4) \
        ON CONFLICT DO NOTHING";
    FORGET(1) = "DELETE FROM readings WHERE member_id = $1";
}

impl Conn {
    /// All that a member has read.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn readings(&mut self, member: MemberId) -> Result<Vec<ReadingRow>, StoreError> {
        self.rows(&OF_MEMBER, [member.value()]).await
    }
}

impl Tx {
    /// Notes that a member has read something; `false` when that is known.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn insert_reading(&mut self, row: &ReadingRow) -> Result<bool, StoreError> {
        self.write("readings", &row.member_id.0, &INSERT, row.values()).await
    }

    /// Forgets all that a member has read, because the member is about to go.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn forget_readings(&mut self, member: MemberId) -> Result<(), StoreError> {
        self.write("readings", &member.0, &FORGET, [member.value()]).await.map(|_| ())
    }
}
