//! A team's contact: asked by a link whether it is the team's, when it is written down and again every year; and looked
//! up by anybody, where it is verified and the organization lists it.

use super::seats::team_named;
use super::teams::{change, target};
use crate::Keystead;
use crate::caller::{Caller, Origin};
use crate::management;
use crate::refused::Refused;
use crate::replay::Answer;
use crate::sign_in::LinkFor;
use crate::versions;
use keystead_api::{ConfirmContact, Contact, ContactAsked, ContactConfirmed, Contacts};
use keystead_domain::contact::{AGAIN_MICROS, ASKED_AFTER_MICROS, ASKED_BEFORE_MICROS, BELIEVED_MICROS};
use keystead_domain::ids::{OrganizationId, TeamId};
use keystead_domain::invalid::text_at_most;
use keystead_domain::time::SECOND;
use keystead_store::{Acted, ContactsDue, Event, StoreError, TeamRow, Tx};
use std::sync::Arc;
use zeroize::Zeroizing;

/// How long an address is sent no second letter by request: nobody fills another's mailbox.
const SOON_MICROS: i64 = 300 * SECOND;
/// The longest slug that is looked for, in bytes.
const SLUG_BYTES_MAX: usize = 64;
/// Teams that are asked in one turn, and contacts that are shown of one organization.
const CHUNK: u32 = 256;

impl Answer for ContactAsked {
    fn ids(&self) -> Option<Vec<String>> {
        Some(vec![self.team_id.clone()])
    }
}

impl Keystead {
    /// Asks a team's contact whether it is the team's, by a link in place of the one before.
    ///
    /// # Errors
    /// When the caller may not, there is no such team, it has no contact, or that was asked a moment ago.
    pub async fn ask_contact(self: &Arc<Self>, caller: &Caller, team: &str) -> Result<ContactAsked, Refused> {
        self.authorise(caller, management::PEOPLE_WRITE, None).await?;
        let mut reader = self.store.read().await?;
        let found = team_named(&mut reader, caller.organization(), team).await?;
        let id = found.ok_or(Refused::not_found("team"))?.id;
        drop(reader);
        let (this, by) = (Arc::clone(self), caller.clone());
        let asked = self.act_once(caller, move |tx| {
            Box::pin(async move {
                let before = tx.team(by.organization(), id).await?.ok_or(Refused::not_found("team"))?;
                this.not_asked_just_now(&before)?;
                let mut row = before.clone();
                let asked = this.ask(tx, &mut row).await?.ok_or_else(|| {
                    Refused::conflict(
                        "The team has no contact.",
                        "Give it one: PATCH the team with `contact`.",
                    )
                })?;
                let event = this.event(&by, "team.contact.ask", target(&row));
                write(tx, row, before.version, event, asked).await
            })
        });
        let asked = asked.await?;
        self.post.hurry();
        Ok(asked)
    }

    /// How long the team is not asked yet, whatever its contact is by now: whoever changes it to and fro sends no
    /// letter each time.
    fn micros_until_asked_again(&self, row: &TeamRow) -> i64 {
        let since = row.asked_at.map_or(SOON_MICROS, |at| self.clock.now().since(at));
        if (0..SOON_MICROS).contains(&since) { SOON_MICROS - since } else { 0 }
    }

    fn not_asked_just_now(&self, row: &TeamRow) -> Result<(), Refused> {
        match self.micros_until_asked_again(row) {
            0 => Ok(()),
            left => Err(Refused::TooOften {
                detail: "The team's contact was asked a moment ago.".into(),
                retry_after_seconds: u64::try_from(left / SECOND).unwrap_or(0).max(1),
            }),
        }
    }

    /// A new contact is asked at once where that reaches whoever reads it.
    pub(super) async fn ask_if_mailed(&self, tx: &mut Tx, row: &mut TeamRow) -> Result<(), Refused> {
        if self.sends_mail() {
            self.ask(tx, row).await?;
        }
        Ok(())
    }

