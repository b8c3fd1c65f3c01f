//! What keys are tagged with and refer to, in rows of their own: "is this role still in use" is
//! one look into an index.

use crate::conn::{Conn, Tx};
use crate::error::StoreError;
use crate::statement::statements;
use crate::tables::page::limit;
use crate::value::{Column, Value};
use keystead_domain::ids::{KeyId, ProjectId, RoleId};

/// Tags that one statement reads where all are: more than a key can have.
const ALL_CHUNK_MAX: u32 = 4_096;
/// Keys whose tags one statement reads.
const TAGS_CHUNK: usize = 32;

statements! {
    TAGS(1) = "SELECT tag FROM key_tags WHERE key_id = $1 ORDER BY tag";
    TAGS_OF(32) = "SELECT key_id, tag FROM key_tags WHERE key_id IN ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, \
        $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32)";
    TAGS_AFTER(2) = "SELECT key_id, tag FROM key_tags WHERE key_id > $1 ORDER BY key_id LIMIT $2";
    ADD_TAG(2) = "INSERT INTO key_tags (key_id, tag) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    CLEAR_TAGS(1) = "DELETE FROM key_tags WHERE key_id = $1";
    ADD_ROLE(2) = "INSERT INTO key_roles (key_id, role_id) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    CLEAR_ROLES(1) = "DELETE FROM key_roles WHERE key_id = $1";
    ADD_GRANT(2) = "INSERT INTO key_grants (key_id, project_id, name) \
        SELECT id, project_id, CAST($2 AS TEXT) FROM keys WHERE id = $1 ON CONFLICT DO NOTHING";
    CLEAR_GRANTS(1) = "DELETE FROM key_grants WHERE key_id = $1";
    WITH_ROLE(1) = "SELECT count(*) FROM key_roles WHERE role_id = $1";
    GRANTED(2) = "SELECT count(*) FROM key_grants WHERE project_id = $1 AND name = $2";
}

impl Conn {
    /// A key's tags, in byte order.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn key_tags(&mut self, key: KeyId) -> Result<Vec<String>, StoreError> {
        let rows = self.rows::<(String,), 1>(&TAGS, [key.value()]).await?;
        let mut tags: Vec<String> = rows.into_iter().map(|(tag,)| tag).collect();
        tags.sort_unstable();
        Ok(tags)
    }

    /// The tags of each of these keys, in byte order of keys and tags.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn tags_of(&mut self, keys: &[KeyId]) -> Result<Vec<(KeyId, String)>, StoreError> {
        let mut tags = Vec::new();
        for chunk in keys.chunks(TAGS_CHUNK) {
            let Some(last) = chunk.last() else { continue };
            // The same statement for every length: the last key fills the places left.
            let mut values = [last.value(); TAGS_CHUNK];
            for (place, key) in values.iter_mut().zip(chunk) {
                *place = key.value();
            }
            for (key, tag) in self.rows::<(Vec<u8>, String), TAGS_CHUNK>(&TAGS_OF, values).await? {
                let key = KeyId::load(key).map_err(|unreadable| StoreError::Corrupt(unreadable.0))?;
                tags.push((key, tag));
            }
        }
        tags.sort_unstable();
        Ok(tags)
    }

    /// Gives the tags of every key of every organization that has some to `each`, in byte order.
    ///
    /// # Errors
    /// When the database cannot answer; some may have been given by then.
    pub async fn load_tags(
        &mut self,
        mut each: impl FnMut(KeyId, Vec<String>) + Send,
    ) -> Result<(), StoreError> {
        let mut after = Vec::new();
        loop {
            let values = [after.value(), limit(ALL_CHUNK_MAX)];
            let rows = self.rows::<(Vec<u8>, String), 2>(&TAGS_AFTER, values).await?;
            let is_last = rows.len() < ALL_CHUNK_MAX as usize;
            let mut of_keys = rows.chunk_by(|(one, _), (other, _)| one == other).peekable();
            while let Some(of_key) = of_keys.next() {
                // The last key's tags may go on beyond what was read.
                if !is_last && of_keys.peek().is_none() {
                    break;
                }
                let Some((key, _)) = of_key.first() else { break };
                after.clone_from(key);
                let key = KeyId::load(key.clone()).map_err(|unreadable| StoreError::Corrupt(unreadable.0))?;
                let mut tags: Vec<String> = of_key.iter().map(|(_, tag)| tag.clone()).collect();
                tags.sort_unstable();
                each(key, tags);
            }
            if is_last {
                return Ok(());
            }
        }
    }

    /// How many unpurged keys have that role.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn keys_with_role(&mut self, role: RoleId) -> Result<i64, StoreError> {
        self.number(&WITH_ROLE, [role.value()]).await
    }

    /// How many unpurged keys of that project name that permission exactly.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn keys_granted(&mut self, project: ProjectId, name: &str) -> Result<i64, StoreError> {
        self.number(&GRANTED, [project.value(), Value::Text(Some(name))]).await
    }
}

impl Tx {
    /// Gives a key these tags and no others. The key must be locked.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn set_key_tags(&mut self, key: KeyId, tags: &[String]) -> Result<(), StoreError> {
        self.touch("key_tags", key.as_bytes());
        self.execute(&CLEAR_TAGS, [key.value()]).await?;
        self.add_key_tags(key, tags).await
    }

    /// Records which roles and exact permissions a key refers to, and no others. The key
    /// must be locked.
    ///
    /// # Errors
    /// [`StoreError::Referenced`] when a role is not there, or when the database cannot answer.
    pub async fn set_key_references(
        &mut self,
        key: KeyId,
        role_ids: &[RoleId],
        exact_permissions: &[String],
    ) -> Result<(), StoreError> {
        self.touch("key_roles", key.as_bytes());
        self.touch("key_grants", key.as_bytes());
        self.execute(&CLEAR_ROLES, [key.value()]).await?;
        self.execute(&CLEAR_GRANTS, [key.value()]).await?;
        self.add_key_references(key, role_ids, exact_permissions).await?;
        self.flush().await
    }

    pub(super) async fn add_key_tags(&mut self, key: KeyId, tags: &[String]) -> Result<(), StoreError> {
        for tag in tags {
            self.touch("key_tags", key.as_bytes());
            self.later(&ADD_TAG, [key.value(), tag.value()]).await?;
        }
        Ok(())
    }

    pub(super) async fn add_key_references(
        &mut self,
        key: KeyId,
        role_ids: &[RoleId],
        exact_permissions: &[String],
    ) -> Result<(), StoreError> {
        for role in role_ids {
            self.touch("key_roles", key.as_bytes());
            self.later(&ADD_ROLE, [key.value(), role.value()]).await?;
        }
        for name in exact_permissions {
            self.touch("key_grants", key.as_bytes());
            self.later(&ADD_GRANT, [key.value(), name.value()]).await?;
        }
        Ok(())
    }
}
