//! `keystead doctor`: checks an installation without changing it, and says how to fix what it finds.

mod database;
mod doors;
mod guards;

use crate::exit::{Exit, Failure, Outcome};
use crate::operate::settings::SettingFlags;
use crate::output::Output;
use clap::Args;
use keystead_server::configuration::{Configuration, RootKeyFrom};
use keystead_server::listen::Tls;
use keystead_service::root_key::{RootKeyError, RootKeySource};
use keystead_service::{SignInSettings, check_breached_passwords};
use serde::Serialize;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Check this machine's installation, and say how to fix what is amiss
///
/// It changes nothing, and may run beside a running server.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  keystead doctor
  keystead doctor --data /var/lib/keystead
  keystead doctor --json

Exit code 9 when something must be fixed.")]
pub(crate) struct Doctor {
    #[command(flatten)]
    settings: SettingFlags,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Health {
    Ok,
    Warning,
    Failed,
}

/// One check.
#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    health: Health,
    what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

impl Finding {
    fn ok(check: &'static str, what: impl Into<String>) -> Self {
        Self { check, health: Health::Ok, what: what.into(), fix: None }
    }

    fn warning(check: &'static str, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { check, health: Health::Warning, what: what.into(), fix: Some(fix.into()) }
    }

    fn failed(check: &'static str, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { check, health: Health::Failed, what: what.into(), fix: Some(fix.into()) }
    }
}

impl Doctor {
    pub(crate) fn run(self, allow_plain_http: bool, output: &Output) -> Outcome {
        let loaded = self.settings.load(allow_plain_http)?;
        let runtime = crate::client_runtime()?;
        let findings = runtime.block_on(async {
            let mut findings = examine(&loaded.configuration).await;
            findings.extend(guards::examine(&loaded.guards).await);
            findings.extend(doors::examine(&loaded.doors).await);
            findings
        });
        if output.is_json() {
            output.json(&findings)?;
        } else {
            for finding in &findings {
                let mark = match finding.health {
                    Health::Ok => "ok      ",
                    Health::Warning => "warning ",
                    Health::Failed => "FAILED  ",
                };
                output.data(&format!("{mark} {}: {}\n", finding.check, finding.what))?;
                if let Some(fix) = &finding.fix {
                    output.data(&format!("         fix: {fix}\n"))?;
                }
            }
        }
        let failed = findings.iter().filter(|finding| finding.health == Health::Failed).count();
        if failed == 0 {
            output.note("Nothing needs to be fixed.");
            return Ok(Exit::Done);
        }
        Err(Failure::local(
            format!("{failed} of {} checks failed.", findings.len()),
            "Follow the fixes above, then run it again.",
        ))
    }
}

async fn examine(configuration: &Configuration) -> Vec<Finding> {
    let mut findings = vec![
        Finding::ok("version", format!("keystead {}", env!("CARGO_PKG_VERSION"))),
        folder(&configuration.data),
    ];
    let inspected = database::look(configuration).await;
    findings.push(root_key(configuration, database::exists(&inspected)).await);
    findings.extend(database::examine(configuration, inspected));
    findings.push(tls(configuration));
    findings.push(mail(configuration).await);
    findings.push(passwords(configuration));
    findings.push(passkeys(configuration));
    findings
}

fn folder(path: &Path) -> Finding {
    match mode(path) {
        None => Finding::warning(
            "data folder",
            format!("{} does not exist yet.", path.display()),
            "keystead serve creates it; or name the right one with --data.",
        ),
        Some(mode) if mode & 0o077 != 0 => Finding::warning(
            "data folder",
            format!("{} may be read by others (mode {mode:o}).", path.display()),
            format!("chmod 700 {}", path.display()),
        ),
        Some(_) => Finding::ok("data folder", format!("{} is its owner's only.", path.display())),
    }
}

/// Only a file is looked at: asking a command or a person would be more than looking.
async fn root_key(configuration: &Configuration, database_exists: bool) -> Finding {
    let path = match configuration.root_key.source {
        RootKeyFrom::File => &configuration.root_key_file,
        RootKeyFrom::Environment => return Finding::ok("root key", "It comes from KEYSTEAD_ROOT_KEY."),
        RootKeyFrom::Command => return Finding::ok("root key", "It comes from a command."),
        RootKeyFrom::Passphrase => return Finding::ok("root key", "It is a passphrase."),
    };
    match RootKeySource::File(path.clone()).load(None).await {
        Ok(keys) => {
            Finding::ok("root key", format!("{} is its owner's only and holds {keys}.", path.display()))
        }
        Err(RootKeyError::Missing(_)) if !database_exists => Finding::warning(
            "root key",
            format!("{} does not exist yet.", path.display()),
            "keystead serve creates it; keep a copy apart from the database's backups.",
        ),
        Err(RootKeyError::Exposed { path, mode }) => {
            let path = path.display();
            Finding::failed(
                "root key",
                format!("{path} may be read by others (mode {mode:o})."),
                format!("chmod 600 {path}; if others may have read it: keystead root-key rotate."),
            )
        }
        Err(error) => Finding::failed(
            "root key",
            format!("{error}."),
            "Put the file back from where you keep its copy: without it the database cannot be used.",
        ),
    }
}

fn tls(configuration: &Configuration) -> Finding {
    match (&configuration.tls.certificate, &configuration.tls.key) {
        (Some(certificate), Some(key)) => match Tls::load(certificate, key) {
            Ok(_) => Finding::ok("TLS", "Certificate and key fit each other."),
            Err(error) => Finding::failed("TLS", format!("{error}."), "Correct tls.certificate and tls.key."),
        },
        _ if configuration.listen.ip().is_loopback() => {
            Finding::ok("TLS", "Off, and only this machine can connect.")
        }
        _ => Finding::warning(
            "TLS",
            "Off, and other machines can connect: keys cross the network readable.",
            "Set tls.certificate and tls.key, or listen on loopback behind a proxy.",
        ),
    }
}

/// The list of passwords that others lost: without it, only the most common ones are refused.
fn passwords(configuration: &Configuration) -> Finding {
    let check = "lost passwords";
    let Some(list) = &configuration.sign_in.breached_passwords_file else {
        return Finding::ok(
            check,
            "The most common ones are refused; there is no list of all that are known.",
        );
    };
    match check_breached_passwords(list) {
        Ok(()) => Finding::ok(check, format!("Those in {} are refused.", list.display())),
        Err(error) => Finding::failed(
            check,
            format!("{}: {error}.", list.display()),
            "Name Have I Been Pwned's list of SHA-1 digests, ordered by hash, or remove \
             sign_in.breached_passwords_file.",
        ),
    }
}

/// Where browsers use passkeys: over TLS, under a name.
fn passkeys(configuration: &Configuration) -> Finding {
    let check = "passkeys";
    let url = super::serve::people_url(configuration, configuration.listen);
    let passkey_domain = configuration.sign_in.passkey_domain.clone();
    let settings = SignInSettings { url, passkey_domain, ..SignInSettings::default() };
    match settings.passkey_site() {
        Some(site) => {
            Finding::ok(check, format!("They are for {}, and work on {}.", site.id(), site.origin()))
        }
        None => Finding::warning(
            check,
            format!("Browsers use none at {}: that takes a name, and TLS.", settings.url),
            "Set sign_in.url to the https URL, with a name, by which people reach the server.",
        ),
    }
}

/// Connects, signs in and names the sender; nothing is sent.
async fn mail(configuration: &Configuration) -> Finding {
    let mailer = match super::smtp::mailer(configuration) {
        Ok(Some(mailer)) => mailer,
        Ok(None) => return Finding::ok("mail", "Not set up: notices wait, and keystead notices shows them."),
        Err(error) => {
            return Finding::failed(
                "mail",
                format!("{error}."),
                "Correct it, or remove smtp.host and smtp.from.",
            );
        }
    };
    let reached = async {
        let mut line = mailer.open().await?;
        line.check_sender().await?;
        line.close().await;
        Ok(())
    };
    match reached.await {
        Ok(()) => {
            let from = &mailer.from().email;
            Finding::ok(
                "mail",
                format!("{} answers, lets us in, and takes mail from {from}.", mailer.server()),
            )
        }
        Err::<_, keystead_mail::Failure>(failure) => {
            let fix = failure.fix.unwrap_or("Ask whoever runs the mail server.");
            Finding::failed("mail", format!("{}: {}", mailer.server(), failure.detail), fix)
        }
    }
}

fn mode(path: &Path) -> Option<u32> {
    Some(path.metadata().ok()?.permissions().mode() & 0o777)
}
