//! Running and checking a server on this machine: `serve`, `doctor`, `config`, `backup`, `restore`.

mod backup;
mod bind;
mod checkpoint_file;
mod config;
mod doctor;
mod doors;
mod guards;
mod publish;
mod reload;
mod restore;
mod root_key;
mod serve;
mod settings;
mod smtp;
mod starting;
mod webhook;

use crate::exit::Outcome;
use crate::output::Output;
use backup::Backup;
use clap::Subcommand;
use config::ConfigCommand;
use doctor::Doctor;
use restore::Restore;
use serve::Serve;

pub(crate) use backup::{Lock, database, failure, keys};
pub(crate) use settings::SettingFlags;

/// The commands that work on this machine's installation.
#[derive(Debug, Subcommand)]
pub(crate) enum OperateCommand {
    Serve(Serve),
    Doctor(Doctor),
    #[command(subcommand)]
    Config(ConfigCommand),
    Backup(Backup),
    Restore(Restore),
}

impl OperateCommand {
    /// `allow_plain_http` is the flag that all commands share.
    pub(crate) fn run(self, allow_plain_http: bool, output: &Output) -> Outcome {
        match self {
            Self::Serve(serve) => serve.run(allow_plain_http, output),
            Self::Doctor(doctor) => doctor.run(allow_plain_http, output),
            Self::Config(config) => config.run(allow_plain_http, output),
            Self::Backup(backup) => backup.run(allow_plain_http, output),
            Self::Restore(restore) => restore.run(allow_plain_http, output),
        }
    }
}
