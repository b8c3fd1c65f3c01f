//! `keystead audit`: who did what, and whether anybody changed that since.

mod checkpoints;
mod export;
mod list;
mod rows;
mod verify;

use crate::exit::{Failure, Outcome};
use crate::output::Output;
use crate::session::Session;
use checkpoints::Checkpoints;
use clap::{Args, Subcommand};
use export::Export;
use list::List;
use verify::Verify;

/// List administrative acts, newest first; export and verify them
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "Examples:
  keystead audit --since 24h
  keystead audit --action key.revoke --project acme
  keystead audit --target key_4fGhX2abcDEF --all --json
  keystead audit --since 2027-01-01 --until 2027-02-01
  keystead audit export > audit.ndjson
  keystead audit verify --export audit.ndjson")]
pub(crate) struct Audit {
    #[command(flatten)]
    list: List,
    #[command(subcommand)]
    command: Option<AuditCommand>,
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    Checkpoints(Checkpoints),
    Export(Export),
    Verify(Box<Verify>),
}

impl Audit {
    /// Only `verify` works without a server.
    pub(crate) fn run(
        self,
        session: impl FnOnce() -> Result<Session, Failure>,
        allow_plain_http: bool,
        output: &Output,
    ) -> Outcome {
        let runtime = crate::client_runtime()?;
        match self.command {
            None => runtime.block_on(self.list.run(&session()?)),
            Some(AuditCommand::Checkpoints(checkpoints)) => runtime.block_on(checkpoints.run(&session()?)),
            Some(AuditCommand::Export(export)) => runtime.block_on(export.run(&session()?)),
            Some(AuditCommand::Verify(verify)) => runtime.block_on(verify.run(allow_plain_http, output)),
        }
    }
}
