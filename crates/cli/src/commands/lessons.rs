//! `keystead lessons`: short lessons on handling keys, with three questions each.

use crate::exit::{Exit, Failure, Outcome};
use crate::input;
use crate::output::table::Cell;
use crate::session::Session;
use clap::Subcommand;
use keystead_sdk::api::{Lesson, LessonResult};

/// Short lessons on handling keys, with three questions each
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  keystead lessons list
  keystead lessons show storing
  keystead lessons take storing")]
pub(crate) enum Lessons {
    /// List them, with when you passed each
    #[command(after_help = "Examples:\n  keystead lessons list\n  keystead lessons list --json")]
    List,
    /// Show one, with its questions
    #[command(after_help = "Examples:\n  keystead lessons show storing")]
    Show {
        /// Its name
        lesson: String,
    },
    /// Read one and answer its questions; you must be signed in
    #[command(after_help = "Examples:
  keystead lessons take storing
  keystead lessons take storing --answers 2,1,3")]
    Take {
        /// Its name
        lesson: String,
        /// The answers, without being asked: for each question the place of one
        #[arg(long, value_delimiter = ',', value_name = "N")]
        answers: Vec<usize>,
    },
}

impl Lessons {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        match self {
            Self::List => {
                let lessons = session.client.list_lessons().await?;
                if session.output.is_json() {
                    session.output.json(&lessons)?;
                } else {
                    let rows: Vec<_> = lessons.items.iter().map(row).collect();
                    session.output.columns(&["LESSON", "TITLE", "PASSED"], &rows)?;
                }
                Ok(Exit::Done)
            }
            Self::Show { lesson } => {
                let lesson = session.client.lesson(&lesson).await?;
                if session.output.is_json() {
                    session.output.json(&lesson)?;
                } else {
                    session.output.data(&format!("{}\n", lesson.text))?;
                    for (index, _) in lesson.questions.iter().enumerate() {
                        session.output.data(&question(&lesson, index))?;
                    }
                }
                session.output.note(&format!("Next: keystead lessons take {}", lesson.name));
                Ok(Exit::Done)
            }
            Self::Take { lesson, answers } => take(session, &lesson, answers).await,
        }
    }
}

fn row(lesson: &Lesson) -> Vec<Cell> {
    vec![lesson.name.as_str().into(), lesson.title.as_str().into(), Cell::time(lesson.passed_at)]
}

/// A question with its numbered answers.
fn question(lesson: &Lesson, index: usize) -> String {
    let Some(question) = lesson.questions.get(index) else { return String::new() };
    let answers = question.answers.iter().enumerate();
    let answers: String = answers.map(|(place, answer)| format!("   {}) {answer}\n", place + 1)).collect();
    format!("{}. {}\n{answers}", index + 1, question.text)
}

async fn take(session: &Session, name: &str, mut answers: Vec<usize>) -> Outcome {
    if answers.is_empty() {
        let lesson = session.client.lesson(name).await?;
        session.output.note(&format!("{}\n", lesson.text));
        for index in 0..lesson.questions.len() {
            session.output.note(&question(&lesson, index));
            let answer = input::ask("Your answer", "")?;
            answers.push(answer.trim().parse().map_err(|_| {
                Failure::usage(format!("`{answer}` is no number."), "Answer with the number before the text.")
            })?);
        }
    }
    let result = session.client.answer_lesson(name, &answers).await?;
    if session.output.is_json() {
        session.output.json(&result)?;
    } else {
        session.output.data(&told(&result))?;
    }
    if result.passed {
        session.output.note("Passed, and on record.");
        return Ok(Exit::Done);
    }
    Err(Failure::usage(
        "Not every answer is right, so the lesson is not passed.".to_owned(),
        format!("Read it again (keystead lessons show {name}), then: keystead lessons take {name}"),
    ))
}

fn told(result: &LessonResult) -> String {
    let line = |(index, answer): (usize, &keystead_sdk::api::LessonAnswered)| match &answer.why {
        Some(why) => format!("{}. right: {why}\n", index + 1),
        None => format!("{}. wrong\n", index + 1),
    };
    result.answers.iter().enumerate().map(line).collect()
}
