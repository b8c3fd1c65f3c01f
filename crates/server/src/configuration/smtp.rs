//! What mail needs, from its settings, the password's file or variable, and the trusted certificates.

use super::{Configuration, SmtpSecurity};
use keystead_mail::{Login, Mailer, Security, Smtp, Unusable, is_loopback};
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
    pub fn mailer(&self, password: Option<Zeroizing<String>>) -> Result<Option<Mailer>, SmtpMistake> {
        let settings = &self.smtp;
        let (Some(host), Some(from)) = (&settings.host, &settings.from) else { return Ok(None) };
        let security = match settings.security {
            SmtpSecurity::Tls => Security::Tls,
            SmtpSecurity::StartTls => Security::StartTls,
            SmtpSecurity::None => Security::None,
        };
        let login = match &settings.username {
            Some(user) => Some(Login { user: user.clone(), password: self.smtp_password(password)? }),
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
        };
        Ok(Some(Mailer::new(smtp)?))
    }

    fn smtp_password(&self, variable: Option<Zeroizing<String>>) -> Result<Zeroizing<String>, SmtpMistake> {
        match (&self.smtp.password_file, variable) {
            (None, None) => Err(SmtpMistake::NoPassword),
            (Some(_), Some(_)) => Err(SmtpMistake::TwoPasswords),
            (None, Some(password)) => Ok(password),
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
    let password = text.strip_suffix('\n').unwrap_or(&text);
    let password = password.strip_suffix('\r').unwrap_or(password);
    if password.is_empty() || password.contains(char::is_control) || text.len() > PASSWORD_BYTES_MAX {
        let path = path.display();
        return Err(refuse(format!("{path} does not hold one line of at most {PASSWORD_BYTES_MAX} bytes")));
    }
    Ok(Zeroizing::new(password.to_owned()))
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
