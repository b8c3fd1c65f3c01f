//! What sends mail, as it is configured.

use keystead_mail::Mailer;
use keystead_server::configuration::{Configuration, PASSWORD_VARIABLE, SmtpMistake};

/// The mailer of the configuration and the environment; `None` when no mail server is named.
pub(super) fn mailer(configuration: &Configuration) -> Result<Option<Mailer>, SmtpMistake> {
    configuration.mailer(std::env::var_os(PASSWORD_VARIABLE))
}
