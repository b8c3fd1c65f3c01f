//! As which member somebody signs in whom a provider knows. By issuer and subject; the first time by the e-mail
//! address that the provider has verified, in the domains that the organization allows. The organization's members
//! only: an account of the same address elsewhere is not looked at.

use crate::Keystead;
use crate::caller::Origin;
use crate::present::json;
use crate::refused::{NotSignedIn, Refused};
use keystead_domain::ids::{AccountId, IdentityId, MemberId};
use keystead_domain::name;
use keystead_oidc::Claims;
use keystead_store::{AccountRow, Event, IdentityProviderRow, IdentityRow, MemberRow, StoreError, Tx};

/// Who is let in.
pub(super) struct Admitted {
    pub(super) member: MemberRow,
    pub(super) account: AccountRow,
    /// Whether the member is new or was changed.
    pub(super) changed: bool,
    pub(super) events: Vec<Event>,
}

impl Keystead {
    pub(super) async fn admit_person(
        &self,
        tx: &mut Tx,
        provider: &IdentityProviderRow,
        claims: &Claims,
        origin: &Origin,
    ) -> Result<Admitted, Refused> {
        let no = |why| Refused::SingleSignOn(why);
        let organization = provider.organization_id;
        if let Some(known) = tx.identity(provider.id, claims.subject()).await? {
            let member =
                tx.member(organization, known.member_id).await?.ok_or_else(|| no(NotSignedIn::NoMember))?;
            let account = tx.account(known.account_id).await?.ok_or_else(|| no(NotSignedIn::NoMember))?;
            if member.disabled {
                return Err(no(NotSignedIn::Disabled));
            }
            return Ok(Admitted { member, account, changed: false, events: Vec::new() });
        }
        let email = email_of(provider, claims)?;
        let found = tx.member_by_email(organization, &email).await?;
        let is_new = found.is_none();
        let member = match found {
            Some(member) if member.disabled => return Err(no(NotSignedIn::Disabled)),
            // Whoever has the address now need not be who had it.
            Some(member) if tx.identity_of_member(provider.id, member.id).await?.is_some() => {
                return Err(no(NotSignedIn::OtherIdentity));
            }
            Some(member) => member,
            None if provider.just_in_time => self.new_member(provider, &email, claims),
            None => return Err(no(NotSignedIn::NoMember)),
        };
        self.become_known(tx, provider, claims, (member, is_new), origin).await
    }

    /// Makes whoever the provider knows the member from now on.
    async fn become_known(
        &self,
        tx: &mut Tx,
        provider: &IdentityProviderRow,
        claims: &Claims,
        (mut member, is_new): (MemberRow, bool),
        origin: &Origin,
    ) -> Result<Admitted, Refused> {
        let now = self.clock.now();
        let id = self.entropy.with(|rng| IdentityId::random(rng));
        let account = AccountRow {
            id: self.entropy.with(|rng| AccountId::random(rng)),
            // No address: nobody signs in with it, recovers it or is found by it.
            email: id.to_string(),
            name: member.name.clone(),
            password: None,
            created_at: now,
            updated_at: now,
            version: 1,
        };
        tx.insert_account(&account).await?;
        let joins = member.account_id.is_none();
        if joins {
            (member.account_id, member.joined_at) = (Some(account.id), Some(now));
        }
        if is_new {
            tx.insert_member(&member).await.map_err(at_once)?;
        } else if joins {
            let seen = member.version;
            (member.updated_at, member.version) = (now, seen + 1);
            if !tx.update_member(&member, seen).await? {
                return Err(StoreError::Conflict.into());
            }
            // The invitation has done its work: whoever still has the link must not join as well.
            tx.end_link(&member.id.0).await?;
        }
        let identity = IdentityRow {
            id,
            organization_id: provider.organization_id,
            provider_id: provider.id,
            member_id: member.id,
            account_id: account.id,
            subject: claims.subject().to_owned(),
            created_at: now,
        };
        tx.insert_identity(&identity).await.map_err(at_once)?;
        let mut events = Vec::new();
        let event = |action| {
            let mut event = self.event_of(&member, None, action, &member.email, origin);
            event.after_body = Some(
                serde_json::json!({ "identity_provider": provider.name, "identity": id.to_string() })
                    .to_string(),
            );
            event
        };
        if is_new {
            events.push(event("member.create"));
        }
        events.push(event(if joins { "member.join" } else { "member.link_identity" }));
        Ok(Admitted { member, account, changed: is_new || joins, events })
    }

    fn new_member(&self, provider: &IdentityProviderRow, email: &str, claims: &Claims) -> MemberRow {
        let now = self.clock.now();
        let named = claims.name().filter(|name| name::display_name("", name).is_ok());
        let local = email.split('@').next().unwrap_or(email);
        MemberRow {
            id: self.entropy.with(|rng| MemberId::random(rng)),
            organization_id: provider.organization_id,
            account_id: None,
            email: email.to_owned(),
            name: named.unwrap_or(local).to_owned(),
            // What they may do comes from teams, and from whoever grants it.
            grants: "[]".into(),
            disabled: false,
            disabled_at: None,
            joined_at: None,
            created_at: now,
            updated_at: now,
            version: 1,
        }
    }
}

/// The same person, or somebody with the same address, in another browser at the same moment; or a provider that
/// was just deleted.
fn at_once(error: StoreError) -> Refused {
    match error {
        StoreError::Unique(_) | StoreError::Referenced => StoreError::Conflict.into(),
        other => other.into(),
    }
}

/// The address by which somebody is found, in its one form.
fn email_of(provider: &IdentityProviderRow, claims: &Claims) -> Result<String, Refused> {
    let email = claims.verified_email().and_then(|email| name::email("", email).ok());
    let domains: Vec<String> = json(&provider.email_domains)?;
    let allowed = |email: &String| {
        email.rsplit_once('@').is_some_and(|(_, domain)| domains.iter().any(|allowed| allowed == domain))
    };
    email.filter(allowed).ok_or(Refused::SingleSignOn(NotSignedIn::Email))
}
