//! The outbox: notices to people, written with what they are about, and sent after its commit.

use crate::After;
use crate::conn::{Conn, Ledger, Tx};
use crate::error::StoreError;
use crate::row::row;
use crate::statement::statements;
use crate::tables::page::{limit, page};
use crate::value::{Column, Value};
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
        /// Of which project; [`NO_PROJECT`] for a letter that is about none.
        project_id: ProjectId,
        /// What it is about: `rotation_due`, `rotation_started`, …
        kind: String,
        /// Which key; [`KeyId::NONE`] for a letter that is about none.
        key_id: KeyId,
        /// Names the occasion: for each there is one notice.
        once: String,
        /// To which addresses, as JSON.
        recipients: String,
        /// Its first line.
        subject: String,
        /// Its text; empty where that is sealed.
        body: String,
        /// `waiting`, `nobody` when no address is known, or `sealed`.
        state: String,
        /// When it was written.
        created_at: Micros,
        /// How often somebody began to send it; never less than before, so that it names the last one.
        attempts: i64,
        /// Before when nobody tries to send it; at once when `None`.
        next_at: Option<Micros>,
        /// Since when somebody sends it, who has until `next_at`.
        sending_since: Option<Micros>,
        /// When somebody asked for another try.
        retried_at: Option<Micros>,
        /// What became of it: `sent`, `given_up`, `held`; `None` while it is to be sent.
        outcome: Option<String>,
        /// When that was.
        closed_at: Option<Micros>,
        /// Why the last try failed.
        last_error: Option<String>,
        /// The addresses at which it was taken, as JSON.
        delivered: Option<String>,
        /// The text of a letter that carries a link, sealed; gone once it needs not be sent.
        sealed: Option<Vec<u8>>,
    }
}

row! {
    /// A notice that may be sent; the rest is read when it is taken.
    #[derive(Debug)]
    only_read DueNotice {
        /// Its id.
        id: NoticeId,
        /// Whose it is.
        organization_id: OrganizationId,
    }
}

/// The project of a letter that is about none.
pub const NO_PROJECT: ProjectId = ProjectId([0; 16]);

/// For which place the text of a letter is sealed.
#[must_use]
pub fn letter_place(id: NoticeId) -> String {
    format!("outbox/{id}/sealed")
}

macro_rules! columns {
    () => {
        "id, organization_id, project_id, kind, key_id, once, recipients, subject, body, state, created_at, \
         attempts, next_at, sending_since, retried_at, outcome, closed_at, last_error, delivered, sealed"
    };
}

macro_rules! open {
    () => {
        "state <> 'nobody' AND outcome IS NULL"
    };
}

// A turn further away than any was written by a clock that has since stepped back.
macro_rules! due {
    () => {
        "(next_at IS NULL OR next_at <= $1 OR next_at > $2)"
    };
}

statements! {
    INSERT(20) = concat!(
        "INSERT INTO outbox (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, ",
        "$13, $14, $15, $16, $17, $18, $19, $20) ON CONFLICT (once) DO NOTHING",
    );
    PAGE(5) = concat!(
        "SELECT ", columns!(), " FROM outbox WHERE organization_id = $1 AND project_id = $2 ",
        "AND (created_at, id) < ($3, $4) ORDER BY created_at DESC, id DESC LIMIT $5",
    );
    ONE(3) = concat!(
        "SELECT ", columns!(), " FROM outbox WHERE organization_id = $1 AND project_id = $2 AND id = $3",
    );
    BACKLOG(0) = concat!("SELECT count(*), coalesce(min(created_at), 0) FROM outbox WHERE ", open!());
    // Of each organization its first, then of each its second, …
    DUE(3) = concat!(
        "SELECT id, organization_id FROM (SELECT id, organization_id, coalesce(next_at, created_at) AS since, ",
        "row_number() OVER (PARTITION BY organization_id ORDER BY coalesce(next_at, created_at), id) AS turn ",
        "FROM outbox WHERE ", open!(), " AND ", due!(), ") AS due ORDER BY turn, since, id LIMIT $3",
    );
    // Of two at once the second waits for the first, and then finds it no longer due.
    CLAIM(4) = concat!(
        "UPDATE outbox SET attempts = attempts + 1, sending_since = $1, next_at = $3 WHERE id = $4 AND ", open!(),
        " AND ", due!(), " RETURNING ", columns!(),
    );
    ADDRESS(5) = "UPDATE outbox SET recipients = $1, state = $2, sending_since = $3, next_at = $4 WHERE id = $5";
    // Nobody sends one that somebody has asked to be tried again: who was late must not undo that.
    RECORD(7) = "UPDATE outbox SET sending_since = NULL, outcome = $1, closed_at = $2, next_at = $3, \
        last_error = $4, delivered = $5, sealed = CASE WHEN CAST($1 AS TEXT) IS NULL THEN sealed END \
        WHERE id = $6 AND attempts = $7 AND outcome IS NULL AND sending_since IS NOT NULL";
    RETRY(4) = "UPDATE outbox SET state = 'waiting', recipients = $1, retried_at = $2, next_at = NULL, \
        sending_since = NULL, outcome = NULL, closed_at = NULL WHERE id = $3 AND attempts = $4 \
        AND (outcome IS NULL OR outcome <> 'sent') AND (sending_since IS NULL OR next_at <= $2)";
    // That a key is due, or its person gone, is told once in its life.
    TRIM(1) = "DELETE FROM outbox WHERE created_at < $1 AND NOT (kind IN ('rotation_due', 'key_orphaned') \
        AND EXISTS (SELECT 1 FROM keys WHERE keys.id = outbox.key_id))";
}

