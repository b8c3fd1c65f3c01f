//! Where the root key comes from, as it is configured.

use crate::exit::Failure;
use keystead_server::configuration::{Configuration, RootKeyFrom};
use keystead_service::root_key::RootKeySource;
use std::io::{self, IsTerminal};
use zeroize::Zeroizing;

/// The source in force; a passphrase that is in no file is asked for, twice where it is the first.
pub(super) fn source(configuration: &Configuration, first: bool) -> Result<RootKeySource, Failure> {
    let settings = &configuration.root_key;
    Ok(match (settings.source, &settings.passphrase_file) {
        (RootKeyFrom::File, _) => RootKeySource::File(configuration.root_key_file.clone()),
        (RootKeyFrom::Environment, _) => RootKeySource::Environment,
        (RootKeyFrom::Command, _) => RootKeySource::Command(settings.command.clone().unwrap_or_default()),
        (RootKeyFrom::Passphrase, Some(path)) => RootKeySource::PassphraseFile(path.clone()),
        (RootKeyFrom::Passphrase, None) => RootKeySource::Passphrase(asked(first)?),
    })
}

fn asked(first: bool) -> Result<Zeroizing<String>, Failure> {
    let fix = "Start it on a terminal, or name a file with root_key.passphrase_file.";
    if !io::stdin().is_terminal() {
        return Err(Failure::local("The root key is a passphrase, and nobody is there to type it.", fix));
    }
    let prompt = |question: &str| {
        rpassword::prompt_password(question)
            .map(Zeroizing::new)
            .map_err(|error| Failure::local(format!("The terminal could not be read: {error}."), fix))
    };
    let passphrase = prompt("Root key passphrase: ")?;
    // Nobody could open an installation that was made with a slip of the finger.
    if first && *prompt("The same again, for a new installation: ")? != *passphrase {
        return Err(Failure::local("The two passphrases differ.", "Start again."));
    }
    Ok(passphrase)
}
