//! Every setting of the server as a flag, from the server's own table of settings.

use crate::exit::Failure;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use keystead_server::configuration::{self, Configuration, Kind, Loaded};
use std::collections::BTreeMap;

/// The flag that client commands have too; it means the same for the server.
const SHARED: &str = "allow_plain_http";

/// Settings given as flags: name and value.
#[derive(Debug, Clone, Default)]
pub(crate) struct SettingFlags(Vec<(String, String)>);

impl SettingFlags {
    /// The configuration in force: flags over the environment over the file over defaults.
    pub(crate) fn load(&self, allow_plain_http: bool) -> Result<Loaded, Failure> {
        let mut flags = self.0.clone();
        if allow_plain_http {
            flags.push((SHARED.into(), "true".into()));
        }
        configuration::load(&flags, std::env::vars_os()).map_err(|error| {
            Failure::usage(
                error.to_string(),
                "Correct it; docs/CONFIGURATION.md has every setting, as has keystead serve --help.",
            )
        })
    }
}

/// Settings that beginners need stand first; the others are in the reference.
const PLAIN: [&str; 6] = ["data", "listen", "database", "root_key_file", "tls.certificate", "tls.key"];

fn flags(command: Command) -> Command {
    let file = Arg::new("config").long("config").value_name("FILE").help_heading("Settings");
    let file = file.help("The configuration file [default: keystead.toml in the data folder, if there]");
    let settings = Configuration::settings().filter(|setting| setting.name != SHARED);
    settings.fold(command.arg(file), |command, setting| {
        let value = match setting.kind {
            Kind::Whole { .. } => "NUMBER",
            Kind::Flag => "true|false",
            Kind::Text | Kind::DatabaseUrl | Kind::WebhookUrl | Kind::Choice(_) => "VALUE",
        };
        let default = if setting.default.is_empty() {
            String::new()
        } else {
            format!(" [default: {}]", setting.default)
        };
        let arg = Arg::new(setting.name)
            .long(setting.flag())
            .value_name(value)
            .help(format!("{}{default}", setting.help))
            .help_heading("Settings")
            .hide_short_help(!PLAIN.contains(&setting.name));
        command.arg(arg)
    })
}

impl Args for SettingFlags {
    fn augment_args(command: Command) -> Command {
        flags(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        flags(command)
    }
}

impl FromArgMatches for SettingFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut flags = Self::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        let names = Configuration::settings().map(|setting| setting.name).filter(|name| *name != SHARED);
        let given = names.chain(["config"]).filter_map(|name| {
            let by_flag = matches.value_source(name) == Some(ValueSource::CommandLine);
            let value = matches.get_one::<String>(name).filter(|_| by_flag)?;
            Some((name.to_owned(), value.clone()))
        });
        let all: BTreeMap<_, _> = self.0.drain(..).chain(given).collect();
        self.0 = all.into_iter().collect();
        Ok(())
    }
}
