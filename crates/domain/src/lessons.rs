//! Short lessons on handling keys, each with three questions, and the default text of an organization's
//! guidelines. They come with Keystead, so that nobody has to write them first.

/// How keys are handled, where an organization has not published its own text.
pub const GUIDELINES: &str = include_str!("../content/guidelines.md");

/// How many questions a lesson has.
pub const QUESTIONS: usize = 3;

/// A lesson.
#[derive(Debug, PartialEq, Eq)]
pub struct Lesson {
    /// What it is called in paths and guardrails.
    pub name: &'static str,
    /// For people.
    pub title: &'static str,
    /// Markdown.
    pub text: &'static str,
    /// What is asked after it.
    pub questions: [Question; QUESTIONS],
}

/// A question with three answers, of which one is right.
#[derive(Debug, PartialEq, Eq)]
pub struct Question {
    /// What is asked.
    pub text: &'static str,
    /// What can be answered.
    pub answers: [&'static str; 3],
    /// The right one's place, from 0.
    pub right: usize,
    /// Why it is.
    pub why: &'static str,
}

/// The lesson of a name.
#[must_use]
pub fn lesson(name: &str) -> Option<&'static Lesson> {
    LESSONS.iter().find(|lesson| lesson.name == name)
}

/// Every lesson, in the order in which they are read.
pub static LESSONS: [Lesson; 6] = [
    Lesson {
        name: "generating",
        title: "Generating keys",
        text: include_str!("../content/lessons/generating.md"),
        questions: [
            Question {
                text: "Two of your programs call the same API. How many keys do they need?",
                answers: [
                    "One, named after the team",
                    "Two, one each",
                    "One now, a second if there is trouble",
                ],
                right: 1,
                why: "With one key they cannot be told apart, limited apart or revoked apart.",
            },
            Question {
                text: "You debug in production for an hour. Which key do you use?",
                answers: [
                    "A temporary key with what the hour needs",
                    "The program's own key, read from its configuration",
                    "An administrator's key, to be sure that nothing is refused",
                ],
                right: 0,
                why: "It ends by itself, does only what is needed, and the audit tells you from the program.",
            },
            Question {
                text: "A partner asks for a key that is easy to remember. What do you do?",
                answers: [
                    "Choose a word and a year",
                    "Shorten a generated key",
                    "Issue a generated one, and say where to keep it",
                ],
                right: 2,
                why: "What can be remembered can be guessed; a key is kept, not remembered.",
            },
        ],
    },
    Lesson {
        name: "storing",
        title: "Storing keys",
        text: include_str!("../content/lessons/storing.md"),
        questions: [
            Question {
                text: "A key was committed, and removed in the next commit. Is it safe?",
                answers: [
                    "Yes, the newest state does not have it",
                    "No: it is in the history and in every clone",
                    "Yes, if the repository is private",
                ],
                right: 1,
                why: "Git keeps it, and private repositories have many readers. Rotate it.",
            },
            Question {
                text: "How does a program get its key?",
                answers: [
                    "From a file or store that only it can read",
                    "As an argument on its command line",
                    "From a constant in its code",
                ],
                right: 0,
                why: "Arguments are visible to everybody on the machine; code is read by many and kept for ever.",
            },
            Question {
                text: "Why does a key not belong in a URL?",
                answers: [
                    "It makes the URL too long",
                    "Servers refuse it",
                    "URLs are written into logs and histories on the way",
                ],
                right: 2,
                why: "Access logs, proxies, browsers and the Referer header all keep or pass on URLs.",
            },
        ],
    },
    Lesson {
        name: "sharing",
        title: "Sharing",
        text: include_str!("../content/lessons/sharing.md"),
        questions: [
            Question {
                text: "A colleague asks for your key, for five minutes. What do you do?",
                answers: [
                    "Send it, and delete the message afterwards",
                    "Have them make a key of their own",
                    "Read it to them over the telephone",
                ],
                right: 1,
                why: "Otherwise what they do is recorded as done by you, and the key is known to two.",
            },
            Question {
                text: "Five people work in team Routing. How do their keys look?",
                answers: [
                    "Five keys, made in the team's name",
                    "One key that the team keeps together",
                    "Five copies of one key",
                ],
                right: 0,
                why: "Each may do what the team may, and stops when its owner leaves the team.",
            },
            Question {
                text: "Somebody sent you a key that is not yours. What now?",
                answers: [
                    "Keep it, in case it is needed",
                    "Delete the message; that is enough",
                    "Say so, and have the key rotated",
                ],
                right: 2,
                why: "It was in a place where it should not be, and it may have been read by others.",
            },
        ],
    },
    Lesson {
        name: "rotating",
        title: "Rotating",
        text: include_str!("../content/lessons/rotating.md"),
        questions: [
            Question {
                text: "A planned rotation: when does the old secret end?",
                answers: [
                    "At once",
                    "After a grace period, when nothing uses it any more",
                    "When its natural end comes, in a year",
                ],
                right: 1,
                why: "So that nothing stops, and the old one does not live on for nothing.",
            },
            Question {
                text: "A leaked key: when does the old secret end?",
                answers: ["At once", "After the usual grace period", "After the next release"],
                right: 0,
                why: "Each minute of grace is a minute of the thief's.",
            },
            Question {
                text: "A key ends tomorrow, and the program is not ready. What is right?",
                answers: [
                    "Set its end a year later",
                    "Issue one without an end",
                    "Rotate it, and mend what makes that hard",
                ],
                right: 2,
                why: "A rotation that cannot be done calmly will not be done well on the day of a leak.",
            },
        ],
    },
    Lesson {
        name: "scanning",
        title: "Scanning",
        text: include_str!("../content/lessons/scanning.md"),
        questions: [
            Question {
                text: "A scanner finds a key in last year's history. What comes first?",
                answers: ["Rewrite the history", "Rotate the key", "Find out who committed it"],
                right: 1,
                why: "It was readable for a year. Only a rotated key is worth nothing.",
            },
            Question {
                text: "What may your program's log say about a key?",
                answers: ["Its id or prefix", "The key, if the log is internal", "The first half of the key"],
                right: 0,
                why: "That is enough to find it, and worth nothing to who reads the log.",
            },
            Question {
                text: "When is looking for keys cheapest?",
                answers: ["In a yearly review", "After an incident", "Before the commit leaves your machine"],
                right: 2,
                why: "What was never pushed never leaked.",
            },
        ],
    },
    Lesson {
        name: "reacting",
        title: "Reacting to a leak",
        text: include_str!("../content/lessons/reacting.md"),
        questions: [
            Question {
                text: "You see a key of ours in a public repository. What is your first act?",
                answers: [
                    "Ask the author to remove it",
                    "Revoke or rotate it",
                    "Wait until it is certain that it works",
                ],
                right: 1,
                why: "Machines read public repositories within seconds.",
            },
            Question {
                text: "You report a leak. What belongs into the message?",
                answers: [
                    "The key's id or prefix, where it was, and since when",
                    "The key, so that it can be found",
                    "Nothing until it is cleaned up",
                ],
                right: 0,
                why: "Whoever can act needs to know which key; a second copy of it helps nobody.",
            },
            Question {
                text: "The key is revoked. Is that all?",
                answers: [
                    "Yes, it cannot be used any more",
                    "Yes, unless somebody complains",
                    "No: see what it did, and what else leaked with it",
                ],
                right: 2,
                why: "What was done with it stays done, and a leaked file rarely has one secret in it.",
            },
        ],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_lesson_can_be_read_and_passed() {
        for (index, one) in LESSONS.iter().enumerate() {
            assert!(lesson(one.name).is_some_and(|found| std::ptr::eq(found, one)), "{}", one.name);
            assert!(one.text.starts_with(&format!("# {}\n", one.title)), "{}", one.name);
            assert!(one.questions.iter().all(|question| question.right < question.answers.len()));
            // No answer is right wherever one looks.
            let rights: Vec<usize> = one.questions.iter().map(|question| question.right).collect();
            assert_eq!(rights.iter().sum::<usize>(), 3, "{index}: {rights:?}");
        }
        assert!(lesson("nothing").is_none());
        assert!(GUIDELINES.len() > 1_000);
    }
}
