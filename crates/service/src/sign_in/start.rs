//! Starting a session. Whatever is wrong is answered alike, after the same work; only who has the right password
//! is asked for more.

use super::second_factor::{Offered, Proof};
use super::tries::{Try, network};
use crate::Keystead;
use crate::caller::Origin;
use crate::refused::Refused;
use keystead_api::{CurrentSession, SignIn};
use keystead_domain::ids::{AccountId, IdentityProviderId, SessionId};
use keystead_domain::invalid::texts_at_most;
use keystead_domain::name;
use keystead_domain::sign_in::password::Password;
use keystead_domain::sign_in::secret_token::{PlainToken, TokenKind};
use keystead_domain::time::Micros;
use keystead_store::{AccountRow, Acted, MemberRow, OrganizationRow, SessionRow};
use std::sync::Arc;

/// The longest code or slug that is looked at, in bytes.
const TEXT_BYTES_MAX: usize = 128;
/// What is kept of a user agent, in characters.
const USER_AGENT_CHARACTERS_MAX: usize = 256;

/// A session that has just begun.
#[derive(Debug)]
pub struct Started {
    /// Its token: shown once, or set as a cookie.
    pub token: PlainToken,
    /// What is shown of it.
    pub current: CurrentSession,
    /// For how many seconds it lasts at most.
    pub seconds: u64,
}

/// Who was recognised, and by what.
pub(super) struct Entering<'a> {
    pub(super) account: &'a AccountRow,
    /// What is used up with it.
    pub(super) proof: Proof,
    /// To which organization, where that was said.
    pub(super) organization: Option<&'a str>,
    /// The name of the passkey that was the only proof.
    pub(super) passkey: Option<&'a str>,
}

/// How a session begins.
pub(super) struct Beginning<'a> {
    /// Whose it is.
    pub(super) account: AccountId,
    /// As whom.
    pub(super) member: &'a MemberRow,
    /// When a second factor was proved.
    pub(super) second_factor_at: Option<Micros>,
    /// Through whom; none with a password.
    pub(super) provider: Option<IdentityProviderId>,
}

impl Keystead {
    /// Signs somebody in.
    ///
    /// # Errors
    /// [`Refused::SignInFailed`] whatever is wrong; with the right password also
    /// [`Refused::SecondFactorRequired`], [`Refused::OrganizationRequired`] and [`Refused::SingleSignOnRequired`]. [`Refused::TooOften`] and
    /// [`Refused::Busy`] whoever it is.
    pub async fn sign_in(self: &Arc<Self>, input: &SignIn, origin: &Origin) -> Result<Started, Refused> {
        texts_at_most(TEXT_BYTES_MAX, &[("/organization", &input.organization), ("/code", &input.code)])?;
        let email = name::email("/email", &input.email)?;
        let password = Password::offered("/password", &input.password)?;
        let offered = Offered::without_session(input.code.as_deref(), input.passkey.as_ref())?;
        let place = self.sign_in.passwords.enter()?;
        let account = self.store.read().await?.account_by_email(&email).await?;
        let one = self.begin_try(&email, account.as_ref(), origin.ip).await?;
        let digest = account.as_ref().and_then(|account| account.password.as_deref());
        let right = self.sign_in.passwords.is_of(&place, &password, digest).await?;
        let account = account.filter(|_| right).ok_or(Refused::SignInFailed)?;
        drop(place);
        let proof = match self.second_factor_proof(account.id, offered, origin).await {
            Ok(proof) => proof,
            Err(refused) => return Err(self.asked_for_more(refused, one).await),
        };
        let organization = input.organization.as_deref();
        let entering = Entering { account: &account, proof, organization, passkey: None };
        match self.start_session(entering, origin).await {
            Ok(started) => {
                self.was_right(one).await;
                Ok(started)
            }
            Err(refused) => Err(self.asked_for_more(refused, one).await),
        }
    }

    /// Being asked for more is no failure.
    pub(super) async fn asked_for_more(&self, refused: Refused, one: Try) -> Refused {
        if matches!(
            refused,
            Refused::SecondFactorRequired
                | Refused::OrganizationRequired(_)
                | Refused::SingleSignOnRequired(_)
        ) {
            self.was_not_wrong(one).await;
        }
        refused
    }

