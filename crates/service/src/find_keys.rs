//! Finding keys: filtered, paged and counted.

use crate::caller::Caller;
use crate::cursor::{Cut, encode};
use crate::key_view::{Beside, spec_of, uses_of};
use crate::refused::Refused;
use crate::rotation_view::rotating;
use crate::{Keystead, management};
use keystead_api::{Key, KeyCounts, KeyQuery, KeyStatusFilter, Page};
use keystead_domain::cells::ProjectCell;
use keystead_domain::ids::{ConsumerId, KeyId, MemberId, OwnerId, ServiceAccountId};
use keystead_domain::invalid::Invalid;
use keystead_domain::meter::MeterId;
use keystead_domain::policy::PolicySpec;
use keystead_domain::time::Micros;
use keystead_store::{After, KeyFilter, KeyRow, KeyStatus, Reader, StatusFilter};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

/// The longest text to look for, in bytes.
const TEXT_BYTES_MAX: usize = 128;

impl Keystead {
    /// A page of a project's keys, newest first.
    ///
    /// # Errors
    /// When the caller may not see them, or a filter names what does not exist.
    pub async fn find_keys(
        self: &Arc<Self>,
        caller: &Caller,
        project: &str,
        query: &KeyQuery,
    ) -> Result<Page<Key>, Refused> {
        let (mut reader, filter) = self.filter(caller, project, query, &[management::KEYS_READ]).await?;
        let cut = Cut::<12>::read(query.limit, query.cursor.as_deref())?;
        let rows = reader.find_keys(&filter, after(&cut)?, cut.rows()).await?;
        let mut shown = self.views(&mut reader, &rows).await?;
        cut.page(
            rows,
            |(row, _)| (row.created_at, *row.id.as_bytes()),
            |(row, _)| {
                shown.remove(&row.id).ok_or_else(|| Refused::Internal("a listed key was not shown".into()))
            },
        )
    }

    /// How many of a project's keys match, by status.
    ///
    /// # Errors
    /// When the caller may not see them, or a filter names what does not exist.
    pub async fn count_keys(
        self: &Arc<Self>,
        caller: &Caller,
        project: &str,
        query: &KeyQuery,
    ) -> Result<KeyCounts, Refused> {
        let (mut reader, filter) = self.filter(caller, project, query, &[management::KEYS_READ]).await?;
        let counts = reader.count_keys(&filter).await?;
        let count = crate::accounts::unsigned;
        Ok(KeyCounts {
            total: counts.total(),
            active: count(counts.active),
            disabled: count(counts.disabled),
            suspended: count(counts.suspended),
            not_yet_valid: count(counts.not_yet_valid),
            expired: count(counts.expired),
            revoked: count(counts.revoked),
        })
    }

    pub(crate) async fn views(
        &self,
        reader: &mut Reader,
        rows: &[(KeyRow, Option<Micros>)],
    ) -> Result<HashMap<KeyId, Key>, Refused> {
        let ids: Vec<KeyId> = rows.iter().map(|(row, _)| row.id).collect();
        let mut tags: HashMap<KeyId, Vec<String>> = HashMap::new();
        for (id, tag) in reader.tags_of(&ids).await? {
            tags.entry(id).or_default().push(tag);
        }
        let (rotations, now) = (reader.open_rotations_of(&ids).await?, self.clock.now());
        let mut specs: HashMap<[u8; 32], PolicySpec> = HashMap::new();
        let mut shown = HashMap::with_capacity(rows.len());
        for (row, last_used_at) in rows {
            let spec = match specs.entry(row.policy_hash) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(unknown) => unknown.insert(spec_of(reader, row).await?),
            };
            let meter = match spec.credits {
                Some(_) => reader.meter(MeterId::Lineage(row.lineage_id)).await?,
                None => None,
            };
            let uses = uses_of(reader, row).await?;
            let mut tags = tags.remove(&row.id).unwrap_or_default();
            tags.sort_unstable();
            let beside = Beside {
                tags,
                meter: meter.as_ref(),
                uses: uses.as_ref(),
                last_used_at: *last_used_at,
                rotating: rotating(row.id, &rotations, now),
            };
            shown.insert(row.id, self.view(row, spec, beside)?);
        }
        Ok(shown)
    }

    pub(crate) async fn filter(
        self: &Arc<Self>,
        caller: &Caller,
        project: &str,
        query: &KeyQuery,
        permissions: &[&'static str],
    ) -> Result<(Reader, KeyFilter), Refused> {
        let directory = &self.keyring.directory;
        let project =
            directory.project(caller.organization(), project).ok_or(Refused::not_found("project"))?;
        let place = match &query.environment {
            Some(named) => directory.place(project.id, named),
            None => None,
        };
        let resource = place.as_ref().map_or(&project.resource, |place| &place.resource);
        self.authorise_all(caller, permissions, Some(resource)).await?;
        if query.environment.is_some() && place.is_none() {
            return Err(Refused::unknown(
                "/environment",
                "This project has no such environment.",
                "Send the id or slug of one of its environments.",
            ));
        }
        for (field, text) in [("/prefix", &query.prefix), ("/text", &query.text), ("/tag", &query.tag)] {
            if text.as_ref().is_some_and(|text| text.len() > TEXT_BYTES_MAX || text.is_empty()) {
                return Err(Invalid::new(
                    field,
                    "This is empty or too long.",
                    format!("Send 1 to {TEXT_BYTES_MAX} bytes, or leave it out."),
                )
                .into());
            }
        }
        let mut reader = self.store.read().await?;
        let owner = match &query.owner {
            Some(named) => Some(owner(&mut reader, &project, named).await?),
            None => None,
        };
        let consumer = match &query.consumer {
            Some(named) => Some(consumer(&mut reader, &project, named).await?),
            None => None,
        };
        let filter = KeyFilter {
            status: query.status.map(status),
            owner,
            consumer,
            environment: place.map(|place| place.environment),
            kind: query.kind.map(|kind| kind.as_str().into()),
            parent: query.parent.as_deref().map(parent).transpose()?,
            tag: query.tag.clone(),
            start_prefix: query.prefix.clone(),
            text: query.text.clone(),
            last_used_before: query.last_used_before.map(Micros::from),
            last_used_after: query.last_used_after.map(Micros::from),
            expiring_before: query.expiring_before.map(Micros::from),
            never_used: query.never_used,
            orphaned: query.orphaned,
            ..KeyFilter::of(project.organization, project.id, self.clock.now())
        };
        Ok((reader, filter))
    }
}

