//! Commands that mend, to be pasted into a shell. They hold ids, slugs, permissions and networks only, never
//! a name that somebody chose freely: pasting must not run what another wrote.

use super::facts::Held;

/// More flags than this are no command for people.
const FLAGS_MAX: usize = 64;

/// A word as a POSIX shell takes it literally; `None` for one that a flag could not take.
fn word(text: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | ':' | '@');
    if text.is_empty() || text.starts_with('-') || !text.chars().all(|c| c.is_ascii_graphic() && c != '\'') {
        return None;
    }
    Some(if text.chars().all(plain) { text.to_owned() } else { format!("'{text}'") })
}

/// `--permission` for each; `None` when there are too many, or one cannot be written so.
fn grants(held: &[&Held]) -> Option<String> {
    let mut flags = String::new();
    if held.len() > FLAGS_MAX {
        return None;
    }
    for one in held {
        let text = if one.resources.is_empty() {
            one.name.clone()
        } else if one.resources.iter().any(|resource| resource.contains(',')) {
            return None;
        } else {
            format!("{}@{}", one.name, one.resources.join(","))
        };
        flags.push_str(" --permission ");
        flags.push_str(&word(&text)?);
    }
    Some(flags)
}

/// Leaves a key with these permissions.
pub(super) fn keep(id: &str, held: &[&Held], has_roles: bool) -> Option<String> {
    let permissions = if held.is_empty() { " --no-permissions".to_owned() } else { grants(held)? };
    let roles = if has_roles { " --no-roles" } else { "" };
    Some(format!("keystead keys update {id}{permissions}{roles}"))
}

/// A key for one of those who share one.
pub(super) fn split(project: &str, environment: &str, held: &[&Held]) -> Option<String> {
    let permissions = grants(held)?;
    Some(format!(
        "keystead keys create --project {project} --environment {environment} --name PROGRAM --owner OWNER{permissions}"
    ))
}

/// Lets a key be used from these networks only.
pub(super) fn only_from(id: &str, networks: &[String]) -> Option<String> {
    let mut flags = String::new();
    for network in networks {
        flags.push_str(" --network-allow ");
        flags.push_str(&word(network)?);
    }
    Some(format!("keystead keys update {id}{flags}"))
}
