//! A session as a caller: like a key of the system project that is its member's and may do whatever the member
//! may do now. There is no second mechanism of authorisation.

use crate::Keystead;
use crate::caller::{Caller, Origin, SessionProof};
use crate::refused::Refused;
use keystead_api::{Code, KeyKind, PermissionGrant};
use keystead_domain::cells::Place;
use keystead_domain::digest::{Digest, Purpose, equal};
use keystead_domain::entry::{Entry, Lineage, NO_PEPPER, Switch};
use keystead_domain::ids::{KEY_ID_DIGITS, KeyId, MemberId, OrganizationId, OwnerId, SessionId};
use keystead_domain::meter::Meter;
use keystead_domain::policy::{Policy, PolicySpec};
use keystead_domain::sign_in::secret_token::{SecretToken, TokenKind};
use keystead_domain::time::{Micros, SECOND};
use keystead_store::{Change, ChangeKind, SessionRow};
use std::sync::Arc;

/// How exactly it is known when a session was last used.
const SEEN_EVERY_MICROS: i64 = 60 * SECOND;

impl Keystead {
    /// Whose session a token is, as a caller.
    ///
    /// # Errors
    /// [`Refused::NoSession`] when it is none, or has ended; with the verdict `disabled` when its member is;
    /// `unavailable` on a node that cannot know.
    pub async fn recognise_session(self: &Arc<Self>, token: &str, origin: Origin) -> Result<Caller, Refused> {
        let now = self.clock.now();
        if self.keyring.is_stale(now) {
            return Err(Refused::Caller { code: Code::Unavailable, retry_after_seconds: None });
        }
        let token = SecretToken::parse(TokenKind::Session, token).ok_or_else(|| self.stranger())?;
        let row = self.store.read().await?.session(SessionId(token.id())).await?;
        let row = row.ok_or_else(|| self.stranger())?;
        if !equal(&self.session_digest(row.id, token.expose())?, &row.digest) {
            return Err(self.stranger());
        }
        let idle = now.since(row.last_seen_at) > self.sign_in.settings.idle_micros();
        if row.ended_at.is_some() || now >= row.expires_at || idle {
            return Err(Refused::NoSession);
        }
        let caller = Caller {
            entry: self.entry_anywhere(&row).await?,
            origin,
            session: Some(SessionProof {
                id: row.id,
                account: row.account_id,
                second_factor_at: row.second_factor_at,
            }),
            at: now,
        };
        if caller.entry.disabled_principal().is_some() {
            return Err(Refused::Caller { code: Code::Disabled, retry_after_seconds: None });
        }
        self.note_seen(&row, now).await;
        Ok(caller)
    }

    /// Somebody with a token that proves nothing: what guessing looks like.
    fn stranger(&self) -> Refused {
        self.counters.count_unknown_caller();
        Refused::NoSession
    }

    /// When it was used is worth no refusal.
    async fn note_seen(&self, row: &SessionRow, now: Micros) {
        let before = now.plus(-SEEN_EVERY_MICROS);
        if row.last_seen_at >= before {
            return;
        }
        let id = row.id;
        let noted = self.store.bookkeeping(move |ledger| {
            Box::pin(async move { Ok::<_, Refused>(ledger.session_seen(id, now, before).await?) })
        });
        if let Err(error) = noted.await {
            tracing::warn!(%error, "that a session was used could not be noted");
        }
    }

    /// Its entry, also where another node made the member a moment ago.
    async fn entry_anywhere(&self, row: &SessionRow) -> Result<Entry, Refused> {
        if self.keyring.directory.principal(OwnerId::Member(row.member_id)).is_none() {
            self.apply(&[Change::new(row.organization_id, ChangeKind::Member, row.member_id.0)]).await;
        }
        self.entry_of(row)
    }

    pub(super) fn entry_of(&self, row: &SessionRow) -> Result<Entry, Refused> {
        let entry = self.entry_of_member(row.organization_id, row.member_id, key_id_of(row.id))?;
        // A member that was deleted.
        entry.ok_or(Refused::NoSession)
    }

    /// What a member may do now, as a key that takes nothing away from it; `None` when there is no such member.
    pub(crate) fn entry_of_member(
        &self,
        organization: OrganizationId,
        member: MemberId,
        id: KeyId,
    ) -> Result<Option<Entry>, Refused> {
        let owner = self.keyring.directory.principal(OwnerId::Member(member));
        let Some(owner) = owner.filter(|owner| owner.organization == organization) else {
            return Ok(None);
        };
        Ok(Some(Entry {
            id,
            pepper: NO_PEPPER,
            switch: Switch::On,
            kind: KeyKind::Private,
            // No token has it: nothing looks for a session among keys.
            digest: Digest::from_bytes([0; 32]),
            not_before: Micros(i64::MIN),
            expires_at: Micros::FOREVER,
            suspended_until: Micros(i64::MIN),
            place: self.system_place(organization)?,
            owner,
            consumer: None,
            policy: self.everything(organization)?,
            lineage: Arc::new(Lineage::new(id, Meter::default())),
            special: None,
        }))
    }

    pub(crate) fn system_place(&self, organization: OrganizationId) -> Result<Arc<Place>, Refused> {
        let directory = &self.keyring.directory;
        let project = directory.projects_of(organization).into_iter().find(|project| project.system);
        let place = project.and_then(|project| directory.places_of(project.id).into_iter().next());
        place.ok_or_else(|| Refused::Internal("an organization without its system project".into()))
    }

    /// A policy that takes nothing away from what the member may do.
    fn everything(&self, organization: OrganizationId) -> Result<Arc<Policy>, Refused> {
        let everything = vec![PermissionGrant::Everywhere("**".into())];
        let spec = PolicySpec { permissions: everything, ..PolicySpec::default() };
        let hash = PolicySpec::hash_of(&spec.to_json());
        let directory = &self.keyring.directory;
        if let Some(policy) = directory.policy(organization, hash) {
            return Ok(policy);
        }
        Ok(directory.put_policy(organization, hash, Policy::compile(&spec, |_| None)?))
    }

    pub(super) fn session_digest(&self, id: SessionId, token: &str) -> Result<[u8; 32], Refused> {
        self.tag(Purpose::Session, &[&id.0, token.as_bytes()])
    }

    /// What a browser must send beside the cookie of a session: another site cannot know it.
    ///
    /// # Errors
    /// When the installation has no pepper.
    pub(super) fn csrf_token(&self, id: SessionId) -> Result<String, Refused> {
        let tag = self.tag(Purpose::Csrf, &[&id.0])?;
        Ok(tag.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Whether that is what a browser sent for the caller's session.
    #[must_use]
    pub fn is_csrf_token(&self, caller: &Caller, sent: &[u8]) -> bool {
        let expected = caller.session.as_ref().and_then(|session| self.csrf_token(session.id).ok());
        expected.is_some_and(|expected| equal(expected.as_bytes(), sent))
    }
}

/// What stands for a session where a key's id is needed: the last digits of its own. No key is found by it.
fn key_id_of(id: SessionId) -> KeyId {
    let text = id.to_string();
    let digits = text.as_bytes().last_chunk::<KEY_ID_DIGITS>().map(<[u8; KEY_ID_DIGITS]>::as_slice);
    digits.and_then(KeyId::from_slice).unwrap_or(KeyId::NONE)
}
