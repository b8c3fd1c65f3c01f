//! What mail needs, from its settings, the password's file or variable, and the trusted certificates.

use super::{Configuration, SmtpSecurity};
use keystead_mail::{Login, Mailer, Security, Smtp, Unusable, is_loopback};
use std::ffi::OsString;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;
use zeroize::Zeroizing;

/// The variable of the password.
pub const PASSWORD_VARIABLE: &str = "KEYSTEAD_SMTP_PASSWORD";
/// Bytes of the largest file of certificates.
const CERTIFICATES_BYTES_MAX: u64 = 1 << 20;
/// Bytes of the longest password.
const PASSWORD_BYTES_MAX: usize = 1_024;

/// Settings of mail with which nothing can be sent.
#[derive(Debug, thiserror::Error)]
pub enum SmtpMistake {
    /// A file cannot be read.
    #[error("smtp.{setting}: {why}")]
    File {
        /// Of which setting.
        setting: &'static str,
        /// Why.
        why: String,
    },
    /// There is a user name and no password.
    #[error("smtp.username is set, and there is no password; set smtp.password_file or {PASSWORD_VARIABLE}")]
    NoPassword,
    /// The variable holds no password.
    #[error("{PASSWORD_VARIABLE} does not hold one line of UTF-8 of at most {PASSWORD_BYTES_MAX} bytes")]
    Variable,
    /// There is a password and no user name.
    #[error("{PASSWORD_VARIABLE} is set, and smtp.username is not; set it too, or remove the variable")]
    Nobody,
    /// There are two passwords.
    #[error("both smtp.password_file and {PASSWORD_VARIABLE} are set; remove one")]
    TwoPasswords,
    /// The certificates are none.
    #[error("{0}")]
    Unusable(#[from] Unusable),
}

impl Configuration {
    /// What sends mail; `None` when no mail server is named. `password` is the variable's.
    ///
    /// # Errors
    /// When the password or the certificates cannot be had.
    pub fn mailer(&self, password: Option<OsString>) -> Result<Option<Mailer>, SmtpMistake> {
        let settings = &self.smtp;
        let (Some(host), Some(from)) = (&settings.host, &settings.from) else { return Ok(None) };
        let security = match settings.security {
            SmtpSecurity::Tls => Security::Tls,
            SmtpSecurity::StartTls => Security::StartTls,
            SmtpSecurity::None => Security::None,
        };
        let login = match &settings.username {
            Some(user) => Some(Login { user: user.clone(), password: self.smtp_password(password)? }),
            None if password.is_some() => return Err(SmtpMistake::Nobody),
            None => None,
        };
        let trusted = settings.ca_file.as_deref().map(certificates).transpose()?;
        let smtp = Smtp {
            host: host.clone(),
            port: if settings.port == 0 { security.port() } else { settings.port },
            security,
            login,
            trusted,
            from: from.clone(),
            reply_to: settings.reply_to.clone(),
            timeout: Duration::from_secs(settings.timeout_seconds),
            data_timeout: Duration::from_secs(settings.data_timeout_seconds),
        };
        Ok(Some(Mailer::new(smtp)?))
    }

    fn smtp_password(&self, variable: Option<OsString>) -> Result<Zeroizing<String>, SmtpMistake> {
        match (&self.smtp.password_file, variable) {
            (None, None) => Err(SmtpMistake::NoPassword),
            (Some(_), Some(_)) => Err(SmtpMistake::TwoPasswords),
            (None, Some(password)) => password_of(password),
            (Some(path), None) => password_in(path),
        }
    }

    /// Whether mail would cross a network readable, and nobody allowed that.
    pub(super) fn shows_mail(&self) -> bool {
        let smtp = &self.smtp;
        smtp.security == SmtpSecurity::None
            && !smtp.allow_plain
            && smtp.host.as_deref().is_some_and(|host| !is_loopback(host))
    }
}

fn password_in(path: &Path) -> Result<Zeroizing<String>, SmtpMistake> {
    let refuse = |why: String| SmtpMistake::File { setting: "password_file", why };
    let unread = |error: std::io::Error| refuse(format!("{} cannot be read ({error})", path.display()));
    let file = std::fs::File::open(path).map_err(unread)?;
    let about = file.metadata().map_err(unread)?;
    let mode = about.permissions().mode() & 0o777;
    if about.is_file() && mode & 0o077 != 0 {
        let path = path.display();
        return Err(refuse(format!("{path} may be read by others (mode {mode:o}); run: chmod 600 {path}")));
    }
    let mut text = Zeroizing::new(String::with_capacity(PASSWORD_BYTES_MAX + 1));
    let length = u64::try_from(PASSWORD_BYTES_MAX + 1).unwrap_or(u64::MAX);
    file.take(length).read_to_string(&mut text).map_err(unread)?;
    let path = path.display();
    line_of(&text)
        .ok_or_else(|| refuse(format!("{path} does not hold one line of at most {PASSWORD_BYTES_MAX} bytes")))
}

fn password_of(variable: OsString) -> Result<Zeroizing<String>, SmtpMistake> {
    let text = variable.into_string().map(Zeroizing::new);
    text.ok().and_then(|text| line_of(&text)).ok_or(SmtpMistake::Variable)
}

/// The one line of a text, without its end.
fn line_of(text: &str) -> Option<Zeroizing<String>> {
    let line = text.strip_suffix('\n').unwrap_or(text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    let is_line = !line.is_empty() && !line.contains(char::is_control) && text.len() <= PASSWORD_BYTES_MAX;
    is_line.then(|| Zeroizing::new(line.to_owned()))
}

fn certificates(path: &Path) -> Result<Vec<u8>, SmtpMistake> {
    let refuse = |why: String| SmtpMistake::File { setting: "ca_file", why };
    let unread = |error: std::io::Error| refuse(format!("{} cannot be read ({error})", path.display()));
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(unread)?;
    file.take(CERTIFICATES_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unread)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > CERTIFICATES_BYTES_MAX
        || !bytes.windows(27).any(|some| some == b"-----BEGIN CERTIFICATE-----")
    {
        return Err(refuse(format!("{} holds no certificates in PEM, of at most 1 MiB", path.display())));
    }
    Ok(bytes)
}
