//! Inviting a member: a link that works once, by e-mail where this installation sends any.

use super::letters::{LinkFor, NewLink};
use crate::act::Target;
use crate::caller::Caller;
use crate::present::json;
use crate::refused::Refused;
use crate::replay::Answer;
use crate::{Keystead, management};
use keystead_api::{AuthorityGrant, Invitation};
use keystead_domain::time::SECOND;
use keystead_store::{Acted, MemberRow, Tx};
use std::sync::Arc;

/// How long an invitation lasts.
const LASTS_MICROS: i64 = 7 * 86_400 * SECOND;

impl Answer for Invitation {
    fn ids(&self) -> Option<Vec<String>> {
        Some(vec![self.member_id.clone()])
    }
}

impl Keystead {
    /// Makes an invitation of a member who has not joined, in place of the one before.
    ///
    /// # Errors
    /// When the caller may not, or may not give what the member was granted (the link is all that it takes to
    /// become the member); when there is no such member, or they have joined or are disabled.
    pub async fn invite_member(
        self: &Arc<Self>,
        caller: &Caller,
        member: &str,
    ) -> Result<Invitation, Refused> {
        self.authorise(caller, management::PEOPLE_WRITE, None).await?;
        let id = self.member_row(caller, member).await?.id;
        let organization = caller.organization();
        let link = self.new_link(LinkFor::Invitation, id.0, Some(organization), LASTS_MICROS)?;
        let (this, by) = (Arc::clone(self), caller.clone());
        let invited = self.act_once(caller, move |tx| {
            Box::pin(async move {
                let row = tx.member(organization, id).await?.ok_or(Refused::not_found("member"))?;
                waits(&row)?;
                this.may_give(tx, &by, &json::<Vec<AuthorityGrant>>(&row.grants)?).await?;
                this.may_give_teams_of(tx, &by, &row).await?;
                tx.put_link(&link.row).await?;
                let target = Target { kind: "member", id: id.to_string(), name: &row.email, project: None };
                let event = this.event(&by, "member.invite", target);
                let value = this.hand_out(tx, &row, &link).await?;
                Ok(Acted { value, events: vec![event], changes: Vec::new() })
            })
        });
        let invited = invited.await?;
        self.post.hurry();
        Ok(invited)
    }

    async fn hand_out(&self, tx: &mut Tx, row: &MemberRow, link: &NewLink) -> Result<Invitation, Refused> {
        let url = self.link_url(LinkFor::Invitation, &link.token);
        let mailed = self.sends_mail();
        if mailed {
            let organization = tx.organization(row.organization_id).await?;
            let organization = organization.ok_or(Refused::not_found("organization"))?.name;
            let text = format!(
                "You are invited to join {organization} at {} as {}.\n\n\
                 What to do: open {}\n\
                 or run: keystead invitations accept --url {}\n\n\
                 The link works once, until {}. If you did not expect it, do nothing.\n",
                self.sign_in.settings.url,
                row.email,
                url.as_str(),
                self.sign_in.settings.url,
                link.row.expires_at.to_timestamp(),
            );
            let subject = format!("You are invited to join {organization}");
            let text = zeroize::Zeroizing::new(text);
            let to = (row.organization_id, row.email.as_str());
            self.write_letter(tx, LinkFor::Invitation, to, (subject, &text)).await?;
        }
        Ok(Invitation {
            member_id: row.id.to_string(),
            email: row.email.clone(),
            expires_at: link.row.expires_at.to_timestamp(),
            mailed,
            link: (!mailed).then(|| url.as_str().to_owned()),
        })
    }
}

/// Only who has not joined is invited.
fn waits(row: &MemberRow) -> Result<(), Refused> {
    if row.account_id.is_some() {
        return Err(Refused::conflict(
            "The member has joined.",
            "Nothing is left to do: they sign in with their own password.",
        ));
    }
    if row.disabled {
        return Err(Refused::conflict("The member is disabled.", "Enable the member first."));
    }
    Ok(())
}
