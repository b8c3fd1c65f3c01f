//! Letters that carry a link. What is in them is sealed until they are sent, and then gone; and the links
//! themselves, of which only a keyed digest is kept.

use crate::Keystead;
use crate::present::to_json;
use crate::refused::Refused;
use keystead_domain::digest::{Purpose, equal};
use keystead_domain::ids::{KeyId, NoticeId, OrganizationId};
use keystead_domain::sign_in::secret_token::{PlainToken, SecretToken, TokenKind};
use keystead_store::{Ledger, LinkRow, NO_PROJECT, NoticeRow, letter_place};
use zeroize::Zeroizing;

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LinkFor {
    Invitation,
    Recovery,
    Contact,
}

impl LinkFor {
    const fn name(self) -> &'static str {
        match self {
            Self::Invitation => "invitation",
            Self::Recovery => "recovery",
            Self::Contact => "contact",
        }
    }
}

/// What stands on a letter.
pub(super) struct Letter<'a> {
    pub(super) kind: &'static str,
    /// Of two with the same one only the first is written.
    pub(super) once: String,
    pub(super) organization: OrganizationId,
    pub(super) to: &'a str,
    pub(super) subject: String,
}

/// A new link: its row, and its token.
pub(crate) struct NewLink {
    pub(crate) row: LinkRow,
    pub(crate) token: PlainToken,
}

impl Keystead {
    pub(crate) fn new_link(
        &self,
        purpose: LinkFor,
        subject: [u8; 16],
        organization: Option<OrganizationId>,
        lasts_micros: i64,
    ) -> Result<NewLink, Refused> {
        let now = self.clock.now();
        let token = self.entropy.with(|rng| PlainToken::mint(TokenKind::Link, subject, rng));
        let row = LinkRow {
            subject_id: subject,
            organization_id: organization,
            purpose: purpose.name().into(),
            digest: self.link_digest(purpose, subject, token.expose())?,
            created_at: now,
            expires_at: now.plus(lasts_micros),
        };
        Ok(NewLink { row, token })
    }

    /// The link that a token opens; `None` when it opens none. The comparison takes the same time wherever the
    /// token is wrong.
    pub(crate) async fn find_link(&self, purpose: LinkFor, text: &str) -> Result<Option<LinkRow>, Refused> {
        let Some(token) = SecretToken::parse(TokenKind::Link, text.trim()) else { return Ok(None) };
        let digest = self.link_digest(purpose, token.id(), token.expose())?;
        let row = self.store.read().await?.link(&token.id()).await?;
        let now = self.clock.now();
        Ok(row.filter(|row| {
            equal(&row.digest, &digest) && row.purpose == purpose.name() && row.expires_at > now
        }))
    }

    fn link_digest(&self, purpose: LinkFor, subject: [u8; 16], token: &str) -> Result<[u8; 32], Refused> {
        self.tag(Purpose::Link, &[purpose.name().as_bytes(), &subject, token.as_bytes()])
    }

    /// Where a link leads. What follows the `#` reaches no server's log.
    pub(crate) fn link_url(&self, purpose: LinkFor, token: &PlainToken) -> Zeroizing<String> {
        let (url, purpose, token) = (&self.sign_in.settings.url, purpose.name(), token.expose());
        Zeroizing::new(format!("{url}/{purpose}#{token}"))
    }

    /// Writes a letter that carries a link, in the transaction of what it is about.
    pub(crate) async fn write_letter(
        &self,
        ledger: &mut Ledger,
        purpose: LinkFor,
        (organization, to): (OrganizationId, &str),
        (subject, text): (String, &str),
    ) -> Result<(), Refused> {
        let letter = Letter { kind: purpose.name(), once: String::new(), organization, to, subject };
        let mut row = self.blank_letter(letter)?;
        row.once = format!("{}:{}", purpose.name(), row.id);
        row.state = "sealed".into();
        row.sealed = Some(self.seal_at(ledger, &letter_place(row.id), text.as_bytes()).await?);
        ledger.insert_notice(&row).await?;
        Ok(())
    }

    /// A letter to one address, still without a text.
    pub(super) fn blank_letter(&self, letter: Letter<'_>) -> Result<NoticeRow, Refused> {
        Ok(NoticeRow {
            id: self.entropy.with(|rng| NoticeId::random(rng)),
            organization_id: letter.organization,
            project_id: NO_PROJECT,
            kind: letter.kind.into(),
            key_id: KeyId::NONE,
            once: letter.once,
            recipients: to_json(&[letter.to])?,
            subject: letter.subject,
            body: String::new(),
            state: String::new(),
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
        })
    }
}
