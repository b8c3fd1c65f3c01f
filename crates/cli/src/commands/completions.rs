//! `keystead completions`: what shells complete.

use crate::exit::{Exit, Outcome};
use crate::output::Output;
use clap::{Args, CommandFactory};
use clap_complete::Shell;

/// Print a shell's completion script
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead completions bash > \\
      ~/.local/share/bash-completion/completions/keystead
  keystead completions zsh > ~/.zfunc/_keystead
  keystead completions fish > ~/.config/fish/completions/keystead.fish")]
pub(crate) struct Completions {
    /// For which shell
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(&self, output: &Output) -> Outcome {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut crate::arguments::Cli::command(), "keystead", &mut script);
        output.data(&String::from_utf8_lossy(&script))?;
        Ok(Exit::Done)
    }
}
