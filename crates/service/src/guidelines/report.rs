//! Who has read what: member by member, for who looks after people.

use super::{guidelines_in, lessons_in};
use crate::Keystead;
use crate::caller::Caller;
use crate::cursor::Cut;
use crate::management;
use crate::refused::Refused;
use keystead_api::{LessonPassed, MemberReading, Page, PageQuery};
use std::sync::Arc;

impl Keystead {
    /// The organization's members, newest first, each with what they have read.
    ///
    /// # Errors
    /// When the caller may not see members.
    pub async fn guidelines_report(
        self: &Arc<Self>,
        caller: &Caller,
        query: &PageQuery,
    ) -> Result<Page<MemberReading>, Refused> {
        self.authorise(caller, management::PEOPLE_READ, None).await?;
        let cut = Cut::read(query.limit, query.cursor.as_deref())?;
        let mut reader = self.store.read().await?;
        let organization = caller.organization();
        let current = reader.guidelines_version(organization).await?;
        let members = reader.members(organization, cut.after, cut.rows()).await?;
        let mut rows = Vec::with_capacity(members.len());
        for member in members {
            let readings = reader.readings(member.id).await?;
            rows.push((member, readings));
        }
        cut.page(
            rows,
            |(member, _)| (member.created_at, member.id.0),
            |(member, readings)| {
                let accepted = guidelines_in(&readings);
                Ok(MemberReading {
                    member: member.id.to_string(),
                    name: member.name,
                    email: member.email,
                    current: accepted.is_some_and(|row| row.version == current),
                    accepted_version: accepted.map(|row| row.version),
                    accepted_at: accepted.map(|row| row.read_at.to_timestamp()),
                    lessons: lessons_in(&readings)
                        .map(|(lesson, row)| LessonPassed {
                            lesson: lesson.name.to_owned(),
                            at: row.read_at.to_timestamp(),
                        })
                        .collect(),
                })
            },
        )
    }
}
