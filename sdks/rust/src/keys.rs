//! Issued keys: create, find, change, stop, purge.

use crate::{ApiKey, Client, Error, Lines};
use keystead_api::{
    BulkKeys, BulkOutcome, CreateKey, CreateKeys, CreatedKey, CreatedKeys, ExportLine, ImportKeys,
    ImportedKeys, Key, KeyCounts, KeyDetails, KeyQuery, MintKey, Page, PageQuery, RevealedKey, RevokeKey,
    SuspendKey, UnknownKeyAttempts, UpdateKey,
};

impl Client {
    /// Keys of a project (id or slug) that match, one page.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn list_keys(&self, project: &str, query: &KeyQuery) -> Result<Page<Key>, Error> {
        self.get(&["v1", "projects", project, "keys"], query).await
    }

    /// How many keys of a project match, by status; the query's paging is ignored.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn count_keys(&self, project: &str, query: &KeyQuery) -> Result<KeyCounts, Error> {
        self.get(&["v1", "projects", project, "keys", "counts"], query).await
    }

    /// Issues a key. The answer holds the key itself, which is shown only now.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] says which field the server refuses.
    pub async fn create_key(&self, project: &str, new: &CreateKey) -> Result<CreatedKey, Error> {
        self.post(&["v1", "projects", project, "keys"], new).await
    }

    /// Issues up to 1,000 keys, all or none.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] names each item that the server refuses.
    pub async fn create_keys(&self, project: &str, new: &CreateKeys) -> Result<CreatedKeys, Error> {
        self.post(&["v1", "projects", project, "keys", "batch"], new).await
    }

    /// One call of an act on every key that matches; see [`BulkOutcome::next_cursor`].
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 409 when more match than expected.
    pub async fn bulk_keys(&self, project: &str, act: &BulkKeys) -> Result<BulkOutcome, Error> {
        self.post(&["v1", "projects", project, "keys", "bulk"], act).await
    }

    /// Imports up to 500 keys that exist elsewhere; each is taken or refused by itself.
    ///
    /// # Errors
    /// As every call; [`Error::Protocol`] when there are not as many outcomes as keys.
    pub async fn import_keys(&self, project: &str, keys: &ImportKeys) -> Result<ImportedKeys, Error> {
        let taken: ImportedKeys = self.post(&["v1", "projects", project, "keys", "import"], keys).await?;
        // Outcomes are matched to keys by place: a missing one would shift all that follow.
        if taken.items.len() == keys.items.len() {
            return Ok(taken);
        }
        let why = format!("{} outcomes for {} keys", taken.items.len(), keys.items.len());
        Err(Error::Protocol { url: self.url().to_owned(), status: 200, why })
    }

    /// Begins an export of a project's keys that match; the query's paging must be left out.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn export_keys(&self, project: &str, query: &KeyQuery) -> Result<Lines<ExportLine>, Error> {
        self.lines(&["v1", "projects", project, "keys", "export"], query).await
    }

    /// Mints a temporary key from the one that this client holds: an issued key whose `may_mint` is
    /// true. The answer holds the key itself, which is shown only now.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 403 when it may not mint, or not so much.
    pub async fn mint_key(&self, new: &MintKey) -> Result<CreatedKey, Error> {
        self.post(&["v1", "keys", "mint"], new).await
    }

    /// The same, from a key that this client does not hold otherwise.
    ///
    /// # Errors
    /// As [`Self::mint_key`].
    pub async fn mint_key_from(&self, parent: &ApiKey, new: &MintKey) -> Result<CreatedKey, Error> {
        self.post_as(parent, &["v1", "keys", "mint"], new).await
    }

    /// Reads a public key again; who did is on record.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 409 for a key of another kind.
    pub async fn reveal_key(&self, id: &str) -> Result<RevealedKey, Error> {
        self.post_nothing(&["v1", "keys", id, "reveal"]).await
    }

    /// Refusals in a project of keys that nobody knows: what brute force looks like.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn list_unknown_keys(
        &self,
        project: &str,
        page: &PageQuery,
    ) -> Result<Page<UnknownKeyAttempts>, Error> {
        self.get(&["v1", "projects", project, "unknown-keys"], page).await
    }

    /// A key by its id (`key_…`), with what it may do now and how it has been used.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 404 when there is none.
    pub async fn key(&self, id: &str) -> Result<KeyDetails, Error> {
        self.get(&["v1", "keys", id], &()).await
    }

    /// Changes a key; with `if_match`, only while its `version` is that.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 412 when it has changed since.
    pub async fn update_key(
        &self,
        id: &str,
        changes: &UpdateKey,
        if_match: Option<i64>,
    ) -> Result<Key, Error> {
        self.patch(&["v1", "keys", id], changes, if_match).await
    }

    /// Purges a revoked key; its audit stays.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 409 while it is not revoked.
    pub async fn delete_key(&self, id: &str, if_match: Option<i64>) -> Result<(), Error> {
        self.delete(&["v1", "keys", id], if_match).await
    }

    /// Switches a key off, from its next request on, until it is switched on again.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 409 once it is revoked.
    pub async fn disable_key(&self, id: &str) -> Result<Key, Error> {
        self.post_nothing(&["v1", "keys", id, "disable"]).await
    }

    /// Switches a disabled or suspended key on.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 409 once it is revoked.
    pub async fn enable_key(&self, id: &str) -> Result<Key, Error> {
        self.post_nothing(&["v1", "keys", id, "enable"]).await
    }

    /// Switches a key off until a time.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 409 once it is revoked.
    pub async fn suspend_key(&self, id: &str, suspension: &SuspendKey) -> Result<Key, Error> {
        self.post(&["v1", "keys", id, "suspend"], suspension).await
    }

    /// Ends a key for good.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn revoke_key(&self, id: &str, revocation: &RevokeKey) -> Result<Key, Error> {
        self.post(&["v1", "keys", id, "revoke"], revocation).await
    }
}
