//! What each kind of key demands, when it is issued and whenever it is changed.

use crate::cells;
use crate::projects::hold;
use crate::refused::Refused;
use keystead_api::{CreateKey, KeyKind, Restrictions, UpdateKey};
use keystead_domain::cells::ProjectCell;
use keystead_domain::invalid::Invalid;
use keystead_domain::policy::{Given, Policy};
use keystead_domain::time::{Micros, SECOND};
use keystead_store::{KeyRow, Tx};

/// The life of a temporary key whose maker does not say, and the longest of a minted one, in seconds.
/// How long one may live that is issued is the guardrail `lifetime_max`'s to say.
pub(crate) const TEMPORARY_SECONDS_MAX: i64 = 86_400;
/// The most uses of a temporary key, as of credits.
const USES_MAX: u64 = 1_000_000_000;

/// When a key expires whose maker does not say: a temporary one after a day.
pub(crate) fn with_expiry(input: &mut CreateKey, now: Micros) {
    if input.kind == KeyKind::Temporary && input.expires_at.is_none() {
        input.expires_at = Some(now.plus(TEMPORARY_SECONDS_MAX * SECOND).to_timestamp());
    }
}

/// What a kind asks about a key.
pub(crate) struct Shape<'a> {
    pub(crate) has_consumer: bool,
    pub(crate) expires_at: Option<Micros>,
    pub(crate) restrictions: &'a Restrictions,
}

/// Whether a key is what its kind says. What a public key may hold is checked where it is granted.
pub(crate) fn check(kind: KeyKind, project: &ProjectCell, shape: &Shape<'_>) -> Result<(), Invalid> {
    match kind {
        KeyKind::Private => Ok(()),
        KeyKind::Public => public(project, shape.restrictions),
        KeyKind::Partner => partner(shape),
        KeyKind::Temporary => temporary(shape),
    }
}

fn public(project: &ProjectCell, restrictions: &Restrictions) -> Result<(), Invalid> {
    if project.system {
        let what = "A key that manages Keystead is never public.";
        return Err(Invalid::new("/kind", what, "Issue it as private or temporary."));
    }
    if restrictions.origins.is_empty() && restrictions.endpoints.is_empty() {
        let what = "A public key is seen by everybody, and this one could be used from anywhere.";
        return Err(Invalid::new("/restrictions", what, "Send at least one of `origins` or `endpoints`."));
    }
    Ok(())
}

fn partner(shape: &Shape<'_>) -> Result<(), Invalid> {
    if !shape.has_consumer {
        let what = "A partner's key names no consumer.";
        return Err(Invalid::new("/consumer", what, "Send the consumer that it is issued to."));
    }
    if shape.expires_at.is_none() {
        let what = "A partner's key would never expire.";
        return Err(Invalid::new("/expires_at", what, "Send when it expires."));
    }
    Ok(())
}

fn temporary(shape: &Shape<'_>) -> Result<(), Invalid> {
    if shape.expires_at.is_none() {
        let what = "A temporary key would never expire.";
        return Err(Invalid::new("/expires_at", what, "Send when it expires."));
    }
    Ok(())
}

/// The number of uses: of a temporary key only, and bounded.
pub(crate) fn uses(kind: KeyKind, uses: Option<u64>) -> Result<(), Invalid> {
    match uses {
        Some(_) if kind != KeyKind::Temporary => Err(Invalid::new(
            "/uses",
            "Only a temporary key dies after a number of uses.",
            "Send `credits`, which can be refilled, or make it temporary.",
        )),
        Some(uses) if !(1..=USES_MAX).contains(&uses) => Err(Invalid::new(
            "/uses",
            "This number of uses is not possible.",
            format!("Send 1 to {USES_MAX}."),
        )),
        _ => Ok(()),
    }
}

/// Minting is for keys of the organization's own APIs, and not for those that die after a number of uses: the
/// minted ones would not count as its uses.
pub(crate) fn mint_right(
    project: &ProjectCell,
    may_mint: Option<bool>,
    has_uses: bool,
) -> Result<(), Invalid> {
    if has_uses && may_mint == Some(true) {
        let what = "From a key with a number of uses nothing is minted.";
        return Err(Invalid::new(
            "/may_mint",
            what,
            "Leave it out, or give the key credits instead of uses.",
        ));
    }
    if project.system && may_mint == Some(true) {
        let what = "From a key that manages Keystead nothing is minted.";
        return Err(Invalid::new("/may_mint", what, "Leave it out, and issue another key instead."));
    }
    Ok(())
}

/// What is its parent's cannot be changed on a minted key.
pub(crate) fn own_fields(row: &KeyRow, input: &UpdateKey) -> Result<(), Invalid> {
    let given = [
        ("/owner", input.owner.is_some()),
        ("/consumer", input.consumer.is_some()),
        ("/limits", input.limits.is_some()),
        ("/quota", input.quota.is_some()),
        ("/credits", input.credits.is_some()),
        ("/may_mint", input.may_mint.is_some()),
    ];
    match given.into_iter().find(|(_, given)| *given) {
        Some((field, _)) if row.parent_id.is_some() => Err(Invalid::new(
            field,
            "The key was minted, and this is its parent's.",
            "Change it on the parent: it holds for all keys minted from it.",
        )),
        _ => Ok(()),
    }
}

/// Refuses to give a public key what is not safe in public. In the transaction that gives it, and
/// with the project held: the catalogue in memory may be about to change.
pub(crate) async fn public_safe(tx: &mut Tx, project: &ProjectCell, policy: &Policy) -> Result<(), Refused> {
    hold(tx, project).await?;
    let catalogue = cells::catalogue(&tx.permissions_in(project.id).await?);
    // Permissions stand before roles.
    let permissions =
        policy.grants.iter().filter(|grant| matches!(grant.given, Given::Permission(_))).count();
    for (index, grant) in policy.grants.iter().enumerate() {
        let mut unsafe_name = None;
        grant.each_name(&catalogue, &mut |name| {
            if unsafe_name.is_none() && !catalogue.is_public_safe(name) {
                unsafe_name = Some(name.to_owned());
            }
        });
        if let Some(name) = unsafe_name {
            let field = match index.checked_sub(permissions) {
                None => format!("/permissions/{index}"),
                Some(index) => format!("/roles/{index}"),
            };
            return Err(Invalid::new(
                field,
                format!("A public key would hold {name}, which is not public_safe."),
                "Give it what the catalogue marks as public_safe only, or mark this one so.",
            )
            .into());
        }
    }
    Ok(())
}
