//! Keys for people.

use crate::exit::{Exit, Outcome};
use crate::flags::amounts::{limit_text, quota_text};
use crate::flags::endpoint::endpoint_text;
use crate::flags::grant::{permission_text, role_text};
use crate::flags::hours::hours_texts;
use crate::flags::named::name;
use crate::output::Present;
use crate::output::table::{Cell, Tone};
use crate::session::Session;
use keystead_sdk::api::{
    ConsumerRef, CreatedKey, CreditsStatus, EffectivePermission, Key, KeyDetails, KeyKind, KeyRotation,
    KeyStatus, LimitStatus, QuotaStatus, Refill, Sighting, UnknownKeyAttempts,
};

/// Prints a key that is shown once: standard output holds it alone.
pub(crate) fn shown_once(session: &Session, made: &CreatedKey, did: &str, next: Option<&str>) -> Outcome {
    if session.output.is_json() {
        session.output.json(made)?;
        return Ok(Exit::Done);
    }
    session.output.note(did);
    if made.details.kind == KeyKind::Public {
        session.output.note(&format!("It can be read again with keystead keys reveal {}", made.details.id));
    } else {
        session
            .output
            .warning("The key is shown only now, and nobody can show it again: store it in a safe place.");
    }
    if let Some(next) = next {
        session.output.note(next);
    }
    session.output.secret(&made.key)?;
    Ok(Exit::Done)
}

/// A status, coloured.
pub(super) fn status_cell(status: KeyStatus) -> Cell {
    let tone = match status {
        KeyStatus::Active => Tone::Good,
        KeyStatus::Disabled | KeyStatus::Suspended | KeyStatus::NotYetValid => Tone::Warning,
        KeyStatus::Expired | KeyStatus::Revoked => Tone::Bad,
    };
    Cell::new(&name(&status), tone)
}

/// A key's status, and which part of a rotation it has while one runs.
fn status_and_part(key: &Key) -> Cell {
    match &key.rotating {
        Some(rotating) => {
            Cell::new(&format!("{} ({} of two)", name(&key.status), name(&rotating.part)), Tone::Warning)
        }
        None => status_cell(key.status),
    }
}

/// A consumer's name and id.
pub(crate) fn consumer_cell(consumer: Option<&ConsumerRef>) -> Cell {
    consumer.map_or_else(Cell::none, |consumer| format!("{} ({})", consumer.name, consumer.id).into())
}

/// What remains of a rate limit.
pub(crate) fn limit_status_text(status: &LimitStatus) -> String {
    let LimitStatus { name, of, limit, window_seconds, remaining, retry_after_ms } = status;
    let wait = if *retry_after_ms > 0 { format!(", again in {retry_after_ms} ms") } else { String::new() };
    format!("{name}: {remaining} of {limit} in {window_seconds} s ({of}{wait})")
}

/// What remains of a quota.
pub(crate) fn quota_status_text(status: &QuotaStatus) -> String {
    let QuotaStatus { of, limit, per, remaining, resets_at } = status;
    format!("{remaining} of {limit} this {} ({of}, until {resets_at})", name(per))
}

/// What remains of credits.
pub(crate) fn credits_cell(credits: Option<&CreditsStatus>) -> Cell {
    let Some(credits) = credits else {
        return Cell::none();
    };
    let refill = match (credits.refill, credits.refills_at) {
        (Refill::None, _) => "no refill".to_owned(),
        (refill, Some(at)) => format!("{} refill to {}, next {at}", name(&refill), credits.amount),
        (refill, None) => format!("{} refill to {}", name(&refill), credits.amount),
    };
    format!("{} ({refill})", credits.remaining).into()
}