    /// The same of a team whose contact is another now. Was it asked a moment ago, the hourly job asks the new one;
    /// and the former's link opens nothing unless the former stands there again.
    pub(super) async fn ask_changed(&self, tx: &mut Tx, row: &mut TeamRow) -> Result<(), Refused> {
        if self.sends_mail() && self.micros_until_asked_again(row) > 0 {
            return Ok(());
        }
        // What the former address was sent says nothing of this one.
        tx.end_link(&row.id.0).await?;
        self.ask_if_mailed(tx, row).await
    }

    /// Asks the contact of a team that is about to be written, if it has one.
    pub(super) async fn ask(&self, tx: &mut Tx, row: &mut TeamRow) -> Result<Option<ContactAsked>, Refused> {
        let Some(contact) = row.contact.clone() else { return Ok(None) };
        let (organization, now) = (row.organization_id, self.clock.now());
        let link = self.new_link(LinkFor::Contact, row.id.0, Some(organization), AGAIN_MICROS)?;
        tx.put_link(&link.row).await?;
        (row.asked_contact, row.asked_at) = (Some(contact.clone()), Some(now));
        let url = self.link_url(LinkFor::Contact, &link.token);
        let mailed = self.sends_mail();
        if mailed {
            let named = tx.organization(organization).await?.ok_or(Refused::not_found("organization"))?.name;
            let text = Zeroizing::new(self.letter(row, &named, &contact, &url, link.row.expires_at));
            let subject = format!("Is this the address of {}, {named}?", row.name);
            self.write_letter(tx, LinkFor::Contact, (organization, &contact), (subject, &text)).await?;
        }
        Ok(Some(ContactAsked {
            team_id: row.id.to_string(),
            contact,
            expires_at: link.row.expires_at.to_timestamp(),
            mailed,
            link: (!mailed).then(|| url.as_str().to_owned()),
        }))
    }

    fn letter(
        &self,
        row: &TeamRow,
        organization: &str,
        contact: &str,
        url: &str,
        expires_at: keystead_domain::time::Micros,
    ) -> String {
        let shown = if row.listed { "\nOnce it is confirmed, anybody can look it up.\n" } else { "" };
        format!(
            "{organization} says at {} that {contact} is the address of its team {}.\n{shown}\n\
             If it is: open {url}\n\
             or run: keystead contacts confirm --url {}\n\n\
             The link works once, until {}. It is asked again in a year. If it is not, do nothing.\n",
            self.sign_in.settings.url,
            row.name,
            self.sign_in.settings.url,
            expires_at.to_timestamp(),
        )
    }

    /// Says that an address is the team's, as whoever reads it.
    ///
    /// # Errors
    /// [`Refused::LinkInvalid`] whatever is wrong with the link.
    pub async fn confirm_contact(
        self: &Arc<Self>,
        input: &ConfirmContact,
        origin: &Origin,
    ) -> Result<ContactConfirmed, Refused> {
        let link = self.find_link(LinkFor::Contact, &input.token).await?.ok_or(Refused::LinkInvalid)?;
        let organization = link.organization_id.ok_or(Refused::LinkInvalid)?;
        let (this, origin, now) = (Arc::clone(self), origin.clone(), self.clock.now());
        self.act(move |tx| {
            Box::pin(async move {
                if !tx.take_link(&link, now).await? {
                    return Err(Refused::LinkInvalid);
                }
                let before = tx.team(organization, TeamId(link.subject_id)).await?;
                let before = before.filter(|row| row.contact.is_some() && row.contact == row.asked_contact);
                let mut row = before.ok_or(Refused::LinkInvalid)?;
                let version = row.version;
                (row.verified_contact, row.verified_at) = (row.contact.clone(), Some(now));
                let organization = tx.organization(organization).await?.ok_or(Refused::LinkInvalid)?;
                let confirmed = ContactConfirmed {
                    organization: organization.slug,
                    team: row.name.clone(),
                    contact: row.contact.clone().unwrap_or_default(),
                };
                let event = Event {
                    actor_kind: "contact".into(),
                    address: origin.ip.map(|ip| ip.to_string()),
                    request_id: Some(origin.request_id.to_string()),
                    ..this.own_event(row.organization_id, "team.contact.confirm", target(&row))
                };
                write(tx, row, version, event, confirmed).await
            })
        })
        .await
    }

