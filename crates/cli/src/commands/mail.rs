//! `keystead mail`: how mail leaves, for the installation's operator.

use crate::exit::{Exit, Outcome};
use crate::output::Present;
use crate::output::table::Cell;
use crate::session::Session;
use clap::{Args, Subcommand};
use keystead_sdk::api::{MailTest, TestMail as Body};

/// How mail leaves; for the operator
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  keystead mail test you@example.com

docs/CONFIGURATION.md says how a mail server is named (smtp.host).")]
pub(crate) enum Mail {
    Test(TestMail),
}

/// Send a test message, and say whether the mail server took it
///
/// At most ten an hour of one node. What becomes of it then is in the mail server's log.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead mail test you@example.com
  keystead mail test you@example.com --json

Exit code 8 when it was not taken.")]
pub(crate) struct TestMail {
    /// To which address
    #[arg(value_name = "ADDRESS")]
    to: String,
}

impl Mail {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let Self::Test(TestMail { to }) = self;
        let test = session.client.test_mail(&Body { to }).await?;
        session.output.one(&test)?;
        Ok(if test.accepted { Exit::Done } else { Exit::Server })
    }
}

impl Present for MailTest {
    const HEADINGS: &'static [&'static str] = &["ACCEPTED", "TO", "SERVER", "MESSAGE ID", "ERROR", "FIX"];

    fn row(&self) -> Vec<Cell> {
        self.fields().into_iter().map(|(_, cell)| cell).collect()
    }

    fn fields(&self) -> Vec<(&'static str, Cell)> {
        vec![
            ("accepted", if self.accepted { "yes" } else { "no" }.into()),
            ("to", self.to.as_str().into()),
            ("server", self.server.as_str().into()),
            ("message id", self.message_id.as_str().into()),
            ("error", Cell::maybe(self.error.as_deref())),
            ("fix", Cell::maybe(self.fix.as_deref())),
        ]
    }
}
