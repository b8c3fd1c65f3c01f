//! How sessions, invitations and codes are shown.

use crate::output::Present;
use crate::output::table::Cell;
use keystead_sdk::api::{
    AddedPasskey, ContactAsked, ContactConfirmed, Invitation, Joined, Passkey, RecoveryCodes, Session,
    TotpSecret,
};

impl Present for Session {
    const HEADINGS: &'static [&'static str] = &["ID", "", "ORGANIZATION", "ADDRESS", "LAST USED", "CLIENT"];

    fn row(&self) -> Vec<Cell> {
        vec![
            self.id.as_str().into(),
            if self.current { "this one" } else { "" }.into(),
            self.organization.as_str().into(),
            Cell::maybe(self.address.as_deref()),
            Cell::time(Some(self.last_seen_at)),
            Cell::maybe(self.user_agent.as_deref()).shortened(32),
        ]
    }

    fn fields(&self) -> Vec<(&'static str, Cell)> {
        vec![
            ("id", self.id.as_str().into()),
            ("organization", self.organization.as_str().into()),
            ("member", self.member_id.as_str().into()),
            ("address", Cell::maybe(self.address.as_deref())),
            ("client", Cell::maybe(self.user_agent.as_deref())),
            ("began", Cell::time(Some(self.created_at))),
            ("last used", Cell::time(Some(self.last_seen_at))),
            ("ends", Cell::time(Some(self.expires_at))),
            ("second factor", Cell::time(self.second_factor_at)),
            ("through", Cell::maybe(self.identity_provider.as_deref())),
        ]
    }
}

impl Present for Invitation {
    const HEADINGS: &'static [&'static str] = &["MEMBER", "E-MAIL", "ENDS", "LINK"];

    fn row(&self) -> Vec<Cell> {
        self.fields().into_iter().map(|(_, cell)| cell).collect()
    }

    fn fields(&self) -> Vec<(&'static str, Cell)> {
        vec![
            ("member", self.member_id.as_str().into()),
            ("e-mail", self.email.as_str().into()),
            ("ends", Cell::time(Some(self.expires_at))),
            ("link", Cell::maybe(self.link.as_deref())),
        ]
    }
}

impl Present for Joined {
    const HEADINGS: &'static [&'static str] = &["ORGANIZATION", "MEMBER", "E-MAIL"];

    fn row(&self) -> Vec<Cell> {
        self.fields().into_iter().map(|(_, cell)| cell).collect()
    }

    fn fields(&self) -> Vec<(&'static str, Cell)> {
        vec![
            ("organization", self.organization.as_str().into()),
            ("member", self.member_id.as_str().into()),
            ("e-mail", self.email.as_str().into()),
        ]
    }
}

impl Present for ContactAsked {
    const HEADINGS: &'static [&'static str] = &["TEAM", "CONTACT", "LINK", "UNTIL"];

    fn row(&self) -> Vec<Cell> {
        self.fields().into_iter().map(|(_, cell)| cell).collect()
    }

    fn fields(&self) -> Vec<(&'static str, Cell)> {
        vec![
            ("team", self.team_id.as_str().into()),
            ("contact", self.contact.as_str().into()),
            ("link", Cell::maybe(self.link.as_deref())),
            ("until", Cell::time(Some(self.expires_at))),
        ]
    }
}

impl Present for ContactConfirmed {
    const HEADINGS: &'static [&'static str] = &["ORGANIZATION", "TEAM", "CONTACT"];

    fn row(&self) -> Vec<Cell> {
        self.fields().into_iter().map(|(_, cell)| cell).collect()
    }

    fn fields(&self) -> Vec<(&'static str, Cell)> {
        vec![
            ("organization", self.organization.as_str().into()),
            ("team", self.team.as_str().into()),
            ("contact", self.contact.as_str().into()),
        ]
    }
}

impl Present for TotpSecret {
    const HEADINGS: &'static [&'static str] = &["SECRET", "URI"];

    fn row(&self) -> Vec<Cell> {
        self.fields().into_iter().map(|(_, cell)| cell).collect()
    }

    fn fields(&self) -> Vec<(&'static str, Cell)> {
        vec![("secret", self.secret.as_str().into()), ("uri", self.uri.as_str().into())]
    }
}

impl Present for RecoveryCodes {
    const HEADINGS: &'static [&'static str] = &["CODES"];

    fn row(&self) -> Vec<Cell> {
        vec![Cell::list(&self.codes)]
    }

    fn fields(&self) -> Vec<(&'static str, Cell)> {
        self.codes.iter().map(|code| ("recovery code", code.as_str().into())).collect()
    }
}

impl Present for Passkey {
    const HEADINGS: &'static [&'static str] = &["ID", "NAME", "ADDED", "LAST USED", "COPIED"];

    fn row(&self) -> Vec<Cell> {
        vec![
            self.id.as_str().into(),
            self.name.as_str().into(),
            Cell::time(Some(self.created_at)),
            Cell::time(self.last_used_at),
            if self.backed_up { "to your other devices" } else { "no" }.into(),
        ]
    }

    fn fields(&self) -> Vec<(&'static str, Cell)> {
        vec![
            ("id", self.id.as_str().into()),
            ("name", self.name.as_str().into()),
            ("added", Cell::time(Some(self.created_at))),
            ("last used", Cell::time(self.last_used_at)),
            ("copied", if self.backed_up { "to your other devices" } else { "no" }.into()),
        ]
    }
}

impl Present for AddedPasskey {
    const HEADINGS: &'static [&'static str] = Passkey::HEADINGS;

    fn row(&self) -> Vec<Cell> {
        self.passkey.row()
    }

    fn fields(&self) -> Vec<(&'static str, Cell)> {
        let codes = self.recovery_codes.iter().flatten();
        let codes = codes.map(|code| ("recovery code", code.as_str().into()));
        self.passkey.fields().into_iter().chain(codes).collect()
    }
}
