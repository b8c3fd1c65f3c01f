//! What can be tried with the demo: commands to paste.

use crate::say;
use anyhow::{Context, Result};
use keystead_demo::memory;
use std::path::Path;

const PLACE: &str = "--project registry --environment production";
/// Where `examples/registry` listens.
const REGISTRY: &str = "http://127.0.0.1:7800";

/// Prints where the server is, the keys, and five commands; each can be pasted on its own.
pub(crate) fn show(url: &str, data: &Path, cli: &Path, admin_key: &str) -> Result<()> {
    let key = memory::recall(data, memory::FIRST_STEPS)?.context("the demo's key is not there")?;
    let cli = quoted(cli);
    let file = |name: &str| quoted(&data.join(name));
    let admin = format!("KEYSTEAD_URL={url} KEYSTEAD_KEY=$(cat {})", file(memory::ADMIN));
    let verify = |ip: &str, more: &str| {
        format!(
            "   {admin} \\\n   KEYSTEAD_VERIFY_KEY={key} \\\n   {cli} verify {PLACE} \\\n   \
             --ip {ip} --method GET --path /v1/networks/NET-7 --permission networks.read{more}\n"
        )
    };
    say::line(&format!("\nKeystead       {url}\nAdmin key      {admin_key}\nA working key  {key}\n"));
    say::line("1. May this request pass? Yes:\n");
    say::line(&verify("203.0.113.41", ""));
    say::line("2. The same from another network? No, and this says why:\n");
    say::line(&verify("198.51.100.9", " --explain"));
    say::line("3. Issue a new key; it is shown this once:\n");
    say::line(&format!(
        "   {admin} \\\n   {cli} keys create {PLACE} \\\n   --name 'My first key' \
         --consumer ORG-AUR-17 --role reader --limit requests=10/1m\n"
    ));
    say::line("4. Start an API that Keystead guards, in another terminal (examples/registry):\n");
    let guard = format!("KEYSTEAD_URL={url} KEYSTEAD_KEY=$(cat {})", file(memory::GUARD));
    say::line(&format!("   {guard} \\\n   cargo run -p keystead-example-registry\n"));
    say::line("5. Chloé, of team routing, publishes a route there, and is refused at a DNS zone:\n");
    let call = |what: &str, body: &str| {
        format!(
            "   curl -sX PUT {REGISTRY}/v1/networks/NET-7/{what} \\\n   \
             -H \"Authorization: Bearer $(cat {})\" -d '{body}'\n",
            file(&memory::key_of("chloe"))
        )
    };
    say::line(&call("routes/203.0.113.0-24", r#"{"origin": 64496}"#));
    say::line(&call("zones/113.0.203.in-addr.arpa", r#"{"name_servers": ["ns.example.net"]}"#));
    Ok(())
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
