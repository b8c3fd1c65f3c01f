//! `keystead keys mint`: makes a temporary key from one that its holder has.

use super::present::shown_once;
use crate::exit::{Failure, Outcome};
use crate::flags::body::{FromJson, Source, object};
use crate::flags::grant::permission;
use crate::flags::key_body::Narrowing;
use crate::input;
use crate::session::Session;
use clap::Args;
use keystead_sdk::api::{MintKey, PermissionGrant, Restrictions};
use serde_json::{Map, Value};

/// Mint a temporary key from one you hold, and print it, once
///
/// The parent is the key of this command (KEYSTEAD_KEY), or the one in --key-file; it must be one
/// that may mint. The minted key never has more rights, a longer life or wider networks than its
/// parent, spends what its parent has, and dies with it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead keys mint --key-file ./parent.key
  keystead keys mint --key-file ./parent.key --expires-in 60 --uses 1 \\
      --permission routes.read --endpoint 'GET /v1/routes/**'
  keystead keys mint --from-json mint.json --json")]
pub(crate) struct Mint {
    /// Read the parent from this file; `-` is standard input
    #[arg(long, value_name = "FILE|-")]
    key_file: Option<Source>,
    #[command(flatten)]
    what: What,
    #[command(flatten)]
    narrowing: Narrowing,
    #[command(flatten)]
    json: FromJson,
}

#[derive(Debug, Args)]
#[group(conflicts_with = "from_json")]
struct What {
    /// For people; the parent's name by default
    #[arg(long)]
    name: Option<String>,
    /// Seconds until it expires, 1 to 86400; 900 by default
    #[arg(long, value_name = "SECONDS", help_heading = "Validity")]
    expires_in: Option<u64>,
    /// How many requests it may pass
    #[arg(long, value_name = "N", help_heading = "Limits")]
    uses: Option<u64>,
    /// A permission of the parent's, on every resource or only on some; repeat it for more; all that
    /// the parent has by default
    #[arg(long, value_name = "NAME[@RESOURCES]", value_parser = permission, help_heading = "Access")]
    permission: Vec<PermissionGrant>,
    /// A JSON object of yours, or @FILE with one; never a place for secrets
    #[arg(long, value_name = "JSON|@FILE", value_parser = object, help_heading = "Labels")]
    metadata: Option<Map<String, Value>>,
}

impl Mint {
    pub(super) async fn run(self, session: &Session) -> Outcome {
        let parent = self.key_file.as_ref().map(|file| input::key(Some(file), None, "Parent")).transpose()?;
        let new = match self.json.body()? {
            Some(new) => new,
            None => self.new_key()?,
        };
        let minted = match parent {
            Some(parent) => session.client.mint_key_from(&parent, &new).await?,
            None => session.client.mint_key(&new).await?,
        };
        let until = minted.details.expires_at.map(|at| format!(", valid until {at}")).unwrap_or_default();
        shown_once(session, &minted, &format!("Minted {}{until}.", minted.details.id), None)
    }

    fn new_key(self) -> Result<MintKey, Failure> {
        let What { name, expires_in, uses, permission, metadata } = self.what;
        Ok(MintKey {
            name,
            expires_in_seconds: expires_in,
            uses,
            permissions: (!permission.is_empty()).then_some(permission),
            restrictions: self.narrowing.over(Restrictions::default())?,
            metadata,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::arguments::{ClientCommand, client_command};
    use crate::commands::keys::Keys;
    use serde_json::{Value, json};

    fn body(flags: &[&str]) -> Value {
        let arguments = ["keystead", "keys", "mint"].iter().chain(flags);
        let ClientCommand::Keys(Keys::Mint(mint)) = client_command(arguments) else { panic!() };
        serde_json::to_value(mint.new_key().unwrap()).unwrap()
    }

    #[test]
    fn every_field_of_a_minted_key_is_reachable_by_flags() {
        let flags = [
            "--name",
            "Upload",
            "--expires-in",
            "60",
            "--uses",
            "1",
            "--permission",
            "routes.read",
            "--permission",
            "zones.read@zones/1",
            "--network-allow",
            "192.0.2.0/24",
            "--metadata",
            r#"{"x":1}"#,
        ];
        let narrowed = json!({"permission": "zones.read", "resources": ["zones/1"]});
        assert_eq!(
            body(&flags),
            json!({
                "name": "Upload", "expires_in_seconds": 60, "uses": 1, "permissions": ["routes.read", narrowed],
                "restrictions": {"networks": {"allow": ["192.0.2.0/24"]}}, "metadata": {"x": 1},
            })
        );
        assert_eq!(body(&[]), json!({"restrictions": {}}));
    }
}
