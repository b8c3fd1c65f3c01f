//! What to do where a guardrail demands another person's approval.

use crate::exit::Failure;
use crate::session::Session;
use clap::Args;
use keystead_sdk::Error;

/// What to do where a guardrail demands another person's approval.
#[derive(Debug, Args)]
#[group(id = "approving", multiple = false)]
pub(crate) struct Approving {
    /// Ask for another person's approval of it, and say why, instead of doing it
    #[arg(long, value_name = "WHY", help_heading = "Approval")]
    pub(crate) ask_approval: Option<String>,
    /// Do it without the approval that a guardrail demands, and say why: everyone who decides is told
    #[arg(long, value_name = "REASON", help_heading = "Approval")]
    pub(crate) break_glass: Option<String>,
}

/// A refusal; where an approval would help, with how to ask for it.
pub(crate) fn refused(session: &Session, error: Error) -> Failure {
    if let Error::Problem { problem, .. } = &error
        && problem.code == "approval_required"
    {
        session.output.note(
            "To ask for it, run the same command again with --ask-approval 'why it is needed'; \
             for that you must have signed in: keystead sign-in.",
        );
    }
    error.into()
}
