//! Lessons: read by everybody, passed by who answers all questions.

use super::{LESSON_VERSION, lessons_in, reading_of};
use crate::Keystead;
use crate::act::Target;
use crate::caller::Caller;
use crate::refused::Refused;
use keystead_api::{AnswerLesson, Lesson, LessonAnswered, LessonQuestion, LessonResult, Lessons};
use keystead_domain::invalid::Invalid;
use keystead_domain::lessons::{self, LESSONS, QUESTIONS, lesson};
use keystead_store::{Acted, ReadingRow};
use std::sync::Arc;

impl Keystead {
    /// Every lesson, with when the caller passed it.
    ///
    /// # Errors
    /// When the caller's key does not pass.
    pub async fn list_lessons(self: &Arc<Self>, caller: &Caller) -> Result<Lessons, Refused> {
        self.admit(caller).await?;
        let passed = self.readings_of(caller).await?;
        Ok(Lessons { items: LESSONS.iter().map(|lesson| show(lesson, &passed)).collect() })
    }

    /// One lesson.
    ///
    /// # Errors
    /// When there is none of that name.
    pub async fn lesson(self: &Arc<Self>, caller: &Caller, name: &str) -> Result<Lesson, Refused> {
        self.admit(caller).await?;
        let found = lesson(name).ok_or(Refused::not_found("lesson"))?;
        Ok(show(found, &self.readings_of(caller).await?))
    }

    /// Takes the answers to a lesson's questions; when all are right, it is passed.
    ///
    /// # Errors
    /// When there is no such lesson, the caller has no session, or the answers are none.
    pub async fn answer_lesson(
        self: &Arc<Self>,
        caller: &Caller,
        name: &str,
        input: &AnswerLesson,
    ) -> Result<LessonResult, Refused> {
        let member = self.reading_person(caller).await?;
        let found = lesson(name).ok_or(Refused::not_found("lesson"))?;
        let result = judge(found, &input.answers)?;
        let passed = self.readings_of(caller).await?;
        if !result.passed || lessons_in(&passed).any(|(one, _)| one.name == found.name) {
            return Ok(result);
        }
        let (this, by) = (Arc::clone(self), caller.clone());
        self.act(move |tx| {
            Box::pin(async move {
                let reading = ReadingRow {
                    member_id: member,
                    what: reading_of(found),
                    version: LESSON_VERSION,
                    read_at: this.clock.now(),
                };
                tx.insert_reading(&reading).await?;
                let target =
                    Target { kind: "lesson", id: found.name.to_owned(), name: found.title, project: None };
                let event = this.event(&by, "lesson.pass", target);
                Ok(Acted { value: result, events: vec![event], changes: Vec::new() })
            })
        })
        .await
    }

    async fn readings_of(&self, caller: &Caller) -> Result<Vec<ReadingRow>, Refused> {
        match caller.member() {
            Some(member) => Ok(self.store.read().await?.readings(member).await?),
            None => Ok(Vec::new()),
        }
    }
}

fn judge(lesson: &lessons::Lesson, answers: &[usize]) -> Result<LessonResult, Refused> {
    if answers.len() != QUESTIONS {
        let fix = format!("Send {QUESTIONS} answers, one for each question.");
        return Err(Invalid::new("/answers", "These are not as many as there are questions.", fix).into());
    }
    let mut judged = Vec::with_capacity(QUESTIONS);
    for (index, (question, answer)) in lesson.questions.iter().zip(answers).enumerate() {
        if !(1..=question.answers.len()).contains(answer) {
            let fix = format!("Send 1 to {}.", question.answers.len());
            return Err(Invalid::new(format!("/answers/{index}"), "There is no such answer.", fix).into());
        }
        let right = question.right + 1 == *answer;
        judged.push(LessonAnswered { right, why: right.then(|| question.why.to_owned()) });
    }
    Ok(LessonResult { passed: judged.iter().all(|answer| answer.right), answers: judged })
}

fn show(lesson: &'static lessons::Lesson, readings: &[ReadingRow]) -> Lesson {
    let passed = lessons_in(readings).find(|(one, _)| one.name == lesson.name);
    let question = |question: &lessons::Question| LessonQuestion {
        text: question.text.to_owned(),
        answers: question.answers.iter().map(ToString::to_string).collect(),
    };
    Lesson {
        name: lesson.name.to_owned(),
        title: lesson.title.to_owned(),
        text: lesson.text.to_owned(),
        questions: lesson.questions.iter().map(question).collect(),
        passed_at: passed.map(|(_, reading)| reading.read_at.to_timestamp()),
    }
}
