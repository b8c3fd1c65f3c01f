//! Finding keys: a filtered, paged list and its counts.

use crate::After;
use crate::conn::Conn;
use crate::error::StoreError;
use crate::statement::{Filtered, Fragment, statements};
use crate::tables::keys::{KeyRow, columns};
use crate::tables::page::{limit, page};
use crate::value::{Column, Value, owner_bytes};
use keystead_domain::ids::{ConsumerId, EnvironmentId, KeyId, OrganizationId, OwnerId, ProjectId};
use keystead_domain::time::Micros;
use sqlx::{FromRow, Row};

/// What state a key is in. The first that applies of revoked, disabled, suspended, not yet valid,
/// expired, active.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyStatus {
    /// It may pass.
    Active,
    /// It is disabled.
    Disabled,
    /// It is suspended until a time to come.
    Suspended,
    /// Its validity begins at a time to come.
    NotYetValid,
    /// Its validity has ended.
    Expired,
    /// It is revoked.
    Revoked,
}

impl KeyStatus {
    /// Its number in a statement.
    const fn number(self) -> i64 {
        match self {
            Self::Active => 1,
            Self::Disabled => 2,
            Self::Suspended => 3,
            Self::NotYetValid => 4,
            Self::Expired => 5,
            Self::Revoked => 6,
        }
    }
}

/// Which states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StatusFilter {
    /// This one.
    Is(KeyStatus),
    /// Every one but active.
    Inactive,
}

/// Which keys: those of the project for which every condition that is given holds.
#[derive(Debug, Clone)]
pub struct KeyFilter {
    /// Whose.
    pub organization: OrganizationId,
    /// In which project.
    pub project: ProjectId,
    /// When the state is asked for.
    pub now: Micros,
    /// In which state.
    pub status: Option<StatusFilter>,
    /// With this owner.
    pub owner: Option<OwnerId>,
    /// Issued to this consumer.
    pub consumer: Option<ConsumerId>,
    /// In this environment.
    pub environment: Option<EnvironmentId>,
    /// Of this kind.
    pub kind: Option<String>,
    /// Minted from this key.
    pub parent: Option<KeyId>,
    /// With this tag, exactly.
    pub tag: Option<String>,
    /// Whose token begins so, exactly.
    pub start_prefix: Option<String>,
    /// With this in the name or the written id; ASCII letters of either case are the same.
    pub text: Option<String>,
    /// Last used before this instant; not those never used.
    pub last_used_before: Option<Micros>,
    /// Last used at this instant or after it.
    pub last_used_after: Option<Micros>,
    /// Whose validity ends before this instant, or has ended.
    pub expiring_before: Option<Micros>,
    /// Whether they were never used.
    pub never_used: Option<bool>,
    /// Whether they are a person's who is disabled, or has left the team in whose name they were made.
    pub orphaned: Option<bool>,
}

impl KeyFilter {
    /// Every key of a project, with the states of this instant.
    #[must_use]
    pub const fn of(organization: OrganizationId, project: ProjectId, now: Micros) -> Self {
        Self {
            organization,
            project,
            now,
            status: None,
            owner: None,
            consumer: None,
            environment: None,
            kind: None,
            parent: None,
            tag: None,
            start_prefix: None,
            text: None,
            last_used_before: None,
            last_used_after: None,
            expiring_before: None,
            never_used: None,
            orphaned: None,
        }
    }
}

/// How many keys are in each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KeyCounts {
    /// That may pass.
    pub active: i64,
    /// That are disabled.
    pub disabled: i64,
    /// That are suspended.
    pub suspended: i64,
    /// That are not yet valid.
    pub not_yet_valid: i64,
    /// That have expired.
    pub expired: i64,
    /// That are revoked.
    pub revoked: i64,
}

impl KeyCounts {
    /// How many there are in all.
    #[must_use]
    pub fn total(&self) -> u64 {
        let Self { active, disabled, suspended, not_yet_valid, expired, revoked } = *self;
        let all = [active, disabled, suspended, not_yet_valid, expired, revoked];
        all.into_iter().map(|count| u64::try_from(count).unwrap_or(0)).sum()
    }
}

