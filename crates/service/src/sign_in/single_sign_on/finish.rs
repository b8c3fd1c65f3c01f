//! Finishing a sign-in: by who began it, once, with what the provider sent back.

use super::flow::Returns;
use super::{issuer_of, of_provider};
use crate::Keystead;
use crate::caller::Origin;
use crate::refused::{NotSignedIn, Refused};
use crate::sign_in::Started;
use crate::sign_in::start::Beginning;
use keystead_api::SingleSignOnCallback;
use keystead_domain::digest::equal;
use keystead_domain::ids::FlowId;
use keystead_domain::sign_in::secret_token::{SecretToken, TokenKind};
use keystead_domain::time::{Micros, SECOND};
use keystead_oidc::{Claims, Exchange, Expected};
use keystead_store::{Acted, FlowRow, IdentityProviderRow, Size, provider_secret_place};
use std::sync::Arc;
use zeroize::Zeroizing;

/// The longest code that is sent on, in bytes.
const CODE_BYTES_MAX: usize = 4_096;

impl Keystead {
    /// Finishes a sign-in with what a browser brought back. Whatever comes of it, it is used up once the token and
    /// the state are right: a code is tried once.
    ///
    /// # Errors
    /// [`Refused::SingleSignOn`] says why somebody is not let in.
    pub async fn finish_single_sign_on(
        self: &Arc<Self>,
        flow: &str,
        back: &SingleSignOnCallback,
        returns: Returns,
        origin: &Origin,
    ) -> Result<Started, Refused> {
        let row = self.take_flow(flow, back.state.as_deref(), returns).await?;
        let none = || Refused::SingleSignOn(NotSignedIn::Flow);
        let provider =
            self.store.read().await?.identity_provider(row.organization_id, row.provider_id).await?;
        let provider = provider.ok_or_else(none)?;
        let claims = self.ask_provider(flow, &row, &provider, back).await?;
        self.let_in(provider, claims, origin).await
    }

    /// Uses a sign-in up that was begun by who holds its token. Another browser's, or one whose state is another's,
    /// is answered like one that never was, and is left alone.
    async fn take_flow(&self, flow: &str, state: Option<&str>, returns: Returns) -> Result<FlowRow, Refused> {
        let none = || Refused::SingleSignOn(NotSignedIn::Flow);
        let token = SecretToken::parse(TokenKind::Flow, flow.trim()).ok_or_else(none)?;
        let id = FlowId(token.id());
        let row = self.store.read().await?.flow(id).await?.ok_or_else(none)?;
        let expected = self.derive(token.expose())?.state;
        // A browser's is not finished by a program, which would be answered a token that scripts can read.
        let is_here = (row.redirect_uri == self.redirect_uri()) == (returns == Returns::Here);
        let is_starter = is_here && equal(&self.flow_digest(id, token.expose())?, &row.digest);
        if !is_starter || !state.is_some_and(|state| equal(state.as_bytes(), expected.as_bytes())) {
            return Err(none());
        }
        let now = self.clock.now();
        let taken = self.store.bookkeeping(move |ledger| {
            Box::pin(async move { Ok::<_, Refused>(ledger.take_flow(id, now).await?) })
        });
        if taken.await? { Ok(row) } else { Err(none()) }
    }

    async fn ask_provider(
        &self,
        flow: &str,
        row: &FlowRow,
        provider: &IdentityProviderRow,
        back: &SingleSignOnCallback,
    ) -> Result<Claims, Refused> {
        let (now, relying) = (self.clock.now(), &self.sign_in.relying);
        let issuer = issuer_of(provider, relying.bounds())?;
        let metadata = relying.metadata(&issuer, now).await.map_err(of_provider)?;
        if !metadata.is_sender(back.iss.as_deref()) {
            return Err(Refused::SingleSignOn(NotSignedIn::Sender));
        }
        let code = back.code.as_deref().filter(|code| back.error.is_none() && code.len() <= CODE_BYTES_MAX);
        let code = code.ok_or(Refused::SingleSignOn(NotSignedIn::Denied))?;
        let derived = self.derive(flow.trim())?;
        let secret = self.client_secret(provider)?;
        let exchange = Exchange {
            client_id: &provider.client_id,
            client_secret: secret.as_ref().map(|secret| secret.as_str()),
            code,
            verifier: &derived.verifier,
            redirect_uri: &row.redirect_uri,
            groups_claim: provider.groups_claim.as_deref(),
        };
        let expected = Expected {
            issuer: issuer.as_str(),
            client_id: &provider.client_id,
            nonce: &derived.nonce,
            again: row.again,
        };
        relying.sign_in(&issuer, &exchange, &expected, now).await.map_err(|failure| {
            tracing::info!(provider = %provider.id, %failure, "a sign-in through an identity provider failed");
            of_provider(failure)
        })
    }

    fn client_secret(&self, provider: &IdentityProviderRow) -> Result<Option<Zeroizing<String>>, Refused> {
        let Some(sealed) = &provider.sealed else { return Ok(None) };
        let unreadable =
            |error: &dyn std::fmt::Display| Refused::Internal(format!("a client's secret: {error}"));
        let opened = self.root.keys().open(&provider_secret_place(provider.id), sealed);
        let opened = opened.map_err(|error| unreadable(&error))?;
        let text = str::from_utf8(&opened).map_err(|error| unreadable(&error))?;
        Ok(Some(Zeroizing::new(text.to_owned())))
    }

    async fn let_in(
        self: &Arc<Self>,
        provider: IdentityProviderRow,
        claims: Claims,
        origin: &Origin,
    ) -> Result<Started, Refused> {
        let organization = self.store.read().await?.organization(provider.organization_id).await?;
        let slug = organization.ok_or(Refused::SingleSignOn(NotSignedIn::Flow))?.slug;
        let (this, by, now) = (Arc::clone(self), origin.clone(), self.clock.now());
        self.act_of(Size::Large, move |tx| {
            Box::pin(async move {
                let mut admitted = this.admit_person(tx, &provider, &claims, &by).await?;
                let mapped = this.map_groups(tx, &provider, &admitted.member, &claims, &by).await?;
                let (row, token) = this.new_session(
                    &Beginning {
                        account: admitted.account.id,
                        member: &admitted.member,
                        second_factor_at: second_factor_at(&claims, now),
                        provider: Some(provider.id),
                    },
                    &by,
                )?;
                tx.insert_session(&row).await?;
                let member = admitted.member;
                let changed = admitted.changed || !mapped.is_empty();
                let changes = changed.then(|| crate::people::member_change(&member)).into_iter().collect();
                admitted.events.extend(mapped);
                let mut event = this.event_of(&member, Some(row.id), "session.create", &member.email, &by);
                event.after_body =
                    Some(serde_json::json!({ "identity_provider": provider.name }).to_string());
                admitted.events.push(event);
                let value = this.started(&row, token, &slug, (member.email, member.name))?;
                Ok(Acted { value, events: admitted.events, changes })
            })
        })
        .await
    }
}

/// When the person proved more than one factor, where the provider says so and when: never later than now.
fn second_factor_at(claims: &Claims, now: Micros) -> Option<Micros> {
    let at = claims.authenticated_at().filter(|_| claims.is_multi_factor())?;
    Some(Micros(at.saturating_mul(SECOND)).min(now))
}
