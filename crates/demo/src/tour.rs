//! The demo's working key, and three commands to try it with.

use crate::keys::with_tag;
use crate::memory::{self, TourKey, keep_tour_key, tour_key};
use crate::say;
use anyhow::{Context, Result};
use keystead_sdk::Client;
use keystead_sdk::api::{
    CreateKey, Endpoint, KeyStatus, LimitSpec, Networks, Restrictions, RevokeKey, RoleGrant, WhoAmI,
};
use std::path::Path;

const PROJECT: &str = "registry";
const ENVIRONMENT: &str = "production";
const CONSUMER: &str = "ORG-AUR-17";
const MARK: &str = "tour:first-steps";

/// The key of an earlier start, or a new one when that is lost or no longer usable.
pub(crate) async fn working_key(client: &Client, data: &Path) -> Result<TourKey> {
    if let Some(kept) = tour_key(data)?
        && is_usable(client, &kept).await?
    {
        return Ok(kept);
    }
    for lost in with_tag(client, PROJECT, MARK).await? {
        if lost.status != KeyStatus::Revoked {
            let reason = "Nobody has its secret any more".to_owned();
            client.revoke_key(&lost.id, &RevokeKey { reason }).await?;
        }
    }
    let created = client.create_key(PROJECT, &first_steps()).await.context("the working key")?;
    let key = TourKey { id: created.details.id, key: created.key };
    keep_tour_key(data, &key)?;
    Ok(key)
}

async fn is_usable(client: &Client, kept: &TourKey) -> Result<bool> {
    match client.whoami(&WhoAmI { key: Some(kept.key.clone()) }).await {
        Ok(found) => Ok(found.key.key.status == KeyStatus::Active),
        Err(error) if error.status().is_some_and(|status| (400..500).contains(&status)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn first_steps() -> CreateKey {
    let network = Networks { allow: vec!["203.0.113.0/24".to_owned()], deny: Vec::new() };
    let endpoint = Endpoint { methods: vec!["GET".to_owned()], path: "/v1/networks/*".to_owned() };
    CreateKey {
        name: "First steps".to_owned(),
        environment: ENVIRONMENT.to_owned(),
        consumer: Some(CONSUMER.to_owned()),
        roles: vec![RoleGrant::Everywhere("reader".to_owned())],
        restrictions: Restrictions {
            networks: Some(network),
            endpoints: vec![endpoint],
            ..Restrictions::default()
        },
        limits: vec![LimitSpec {
            name: "requests".to_owned(),
            limit: 60,
            window: "1m".to_owned(),
            burst: None,
        }],
        tags: vec![MARK.to_owned()],
        ..CreateKey::default()
    }
}

/// Prints where the server is, the keys, and three commands; each can be pasted on its own.
pub(crate) fn show(url: &str, data: &Path, cli: &Path, admin_key: &str, key: &TourKey) {
    let cli = quoted(cli);
    let admin = format!("KEYSTEAD_URL={url} KEYSTEAD_KEY=$(cat {})", quoted(&memory::admin_key_file(data)));
    let place = format!("--project {PROJECT} --environment {ENVIRONMENT}");
    let verify = |ip: &str, more: &str| {
        format!(
            "   {admin} \\\n   KEYSTEAD_VERIFY_KEY={} \\\n   {cli} verify {place} \\\n   \
             --ip {ip} --method GET --path /v1/networks/NET-7 --permission networks.read{more}\n",
            key.key
        )
    };
    say::line(&format!("\nKeystead       {url}\nAdmin key      {admin_key}\nA working key  {}\n", key.key));
    say::line("1. May this request pass? Yes:\n");
    say::line(&verify("203.0.113.41", ""));
    say::line("2. The same from another network? No, and this says why:\n");
    say::line(&verify("198.51.100.9", " --explain"));
    say::line("3. Issue a new key; it is shown this once:\n");
    say::line(&format!(
        "   {admin} \\\n   {cli} keys create {place} \\\n   --name 'My first key' \
         --consumer {CONSUMER} --role reader --limit requests=10/1m\n"
    ));
}

/// A path as one word of a shell.
fn quoted(path: &Path) -> String {
    let path = path.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if path.chars().all(plain) { path.into_owned() } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_one_word_of_a_shell() {
        assert_eq!(quoted(Path::new("demo-data/admin.key")), "demo-data/admin.key");
        assert_eq!(quoted(Path::new("it's here/x")), r"'it'\''s here/x'");
    }
}