macro_rules! last_used {
    () => {
        "(SELECT seen.last_used_at FROM seen WHERE seen.lineage_id = keys.lineage_id)"
    };
}

pub(super) use last_used;

macro_rules! status {
    () => {
        "CAST(CASE WHEN revoked_at IS NOT NULL THEN 6 WHEN disabled THEN 2 WHEN suspended_until > {} THEN 3 \
         WHEN not_before > {} THEN 4 WHEN expires_at <= {} THEN 5 ELSE 1 END AS BIGINT)"
    };
}

// A person's, who is disabled; or one in a team's name, whose person is that, or has left the team. Those that are
// revoked, or end with the key that they were minted from, are nobody's to hand over.
macro_rules! orphaned {
    () => {
        "(revoked_at IS NULL AND parent_id IS NULL AND (EXISTS (SELECT 1 FROM members \
         WHERE members.id = keys.owner_member AND members.disabled) OR EXISTS (SELECT 1 FROM seats \
         JOIN members ON members.id = seats.member_id WHERE seats.id = keys.owner_seat \
         AND (seats.left_at IS NOT NULL OR members.disabled))))"
    };
}

statements! {
    fragments:
    SELECT(0) = concat!("SELECT ", columns!(), ", ", last_used!(), " FROM keys");
    COUNT(3) = concat!("SELECT ", status!(), ", count(*) FROM keys");
    OF_PROJECT(2) = " WHERE project_id = {} AND organization_id = {}";
    STATUS_IS(4) = concat!(" AND ", status!(), " = {}");
    STATUS_IS_NOT(4) = concat!(" AND ", status!(), " <> {}");
    OWNER(1) = " AND owner = {}";
    CONSUMER(1) = " AND consumer_id = {}";
    ENVIRONMENT(1) = " AND environment_id = {}";
    KIND(1) = " AND kind = {}";
    PARENT(1) = " AND parent_id = {}";
    TAG(1) = " AND EXISTS (SELECT 1 FROM key_tags WHERE key_tags.key_id = keys.id AND key_tags.tag = {})";
    // Not LIKE: SQLite's ignores case.
    START(2) = " AND substr(start, 1, length(CAST({} AS TEXT))) = {}";
    TEXT(1) = r" AND search LIKE {} ESCAPE '\'";
    USED_BEFORE(1) = concat!(" AND ", last_used!(), " < {}");
    USED_AFTER(1) = concat!(" AND ", last_used!(), " >= {}");
    EXPIRING(1) = " AND expires_at < {}";
    NEVER_USED(0) = concat!(" AND ", last_used!(), " IS NULL");
    EVER_USED(0) = concat!(" AND ", last_used!(), " IS NOT NULL");
    ORPHANED(0) = concat!(" AND ", orphaned!());
    NOT_ORPHANED(0) = concat!(" AND NOT ", orphaned!());
    PAGE(3) = " AND (created_at, id) < ({}, {}) ORDER BY created_at DESC, id DESC LIMIT {}";
    GROUP(0) = " GROUP BY 1";
}

/// The filter's values that are not stored as they are given.
struct Prepared {
    owner: Option<[u8; 17]>,
    text: Option<String>,
}

impl Prepared {
    fn of(filter: &KeyFilter) -> Self {
        Self { owner: filter.owner.map(owner_bytes), text: filter.text.as_deref().map(pattern) }
    }
}

/// A LIKE pattern for the text anywhere, itself taken literally.
fn pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for char in text.chars() {
        if matches!(char, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(char.to_ascii_lowercase());
    }
    pattern.push('%');
    pattern
}