/// Where a page of keys begins.
pub(crate) fn after(cut: &Cut<12>) -> Result<After<KeyId>, Invalid> {
    let Some((at, id)) = cut.after else { return Ok(None) };
    let id = KeyId::from_slice(&id).ok_or_else(|| {
        Invalid::new(
            "/cursor",
            "This is not a cursor of this list.",
            "Send `next_cursor` of the page before.",
        )
    })?;
    Ok(Some((at, id)))
}

/// The cursor of a page that ended with this key.
pub(crate) fn cursor((at, id): (Micros, KeyId)) -> String {
    encode((at, *id.as_bytes()))
}

const fn status(filter: KeyStatusFilter) -> StatusFilter {
    StatusFilter::Is(match filter {
        KeyStatusFilter::Active => KeyStatus::Active,
        KeyStatusFilter::Disabled => KeyStatus::Disabled,
        KeyStatusFilter::Suspended => KeyStatus::Suspended,
        KeyStatusFilter::NotYetValid => KeyStatus::NotYetValid,
        KeyStatusFilter::Expired => KeyStatus::Expired,
        KeyStatusFilter::Revoked => KeyStatus::Revoked,
        KeyStatusFilter::Inactive => return StatusFilter::Inactive,
    })
}

/// A key by id; one that never was has no children.
fn parent(named: &str) -> Result<KeyId, Invalid> {
    named.parse().map_err(|_| {
        Invalid::new(
            "/parent",
            "This is not the id of a key.",
            "Send an id as `key_…`, of any key of the project.",
        )
    })
}

/// An owner by id or a service account by name; one that never was owns no keys, so only a name
/// must exist.
async fn owner(reader: &mut Reader, project: &ProjectCell, named: &str) -> Result<OwnerId, Refused> {
    if let Ok(id) = named.parse::<ConsumerId>() {
        return Ok(OwnerId::Consumer(id));
    }
    if let Ok(id) = named.parse::<ServiceAccountId>() {
        return Ok(OwnerId::ServiceAccount(id));
    }
    if let Ok(id) = named.parse::<MemberId>() {
        return Ok(OwnerId::Member(id));
    }
    let row = reader.service_account_by_name(project.id, named).await?;
    row.map(|row| OwnerId::ServiceAccount(row.id)).ok_or_else(|| {
        Refused::unknown(
            "/owner",
            "This project has no such owner.",
            "Send an id, or a service account's name.",
        )
    })
}

async fn consumer(reader: &mut Reader, project: &ProjectCell, named: &str) -> Result<ConsumerId, Refused> {
    if let Ok(id) = named.parse::<ConsumerId>() {
        return Ok(id);
    }
    let row = reader.consumer_by_external_id(project.id, named).await?;
    row.map(|row| row.id).ok_or_else(|| {
        Refused::unknown("/consumer", "This project has no such consumer.", "Send an id or external id.")
    })
}
