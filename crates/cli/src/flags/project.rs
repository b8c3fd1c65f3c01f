//! Which project a command is about, and which version an edit expects.

use clap::Args;

/// Which project.
#[derive(Debug, Args)]
pub(crate) struct InProject {
    /// The project's id or slug
    #[arg(long, short, env = "KEYSTEAD_PROJECT", hide_env_values = true)]
    pub(crate) project: String,
}

/// Which version an edit expects.
#[derive(Debug, Args)]
pub(crate) struct Expecting {
    /// Change it only while its version is this; by default the one that is read just before
    #[arg(long, value_name = "VERSION")]
    pub(crate) if_match: Option<i64>,
}

/// Which version a deletion expects.
#[derive(Debug, Args)]
pub(crate) struct ExpectingIfGiven {
    /// Delete it only while its version is this
    #[arg(long, value_name = "VERSION")]
    pub(crate) if_match: Option<i64>,
}
