//! Guidelines and lessons: what an organization asks its people to know of keys, and who has read what.

mod accept;
pub(crate) mod demand;
mod learn;
mod publish;
mod report;

use keystead_domain::lessons::{LESSONS, Lesson};
use keystead_store::ReadingRow;

/// What a reading of the guidelines is called.
const GUIDELINES: &str = "guidelines";
/// The version of every lesson, until one is rewritten so that it has to be read again.
const LESSON_VERSION: i64 = 1;

/// What a reading of a lesson is called.
fn reading_of(lesson: &Lesson) -> String {
    format!("lesson/{}", lesson.name)
}

/// The lessons among what somebody has read, each with its reading.
fn lessons_in(readings: &[ReadingRow]) -> impl Iterator<Item = (&'static Lesson, &ReadingRow)> {
    LESSONS.iter().filter_map(|lesson| {
        let name = reading_of(lesson);
        let reading = readings.iter().find(|row| row.what == name && row.version == LESSON_VERSION)?;
        Some((lesson, reading))
    })
}

/// The latest version of the guidelines among what somebody has read.
fn guidelines_in(readings: &[ReadingRow]) -> Option<&ReadingRow> {
    readings.iter().filter(|row| row.what == GUIDELINES).max_by_key(|row| row.version)
}
