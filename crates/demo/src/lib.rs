//! A demo organization, made through the public API of a Keystead server; what is there stays.

mod content;
mod fill;
mod joined;
mod kept;
mod keys;
pub mod memory;

use anyhow::{Context, Result};
use keystead_sdk::Client;
use keystead_sdk::api::Timestamp;
use std::path::Path;

/// Makes what is missing, as an administrator; keys and passwords that are shown only once are kept in `data`
/// ([`memory`]). Says what was made.
///
/// # Errors
/// When the server refuses something, or `data` cannot be written.
pub async fn fill(admin: &Client, data: &Path, now: Timestamp) -> Result<Vec<String>> {
    let mut said = Vec::new();
    for project in content::projects()? {
        said.push(fill::project(admin, &project, now).await?);
    }
    let people = content::people()?;
    said.push(fill::people(admin, &people).await?);
    said.push(joined::fill(admin, data, &people).await.context("people's own keys")?);
    kept::own(admin, data).await?;
    Ok(said)
}
