//! Accepting an invitation: with a new account, or with the one that the address has. A link that was used, is
//! over or never was is answered alike, after the same work.

use super::letters::LinkFor;
use super::second_factor::{Offered, Proof};
use crate::Keystead;
use crate::caller::Origin;
use crate::refused::Refused;
use keystead_api::{AcceptInvitation, Joined};
use keystead_domain::ids::{AccountId, MemberId};
use keystead_domain::invalid::texts_at_most;
use keystead_domain::name;
use keystead_domain::sign_in::password::Password;
use keystead_store::{
    AccountRow, Acted, Change, ChangeKind, LinkRow, MemberRow, OrganizationRow, StoreError, Unique,
};
use std::sync::Arc;

/// The longest token or code that is looked at, in bytes.
const TEXT_BYTES_MAX: usize = 128;

/// An invitation that can be accepted.
struct Open {
    link: LinkRow,
    member: MemberRow,
    organization: OrganizationRow,
    account: Option<AccountRow>,
}

/// With which account somebody joins.
struct Joining {
    account: AccountRow,
    is_new: bool,
    proof: Proof,
}

impl Keystead {
    /// Makes somebody the member that they were invited as.
    ///
    /// # Errors
    /// [`Refused::LinkInvalid`] whatever is wrong with the link; [`Refused::SignInFailed`] and what signing in
    /// asks for where the address has an account; when the new password breaks a rule.
    pub async fn accept_invitation(
        self: &Arc<Self>,
        input: &AcceptInvitation,
        origin: &Origin,
    ) -> Result<Joined, Refused> {
        texts_at_most(TEXT_BYTES_MAX, &[("/code", &input.code)])?;
        if let Some(given) = &input.name {
            name::display_name("/name", given)?;
        }
        let offered = Password::offered("/password", &input.password)?;
        let factor = Offered::without_session(input.code.as_deref(), input.passkey.as_ref())?;
        let place = self.sign_in.passwords.enter()?;
        let Some(open) = self.open_invitation(&input.token).await? else {
            self.sign_in.passwords.is_of(&place, &offered, None).await?;
            return Err(Refused::LinkInvalid);
        };
        let Some(account) = open.account.clone() else {
            let known = [open.member.email.as_str(), &open.organization.name, &open.organization.slug];
            let least = self.sign_in.settings.password_characters_min;
            let password = Password::chosen("/password", &input.password, least, &known)?;
            self.refuse_breached("/password", &password).await?;
            let digest = self.sign_in.passwords.digest(&place, &password, self.salt()).await?;
            let account = self.new_account(&open.member, input.name.as_deref(), digest);
            return self
                .become_member(open, Joining { account, is_new: true, proof: Proof::None }, origin)
                .await;
        };
        // Else whoever invites an address could guess its account's password by the links.
        let one = self.begin_try(&account.email, Some(&account), origin.ip).await?;
        let digest = account.password.as_deref();
        if !self.sign_in.passwords.is_of(&place, &offered, digest).await? {
            return Err(Refused::SignInFailed);
        }
        drop(place);
        let proof = match self.second_factor_proof(account.id, factor, origin).await {
            Ok(proof) => proof,
            Err(refused) => return Err(self.asked_for_more(refused, one).await),
        };
        let joined = self.become_member(open, Joining { account, is_new: false, proof }, origin).await?;
        self.was_right(one).await;
        Ok(joined)
    }

    async fn open_invitation(&self, token: &str) -> Result<Option<Open>, Refused> {
        let Some(link) = self.find_link(LinkFor::Invitation, token).await? else { return Ok(None) };
        let Some(organization) = link.organization_id else { return Ok(None) };
        let mut reader = self.store.read().await?;
        let member = reader.member(organization, MemberId(link.subject_id)).await?;
        let Some(member) = member.filter(|row| row.account_id.is_none() && !row.disabled) else {
            return Ok(None);
        };
        let Some(organization) = reader.organization(organization).await? else { return Ok(None) };
        let account = reader.account_by_email(&member.email).await?;
        Ok(Some(Open { link, member, organization, account }))
    }

    fn new_account(&self, member: &MemberRow, name: Option<&str>, digest: String) -> AccountRow {
        let now = self.clock.now();
        AccountRow {
            id: self.entropy.with(|rng| AccountId::random(rng)),
            email: member.email.clone(),
            name: name.unwrap_or(&member.name).to_owned(),
            password: Some(digest),
            created_at: now,
            updated_at: now,
            version: 1,
        }
    }

    async fn become_member(
        self: &Arc<Self>,
        open: Open,
        with: Joining,
        origin: &Origin,
    ) -> Result<Joined, Refused> {
        let Open { link, member, organization, .. } = open;
        let Joining { account, is_new, proof } = with;
        let now = self.clock.now();
        let joined = Joined {
            organization: organization.slug,
            member_id: member.id.to_string(),
            email: account.email.clone(),
        };
        let event = self.event_of(&member, None, "member.join", &account.email, origin);
        let change = Change::new(member.organization_id, ChangeKind::Member, member.id.0);
        let mut row = member.clone();
        (row.account_id, row.joined_at) = (Some(account.id), Some(now));
        (row.updated_at, row.version) = (now, member.version + 1);
        self.act(move |tx| {
            Box::pin(async move {
                if !tx.take_link(&link, now).await? {
                    return Err(Refused::LinkInvalid);
                }
                if is_new {
                    tx.insert_account(&account).await.map_err(|error| match error {
                        // The same person, in another organization, a moment ago.
                        StoreError::Unique(Unique::AccountEmail) => StoreError::Conflict.into(),
                        other => Refused::from(other),
                    })?;
                } else if !tx.hold_account(&account).await? {
                    return Err(Refused::SignInFailed);
                }
                proof.take(tx, account.id).await?;
                if !tx.update_member(&row, member.version).await? {
                    return Err(StoreError::Conflict.into());
                }
                Ok(Acted { value: joined, events: vec![event], changes: vec![change] })
            })
        })
        .await
    }
}
