//! `keystead guidelines`: the organization's rules for handling keys, and who has accepted them.

use crate::exit::{Exit, Failure, Outcome};
use crate::flags::paging::Paging;
use crate::output::Present;
use crate::output::table::Cell;
use crate::session::Session;
use clap::Subcommand;
use keystead_sdk::api::{Guidelines as Text, MemberReading};
use std::io::Read;
use std::path::PathBuf;

/// The longest text that is read, in bytes: the server's limit.
const TEXT_BYTES_MAX: u64 = 65_536;

/// The organization's rules for handling keys, and who has accepted them
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  keystead guidelines show
  keystead guidelines accept
  keystead guidelines publish rules.md
  keystead guidelines report --all

A guardrail can ask people to accept them first:
  keystead guardrails set --organization --guidelines-required")]
pub(crate) enum Guidelines {
    /// Show them
    #[command(after_help = "Examples:
  keystead guidelines show
  keystead guidelines show --version 2")]
    Show {
        /// An earlier version; 0 is the text that comes with Keystead
        #[arg(long)]
        version: Option<i64>,
    },
    /// Accept them, once you have read them; you must be signed in
    #[command(
        after_help = "Examples:\n  keystead guidelines accept\n  keystead guidelines accept --version 3"
    )]
    Accept {
        /// The version that you have read; the current one, if not given
        #[arg(long)]
        version: Option<i64>,
    },
    /// Publish a new version from a Markdown file, or - for standard input
    #[command(after_help = "Examples:
  keystead guidelines publish rules.md

To begin with those that hold: keystead guidelines show > rules.md")]
    Publish {
        /// The file
        file: PathBuf,
        /// Only while this is the current version; 0 while none was published
        #[arg(long, value_name = "VERSION")]
        if_match: Option<i64>,
    },
    /// List who has accepted what, and passed which lessons
    #[command(after_help = "Examples:
  keystead guidelines report
  keystead guidelines report --all --json")]
    Report {
        #[command(flatten)]
        paging: Paging,
    },
}

impl Guidelines {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let client = &session.client;
        match self {
            Self::Show { version } => {
                let shown = client.guidelines(version).await?;
                if session.output.is_json() {
                    session.output.json(&shown)?;
                } else {
                    session.output.data(&format!("{}\n", shown.text.trim_end()))?;
                }
                session.output.note(&standing(&shown));
                Ok(Exit::Done)
            }
            Self::Accept { version } => {
                let version = match version {
                    Some(version) => version,
                    None => client.guidelines(None).await?.version,
                };
                let accepted = client.accept_guidelines(version).await?;
                if session.output.is_json() {
                    session.output.json(&accepted)?;
                }
                session.output.note(&format!("You accepted version {version} of the guidelines."));
                Ok(Exit::Done)
            }
            Self::Publish { file, if_match } => {
                let published = client.publish_guidelines(&read(&file)?, if_match).await?;
                if session.output.is_json() {
                    session.output.json(&published)?;
                }
                session.output.note(&format!(
                    "Version {} holds. Who accepted an earlier one has to accept it anew, where a guardrail asks.",
                    published.version
                ));
                Ok(Exit::Done)
            }
            Self::Report { paging } => {
                session.list(&paging, async |page| client.guidelines_report(&page).await).await
            }
        }
    }
}

fn standing(shown: &Text) -> String {
    let version = match (shown.version, shown.current) {
        (0, true) => "The text that comes with Keystead: your organization has published none.".to_owned(),
        (version, true) => format!("Version {version}, which holds."),
        (version, false) => format!("Version {version}, which holds no more."),
    };
    let next = match (shown.accepted_at, shown.current) {
        (Some(at), _) => format!("You accepted it on {at}."),
        (None, true) => format!("Next: keystead guidelines accept --version {}", shown.version),
        (None, false) => String::new(),
    };
    format!("{version} {next}").trim_end().to_owned()
}

fn read(file: &std::path::Path) -> Result<String, Failure> {
    let mut text = String::new();
    let limit = TEXT_BYTES_MAX + 1;
    let read = if file.as_os_str() == "-" {
        std::io::stdin().take(limit).read_to_string(&mut text)
    } else {
        std::fs::File::open(file).and_then(|file| file.take(limit).read_to_string(&mut text))
    };
    read.map_err(|error| {
        Failure::usage(format!("{}: {error}.", file.display()), "Name a readable Markdown file.")
    })?;
    Ok(text)
}

impl Present for MemberReading {
    const HEADINGS: &'static [&'static str] =
        &["E-MAIL", "NAME", "CURRENT", "VERSION", "ACCEPTED", "LESSONS"];

    fn row(&self) -> Vec<Cell> {
        let lessons: Vec<String> = self.lessons.iter().map(|passed| passed.lesson.clone()).collect();
        vec![
            self.email.as_str().into(),
            Cell::from(self.name.as_str()).shortened(32),
            if self.current { "yes" } else { "no" }.into(),
            Cell::maybe(self.accepted_version.map(|version| version.to_string()).as_deref()),
            Cell::time(self.accepted_at),
            Cell::list(&lessons),
        ]
    }

    fn fields(&self) -> Vec<(&'static str, Cell)> {
        let lessons: Vec<String> = self.lessons.iter().map(|passed| passed.lesson.clone()).collect();
        vec![
            ("member", self.member.as_str().into()),
            ("e-mail", self.email.as_str().into()),
            ("name", self.name.as_str().into()),
            ("current", if self.current { "yes" } else { "no" }.into()),
            ("accepted version", Cell::maybe(self.accepted_version.map(|one| one.to_string()).as_deref())),
            ("accepted", Cell::time(self.accepted_at)),
            ("lessons", Cell::list(&lessons)),
        ]
    }
}
