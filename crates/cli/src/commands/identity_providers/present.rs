//! How identity providers are shown.

use crate::output::Present;
use crate::output::table::Cell;
use keystead_sdk::api::{IdentityProvider, IdentityProviderTest};

const fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}

impl Present for IdentityProvider {
    const HEADINGS: &'static [&'static str] =
        &["ID", "NAME", "ISSUER", "DOMAINS", "JUST IN TIME", "ENFORCED"];

    fn row(&self) -> Vec<Cell> {
        vec![
            self.id.as_str().into(),
            self.name.as_str().into(),
            Cell::from(self.issuer.as_str()).shortened(48),
            Cell::list(&self.email_domains).shortened(32),
            yes(self.just_in_time).into(),
            yes(self.enforced).into(),
        ]
    }

    fn fields(&self) -> Vec<(&'static str, Cell)> {
        let groups: Vec<String> =
            self.group_teams.iter().map(|entry| format!("{}={}", entry.group, entry.team)).collect();
        vec![
            ("id", self.id.as_str().into()),
            ("name", self.name.as_str().into()),
            ("issuer", self.issuer.as_str().into()),
            ("client id", self.client_id.as_str().into()),
            ("client secret", if self.has_secret { "set" } else { "none" }.into()),
            ("scopes", Cell::list(&self.scopes)),
            ("groups claim", Cell::maybe(self.groups_claim.as_deref())),
            ("groups", Cell::list(&groups)),
            ("domains", Cell::list(&self.email_domains)),
            ("just in time", yes(self.just_in_time).into()),
            ("enforced", yes(self.enforced).into()),
            ("redirect URI", self.redirect_uri.as_str().into()),
            ("created", Cell::time(Some(self.created_at))),
            ("changed", Cell::time(Some(self.updated_at))),
            ("version", self.version.to_string().into()),
        ]
    }
}

impl Present for IdentityProviderTest {
    const HEADINGS: &'static [&'static str] = &["WORKS", "PROBLEM", "AUTHORIZATION", "ALGORITHMS", "KEYS"];

    fn row(&self) -> Vec<Cell> {
        self.fields().into_iter().map(|(_, cell)| cell).collect()
    }

    fn fields(&self) -> Vec<(&'static str, Cell)> {
        vec![
            ("works", yes(self.ok).into()),
            ("problem", Cell::maybe(self.problem.as_deref())),
            ("people are sent to", Cell::maybe(self.authorization_endpoint.as_deref())),
            ("algorithms", Cell::list(&self.algorithms)),
            ("signing keys", self.signing_keys.to_string().into()),
        ]
    }
}
