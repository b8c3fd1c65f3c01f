//! The sessions of one's own account.

use crate::Keystead;
use crate::caller::{Caller, SessionProof};
use crate::cursor::Cut;
use crate::refused::Refused;
use keystead_api::{CurrentSession, Page, PageQuery, Session};
use keystead_domain::ids::SessionId;
use keystead_domain::time::Micros;
use keystead_store::{AccountRow, SessionRow};
use std::collections::hash_map::{Entry, HashMap};
use std::sync::Arc;

/// As it is shown.
pub(super) fn present(row: &SessionRow, organization: &str, current: Option<SessionId>) -> Session {
    Session {
        id: row.id.to_string(),
        organization: organization.to_owned(),
        member_id: row.member_id.to_string(),
        address: row.address.clone(),
        user_agent: row.user_agent.clone(),
        current: current == Some(row.id),
        created_at: row.created_at.to_timestamp(),
        last_seen_at: row.last_seen_at.to_timestamp(),
        expires_at: row.expires_at.to_timestamp(),
        second_factor_at: row.second_factor_at.map(Micros::to_timestamp),
        identity_provider: row.provider_id.map(|id| id.to_string()),
    }
}

impl Keystead {
    /// The sessions of the caller's account that go on, newest first.
    ///
    /// # Errors
    /// When the caller has no session.
    pub async fn list_sessions(
        self: &Arc<Self>,
        caller: &Caller,
        query: &PageQuery,
    ) -> Result<Page<Session>, Refused> {
        let own = caller.signed_in()?;
        let cut = Cut::read(query.limit, query.cursor.as_deref())?;
        let now = self.clock.now();
        let since = (now, now.plus(-self.sign_in.settings.idle_micros()));
        let mut reader = self.store.read().await?;
        let rows = reader.sessions_of_account(own.account, since, cut.after, cut.rows()).await?;
        let mut slugs = HashMap::new();
        for row in &rows {
            if let Entry::Vacant(place) = slugs.entry(row.organization_id) {
                let organization = reader.organization(row.organization_id).await?;
                place.insert(organization.map(|row| row.slug).unwrap_or_default());
            }
        }
        cut.page(
            rows,
            |row| (row.created_at, row.id.0),
            |row| {
                let slug = slugs.get(&row.organization_id).map_or("", String::as_str);
                Ok(present(&row, slug, Some(own.id)))
            },
        )
    }

    /// The session that asks, and whose it is.
    ///
    /// # Errors
    /// When the caller has no session.
    pub async fn current_session(self: &Arc<Self>, caller: &Caller) -> Result<CurrentSession, Refused> {
        let own = caller.signed_in()?;
        let account = self.own_account(own).await?;
        let email = match caller.member() {
            // Who signs in through a provider is known by the member's address: the account is the identity's own.
            Some(member) if account.password.is_none() => {
                let member = self.store.read().await?.member(caller.organization(), member).await?;
                member.map_or(account.email, |row| row.email)
            }
            _ => account.email,
        };
        Ok(CurrentSession {
            session: self.own_session(caller).await?,
            email,
            name: account.name,
            second_factor: self.has_second_factor(own.account).await?,
            csrf_token: self.csrf_token(own.id)?,
        })
    }

    pub(super) async fn own_session(&self, caller: &Caller) -> Result<Session, Refused> {
        let own = caller.signed_in()?;
        let mut reader = self.store.read().await?;
        let row = reader.session(own.id).await?.ok_or(Refused::NoSession)?;
        let organization = reader.organization(row.organization_id).await?.ok_or(Refused::NoSession)?;
        Ok(present(&row, &organization.slug, Some(own.id)))
    }

    pub(super) async fn own_account(&self, own: &SessionProof) -> Result<AccountRow, Refused> {
        self.store.read().await?.account(own.account).await?.ok_or(Refused::NoSession)
    }
}