impl Present for Key {
    const HEADINGS: &'static [&'static str] =
        &["ID", "NAME", "STATUS", "ENVIRONMENT", "OWNER", "CONSUMER", "EXPIRES", "LAST USED"];

    fn row(&self) -> Vec<Cell> {
        vec![
            self.id.as_str().into(),
            Cell::from(self.name.as_str()).shortened(40),
            status_and_part(self),
            self.environment.as_str().into(),
            Cell::from(self.owner.name.as_str()).shortened(32),
            Cell::maybe(self.consumer.as_ref().map(|consumer| consumer.name.as_str())).shortened(32),
            Cell::time(self.expires_at),
            Cell::time(self.last_used_at),
        ]
    }

    fn fields(&self) -> Vec<(&'static str, Cell)> {
        let mut fields = vec![
            ("id", self.id.as_str().into()),
            ("name", self.name.as_str().into()),
            ("begins", self.start.as_str().into()),
            ("status", status_cell(self.status)),
            ("project", self.project.as_str().into()),
            ("environment", self.environment.as_str().into()),
            ("kind", name(&self.kind).into()),
            ("minted from", Cell::maybe(self.parent.as_deref())),
            ("may mint", if self.may_mint { "yes" } else { "no" }.into()),
            ("owner", format!("{} ({})", self.owner.name, self.owner.id).into()),
            ("consumer", consumer_cell(self.consumer.as_ref())),
            ("permissions", Cell::list(&self.permissions.iter().map(permission_text).collect::<Vec<_>>())),
            ("roles", Cell::list(&self.roles.iter().map(role_text).collect::<Vec<_>>())),
        ];
        fields.extend(restrictions(self));
        fields.extend([
            ("limits", Cell::list(&self.limits.iter().map(limit_text).collect::<Vec<_>>())),
            ("quota", Cell::maybe(self.quota.as_ref().map(quota_text).as_deref())),
            ("credits", credits_cell(self.credits.as_ref())),
            (
                "uses",
                self.uses
                    .map_or_else(Cell::none, |uses| format!("{} of {}", uses.remaining, uses.total).into()),
            ),
            ("not before", Cell::time(self.not_before)),
            ("expires", Cell::time(self.expires_at)),
        ]);
        fields.extend(history(self));
        fields
    }
}

fn restrictions(key: &Key) -> Vec<(&'static str, Cell)> {
    let restrictions = &key.restrictions;
    let networks = restrictions.networks.as_ref();
    let endpoints: Vec<String> = restrictions.endpoints.iter().map(endpoint_text).collect();
    vec![
        ("networks allowed", networks.map_or_else(Cell::none, |networks| Cell::list(&networks.allow))),
        ("networks denied", networks.map_or_else(Cell::none, |networks| Cell::list(&networks.deny))),
        ("origins", Cell::list(&restrictions.origins)),
        ("endpoints", Cell::list(&endpoints)),
        ("hours", Cell::list(&restrictions.hours.as_ref().map(hours_texts).unwrap_or_default())),
    ]
}

fn history(key: &Key) -> Vec<(&'static str, Cell)> {
    let metadata = (!key.metadata.is_empty()).then(|| serde_json::json!(key.metadata).to_string());
    let mut fields = vec![
        ("tags", Cell::list(&key.tags)),
        ("metadata", Cell::maybe(metadata.as_deref())),
        ("last used", Cell::time(key.last_used_at)),
        ("created", Cell::time(Some(key.created_at))),
        ("created by", Cell::maybe(key.created_by.as_deref())),
        ("created from", Cell::maybe(key.created_from.as_deref())),
        ("changed", Cell::time(Some(key.updated_at))),
        ("version", key.version.to_string().into()),
    ];
    if key.suspended_until.is_some() {
        fields.insert(0, ("suspended until", Cell::time(key.suspended_until)));
    }
    if let Some(revocation) = &key.revocation {
        let text = format!("{} at {}", revocation.reason, revocation.at);
        fields.insert(0, ("revoked", Cell::new(&text, Tone::Bad)));
    }
    fields
}

impl Present for KeyDetails {
    const HEADINGS: &'static [&'static str] = Key::HEADINGS;

    fn row(&self) -> Vec<Cell> {
        self.key.row()
    }

    fn fields(&self) -> Vec<(&'static str, Cell)> {
        let mut fields = self.key.fields();
        fields.extend(self.effective_permissions.iter().map(|permission| ("may", effective(permission))));
        fields
            .extend(self.limit_status.iter().map(|status| ("limit left", limit_status_text(status).into())));
        fields
            .extend(self.quota_status.iter().map(|status| ("quota left", quota_status_text(status).into())));
        let seen = &self.seen;
        fields.push(("passed", seen.passed.to_string().into()));
        fields.push((
            "refused",
            format!("{}, last {}", seen.refused, time_or_never(seen.last_refused_at)).into(),
        ));
        for (what, sightings) in [
            ("seen network", &seen.networks),
            ("seen agent", &seen.user_agents),
            ("seen endpoint", &seen.endpoints),
            ("seen permission", &seen.permissions),
        ] {
            fields.extend(sightings.iter().map(|sighting| (what, sighting_text(sighting).into())));
        }
        if let Some(rotation) = &self.rotation {
            fields.extend(rotation.fields());
        }
        fields
    }
}

