//! `keystead sign-in --sso`: through an organization's identity provider, in a browser on this machine.

use super::browser::open;
use super::loopback::Loopback;
use crate::exit::Failure;
use crate::output::Output;
use keystead_sdk::Client;
use keystead_sdk::api::{BegunSingleSignOn, FinishSingleSignOn, SignedIn, StartSingleSignOn};
use reqwest::Url;

/// How to sign in through a provider.
pub(super) struct Sso<'a> {
    /// `ORGANIZATION` or `ORGANIZATION/PROVIDER`.
    pub(super) named: &'a str,
    pub(super) again: bool,
    pub(super) opens_browser: bool,
}

impl Sso<'_> {
    pub(super) async fn sign_in(&self, client: &Client, output: &Output) -> Result<SignedIn, Failure> {
        let (organization, provider) = match self.named.split_once('/') {
            Some((organization, provider)) => (organization, Some(provider.to_owned())),
            None => (self.named, None),
        };
        let (loopback, port) = Loopback::listen().await?;
        let start = StartSingleSignOn {
            organization: organization.to_owned(),
            provider,
            loopback_port: Some(port),
            again: self.again,
        };
        let begun = client.start_single_sign_on(&start).await?;
        let (url, state) = checked(&begun)?;
        open(&url, self.opens_browser, output);
        let back = loopback.wait(&state).await?;
        let Some(code) = back.code else {
            return Err(Failure::local(
                "The provider did not let you in.",
                "Run the command again, and sign in there.",
            ));
        };
        let flow = begun.flow.clone().unwrap_or_default();
        Ok(client.finish_single_sign_on(&FinishSingleSignOn { flow, state, code, iss: back.iss }).await?)
    }
}

/// The URL to open, which is one of the web, and the state that comes back.
fn checked(begun: &BegunSingleSignOn) -> Result<(Url, String), Failure> {
    let url = Url::parse(&begun.url).ok().filter(|url| matches!(url.scheme(), "https" | "http"));
    let state = url.as_ref().and_then(|url| {
        let found = url.query_pairs().find(|(name, _)| name == "state");
        found.map(|(_, state)| state.into_owned())
    });
    url.zip(state).ok_or_else(|| {
        Failure::local("The server answered no URL to open.", "Report this to whoever runs it.")
    })
}
