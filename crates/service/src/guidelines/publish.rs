//! The guidelines themselves: read by everybody, published version by version.

use super::GUIDELINES;
use crate::Keystead;
use crate::act::{Target, with_difference};
use crate::caller::Caller;
use crate::management;
use crate::refused::Refused;
use crate::versions;
use keystead_api::{Guidelines, GuidelinesQuery, PublishGuidelines};
use keystead_domain::invalid::Invalid;
use keystead_domain::lessons;
use keystead_store::{Acted, Conn, GuidelinesRow};
use std::sync::Arc;

/// The longest text, in bytes.
const TEXT_BYTES_MAX: usize = 65_536;

impl Keystead {
    /// The organization's guidelines: those that hold, or an earlier version. For everybody in it.
    ///
    /// # Errors
    /// When there is no such version.
    pub async fn guidelines(
        self: &Arc<Self>,
        caller: &Caller,
        query: &GuidelinesQuery,
    ) -> Result<Guidelines, Refused> {
        self.admit(caller).await?;
        let mut reader = self.store.read().await?;
        let organization = caller.organization();
        let last = reader.guidelines(organization).await?;
        let current = last.as_ref().map_or(0, |row| row.version);
        let version = query.version.unwrap_or(current);
        let row = match last {
            Some(row) if row.version == version => Some(row),
            _ if version == 0 => None,
            _ => {
                let row = reader.guidelines_of_version(organization, version).await?;
                Some(row.ok_or(Refused::not_found("version of the guidelines"))?)
            }
        };
        shown(&mut reader, caller, row, current).await
    }

    /// Publishes a new version of the guidelines: from then on it is the one to be accepted.
    ///
    /// # Errors
    /// When the caller may not, the text breaks a rule, or the version is another.
    pub async fn publish_guidelines(
        self: &Arc<Self>,
        caller: &Caller,
        input: PublishGuidelines,
        if_match: Option<i64>,
    ) -> Result<Guidelines, Refused> {
        self.authorise(caller, management::GUIDELINES_WRITE, None).await?;
        if input.text.trim().is_empty() || input.text.len() > TEXT_BYTES_MAX || input.text.contains('\0') {
            let fix = format!("Send Markdown, 1 to {TEXT_BYTES_MAX} bytes, without NUL.");
            return Err(Invalid::new("/text", "This is empty, too long, or no text.", fix).into());
        }
        let organization = caller.organization();
        let mut reader = self.store.read().await?;
        let last = reader.guidelines(organization).await?;
        let version = last.as_ref().map_or(0, |row| row.version);
        versions::expect(if_match, version)?;
        if last.as_ref().is_some_and(|row| row.body == input.text) {
            return shown(&mut reader, caller, last, version).await;
        }
        drop(reader);
        let (this, by) = (Arc::clone(self), caller.clone());
        self.act(move |tx| {
            Box::pin(async move {
                let row = GuidelinesRow {
                    organization_id: organization,
                    version: version + 1,
                    body: input.text,
                    published_at: this.clock.now(),
                };
                if !tx.insert_guidelines(&row).await? {
                    let now = tx.guidelines_version(organization).await?;
                    return Err(versions::overtaken(Some(now), "organization"));
                }
                let now = row.version;
                let value = shown(tx, &by, Some(row), now).await?;
                let target = Target {
                    kind: GUIDELINES,
                    id: organization.to_string(),
                    name: &format!("version {now}"),
                    project: None,
                };
                let event = this.event(&by, "guidelines.publish", target);
                let event = with_difference(event, None, Some(&value));
                Ok(Acted { value, events: vec![event], changes: Vec::new() })
            })
        })
        .await
    }
}

/// A version as its reader sees it; no row stands for the text that comes with Keystead.
pub(super) async fn shown(
    conn: &mut Conn,
    caller: &Caller,
    row: Option<GuidelinesRow>,
    current: i64,
) -> Result<Guidelines, Refused> {
    let version = row.as_ref().map_or(0, |row| row.version);
    let readings = match caller.member() {
        Some(member) => conn.readings(member).await?,
        None => Vec::new(),
    };
    let accepted = readings.iter().find(|row| row.what == GUIDELINES && row.version == version);
    Ok(Guidelines {
        version,
        published_at: row.as_ref().map(|row| row.published_at.to_timestamp()),
        text: row.map_or_else(|| lessons::GUIDELINES.to_owned(), |row| row.body),
        current: version == current,
        accepted_at: accepted.map(|row| row.read_at.to_timestamp()),
    })
}
