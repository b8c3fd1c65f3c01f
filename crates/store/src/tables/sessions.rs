//! Sessions: people who signed in, and from where. Of a token only its keyed digest is kept.

use crate::After;
use crate::conn::{Conn, Ledger, Tx};
use crate::error::StoreError;
use crate::row::row;
use crate::statement::statements;
use crate::tables::page::{limit, page};
use crate::value::{Column, Value};
use keystead_domain::ids::{AccountId, IdentityProviderId, MemberId, OrganizationId, SessionId};
use keystead_domain::time::Micros;
use std::fmt;

row! {
    /// A session.
    SessionRow {
        /// Its id.
        id: SessionId,
        /// Who signed in.
        account_id: AccountId,
        /// As which member.
        member_id: MemberId,
        /// Of which organization.
        organization_id: OrganizationId,
        /// The keyed digest of its token.
        digest: [u8; 32],
        /// From which address it began.
        address: Option<String>,
        /// In which network that is.
        network: Option<String>,
        /// What the client called itself.
        user_agent: Option<String>,
        /// When it began.
        created_at: Micros,
        /// When it was last used, to within a minute.
        last_seen_at: Micros,
        /// When it ends, however much it is used.
        expires_at: Micros,
        /// When the second factor was last proved in it.
        second_factor_at: Option<Micros>,
        /// When somebody ended it.
        ended_at: Option<Micros>,
        /// Through which identity provider; none where it was a password.
        provider_id: Option<IdentityProviderId>,
    }
}

impl fmt::Debug for SessionRow {
    /// Without the digest.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionRow").field("id", &self.id).finish_non_exhaustive()
    }
}

macro_rules! columns {
    () => {
        "id, account_id, member_id, organization_id, digest, address, network, user_agent, created_at, \
         last_seen_at, expires_at, second_factor_at, ended_at, provider_id"
    };
}

statements! {
    INSERT(14) = concat!("INSERT INTO sessions (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)");
    BY_ID(1) = concat!("SELECT ", columns!(), " FROM sessions WHERE id = $1");
    PAGE(6) = concat!(
        "SELECT ", columns!(), " FROM sessions WHERE account_id = $1 AND ended_at IS NULL AND expires_at > $2 ",
        "AND last_seen_at > $3 AND (created_at, id) < ($4, $5) ORDER BY created_at DESC, id DESC LIMIT $6",
    );
    KNOWN(2) = "SELECT count(*) FROM sessions WHERE account_id = $1 AND network = $2";
    SEEN(3) = "UPDATE sessions SET last_seen_at = $1 WHERE id = $2 AND last_seen_at < $3";
    STEP_UP(2) = "UPDATE sessions SET second_factor_at = $1 WHERE id = $2 AND ended_at IS NULL";
    END(3) = "UPDATE sessions SET ended_at = $1 WHERE id = $2 AND account_id = $3 AND ended_at IS NULL";
    END_OF_ACCOUNT(3) = "UPDATE sessions SET ended_at = $1 WHERE account_id = $2 AND id <> $3 \
        AND ended_at IS NULL AND expires_at > $1 RETURNING id";
    END_OF_MEMBER(3) = "UPDATE sessions SET ended_at = $1 WHERE organization_id = $2 AND member_id = $3 \
        AND ended_at IS NULL AND expires_at > $1 RETURNING id";
    END_OF_PASSWORDS(3) = "UPDATE sessions SET ended_at = $1 WHERE organization_id = $2 AND provider_id IS NULL \
        AND id <> $3 AND ended_at IS NULL AND expires_at > $1 RETURNING id";
    END_OF_PROVIDER(3) = "UPDATE sessions SET ended_at = $1 WHERE organization_id = $2 AND provider_id = $3 \
        AND ended_at IS NULL AND expires_at > $1 RETURNING id";
    PURGE(1) = "DELETE FROM sessions WHERE expires_at < $1";
}

