//! Guidelines and lessons: what people are to know of keys, and who has read what.

use crate::{Client, Error};
use keystead_api::{
    AcceptGuidelines, AnswerLesson, Guidelines, GuidelinesQuery, Lesson, LessonResult, Lessons,
    MemberReading, Page, PageQuery, PublishGuidelines,
};

impl Client {
    /// The organization's guidelines: those that hold, or an earlier version.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 404 when there is no such version.
    pub async fn guidelines(&self, version: Option<i64>) -> Result<Guidelines, Error> {
        self.get(&["v1", "guidelines"], &GuidelinesQuery { version }).await
    }

    /// Publishes a new version; with `if_match`, only while the current one is that: 0 while none was
    /// published.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 412 when another was published since.
    pub async fn publish_guidelines(&self, text: &str, if_match: Option<i64>) -> Result<Guidelines, Error> {
        let new = PublishGuidelines { text: text.to_owned() };
        self.put(&["v1", "guidelines"], &new, if_match).await
    }

    /// Accepts the version that was read, as the person whose session this is.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 409 when another version holds now.
    pub async fn accept_guidelines(&self, version: i64) -> Result<Guidelines, Error> {
        self.post(&["v1", "guidelines", "accept"], &AcceptGuidelines { version }).await
    }

    /// What members have read, one page.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn guidelines_report(&self, page: &PageQuery) -> Result<Page<MemberReading>, Error> {
        self.get(&["v1", "guidelines", "report"], page).await
    }

    /// Every lesson.
    ///
    /// # Errors
    /// As every call: see [`Error`].
    pub async fn list_lessons(&self) -> Result<Lessons, Error> {
        self.get(&["v1", "lessons"], &()).await
    }

    /// One lesson with its questions.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] with status 404 when there is none of that name.
    pub async fn lesson(&self, name: &str) -> Result<Lesson, Error> {
        self.get(&["v1", "lessons", name], &()).await
    }

    /// Answers a lesson's questions, as the person whose session this is: for each the place of an answer, from 1.
    ///
    /// # Errors
    /// As every call; [`Error::Problem`] says which answer is none.
    pub async fn answer_lesson(&self, name: &str, answers: &[usize]) -> Result<LessonResult, Error> {
        self.post(&["v1", "lessons", name, "answers"], &AnswerLesson { answers: answers.to_vec() }).await
    }
}
