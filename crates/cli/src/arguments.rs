//! The command line: every command, and the flags that all of them share.

use crate::commands::approvals::Approvals;
use crate::commands::audit::Audit;
use crate::commands::completions::Completions;
use crate::commands::consumers::Consumers;
use crate::commands::environments::Environments;
use crate::commands::export::Export;
use crate::commands::guard::Guard;
use crate::commands::guardrails::Guardrails;
use crate::commands::guidelines::Guidelines;
use crate::commands::hygiene::Hygiene;
use crate::commands::identity_keys::IdentityKeys;
use crate::commands::identity_providers::IdentityProviders;
use crate::commands::keys::Keys;
use crate::commands::lessons::Lessons;
use crate::commands::login::Login;
use crate::commands::mail::Mail;
use crate::commands::members::Members;
use crate::commands::nodes::Nodes;
use crate::commands::notices::Notices;
use crate::commands::organizations::Organizations;
use crate::commands::permissions::Permissions;
use crate::commands::policies::Policies;
use crate::commands::projects::Projects;
use crate::commands::roles::Roles;
use crate::commands::root_key::RootKey;
use crate::commands::rotation_plan::RotationPlan;
use crate::commands::service_accounts::ServiceAccounts;
use crate::commands::sign_in::SignInCommand;
use crate::commands::teams::Teams;
use crate::commands::verify::Verify;
use crate::commands::whoami::Whoami;
use crate::connection::ConnectionFlags;
use crate::exit::{EXIT_CODES, Outcome};
use crate::operate::OperateCommand;
use crate::session::Session;
use clap::{Args, Parser, Subcommand};

/// Keystead: issues an organisation's API keys and verifies them
#[derive(Debug, Parser)]
#[command(name = "keystead", version, after_help = after_help(), max_term_width = 120)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) connection: ConnectionFlags,
    #[command(flatten)]
    pub(crate) printing: PrintingFlags,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What is printed.
#[derive(Debug, Args)]
pub(crate) struct PrintingFlags {
    /// Print the API's answer as JSON, and errors as JSON on standard error
    #[arg(long, global = true, help_heading = "Output")]
    pub(crate) json: bool,
    /// Do not say what was done and what to do next
    #[arg(long, short, global = true, help_heading = "Output")]
    pub(crate) quiet: bool,
}

/// Every command.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    Operate(OperateCommand),
    Login(Login),
    #[command(flatten)]
    SignIn(SignInCommand),
    #[command(flatten)]
    Client(Box<ClientCommand>),
    Audit(Box<Audit>),
    Completions(Completions),
}

/// The commands that call a server with the key in force.
#[derive(Debug, Subcommand)]
pub(crate) enum ClientCommand {
    Whoami(Whoami),
    Verify(Box<Verify>),
    #[command(subcommand)]
    Keys(Keys),
    #[command(subcommand)]
    Approvals(Approvals),
    #[command(subcommand)]
    RotationPlan(RotationPlan),
    Notices(Notices),
    #[command(subcommand)]
    Consumers(Consumers),
    #[command(subcommand)]
    Members(Members),
    #[command(subcommand)]
    Teams(Teams),
    #[command(subcommand)]
    IdentityProviders(IdentityProviders),
    #[command(subcommand)]
    ServiceAccounts(ServiceAccounts),
    #[command(subcommand)]
    Roles(Roles),
    #[command(subcommand)]
    Permissions(Permissions),
    #[command(subcommand)]
    Environments(Environments),
    #[command(subcommand)]
    Projects(Projects),
    #[command(subcommand)]
    Guard(Guard),
    #[command(subcommand)]
    Guardrails(Guardrails),
    #[command(subcommand)]
    Policies(Policies),
    #[command(subcommand)]
    Guidelines(Guidelines),
    #[command(subcommand)]
    Lessons(Lessons),
    #[command(subcommand)]
    Organizations(Organizations),
    Nodes(Nodes),
    #[command(subcommand)]
    Mail(Mail),
    #[command(subcommand)]
    RootKey(RootKey),
    #[command(subcommand)]
    IdentityKeys(IdentityKeys),
    Hygiene(Hygiene),
    Export(Export),
}

