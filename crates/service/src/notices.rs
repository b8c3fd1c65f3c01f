//! Notices to people about keys, mostly the rotation of their own: written with what they are about, sent later.
//! Never a secret: who manages the keys hands that over.

use crate::caller::Caller;
use crate::cursor::Cut;
use crate::notice_view::{NOBODY, WAITING, present};
use crate::people::Orphans;
use crate::present::{json, to_json};
use crate::refused::Refused;
use crate::{Keystead, management};
use keystead_api::{Notice, Page, PageQuery};
use keystead_domain::ids::{NoticeId, OwnerId};
use keystead_domain::time::Micros;
use keystead_store::{KeyRow, Ledger, NoticeRow, RotationRow};
use std::sync::Arc;

/// What is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Occasion {
    Started,
    Complete,
    Cancelled,
    /// The old key was used after its end, and the lineage revoked for it.
    Reused,
}

impl Occasion {
    const fn kind(self) -> &'static str {
        match self {
            Self::Started => "rotation_started",
            Self::Complete => "rotation_complete",
            Self::Cancelled => "rotation_cancelled",
            Self::Reused => "rotation_reused",
        }
    }
}

const DUE: &str = "rotation_due";
/// Told to administrators, not to whose the key is: they are gone.
const ORPHANED: &str = "key_orphaned";

impl Keystead {
    /// The notices about a project's keys, newest first.
    ///
    /// # Errors
    /// When the caller may not see the project's keys or consumers.
    pub async fn list_notices(
        self: &Arc<Self>,
        caller: &Caller,
        project: &str,
        query: &PageQuery,
    ) -> Result<Page<Notice>, Refused> {
        let directory = &self.keyring.directory;
        let project =
            directory.project(caller.organization(), project).ok_or(Refused::not_found("project"))?;
        let needed = [management::KEYS_READ, management::CONSUMERS_READ];
        self.authorise_all(caller, &needed, Some(&project.resource)).await?;
        let cut = Cut::read(query.limit, query.cursor.as_deref())?;
        let mut reader = self.store.read().await?;
        let rows = reader.notices(project.organization, project.id, cut.after, cut.rows()).await?;
        let (sends_mail, now) = (self.sends_mail(), self.clock.now());
        cut.page(rows, |row| (row.created_at, row.id.0), |row| present(row, sends_mail, now))
    }

    /// Writes a notice about a rotation, in the transaction of what it tells. `key` is the key that
    /// stays.
    pub(crate) async fn notify(
        &self,
        ledger: &mut Ledger,
        occasion: Occasion,
        rotation: &RotationRow,
        key: &KeyRow,
    ) -> Result<(), Refused> {
        let (subject, body) = self.told(occasion, rotation, key);
        let once = format!("{}:{}", occasion.kind(), rotation.new_key_id);
        self.notice(ledger, occasion.kind(), once, key, (subject, body)).await?;
        Ok(())
    }

    /// Writes, once for each key, that it is due to be rotated; `false` when that was told before.
    pub(crate) async fn notify_due(
        &self,
        ledger: &mut Ledger,
        key: &KeyRow,
        due_at: Micros,
        max_age_days: i64,
    ) -> Result<bool, Refused> {
        let (name, id, project) = (&key.name, key.id, self.slug_of(key));
        let due = due_at.to_timestamp();
        let subject = format!("The API key \"{name}\" is to be rotated by {due}");
        let body = format!(
            "The API key \"{name}\" ({id}) of {project} was made at {}. Keys of {project} may become \
             {max_age_days} days old, so it is to be rotated by {due}.\n\n\
             What to do:\n\
             1. Whoever manages the keys of {project} starts it: keystead keys rotate {id}\n\
             2. You get the new key from them; it is never sent by e-mail.\n\
             Nothing stops by itself: the key works on until it is rotated.\n",
            key.created_at.to_timestamp(),
        );
        self.notice(ledger, DUE, format!("{DUE}:{id}"), key, (subject, body)).await
    }

    /// Writes, once for each administrator, that keys have nobody who answers for them.
    pub(crate) async fn notify_orphans(
        &self,
        ledger: &mut Ledger,
        orphans: &Orphans,
        administrator: &str,
    ) -> Result<bool, Refused> {
        let once = format!("{ORPHANED}:{}:{administrator}", orphans.once);
        let text = (orphans.subject.clone(), orphans.body.clone());
        self.notice_to(ledger, ORPHANED, once, &orphans.key, text, vec![administrator.to_owned()]).await
    }

    async fn notice(
        &self,
        ledger: &mut Ledger,
        kind: &str,
        once: String,
        key: &KeyRow,
        text: (String, String),
    ) -> Result<bool, Refused> {
        let recipients = recipients(ledger, key).await?;
        self.notice_to(ledger, kind, once, key, text, recipients).await
    }

    async fn notice_to(
        &self,
        ledger: &mut Ledger,
        kind: &str,
        once: String,
        key: &KeyRow,
        (subject, body): (String, String),
        recipients: Vec<String>,
    ) -> Result<bool, Refused> {
        let row = NoticeRow {
            id: self.entropy.with(|rng| NoticeId::random(rng)),
            organization_id: key.organization_id,
            project_id: key.project_id,
            kind: kind.into(),
            key_id: key.id,
            once,
            state: if recipients.is_empty() { NOBODY } else { WAITING }.into(),
            recipients: to_json(&recipients)?,
            subject,
            body,
            created_at: self.clock.now(),
            attempts: 0,
            next_at: None,
            sending_since: None,
            retried_at: None,
            outcome: None,
            closed_at: None,
            last_error: None,
            delivered: None,
            sealed: None,
        };
        Ok(ledger.insert_notice(&row).await?)
    }

