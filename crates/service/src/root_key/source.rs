//! Where root keys come from: a file, an environment variable, a command, a passphrase.

use super::passphrase::Stretch;
use super::{RootKeyError, file, words};
use crate::entropy::Entropy;
use keystead_domain::seal::RootKeys;
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::process::Command;
use zeroize::Zeroizing;

/// The variable of [`RootKeySource::Environment`].
pub(super) const VARIABLE: &str = "KEYSTEAD_ROOT_KEY";
/// How long a command may take.
const COMMAND_TIME_MAX: Duration = Duration::from_secs(30);

/// Where root keys come from. Except for a passphrase each gives keys of 32 bytes in base64,
/// separated by white space, the current one last.
#[derive(Clone)]
pub enum RootKeySource {
    /// A file that its owner only may read; created with the installation.
    File(PathBuf),
    /// The variable `KEYSTEAD_ROOT_KEY`.
    Environment,
    /// The standard output of a program, which is run without a shell.
    Command(String),
    /// Passphrases in a file (also `/dev/fd/3`), one a line, the current one last.
    PassphraseFile(PathBuf),
    /// A passphrase that was typed in.
    Passphrase(Zeroizing<String>),
}

impl RootKeySource {
    /// What it is called.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::File(_) => "file",
            Self::Environment => "environment",
            Self::Command(_) => "command",
            Self::PassphraseFile(_) | Self::Passphrase(_) => "passphrase",
        }
    }

    /// Whether the database has to say how it is stretched.
    #[must_use]
    pub const fn needs_stretch(&self) -> bool {
        matches!(self, Self::PassphraseFile(_) | Self::Passphrase(_))
    }

    /// The keys; a file is created when `new_installation` allows.
    pub(crate) async fn load_or_create(
        &self,
        stretch: Option<&Stretch>,
        new_installation: bool,
        entropy: &Entropy,
    ) -> Result<RootKeys, RootKeyError> {
        match self {
            Self::File(path) => entropy.with(|rng| file::load_or_create(path, new_installation, rng)),
            _ => self.load(stretch).await,
        }
    }

    /// The keys as the source gives them now.
    ///
    /// # Errors
    /// When it gives none.
    pub async fn load(&self, stretch: Option<&Stretch>) -> Result<RootKeys, RootKeyError> {
        let refuse = |from, why: &str| RootKeyError::Source { from, why: why.into() };
        let form = "it is not 32 bytes in base64, or several such with the current one last";
        match self {
            Self::File(path) => file::read(path),
            Self::Environment => {
                let text = std::env::var(VARIABLE).map_err(|_| refuse(VARIABLE, "it is not set"))?;
                words::parse(&Zeroizing::new(text)).ok_or_else(|| refuse(VARIABLE, form))
            }
            Self::Command(line) => {
                let text = output(line).await.map_err(|why| refuse("the command", &why))?;
                words::parse(&text).ok_or_else(|| refuse("the command", form))
            }
            Self::PassphraseFile(path) => stretched(stretch, &passphrases(path)?).await,
            Self::Passphrase(text) => stretched(stretch, text).await,
        }
    }

    /// The file, when the keys are in one.
    pub(super) fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            _ => None,
        }
    }
}

async fn stretched(stretch: Option<&Stretch>, text: &str) -> Result<RootKeys, RootKeyError> {
    let stretch = stretch.cloned().ok_or_else(|| RootKeyError::Source {
        from: "the passphrase",
        why: "the database does not hold how it is stretched".into(),
    })?;
    let text = Zeroizing::new(text.to_owned());
    let stretched = tokio::task::spawn_blocking(move || stretch.keys(&text)).await;
    stretched.map_err(|_| RootKeyError::Source {
        from: "the passphrase",
        why: "it could not be stretched".into(),
    })?
}

