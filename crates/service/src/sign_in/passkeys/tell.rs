//! Letters to whose a passkey is: when one is added or deleted, and when one may have been copied. Whoever did it with a
//! stolen session is told on by them. Without a mail server nothing is written: nobody could read it anywhere.

use crate::Keystead;
use crate::notice_view::WAITING;
use crate::refused::Refused;
use crate::sign_in::letters::Letter;
use keystead_domain::ids::OrganizationId;
use keystead_store::{AccountRow, Ledger, PasskeyRow, Tx};

impl Keystead {
    /// Tells that one was added, or deleted.
    pub(super) async fn tell_of_passkey(
        &self,
        tx: &mut Tx,
        to: (OrganizationId, &AccountRow),
        row: &PasskeyRow,
        is_new: bool,
    ) -> Result<(), Refused> {
        let (kind, did, means) = if is_new {
            ("passkey_added", "added to", "Whoever has it, and can unlock it, signs in with it alone.")
        } else {
            ("passkey_deleted", "deleted from", "It works no more, and all other sessions have ended.")
        };
        let subject = format!("A passkey was {did} your Keystead account");
        let body = format!(
            "The passkey \"{}\" was {did} the account {} at {}, at {}.\n{means}\n\n\
             If it was not you: set another password with keystead account recover --email {}\n\
             --url {}, sign in, look at keystead account passkeys list, and tell an administrator.\n",
            row.name,
            to.1.email,
            self.sign_in.settings.url,
            self.clock.now().to_timestamp(),
            to.1.email,
            self.sign_in.settings.url,
        );
        self.tell_account(tx, to, kind, format!("{kind}:{}", row.id), subject, body).await
    }

    /// Tells that one may have been copied; once for each state of its counter.
    pub(super) async fn tell_of_copy(
        &self,
        tx: &mut Tx,
        to: (OrganizationId, &AccountRow),
        row: &PasskeyRow,
    ) -> Result<(), Refused> {
        let body = format!(
            "Somebody used the passkey \"{}\" of the account {} at {}, at {}, and was refused: it counts its\n\
             uses, and its count went back. There may be two of it, one of them not yours.\n\n\
             What to do: sign in another way, then keystead account passkeys delete {}, and add another.\n",
            row.name,
            to.1.email,
            self.sign_in.settings.url,
            self.clock.now().to_timestamp(),
            row.id,
        );
        let once = format!("passkey_copied:{}:{}", row.id, row.sign_count);
        let subject = "A passkey of your Keystead account may have been copied".to_owned();
        self.tell_account(tx, to, "passkey_copied", once, subject, body).await
    }

    async fn tell_account(
        &self,
        ledger: &mut Ledger,
        (organization, account): (OrganizationId, &AccountRow),
        kind: &'static str,
        once: String,
        subject: String,
        body: String,
    ) -> Result<(), Refused> {
        if !self.sends_mail() {
            return Ok(());
        }
        let letter = Letter { kind, once, organization, to: &account.email, subject };
        let mut row = self.blank_letter(letter)?;
        (row.body, row.state) = (body, WAITING.into());
        ledger.insert_notice(&row).await?;
        Ok(())
    }
}