    fn slug_of(&self, key: &KeyRow) -> String {
        let project = self.keyring.directory.project_by_id(key.project_id);
        project.map_or_else(|| key.project_id.to_string(), |project| project.slug.to_string())
    }

    fn told(&self, occasion: Occasion, rotation: &RotationRow, key: &KeyRow) -> (String, String) {
        let (name, project) = (&key.name, self.slug_of(key));
        let (old, new) = (rotation.old_key_id, rotation.new_key_id);
        match occasion {
            Occasion::Started => (
                format!("The API key \"{name}\" is being rotated"),
                format!(
                    "The API key \"{name}\" of {project} is being rotated: {new} takes over from {old}. \
                     The new key begins with {}.\n{}\n\n\
                     What to do:\n\
                     1. Get the new key from whoever manages the keys of {project}; it is never sent by e-mail.\n\
                     2. Put it wherever the old one is used.\n\
                     3. Make a request with it, and see that it passes.\n\
                     4. Delete the old key wherever it is stored.\n",
                    key.start,
                    until(rotation, key.created_at),
                ),
            ),
            Occasion::Complete => (
                format!("The API key \"{name}\" was rotated"),
                format!(
                    "The rotation of the API key \"{name}\" of {project} is complete: {old} has ended, and \
                     {new} has taken over.\n\n\
                     What to do: if something is refused now, it still uses {old}. Put the new key there.\n"
                ),
            ),
            Occasion::Cancelled => (
                format!("The rotation of the API key \"{name}\" was cancelled"),
                format!(
                    "The rotation of the API key \"{name}\" of {project} was cancelled: {new} does not work \
                     any more, and {old} stays as it was.\n\n\
                     What to do: wherever the new key was put already, put the old one back.\n"
                ),
            ),
            Occasion::Reused => (
                format!("The API key \"{name}\" was revoked"),
                format!(
                    "{old} of {project} was used after it was rotated away, as if it were stolen. All keys \
                     that came after it were revoked for that, {new} too.\n\n\
                     What to do: ask whoever manages the keys of {project} for a new one, and find out who \
                     still has the old one.\n"
                ),
            ),
        }
    }
}

/// Until when the old key works.
fn until(rotation: &RotationRow, now: Micros) -> String {
    match (rotation.ends_at, rotation.overlap_seconds) {
        (Some(end), _) if end <= now => "The old key has ended.".into(),
        (Some(end), _) => format!("The old key works until {}.", end.to_timestamp()),
        (None, overlap) => {
            let last = rotation.old_expires_at.map(|end| format!(", at most until {}", end.to_timestamp()));
            format!(
                "The old key works until the new one is used for the first time, and {} seconds longer{}.",
                overlap.unwrap_or(0),
                last.unwrap_or_default(),
            )
        }
    }
}

/// To which addresses a notice goes by now: those that are known of its key's consumer and owner, and where it is
/// already. Of a key that was purged those that were known when the notice was written. An administrator who has left
/// since is told nothing more.
pub(crate) async fn addresses(ledger: &mut Ledger, notice: &NoticeRow) -> Result<Vec<String>, Refused> {
    let mut to: Vec<String> = json(&notice.recipients)?;
    if notice.kind == ORPHANED {
        let mut staying = Vec::new();
        for email in to {
            let member = ledger.member_by_email(notice.organization_id, &email).await?;
            staying.extend(member.filter(|row| !row.disabled).map(|row| row.email));
        }
        to = staying;
    } else if let Some(key) = ledger.key(notice.organization_id, notice.key_id).await? {
        to = recipients(ledger, &key).await?;
    }
    let delivered: Vec<String> = notice.delivered.as_deref().map_or(Ok(Vec::new()), json)?;
    to.extend(delivered.into_iter().filter(|there| !to.contains(there)).collect::<Vec<_>>());
    Ok(to)
}

/// The addresses that are known of a key's consumer and owner: of a key made in a team's name the team's.
async fn recipients(ledger: &mut Ledger, key: &KeyRow) -> Result<Vec<String>, Refused> {
    let organization = key.organization_id;
    let mut addresses = Vec::new();
    if let Some(id) = key.consumer_id {
        addresses.extend(ledger.consumer(organization, id).await?.and_then(|consumer| consumer.contact));
    }
    match key.owner {
        OwnerId::Consumer(id) => {
            addresses.extend(ledger.consumer(organization, id).await?.and_then(|consumer| consumer.contact));
        }
        OwnerId::ServiceAccount(_) => {}
        OwnerId::Member(id) => addresses.extend(ledger.member(organization, id).await?.map(|row| row.email)),
        OwnerId::Seat(id) => {
            if let Some(seat) = ledger.seat(organization, id).await? {
                let team = ledger.team(organization, seat.team_id).await?.and_then(|team| team.contact);
                let person = ledger.member(organization, seat.member_id).await?.map(|row| row.email);
                addresses.extend(team.or(person));
            }
        }
    }
    addresses.dedup();
    Ok(addresses)
}
