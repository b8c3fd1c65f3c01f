//! What guardrails ask of people before they make, rotate or read a key: that they know how to handle one.

use super::Layer;
use crate::invalid::Invalid;
use crate::lessons::Lesson;
use keystead_api::{GuardrailName, GuardrailScope, GuardrailViolation, Guardrails};

/// What somebody has read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Read {
    /// Whether that is the guidelines as they are now.
    pub guidelines: bool,
    /// The lessons that were passed.
    pub lessons: Vec<&'static str>,
}

/// What is asked of people in a project, by the organization and by the project itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AskedOfPeople {
    guidelines: Option<GuardrailScope>,
    lessons: Vec<(&'static Lesson, GuardrailScope)>,
}

impl AskedOfPeople {
    /// What these guardrails ask, besides what is asked already.
    ///
    /// # Errors
    /// When they break a rule.
    pub fn and(mut self, from: GuardrailScope, rules: &Guardrails) -> Result<Self, Invalid> {
        let layer = Layer::compile(from, rules)?;
        if layer.guidelines_required {
            self.guidelines.get_or_insert(from);
        }
        for lesson in layer.lessons_required {
            if !self.lessons.iter().any(|(known, _)| known.name == lesson.name) {
                self.lessons.push((lesson, from));
            }
        }
        Ok(self)
    }

    /// Whether anything is.
    #[must_use]
    pub const fn is_nothing(&self) -> bool {
        self.guidelines.is_none() && self.lessons.is_empty()
    }

    /// What somebody has yet to read.
    #[must_use]
    pub fn missing(&self, read: &Read) -> Vec<GuardrailViolation> {
        let say = |guardrail, from, detail: String, fix: String| GuardrailViolation {
            guardrail,
            from,
            field: String::new(),
            detail,
            fix,
        };
        let guidelines = self.guidelines.filter(|_| !read.guidelines).map(|from| {
            say(
                GuardrailName::GuidelinesRequired,
                from,
                "You have not accepted the current guidelines for handling keys.".into(),
                "Read them (keystead guidelines show), sign in, and accept them (keystead guidelines accept).".into(),
            )
        });
        let lessons = self.lessons.iter().filter(|(lesson, _)| !read.lessons.contains(&lesson.name));
        let lessons = lessons.map(|(lesson, from)| {
            say(
                GuardrailName::LessonsRequired,
                *from,
                format!("You have not passed the lesson “{}”.", lesson.title),
                format!("Sign in, and take it (keystead lessons take {}).", lesson.name),
            )
        });
        guidelines.into_iter().chain(lessons).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_both_layers_ask_is_missing_until_it_was_read() {
        let organization = Guardrails {
            lessons_required: vec!["storing".into(), "sharing".into()],
            ..Guardrails::default()
        };
        let project = Guardrails {
            guidelines_required: true,
            lessons_required: vec!["sharing".into()],
            ..Guardrails::default()
        };
        let asked = AskedOfPeople::default();
        assert!(asked.is_nothing());
        let asked = asked.and(GuardrailScope::Organization, &organization).unwrap();
        let asked = asked.and(GuardrailScope::Project, &project).unwrap();
        let missing = |guidelines, lessons: &[&'static str]| {
            let missing = asked.missing(&Read { guidelines, lessons: lessons.to_vec() });
            missing.into_iter().map(|one| (one.guardrail, one.from)).collect::<Vec<_>>()
        };
        let own = (GuardrailName::GuidelinesRequired, GuardrailScope::Project);
        let lesson = (GuardrailName::LessonsRequired, GuardrailScope::Organization);
        assert_eq!(missing(false, &[]), [own, lesson, lesson]);
        assert_eq!(missing(true, &["sharing", "rotating"]), [lesson]);
        assert_eq!(missing(true, &["sharing", "storing"]), []);
    }

    #[test]
    fn lessons_that_are_none_are_refused() {
        for names in [vec!["history".to_owned()], vec!["storing".into(), "storing".into()]] {
            let last = names.len() - 1;
            let rules = Guardrails { lessons_required: names, ..Guardrails::default() };
            let refused = Layer::compile(GuardrailScope::Project, &rules).unwrap_err();
            assert_eq!(refused.field, format!("/lessons_required/{last}"));
        }
    }
}