impl ClientCommand {
    /// Calls the server and shows its answer.
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        match self {
            Self::Whoami(whoami) => whoami.run(session).await,
            Self::Verify(verify) => verify.run(session).await,
            Self::Keys(keys) => keys.run(session).await,
            Self::Approvals(approvals) => approvals.run(session).await,
            Self::RotationPlan(plan) => plan.run(session).await,
            Self::Notices(notices) => notices.run(session).await,
            Self::Consumers(consumers) => consumers.run(session).await,
            Self::Members(members) => members.run(session).await,
            Self::Teams(teams) => teams.run(session).await,
            Self::IdentityProviders(providers) => providers.run(session).await,
            Self::ServiceAccounts(accounts) => accounts.run(session).await,
            Self::Roles(roles) => roles.run(session).await,
            Self::Permissions(permissions) => permissions.run(session).await,
            Self::Environments(environments) => environments.run(session).await,
            Self::Projects(projects) => projects.run(session).await,
            Self::Guard(guard) => guard.run(session).await,
            Self::Guardrails(guardrails) => guardrails.run(session).await,
            Self::Policies(policies) => policies.run(session).await,
            Self::Guidelines(guidelines) => guidelines.run(session).await,
            Self::Lessons(lessons) => lessons.run(session).await,
            Self::Organizations(organizations) => organizations.run(session).await,
            Self::Nodes(nodes) => nodes.run(session).await,
            Self::Mail(mail) => mail.run(session).await,
            Self::RootKey(root_key) => root_key.run(session).await,
            Self::IdentityKeys(keys) => keys.run(session).await,
            Self::Hygiene(hygiene) => hygiene.run(session).await,
            Self::Export(export) => export.run(session).await,
        }
    }
}

fn after_help() -> String {
    format!(
        "\
Examples:
  keystead serve --data ./keystead-data
  keystead login --url https://keystead.example.com
  keystead keys create --project acme --environment production \\
      --name 'Route importer' --permission routes.read
  keystead verify --project acme --environment production \\
      --permission routes.read

Environment:
  KEYSTEAD_URL         the server's base URL
  KEYSTEAD_KEY         the key that commands use
  KEYSTEAD_VERIFY_KEY  the key that verify and whoami --other ask about
  KEYSTEAD_PROJECT     the project, where --project is left out
  KEYSTEAD_CA_FILE     root certificates to trust besides the system's
  NO_COLOR             no colours
Flags win over the environment, and that over what keystead login stored.

{EXIT_CODES}"
    )
}

/// What a command line asks of a server.
#[cfg(test)]
pub(crate) fn client_command<T: AsRef<str>>(arguments: impl IntoIterator<Item = T>) -> ClientCommand {
    let arguments = arguments.into_iter().map(|argument| argument.as_ref().to_owned());
    match Cli::try_parse_from(arguments).unwrap().command {
        Command::Client(command) => *command,
        Command::Operate(_)
        | Command::Login(_)
        | Command::SignIn(_)
        | Command::Audit(_)
        | Command::Completions(_) => {
            panic!("no client command")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    /// Words as a shell splits them, up to a pipe or a redirection.
    fn words(line: &str) -> Vec<String> {
        let (mut words, mut word, mut quoted) = (Vec::new(), None::<String>, false);
        for c in line.chars() {
            match c {
                '\'' => {
                    quoted = !quoted;
                    word.get_or_insert_default();
                }
                '|' | '>' if !quoted => break,
                ' ' if !quoted => words.extend(word.take()),
                _ => word.get_or_insert_default().push(c),
            }
        }
        words.extend(word);
        words
    }

    fn every_command(command: &clap::Command, path: &str, seen: &mut Vec<(String, String)>) {
        let name = format!("{path}{}", command.get_name());
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        for one in command.get_subcommands() {
            every_command(one, &format!("{name} "), seen);
        }
        seen.push((name, help));
    }

    #[test]
    fn the_grammar_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_example_in_every_help_parses() {
        let mut commands = Vec::new();
        every_command(&Cli::command(), "", &mut commands);
        assert!(commands.len() > 50, "{}", commands.len());
        for (name, help) in commands {
            for line in help.lines() {
                // Wider lines are wrapped in the middle of a command, which then cannot be pasted.
                assert!(line.chars().count() <= 80, "{name}: {line}");
            }
            let help = help.replace("\\\n     ", "");
            let examples: Vec<&str> = help
                .lines()
                .skip_while(|line| *line != "Examples:")
                .skip(1)
                .take_while(|line| line.starts_with("  "))
                .filter_map(|line| line.find("keystead ").and_then(|at| line.get(at..)))
                .collect();
            assert!(!examples.is_empty(), "{name} has no example");
            for example in examples {
                assert!(Cli::try_parse_from(words(example)).is_ok(), "{name}: {example}");
                assert!(name == "keystead" || example.starts_with(&name), "{name}: {example}");
            }
        }
    }
}
