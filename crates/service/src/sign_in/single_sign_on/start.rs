//! Beginning a sign-in through a provider.

use super::flow::{FROM_NETWORK_MAX, LASTS_MICROS, Returns};
use super::{issuer_of, of_provider};
use crate::Keystead;
use crate::caller::Origin;
use crate::present::json;
use crate::refused::Refused;
use crate::sign_in::tries::network;
use keystead_api::{BegunSingleSignOn, StartSingleSignOn};
use keystead_domain::ids::{FlowId, IdentityProviderId};
use keystead_domain::invalid::{Invalid, texts_at_most};
use keystead_domain::sign_in::secret_token::{PlainToken, TokenKind};
use keystead_oidc::{Authorization, challenge};
use keystead_store::{FlowRow, IdentityProviderRow};

/// The longest name that is looked at, in bytes.
const TEXT_BYTES_MAX: usize = 128;

/// A sign-in that was begun, and what only its starter may hold.
pub struct Begun {
    /// What is answered; its `flow` is left out.
    pub answer: BegunSingleSignOn,
    /// Proves later who began.
    pub flow: PlainToken,
    /// To whom the browser comes back.
    pub returns: Returns,
    /// For how many seconds it lasts.
    pub seconds: u64,
}

impl std::fmt::Debug for Begun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Begun")
    }
}

impl Keystead {
    /// Begins a sign-in.
    ///
    /// # Errors
    /// [`Refused::NotFound`] alike when there is no such organization or provider; [`Refused::TooOften`]; and when
    /// the provider cannot be used.
    pub async fn start_single_sign_on(
        &self,
        input: &StartSingleSignOn,
        origin: &Origin,
    ) -> Result<Begun, Refused> {
        texts_at_most(
            TEXT_BYTES_MAX,
            &[("/provider", &input.provider), ("/organization", &Some(input.organization.clone()))],
        )?;
        if input.loopback_port == Some(0) {
            return Err(Invalid::new(
                "/loopback_port",
                "No browser reaches port 0.",
                "Send the port that you listen on.",
            )
            .into());
        }
        let provider = self.provider_named(&input.organization, input.provider.as_deref()).await?;
        let issuer = issuer_of(&provider, self.sign_in.relying.bounds())?;
        let redirect_uri = match input.loopback_port {
            Some(port) => format!("http://127.0.0.1:{port}/callback"),
            None => self.redirect_uri(),
        };
        let (row, flow) = self.new_flow(&provider, redirect_uri, input.again, origin)?;
        let derived = self.derive(flow.expose())?;
        // Counted before anybody is asked: whoever floods asks nobody.
        self.add_flow(row.clone()).await?;
        let metadata = self.sign_in.relying.metadata(&issuer, row.created_at).await.map_err(of_provider)?;
        let scopes: Vec<String> = json(&provider.scopes)?;
        let url = Authorization {
            client_id: &provider.client_id,
            redirect_uri: &row.redirect_uri,
            scopes: &scopes,
            state: &derived.state,
            nonce: &derived.nonce,
            challenge: &challenge(&derived.verifier),
            again: input.again,
        }
        .url(&metadata);
        let returns = if input.loopback_port.is_some() { Returns::Program } else { Returns::Here };
        let answer = BegunSingleSignOn { url, flow: None, expires_at: row.expires_at.to_timestamp() };
        let seconds = u64::try_from(LASTS_MICROS / keystead_domain::time::SECOND).unwrap_or(0);
        Ok(Begun { answer, flow, returns, seconds })
    }

    async fn provider_named(&self, slug: &str, named: Option<&str>) -> Result<IdentityProviderRow, Refused> {
        let none = || Refused::not_found("identity provider");
        let mut reader = self.store.read().await?;
        let organization = reader.organization_by_slug(slug).await?.ok_or_else(none)?.id;
        let found = match named.map(|named| (named, named.parse::<IdentityProviderId>())) {
            Some((_, Ok(id))) => reader.identity_provider(organization, id).await?,
            Some((name, Err(_))) => reader.identity_provider_by_name(organization, name).await?,
            None => {
                let mut all = reader.identity_providers(organization).await?;
                if all.len() > 1 {
                    return Err(Invalid::new(
                        "/provider",
                        "The organization has several identity providers.",
                        "Send the name of the one that is meant.",
                    )
                    .into());
                }
                all.pop()
            }
        };
        found.ok_or_else(none)
    }

    fn new_flow(
        &self,
        provider: &IdentityProviderRow,
        redirect_uri: String,
        again: bool,
        origin: &Origin,
    ) -> Result<(FlowRow, PlainToken), Refused> {
        let now = self.clock.now();
        let (id, flow) = self.entropy.with(|rng| {
            let id = FlowId::random(rng);
            (id, PlainToken::mint(TokenKind::Flow, id.0, rng))
        });
        let row = FlowRow {
            id,
            organization_id: provider.organization_id,
            provider_id: provider.id,
            digest: self.flow_digest(id, flow.expose())?,
            network: network(origin.ip),
            redirect_uri,
            again,
            created_at: now,
            expires_at: now.plus(LASTS_MICROS),
        };
        Ok((row, flow))
    }

    async fn add_flow(&self, row: FlowRow) -> Result<(), Refused> {
        let added = self.store.bookkeeping(move |ledger| {
            Box::pin(async move {
                if ledger.flows_from(&row.network, row.created_at).await? >= FROM_NETWORK_MAX {
                    return Ok(false);
                }
                ledger.insert_flow(&row).await?;
                Ok::<_, Refused>(true)
            })
        });
        if added.await? {
            return Ok(());
        }
        Err(Refused::TooOften {
            detail: "Too many sign-ins were begun from this network and not finished.".into(),
            retry_after_seconds: 60,
        })
    }
}