/// What came of a try to send a notice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tried {
    /// What became of it: `sent` or `given_up`; `None` while it is to be tried again.
    pub outcome: Option<&'static str>,
    /// When that was.
    pub closed_at: Option<Micros>,
    /// When it is to be tried again.
    pub next_at: Option<Micros>,
    /// Why it failed.
    pub last_error: Option<String>,
    /// The addresses at which it was taken, as JSON.
    pub delivered: Option<String>,
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

    /// One of a project's notices.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn notice(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
        id: NoticeId,
    ) -> Result<Option<NoticeRow>, StoreError> {
        self.row(&ONE, [organization.value(), project.value(), id.value()]).await
    }

    /// How many notices are to be sent, and when the oldest of them was written.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn notices_to_send(&mut self) -> Result<(i64, Micros), StoreError> {
        let row: Option<(i64, i64)> = self.row(&BACKLOG, []).await?;
        Ok(row.map_or((0, Micros(0)), |(count, oldest)| (count, Micros(oldest))))
    }

    /// Notices that are to be sent now, of each organization in turn, who waits longest first; nothing is to be
    /// sent later than `far`.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn notices_due(
        &mut self,
        now: Micros,
        far: Micros,
        rows_max: u32,
    ) -> Result<Vec<DueNotice>, StoreError> {
        self.rows(&DUE, [now.value(), far.value(), limit(rows_max)]).await
    }
}

impl Ledger {
    /// Adds a notice; `false` when there is one of the same occasion.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn insert_notice(&mut self, row: &NoticeRow) -> Result<bool, StoreError> {
        self.write("outbox", &row.id.0, &INSERT, row.values()).await
    }

    /// Takes a notice that is due for whoever asks first, until an instant: then it is due again,
    /// whatever became of that one. `None` when another has it.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn claim_notice(
        &mut self,
        id: NoticeId,
        now: Micros,
        far: Micros,
        until: Micros,
    ) -> Result<Option<NoticeRow>, StoreError> {
        let claimed = self.row(&CLAIM, [now.value(), far.value(), until.value(), id.value()]).await?;
        if claimed.is_some() {
            self.touch("outbox", id.0);
        }
        Ok(claimed)
    }

    /// Writes to whom a notice goes by now, and with it its state and who has it.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn address_notice(&mut self, row: &NoticeRow) -> Result<bool, StoreError> {
        let values = [
            row.recipients.value(),
            row.state.value(),
            row.sending_since.value(),
            row.next_at.value(),
            row.id.value(),
        ];
        self.write("outbox", &row.id.0, &ADDRESS, values).await
    }

    /// Records what came of the try of that number; `false` when another has begun since, or was asked for.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn record_try(
        &mut self,
        id: NoticeId,
        attempt: i64,
        tried: &Tried,
    ) -> Result<bool, StoreError> {
        let values = [
            Value::Text(tried.outcome),
            tried.closed_at.value(),
            tried.next_at.value(),
            tried.last_error.value(),
            tried.delivered.value(),
            id.value(),
            attempt.value(),
        ];
        self.write("outbox", &id.0, &RECORD, values).await
    }

    /// Deletes notices from before an instant; how many. Those that a living key is due stay. The log has
    /// not that they went: what a restore brings back is as old, goes again, and is not sent.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn trim_notices(&mut self, before: Micros) -> Result<u64, StoreError> {
        self.execute(&TRIM, [before.value()]).await
    }
}

impl Tx {
    /// Has a notice sent again, or at last, to these addresses; `false` when it is not as it was seen, was
    /// sent, or is being sent.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn retry_notice(
        &mut self,
        seen: &NoticeRow,
        recipients: &str,
        now: Micros,
    ) -> Result<bool, StoreError> {
        let values = [Value::Text(Some(recipients)), now.value(), seen.id.value(), seen.attempts.value()];
        self.write("outbox", &seen.id.0, &RETRY, values).await
    }
}