fn conditions<'a>(list: &mut Filtered<'a>, filter: &'a KeyFilter, prepared: &'a Prepared) {
    let now = filter.now.value();
    list.add(OF_PROJECT, [filter.project.value(), filter.organization.value()]);
    match filter.status {
        Some(StatusFilter::Is(status)) => {
            list.add(STATUS_IS, [now, now, now, Value::Int(Some(status.number()))]);
        }
        Some(StatusFilter::Inactive) => {
            list.add(STATUS_IS_NOT, [now, now, now, Value::Int(Some(KeyStatus::Active.number()))]);
        }
        None => {}
    }
    let simple: [(Fragment<1>, Option<Value<'a>>); 10] = [
        (OWNER, prepared.owner.as_ref().map(|owner| Value::Bytes(Some(owner)))),
        (CONSUMER, filter.consumer.as_ref().map(Column::value)),
        (ENVIRONMENT, filter.environment.as_ref().map(Column::value)),
        (KIND, filter.kind.as_ref().map(Column::value)),
        (PARENT, filter.parent.as_ref().map(Column::value)),
        (TAG, filter.tag.as_ref().map(Column::value)),
        (TEXT, prepared.text.as_ref().map(Column::value)),
        (USED_BEFORE, filter.last_used_before.as_ref().map(Column::value)),
        (USED_AFTER, filter.last_used_after.as_ref().map(Column::value)),
        (EXPIRING, filter.expiring_before.as_ref().map(Column::value)),
    ];
    for (fragment, value) in simple {
        if let Some(value) = value {
            list.add(fragment, [value]);
        }
    }
    if let Some(start) = &filter.start_prefix {
        list.add(START, [start.value(), start.value()]);
    }
    match filter.never_used {
        Some(true) => list.add(NEVER_USED, []),
        Some(false) => list.add(EVER_USED, []),
        None => {}
    }
    match filter.orphaned {
        Some(true) => list.add(ORPHANED, []),
        Some(false) => list.add(NOT_ORPHANED, []),
        None => {}
    }
}

/// A key as a list shows it.
pub(super) struct Listed {
    pub(super) key: KeyRow,
    pub(super) last_used_at: Option<Micros>,
}

macro_rules! listed {
    ($($row:ty),*) => {$(
        impl<'r> FromRow<'r, $row> for Listed {
            fn from_row(row: &'r $row) -> Result<Self, sqlx::Error> {
                let last_used_at: Option<i64> = row.try_get(KeyRow::WIDTH)?;
                Ok(Self { key: KeyRow::from_row(row)?, last_used_at: last_used_at.map(Micros) })
            }
        }
    )*};
}

listed!(sqlx::sqlite::SqliteRow, sqlx::postgres::PgRow);

impl Conn {
    /// A page of the keys that the filter names, newest first, each with when its lineage was last
    /// used.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn find_keys(
        &mut self,
        filter: &KeyFilter,
        after: After<KeyId>,
        rows_max: u32,
    ) -> Result<Vec<(KeyRow, Option<Micros>)>, StoreError> {
        let (at, id) = page(after.map(|(at, id)| (at, *id.as_bytes())));
        let prepared = Prepared::of(filter);
        let mut list = Filtered::default();
        list.add(SELECT, []);
        conditions(&mut list, filter, &prepared);
        list.add(PAGE, [at.value(), id.value(), limit(rows_max)]);
        let rows: Vec<Listed> = self.filtered(list).await?;
        Ok(rows.into_iter().map(|row| (row.key, row.last_used_at)).collect())
    }

    /// How many keys that the filter names are in each state.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn count_keys(&mut self, filter: &KeyFilter) -> Result<KeyCounts, StoreError> {
        let now = filter.now.value();
        let prepared = Prepared::of(filter);
        let mut list = Filtered::default();
        list.add(COUNT, [now, now, now]);
        conditions(&mut list, filter, &prepared);
        list.add(GROUP, []);
        let mut counts = KeyCounts::default();
        for (status, count) in self.filtered::<(i64, i64)>(list).await? {
            *match status {
                1 => &mut counts.active,
                2 => &mut counts.disabled,
                3 => &mut counts.suspended,
                4 => &mut counts.not_yet_valid,
                5 => &mut counts.expired,
                6 => &mut counts.revoked,
                _ => return Err(StoreError::Corrupt("a key's state")),
            } = count;
        }
        Ok(counts)
    }
}

#[cfg(test)]
mod tests {
    use super::pattern;

    #[test]
    fn a_searched_text_is_taken_literally() {
        assert_eq!(pattern(r"50%_\É"), r"%50\%\_\\É%");
        assert_eq!(pattern("KEY"), "%key%");
    }
}