impl Present for KeyRotation {
    const HEADINGS: &'static [&'static str] = &["STATE", "OLD KEY", "NEW KEY", "STARTED", "ENDS"];

    fn row(&self) -> Vec<Cell> {
        vec![
            name(&self.state).into(),
            self.old_key_id.as_str().into(),
            self.new_key_id.as_str().into(),
            Cell::time(Some(self.started_at)),
            Cell::time(self.ends_at),
        ]
    }

    fn fields(&self) -> Vec<(&'static str, Cell)> {
        let mut fields = vec![
            ("rotation", name(&self.state).into()),
            ("old key", self.old_key_id.as_str().into()),
            ("new key", self.new_key_id.as_str().into()),
            ("started", Cell::time(Some(self.started_at))),
            ("old key ends", Cell::time(self.ends_at)),
        ];
        let (draining, reuse) = (&self.old_key_use, &self.reuse);
        if draining.passed + draining.refused > 0 {
            let text = format!("{} times, last {}", draining.passed, time_or_never(draining.last_used_at));
            fields.push(("old key used", text.into()));
        }
        for (what, sightings) in [("still from", &draining.networks), ("still by", &draining.user_agents)] {
            fields.extend(sightings.iter().map(|sighting| (what, sighting_text(sighting).into())));
        }
        if reuse.refused > 0 {
            let text = format!("{} times, last {}", reuse.refused, time_or_never(reuse.last_refused_at));
            fields.push(("used after its end", Cell::new(&text, Tone::Bad)));
        }
        for (what, sightings) in [("then from", &reuse.networks), ("then by", &reuse.user_agents)] {
            fields.extend(sightings.iter().map(|sighting| (what, sighting_text(sighting).into())));
        }
        fields
    }
}

fn effective(permission: &EffectivePermission) -> Cell {
    let on = permission.resources.as_ref().map(|on| format!(" on {}", on.join(", "))).unwrap_or_default();
    let text = format!("{}{on} (from {})", permission.permission, permission.via);
    match &permission.lost {
        Some(why) => Cell::new(&format!("not {text}: lost to {why}"), Tone::Warning),
        None => text.into(),
    }
}

fn time_or_never(at: Option<keystead_sdk::api::Timestamp>) -> String {
    at.map_or_else(|| "never".to_owned(), |at| at.to_string())
}

fn sighting_text(sighting: &Sighting) -> String {
    format!("{} ({} times, last {})", sighting.value, sighting.count, sighting.last_at)
}

impl Present for UnknownKeyAttempts {
    const HEADINGS: &'static [&'static str] = &["CODE", "ENVIRONMENT", "COUNT", "FIRST", "LAST", "NETWORKS"];

    fn row(&self) -> Vec<Cell> {
        let networks: Vec<&str> = self.networks.iter().map(|network| network.value.as_str()).collect();
        vec![
            self.code.as_str().into(),
            Cell::maybe(self.environment.as_deref()),
            self.count.to_string().into(),
            Cell::time(Some(self.first_at)),
            Cell::time(Some(self.last_at)),
            Cell::list(&networks).shortened(60),
        ]
    }

    fn fields(&self) -> Vec<(&'static str, Cell)> {
        vec![
            ("code", self.code.as_str().into()),
            ("environment", Cell::maybe(self.environment.as_deref())),
            ("count", self.count.to_string().into()),
            ("first", Cell::time(Some(self.first_at))),
            ("last", Cell::time(Some(self.last_at))),
            ("networks", Cell::list(&self.networks.iter().map(sighting_text).collect::<Vec<_>>())),
        ]
    }
}
