//! Guidelines for handling keys, and lessons: what people of an organization are to know.

use crate::Timestamp;
use serde::{Deserialize, Serialize};

/// An organization's rules for handling keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Guidelines {
    /// Which version; 0 is the text that comes with Keystead and holds until one is published.
    pub version: i64,
    /// Markdown.
    pub text: String,
    /// Since when it holds; `null` for the text that comes with Keystead.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub published_at: Option<Timestamp>,
    /// Whether it is the version that holds now.
    pub current: bool,
    /// When the caller accepted it; `null` for who has not, or is no person.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub accepted_at: Option<Timestamp>,
}

/// Which version of the guidelines is meant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct GuidelinesQuery {
    /// An earlier version; the current one when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
}

/// A new version of the guidelines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PublishGuidelines {
    /// Markdown, 1 to 65,536 bytes.
    pub text: String,
}

/// The version of the guidelines that the caller has read and accepts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AcceptGuidelines {
    /// As it was shown: what was published meanwhile was not read.
    pub version: i64,
}

/// What a member has read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MemberReading {
    /// `mem_…`
    pub member: String,
    /// For people.
    pub name: String,
    /// The member's address.
    pub email: String,
    /// Whether the current guidelines are accepted.
    pub current: bool,
    /// The latest version that was accepted; `null` for none.
    pub accepted_version: Option<i64>,
    /// When that was.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub accepted_at: Option<Timestamp>,
    /// The lessons that were passed.
    pub lessons: Vec<LessonPassed>,
}

/// A lesson that was passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LessonPassed {
    /// Its name.
    pub lesson: String,
    /// When.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub at: Timestamp,
}

/// A short lesson on handling keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Lesson {
    /// What it is called in paths and guardrails.
    pub name: String,
    /// For people.
    pub title: String,
    /// Markdown.
    pub text: String,
    /// What is asked after it.
    pub questions: Vec<LessonQuestion>,
    /// When the caller passed it; `null` for who has not, or is no person.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub passed_at: Option<Timestamp>,
}

/// A question, with answers to choose from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LessonQuestion {
    /// What is asked.
    pub text: String,
    /// What can be answered; one is right.
    pub answers: Vec<String>,
}

/// Every lesson.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Lessons {
    /// In the order in which they are read.
    pub items: Vec<Lesson>,
}

/// Answers to a lesson's questions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AnswerLesson {
    /// For each question the place of the chosen answer, 1 to 3.
    pub answers: Vec<usize>,
}

/// What became of the answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LessonResult {
    /// Whether all are right: the lesson is passed, and that is on record.
    pub passed: bool,
    /// Each answer, in the order of the questions.
    pub answers: Vec<LessonAnswered>,
}

/// What became of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LessonAnswered {
    /// Whether it is right.
    pub right: bool,
    /// Why, where it is; else nothing, so that one thinks again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}