impl Conn {
    /// A session by its id, also one that has ended.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn session(&mut self, id: SessionId) -> Result<Option<SessionRow>, StoreError> {
        self.row(&BY_ID, [id.value()]).await
    }

    /// A page of an account's sessions that go on: that have not ended by `now` and were used after
    /// `idle_since`; newest first.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn sessions_of_account(
        &mut self,
        account: AccountId,
        (now, idle_since): (Micros, Micros),
        after: After<[u8; 16]>,
        rows_max: u32,
    ) -> Result<Vec<SessionRow>, StoreError> {
        let (at, id) = page(after);
        let values =
            [account.value(), now.value(), idle_since.value(), at.value(), id.value(), limit(rows_max)];
        self.rows(&PAGE, values).await
    }

    /// Whether an account has, or had lately, a session from a network.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn knows_network(&mut self, account: AccountId, network: &str) -> Result<bool, StoreError> {
        Ok(self.number(&KNOWN, [account.value(), Value::Text(Some(network))]).await? > 0)
    }
}

impl Ledger {
    /// Notes that a session was used, unless that was noted after `unless_after`. The log has not when: what a
    /// restore brings back has been idle for longer.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn session_seen(
        &mut self,
        id: SessionId,
        now: Micros,
        unless_after: Micros,
    ) -> Result<(), StoreError> {
        self.execute(&SEEN, [now.value(), id.value(), unless_after.value()]).await.map(|_| ())
    }

    /// Forgets sessions that would have ended before an instant; how many.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn purge_sessions(&mut self, before: Micros) -> Result<u64, StoreError> {
        self.execute(&PURGE, [before.value()]).await
    }
}

impl Tx {
    /// Adds a session.
    ///
    /// # Errors
    /// [`StoreError::Referenced`] when its account is gone, or when the database cannot answer.
    pub async fn insert_session(&mut self, row: &SessionRow) -> Result<(), StoreError> {
        self.write("sessions", &row.id.0, &INSERT, row.values()).await.map(|_| ())
    }

    /// Notes that the second factor was proved in a session; `false` when it has ended.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn step_up_session(&mut self, id: SessionId, now: Micros) -> Result<bool, StoreError> {
        self.write("sessions", &id.0, &STEP_UP, [now.value(), id.value()]).await
    }

    /// Ends an account's session; `false` when there is none that goes on.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn end_session(
        &mut self,
        account: AccountId,
        id: SessionId,
        now: Micros,
    ) -> Result<bool, StoreError> {
        self.write("sessions", &id.0, &END, [now.value(), id.value(), account.value()]).await
    }

    /// Ends every session of an account but one; how many.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn end_sessions_of_account(
        &mut self,
        account: AccountId,
        but: Option<SessionId>,
        now: Micros,
    ) -> Result<usize, StoreError> {
        let but = but.unwrap_or(SessionId([0; 16]));
        let ended: Vec<(Vec<u8>,)> =
            self.rows(&END_OF_ACCOUNT, [now.value(), account.value(), but.value()]).await?;
        Ok(self.ended(&ended))
    }

    /// Ends every session of a member of an organization; how many.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn end_sessions_of_member(
        &mut self,
        organization: OrganizationId,
        member: MemberId,
        now: Micros,
    ) -> Result<usize, StoreError> {
        let values = [now.value(), organization.value(), member.value()];
        let ended: Vec<(Vec<u8>,)> = self.rows(&END_OF_MEMBER, values).await?;
        Ok(self.ended(&ended))
    }

    /// Ends every session of an organization that began with a password, but one; how many.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn end_password_sessions(
        &mut self,
        organization: OrganizationId,
        but: Option<SessionId>,
        now: Micros,
    ) -> Result<usize, StoreError> {
        let but = but.unwrap_or(SessionId([0; 16]));
        let values = [now.value(), organization.value(), but.value()];
        let ended: Vec<(Vec<u8>,)> = self.rows(&END_OF_PASSWORDS, values).await?;
        Ok(self.ended(&ended))
    }

    /// Ends every session that began through an identity provider; how many.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn end_sessions_of_provider(
        &mut self,
        organization: OrganizationId,
        provider: IdentityProviderId,
        now: Micros,
    ) -> Result<usize, StoreError> {
        let values = [now.value(), organization.value(), provider.value()];
        let ended: Vec<(Vec<u8>,)> = self.rows(&END_OF_PROVIDER, values).await?;
        Ok(self.ended(&ended))
    }

    fn ended(&mut self, ended: &[(Vec<u8>,)]) -> usize {
        for (id,) in ended {
            self.touch("sessions", id);
        }
        ended.len()
    }
}
