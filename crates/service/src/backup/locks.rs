//! What a backup is encrypted to, and what opens it: age recipients and identities, or a passphrase
//! (<https://age-encryption.org/v1>).

use age::secrecy::SecretString;
use age::{Decryptor, Encryptor};
use std::io::{BufRead, Read, Write};
use zeroize::Zeroizing;

/// Recipients of one backup at most.
const RECIPIENTS_MAX: usize = 64;

/// A text that is no recipient, identity or passphrase. It does not repeat the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidLock(String);

/// To whom a backup is encrypted.
#[derive(Debug)]
pub struct Recipients(Lock);

enum Lock {
    Public(Vec<age::x25519::Recipient>),
    Passphrase(SecretString),
}

impl std::fmt::Debug for Lock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Public(_) => "recipients",
            Self::Passphrase(_) => "a passphrase",
        })
    }
}

impl Recipients {
    /// From recipients `age1…`, one a line; lines that begin with `#` and empty ones do not count.
    ///
    /// # Errors
    /// When a line is no recipient, there is none, or there are more than 64.
    pub fn parse(text: &str) -> Result<Self, InvalidLock> {
        let lines = text.lines().map(str::trim).enumerate();
        let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let recipients = lines.map(|(index, line)| {
            line.parse().map_err(|_| {
                InvalidLock(format!(
                    "line {} is no age recipient (age1…), as age-keygen prints it",
                    index + 1
                ))
            })
        });
        let recipients: Vec<_> = recipients.collect::<Result<_, _>>()?;
        match recipients.len() {
            0 => Err(InvalidLock("there is no recipient".into())),
            1..=RECIPIENTS_MAX => Ok(Self(Lock::Public(recipients))),
            _ => Err(InvalidLock(format!("there are more than {RECIPIENTS_MAX} recipients"))),
        }
    }

    /// A passphrase, for who has no key pair. It is stretched with scrypt, which takes a second.
    ///
    /// # Errors
    /// When it is shorter than 12 characters.
    pub fn passphrase(text: &str) -> Result<Self, InvalidLock> {
        secret(text).map(Lock::Passphrase).map(Self)
    }

    pub(super) fn encrypt<W: Write>(&self, out: W) -> std::io::Result<age::stream::StreamWriter<W>> {
        let encryptor = match &self.0 {
            Lock::Passphrase(passphrase) => Encryptor::with_user_passphrase(passphrase.clone()),
            Lock::Public(recipients) => {
                let recipients = recipients.iter().map(|recipient| recipient as &dyn age::Recipient);
                Encryptor::with_recipients(recipients).map_err(std::io::Error::other)?
            }
        };
        encryptor.wrap_output(out)
    }
}

/// What opens a backup.
pub struct Keys(Vec<Box<dyn age::Identity + Send + Sync>>);

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys")
    }
}

impl Keys {
    /// From the text of an identity file, as `age-keygen` writes it.
    ///
    /// # Errors
    /// When it holds no identity.
    pub fn parse(text: &str) -> Result<Self, InvalidLock> {
        let invalid = || InvalidLock("this is no file of age identities (AGE-SECRET-KEY-1…)".into());
        let file = age::IdentityFile::from_buffer(text.as_bytes()).map_err(|_| invalid())?;
        let identities = file.into_identities().map_err(|_| invalid())?;
        if identities.is_empty() { Err(invalid()) } else { Ok(Self(identities)) }
    }

    /// The passphrase that a backup was encrypted with.
    ///
    /// # Errors
    /// When it is shorter than any that a backup is encrypted with.
    pub fn passphrase(text: &str) -> Result<Self, InvalidLock> {
        Ok(Self(vec![Box::new(age::scrypt::Identity::new(secret(text)?))]))
    }

    pub(crate) fn decrypt<R: BufRead>(&self, input: R) -> Result<impl Read + use<R>, String> {
        let decryptor = Decryptor::new_buffered(input).map_err(|error| error.to_string())?;
        let identities = self.0.iter().map(|identity| identity.as_ref() as &dyn age::Identity);
        decryptor.decrypt(identities).map_err(|error| error.to_string())
    }
}

/// A passphrase, without the line's end that files and prompts add.
fn secret(text: &str) -> Result<SecretString, InvalidLock> {
    let text = text.trim_end_matches(['\r', '\n']);
    if text.chars().count() < 12 {
        return Err(InvalidLock("a passphrase has at least 12 characters".into()));
    }
    Ok(SecretString::from(Zeroizing::new(text.to_owned()).as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_recipients_and_long_passphrases_are_taken() {
        let recipient = age::x25519::Identity::generate().to_public().to_string();
        assert!(Recipients::parse(&format!("# ours\n\n {recipient} \n")).is_ok());
        for text in ["", "# nobody", "age1notreally", "ssh-ed25519 AAAA"] {
            assert!(Recipients::parse(text).is_err(), "{text}");
        }
        assert!(Recipients::passphrase("short\n").is_err());
        assert!(Recipients::passphrase("correct horse battery\n").is_ok());
        assert!(Keys::parse("").is_err());
    }

    #[test]
    fn an_invalid_identity_is_not_repeated() {
        let error = Keys::parse("AGE-SECRET-KEY-1CANARY").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("CANARY"));
    }
}
