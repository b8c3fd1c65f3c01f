//! Signing in, one's own account and sessions, and invitations.

use crate::{Client, Error};
use keystead_api::{
    AcceptInvitation, ChangePassword, CurrentSession, Invitation, Joined, OneTimeCode, Page, PageQuery,
    ProvePassword, ProveSecondFactor, RecoverAccount, RecoveryCodes, RequestRecovery, Session, SignIn,
    SignedIn, TotpSecret,
};

impl Client {
    /// Signs in; with `token` the answer holds a token that a client takes in place of a key. Needs no key.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with the code `second_factor_required` or `organization_required`
    /// when more is needed, with status 429 when somebody was wrong too often.
    pub async fn sign_in(&self, sign_in: &SignIn) -> Result<SignedIn, Error> {
        self.ask(&["v1", "sessions"], sign_in).await
    }

    /// The session of this client, and whose it is.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 403 where this client has a key.
    pub async fn current_session(&self) -> Result<CurrentSession, Error> {
        self.get(&["v1", "sessions", "current"], &()).await
    }

    /// The sessions of one's own account that go on, one page.
    ///
    /// # Errors
    /// As [`Self::current_session`].
    pub async fn list_sessions(&self, page: &PageQuery) -> Result<Page<Session>, Error> {
        self.get(&["v1", "sessions"], page).await
    }

    /// Ends a session of one's own account; `current` is this one.
    ///
    /// # Errors
    /// As [`Self::current_session`]; with status 404 when there is none.
    pub async fn end_session(&self, session: &str) -> Result<(), Error> {
        self.delete(&["v1", "sessions", session], None).await
    }

    /// Proves the second factor again, for what asks for it.
    ///
    /// # Errors
    /// As [`Self::current_session`]; with status 401 when what was sent is wrong.
    pub async fn step_up(&self, proof: &ProveSecondFactor) -> Result<Session, Error> {
        self.ask(&["v1", "sessions", "current", "second-factor"], proof).await
    }

    /// Ends every session that a member (id or e-mail address) has in the organization.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 404 when there is no such member.
    pub async fn end_member_sessions(&self, member: &str) -> Result<(), Error> {
        self.delete(&["v1", "members", member, "sessions"], None).await
    }

    /// Invites a member (id or e-mail address) who has not joined.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 409 when they have joined, or are disabled.
    pub async fn invite_member(&self, member: &str) -> Result<Invitation, Error> {
        self.post_nothing(&["v1", "members", member, "invitation"]).await
    }

    /// Accepts an invitation. Needs no key.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with the code `link_invalid` when it was used, or its time is over.
    pub async fn accept_invitation(&self, accept: &AcceptInvitation) -> Result<Joined, Error> {
        self.ask(&["v1", "invitations", "accept"], accept).await
    }

    /// Changes one's own password; every other session of the account ends.
    ///
    /// # Errors
    /// As [`Self::current_session`]; [`Error::Problem`] says what is wrong.
    pub async fn change_password(&self, change: &ChangePassword) -> Result<(), Error> {
        self.tell(&["v1", "account", "password"], change).await
    }

    /// Begins a second factor: the secret for an app, shown once.
    ///
    /// # Errors
    /// As [`Self::current_session`]; with status 409 when the account has one.
    pub async fn begin_totp(&self, password: &ProvePassword) -> Result<TotpSecret, Error> {
        self.ask(&["v1", "account", "totp"], password).await
    }

    /// Has the second factor count; recovery codes, shown once.
    ///
    /// # Errors
    /// As [`Self::current_session`]; with status 401 when the code is wrong.
    pub async fn confirm_totp(&self, code: &OneTimeCode) -> Result<RecoveryCodes, Error> {
        self.ask(&["v1", "account", "totp", "confirm"], code).await
    }

    /// Removes one's own second factor.
    ///
    /// # Errors
    /// As [`Self::current_session`]; with the code `second_factor_required` when it was not proved lately.
    pub async fn remove_totp(&self) -> Result<(), Error> {
        self.delete(&["v1", "account", "totp"], None).await
    }

    /// New recovery codes, shown once, in place of those from before.
    ///
    /// # Errors
    /// As [`Self::remove_totp`].
    pub async fn renew_recovery_codes(&self) -> Result<RecoveryCodes, Error> {
        self.read_post(&["v1", "account", "recovery-codes"]).await
    }

    /// Has a link to set another password mailed. Needs no key; the answer does not tell whether there is such an
    /// account.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 409 where the server sends no e-mail.
    pub async fn request_recovery(&self, request: &RequestRecovery) -> Result<(), Error> {
        self.tell(&["v1", "account", "recovery"], request).await
    }

    /// Sets another password by a link that was mailed. Needs no key.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with the code `link_invalid` when it was used, or its time is over.
    pub async fn recover_account(&self, recover: &RecoverAccount) -> Result<(), Error> {
        self.tell(&["v1", "account", "recovery", "confirm"], recover).await
    }
}