    /// How an organization is reached, for anybody: the verified contacts of the teams that it lists. One that lists
    /// none is answered as none, after the same questions.
    ///
    /// # Errors
    /// When there is nothing to show, or it was looked up too often.
    pub async fn contacts(&self, slug: &str, origin: &Origin) -> Result<Contacts, Refused> {
        let now = self.clock.now();
        self.lookups.take(origin.ip, now)?;
        text_at_most(SLUG_BYTES_MAX, "/slug", slug)?;
        let mut reader = self.store.read().await?;
        let found = reader.organization_by_slug(slug).await?;
        let id = found.as_ref().map_or(OrganizationId([0; 16]), |row| row.id);
        let teams = reader.listed_teams(id, now.plus(-BELIEVED_MICROS), CHUNK).await?;
        let organization = found.filter(|_| !teams.is_empty()).ok_or(Refused::not_found("organization"))?;
        let contacts = teams.into_iter().filter_map(|row| {
            let (contact, at) = (row.contact?, row.verified_at?);
            Some(Contact { team: row.name, contact, verified_at: at.to_timestamp() })
        });
        Ok(Contacts { organization: organization.name, contacts: contacts.collect() })
    }

    /// Asks the contacts that nobody asked yet, and again those whose year is over soon.
    ///
    /// # Errors
    /// When the database cannot answer; what was asked by then stays asked.
    pub async fn ask_contacts(self: &Arc<Self>) -> Result<(), Refused> {
        if !self.sends_mail() {
            return Ok(());
        }
        loop {
            let now = self.clock.now();
            let due = ContactsDue {
                verified_to: now.plus(ASKED_BEFORE_MICROS - BELIEVED_MICROS),
                verified_after: now.plus(-BELIEVED_MICROS - ASKED_AFTER_MICROS),
                asked_to: now.plus(-AGAIN_MICROS),
            };
            let teams = self.store.read().await?.teams_to_ask(due, CHUNK).await?;
            let (number, mut asked) = (teams.len(), 0_usize);
            for team in teams {
                asked += usize::from(self.ask_by_itself(team).await?);
            }
            if asked > 0 {
                self.post.hurry();
            }
            // What could not be asked now would come again at once.
            if number < CHUNK as usize || asked == 0 {
                return Ok(());
            }
        }
    }

    /// Whether it asked: another node, or somebody, may have been faster.
    async fn ask_by_itself(self: &Arc<Self>, before: TeamRow) -> Result<bool, Refused> {
        let this = Arc::clone(self);
        let asked = self.act(move |tx| {
            Box::pin(async move {
                let mut row = before.clone();
                let Some(asked) = this.ask(tx, &mut row).await? else {
                    return Err(StoreError::Conflict.into());
                };
                let event = this.own_event(row.organization_id, "team.contact.ask", target(&row));
                write(tx, row, before.version, event, asked).await
            })
        });
        match asked.await {
            Ok(_) => Ok(true),
            Err(Refused::Changed { .. } | Refused::NotFound { .. }) => Ok(false),
            Err(refused) => Err(refused),
        }
    }
}

/// Writes what became known of a team's contact.
async fn write<T>(
    tx: &mut Tx,
    mut row: TeamRow,
    version: i64,
    event: Event,
    value: T,
) -> Result<Acted<T>, Refused> {
    row.version = version + 1;
    if !tx.update_team(&row, version).await? {
        let current = tx.team(row.organization_id, row.id).await?;
        return Err(versions::overtaken(current.map(|row| row.version), "team"));
    }
    Ok(Acted { value, events: vec![event], changes: vec![change(&row)] })
}
