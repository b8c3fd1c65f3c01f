//! Exporting keys: all that match, a page at a time, so that memory does not grow with their number.

use crate::caller::Caller;
use crate::refused::Refused;
use crate::{Keystead, management};
use keystead_api::{EXPORT_FORMAT, ExportEnd, ExportHead, ExportLine, Key, KeyQuery};
use keystead_domain::ids::KeyId;
use keystead_domain::invalid::Invalid;
use keystead_domain::time::Micros;
use keystead_store::KeyFilter;
use std::sync::Arc;

/// Keys read at once.
const PAGE: u32 = 500;

/// An export under way.
#[derive(Debug)]
pub struct ExportedKeys {
    filter: KeyFilter,
    project: String,
    after: Option<(Micros, KeyId)>,
    lines: u64,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Head,
    Keys,
    End,
    Over,
}

impl Keystead {
    /// Begins an export of the keys of a project that match.
    ///
    /// # Errors
    /// When the caller may not see them, or a filter names what does not exist.
    pub async fn export_keys(
        self: &Arc<Self>,
        caller: &Caller,
        project: &str,
        query: KeyQuery,
    ) -> Result<ExportedKeys, Refused> {
        if query.limit.is_some() || query.cursor.is_some() {
            let field = if query.limit.is_some() { "/limit" } else { "/cursor" };
            return Err(Invalid::new(field, "An export has no pages.", "Leave it out.").into());
        }
        let (_, filter) = self.filter(caller, project, &query, &[management::KEYS_READ]).await?;
        let project = self.keyring.directory.project_by_id(filter.project);
        let project = project.ok_or(Refused::not_found("project"))?.slug.to_string();
        Ok(ExportedKeys { filter, project, after: None, lines: 0, stage: Stage::Head })
    }

    /// The next lines of an export; `None` after the last.
    ///
    /// # Errors
    /// When the database cannot answer: then the export is not whole.
    pub async fn export_page(&self, export: &mut ExportedKeys) -> Result<Option<Vec<ExportLine>>, Refused> {
        match export.stage {
            Stage::Head => {
                export.stage = Stage::Keys;
                Ok(Some(vec![ExportLine::Head(ExportHead {
                    format: EXPORT_FORMAT,
                    project: export.project.clone(),
                    exported_at: export.filter.now.to_timestamp(),
                })]))
            }
            Stage::Keys => {
                let keys = self.next_keys(export).await?;
                Ok(Some(keys.into_iter().map(|key| ExportLine::Key(Box::new(key))).collect()))
            }
            Stage::End => {
                export.stage = Stage::Over;
                Ok(Some(vec![ExportLine::End(ExportEnd { lines: export.lines })]))
            }
            Stage::Over => Ok(None),
        }
    }

    async fn next_keys(&self, export: &mut ExportedKeys) -> Result<Vec<Key>, Refused> {
        let mut reader = self.store.read().await?;
        let rows = reader.find_keys(&export.filter, export.after, PAGE).await?;
        let mut shown = self.views(&mut reader, &rows).await?;
        match rows.last() {
            Some((row, _)) if rows.len() >= PAGE as usize => export.after = Some((row.created_at, row.id)),
            _ => export.stage = Stage::End,
        }
        let keys: Vec<Key> = rows.iter().filter_map(|(row, _)| shown.remove(&row.id)).collect();
        export.lines += u64::try_from(keys.len()).unwrap_or(u64::MAX);
        Ok(keys)
    }
}