fn passphrases(path: &Path) -> Result<Zeroizing<String>, RootKeyError> {
    let refuse = |error: std::io::Error| RootKeyError::Source {
        from: "the passphrase",
        why: format!("{} cannot be read ({error})", path.display()),
    };
    let file = std::fs::File::open(path).map_err(refuse)?;
    let about = file.metadata().map_err(refuse)?;
    let mode = std::os::unix::fs::PermissionsExt::mode(&about.permissions()) & 0o777;
    if about.is_file() && mode & 0o077 != 0 {
        return Err(RootKeyError::Exposed { path: path.into(), mode });
    }
    let mut text = Zeroizing::new(String::with_capacity(words::TEXT_BYTES_MAX));
    let length = u64::try_from(words::TEXT_BYTES_MAX).unwrap_or(u64::MAX);
    Read::take(file, length).read_to_string(&mut text).map_err(refuse)?;
    Ok(text)
}

/// What a program prints, run without a shell: its name and its arguments are separated by spaces.
async fn output(line: &str) -> Result<Zeroizing<String>, String> {
    let mut words = line.split_ascii_whitespace();
    let program = words.next().ok_or("no program is named")?;
    let mut child = Command::new(program)
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("{program} cannot be run ({error})"))?;
    let mut out = child.stdout.take().ok_or("its output cannot be read")?;
    let run = async {
        let mut bytes = Zeroizing::new(Vec::with_capacity(words::TEXT_BYTES_MAX));
        let length = u64::try_from(words::TEXT_BYTES_MAX).unwrap_or(u64::MAX);
        (&mut out).take(length).read_to_end(&mut bytes).await.map_err(|error| error.to_string())?;
        drop(out);
        let ended = child.wait().await.map_err(|error| error.to_string())?;
        if ended.success() { Ok(bytes) } else { Err(format!("{program} ended with {ended}")) }
    };
    let bytes = tokio::time::timeout(COMMAND_TIME_MAX, run).await;
    let bytes = bytes.map_err(|_| format!("{program} did not end within 30 seconds"))??;
    let text = std::str::from_utf8(&bytes).map_err(|_| "its output is no text".to_owned())?;
    Ok(Zeroizing::new(text.to_owned()))
}

impl From<PathBuf> for RootKeySource {
    fn from(path: PathBuf) -> Self {
        Self::File(path)
    }
}

impl fmt::Debug for RootKeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use keystead_domain::seal::RootKey;

    #[tokio::test]
    async fn a_command_is_run_without_a_shell_and_its_last_word_is_current() {
        let (one, two) = (words::word(&[1; 32]), words::word(&[2; 32]));
        let source = RootKeySource::Command(format!("echo {} {}", *one, *two));
        let id = |n| RootKey::new(&[n; 32]).unwrap().id();
        assert_eq!(source.load(None).await.unwrap().current().id(), id(2));
        for (line, why) in [
            ("", "no program"),
            ("/nonexistent/program", "cannot be run"),
            ("false", "ended with"),
            ("echo canary", "not 32 bytes"),
            ("cat /dev/zero", "not 32 bytes"),
            ("echo $HOME; echo", "not 32 bytes"),
        ] {
            let refused = RootKeySource::Command(line.into()).load(None).await.unwrap_err().to_string();
            assert!(refused.contains(why) || refused.contains("ended with"), "{line}: {refused}");
            assert!(!refused.contains("canary"), "{refused}");
        }
        assert!(!format!("{source:?}").contains(one.as_str()));
    }

    #[tokio::test]
    async fn a_passphrase_needs_its_salt_and_a_private_file() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("passphrase");
        std::fs::write(&path, "correct horse battery\n").unwrap();
        let source = RootKeySource::PassphraseFile(path.clone());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let stretch: Stretch = "argon2id 64 1 1 BwcHBwcHBwcHBwcHBwcHBw==".parse().unwrap();
        assert!(matches!(source.load(Some(&stretch)).await, Err(RootKeyError::Exposed { .. })));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert!(source.load(Some(&stretch)).await.is_ok());
        let refused = source.load(None).await.unwrap_err().to_string();
        assert!(refused.contains("stretched") && !refused.contains("horse"), "{refused}");
    }
}
