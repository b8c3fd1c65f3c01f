//! The crates that deny.toml bans, looked for without cargo-deny, which is rarely installed.

use crate::process::{capture, cargo};
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use std::fs;

/// Fails when a crate that deny.toml bans is in a build of anything here for this machine.
pub(super) fn check(workspace: &Workspace) -> Result<()> {
    let rules = fs::read_to_string(workspace.root.join("deny.toml")).context("cannot read deny.toml")?;
    let mut tree = cargo(&workspace.root);
    tree.args(["tree", "--workspace", "--all-features", "--locked", "--prefix", "none", "--format", "{p}"]);
    let built = capture(&mut tree)?;
    match find(&rules, &built)? {
        None => Ok(()),
        Some(name) => bail!("deny.toml bans {name}; `cargo tree --all-features -i {name}` says who wants it"),
    }
}

/// The first package of the tree that the rules ban.
fn find<'a>(rules: &'a str, tree: &str) -> Result<Option<&'a str>> {
    let rule = |line: &'a str| line.trim_start().strip_prefix("{ crate = \"")?.split('"').next();
    let banned: Vec<&str> = rules.lines().filter_map(rule).collect();
    if banned.is_empty() || tree.is_empty() {
        bail!("deny.toml bans nothing that can be read here, or nothing is built");
    }
    let built = |name: &str| tree.lines().any(|package| package.split(' ').next() == Some(name));
    Ok(banned.into_iter().find(|name| built(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_banned_crate_is_found_wherever_it_stands() {
        let rules = include_str!("../../../../deny.toml");
        let tree = "keystead v0.1.0 (/k)\nring-buffer v1.0.0\naws-lc-rs v1.17.0\n";
        assert_eq!(find(rules, tree).unwrap(), None);
        assert_eq!(find(rules, &format!("{tree}ring v0.17.14 (*)\n")).unwrap(), Some("ring"));
        assert_eq!(find(rules, &format!("{tree}openssl-sys v0.9.1\n")).unwrap(), Some("openssl-sys"));
        assert!(find("deny = []", tree).is_err(), "rules that cannot be read are no rules kept");
    }
}