    pub(super) async fn start_session(
        self: &Arc<Self>,
        entering: Entering<'_>,
        origin: &Origin,
    ) -> Result<Started, Refused> {
        let Entering { account, proof, organization, passkey } = entering;
        let (member, organization) = self.membership_of(account, organization).await?;
        let (row, token) = self.new_session(
            &Beginning {
                account: account.id,
                member: &member,
                second_factor_at: proof.at(self.clock.now()),
                provider: None,
            },
            origin,
        )?;
        let breaks_glass = self.breaks_glass(&row)?;
        let mut event = self.event_of(&member, Some(row.id), "session.create", &account.email, origin);
        event.after_body = passkey.map(|name| serde_json::json!({ "passkey": name }).to_string());
        let (seen, this, started) = (account.clone(), Arc::clone(self), row.clone());
        self.act(move |tx| {
            Box::pin(async move {
                // A password that is changed at this moment ends sessions that it can see.
                if !tx.hold_account(&seen).await? {
                    return Err(Refused::SignInFailed);
                }
                proof.take(tx, seen.id).await?;
                this.password_suffices(tx, row.organization_id, breaks_glass).await?;
                tx.insert_session(&row).await?;
                Ok(Acted { value: (), events: vec![event], changes: Vec::new() })
            })
        })
        .await?;
        let who = (account.email.clone(), account.name.clone());
        self.started(&started, token, &organization.slug, who)
    }

    /// A session that has just begun, as it is shown to whoever began it.
    pub(super) fn started(
        &self,
        row: &SessionRow,
        token: PlainToken,
        organization: &str,
        (email, name): (String, String),
    ) -> Result<Started, Refused> {
        let lasts = row.expires_at.since(row.created_at) / keystead_domain::time::SECOND;
        let current = CurrentSession {
            csrf_token: self.csrf_token(row.id)?,
            session: super::list::present(row, organization, Some(row.id)),
            email,
            name,
            second_factor: row.second_factor_at.is_some(),
        };
        Ok(Started { token, current, seconds: u64::try_from(lasts).unwrap_or(0) })
    }

    /// As which member somebody signs in.
    async fn membership_of(
        &self,
        account: &AccountRow,
        slug: Option<&str>,
    ) -> Result<(MemberRow, OrganizationRow), Refused> {
        let mut reader = self.store.read().await?;
        let mut found = Vec::new();
        for member in reader.members_of_account(account.id).await? {
            let organization = reader.organization(member.organization_id).await?;
            if let Some(organization) = organization.filter(|_| !member.disabled)
                && slug.is_none_or(|slug| slug == organization.slug)
            {
                found.push((member, organization));
            }
        }
        match found.len() {
            1 => found.pop().ok_or(Refused::SignInFailed),
            0 => Err(Refused::SignInFailed),
            _ => {
                let mut slugs: Vec<String> =
                    found.into_iter().map(|(_, organization)| organization.slug).collect();
                slugs.sort_unstable();
                Err(Refused::OrganizationRequired(slugs))
            }
        }
    }

    pub(super) fn new_session(
        &self,
        beginning: &Beginning<'_>,
        origin: &Origin,
    ) -> Result<(SessionRow, PlainToken), Refused> {
        let now = self.clock.now();
        let (id, token) = self.entropy.with(|rng| {
            let id = SessionId::random(rng);
            (id, PlainToken::mint(TokenKind::Session, id.0, rng))
        });
        let agent = origin.user_agent.as_deref().map(|agent| {
            agent.chars().filter(|c| !c.is_control()).take(USER_AGENT_CHARACTERS_MAX).collect::<String>()
        });
        let row = SessionRow {
            id,
            account_id: beginning.account,
            member_id: beginning.member.id,
            organization_id: beginning.member.organization_id,
            digest: self.session_digest(id, token.expose())?,
            address: origin.ip.map(|ip| ip.to_string()),
            network: Some(network(origin.ip)),
            user_agent: agent,
            created_at: now,
            last_seen_at: now,
            expires_at: now.plus(self.sign_in.settings.session_micros()),
            second_factor_at: beginning.second_factor_at,
            ended_at: None,
            provider_id: beginning.provider,
        };
        Ok((row, token))
    }
}
