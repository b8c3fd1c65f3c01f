//! The conversation with the SMTP server: each part of it ends in a stated time.

use crate::failure::Failure;
use crate::letter::Letter;
use crate::mailbox::Mailbox;
use crate::smtp::{Security, Smtp, Unusable};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lettre::Address;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Response;
use std::fmt;
use std::time::Duration;
use zeroize::Zeroizing;

/// How long a goodbye may take; nothing depends on it.
const GOODBYE: Duration = Duration::from_secs(1);

/// Sends letters through one server.
pub struct Mailer {
    smtp: Smtp,
    tls: Option<TlsParameters>,
    hello: ClientId,
    /// In every form in which they are sent.
    secrets: Vec<Zeroizing<String>>,
}

impl Mailer {
    /// Reads the trusted certificates; nothing is sent yet.
    ///
    /// # Errors
    /// When there are none.
    pub fn new(smtp: Smtp) -> Result<Self, Unusable> {
        let tls = if smtp.security == Security::None { None } else { Some(tls(&smtp)?) };
        let domain = smtp.from.email.domain();
        let hello = if domain.is_ascii() { ClientId::Domain(domain.to_owned()) } else { ClientId::default() };
        let secrets = smtp.login.iter().flat_map(|login| {
            let (user, password) = (&login.user, login.password.as_str());
            let sent = Zeroizing::new(format!("\0{user}\0{password}"));
            [password.to_owned(), STANDARD.encode(password), STANDARD.encode(sent.as_str())]
                .map(Zeroizing::new)
        });
        let secrets = secrets.filter(|secret| !secret.is_empty()).collect();
        Ok(Self { tls, hello, secrets, smtp })
    }

    /// From whom mail is.
    #[must_use]
    pub const fn from(&self) -> &Mailbox {
        &self.smtp.from
    }

    /// How long handing over one letter may take at most, with the connections that it may need.
    #[must_use]
    pub const fn letter_time_max(&self) -> Duration {
        // A line that the server closes is opened anew once.
        self.smtp.timeout.saturating_mul(2).saturating_add(self.smtp.data_timeout).saturating_mul(2)
    }

    /// Where the server is, for people.
    #[must_use]
    pub fn server(&self) -> String {
        format!("{}:{}", self.smtp.host, self.smtp.port)
    }

    /// Connects and signs in.
    ///
    /// # Errors
    /// With [`Fault::Server`](crate::Fault::Server).
    pub async fn open(&self) -> Result<Line<'_>, Failure> {
        self.open_within(self.smtp.timeout).await
    }

    /// Connects and signs in, within so long at most.
    ///
    /// # Errors
    /// With [`Fault::Server`](crate::Fault::Server).
    pub async fn open_within(&self, time_max: Duration) -> Result<Line<'_>, Failure> {
        let time_max = time_max.min(self.smtp.timeout);
        let connected = tokio::time::timeout(time_max, self.connect()).await;
        let connection = connected.unwrap_or_else(|_| {
            Err(Failure::server(
                &format!("{} did not answer within {} s.", self.server(), time_max.as_secs_f32()),
                "Check smtp.host, smtp.port and smtp.security, and that the mail server runs and can be reached from here.",
            ))
        })?;
        Ok(Line { mailer: self, connection, has_sent: false })
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Failure> {
        let Smtp { host, port, security, login, .. } = &self.smtp;
        let address = (host.trim_matches(['[', ']']), *port);
        let wrapped = self.tls.clone().filter(|_| *security == Security::Tls);
        let (time, hello) = (Some(self.smtp.timeout), &self.hello);
        let connecting = AsyncSmtpConnection::connect_tokio1(address, time, hello, wrapped, None);
        let mut connection = connecting.await.map_err(|error| Failure::of_connecting(&error))?;
        if let (Security::StartTls, Some(tls)) = (security, &self.tls) {
            if !connection.can_starttls() {
                return Err(Failure::server(
                    "The mail server does not offer STARTTLS, and nothing is sent readable.",
                    "Check smtp.port, or set smtp.security to \"tls\".",
                ));
            }
            let secured = connection.starttls(tls.clone(), hello).await;
            secured.map_err(|error| Failure::of_connecting(&error))?;
            nothing_was_put_in(&mut connection).await?;
        }
        if let Some(login) = login {
            let credentials = Credentials::new(login.user.clone(), login.password.to_string());
            let signed_in = connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await;
            expect(&signed_in.map_err(|error| Failure::of_signing_in(&error))?, 235)?;
        }
        Ok(connection)
    }
}

/// A connection on which letters are handed over.
pub struct Line<'m> {
    mailer: &'m Mailer,
    connection: AsyncSmtpConnection,
    has_sent: bool,
}

/// Why a letter was not handed over, and whether the server only wanted to end the conversation before.
struct Unsent {
    failure: Failure,
    is_closing: bool,
}

impl Unsent {
    fn new(error: &Error, failure: Failure) -> Self {
        Self { failure, is_closing: error.status().is_some_and(|code| u16::from(code) == 421) }
    }
}

impl From<Failure> for Unsent {
    fn from(failure: Failure) -> Self {
        Self { failure, is_closing: false }
    }
}

impl Line<'_> {
    /// Hands a letter over. A server that ends a conversation in which it took letters, as some do after so many,
    /// is called once more. After a failure the connection is of no use any more.
    ///
    /// # Errors
    /// With whose fault it is. After [`Fault::Later`](crate::Fault::Later) the server may have taken it all the same.
    pub async fn send(&mut self, letter: &Letter) -> Result<(), Failure> {
        let smtp = &self.mailer.smtp;
        let (to, bytes) = letter.written(&smtp.from, smtp.reply_to.as_ref())?;
        let mut sent = self.hand_over(&to, &bytes).await;
        if self.has_sent && matches!(sent, Err(Unsent { is_closing: true, .. })) {
            *self = self.mailer.open().await?;
            sent = self.hand_over(&to, &bytes).await;
        }
        self.has_sent = true;
        sent.map_err(|unsent| unsent.failure)
    }

    /// Whether the server lets whoever has signed in write from `smtp.from`; no letter is begun.
    ///
    /// # Errors
    /// With [`Fault::Server`](crate::Fault::Server).
    pub async fn check_sender(&mut self) -> Result<(), Failure> {
        let time_max = self.mailer.smtp.timeout;
        let checking = async {
            self.name_sender().await?;
            self.connection
                .command(Rset)
                .await
                .map(drop)
                .map_err(|error| Unsent::new(&error, Failure::of_sender(&error, &self.mailer.secrets)))
        };
        let checked = tokio::time::timeout(time_max, checking).await;
        checked.unwrap_or_else(|_| Err(Failure::late().into())).map_err(|unsent| unsent.failure)
    }

    async fn name_sender(&mut self) -> Result<(), Unsent> {
        let Mailer { smtp, secrets, .. } = self.mailer;
        let from = Mail::new(Some(smtp.from.email.clone()), Vec::new());
        let named = self.connection.command(from).await;
        named.map(drop).map_err(|error| Unsent::new(&error, Failure::of_sender(&error, secrets)))
    }

    async fn hand_over(&mut self, to: &Address, bytes: &[u8]) -> Result<(), Unsent> {
        let Mailer { smtp, secrets, .. } = self.mailer;
        let begin = async {
            self.name_sender().await?;
            let recipient = self.connection.command(Rcpt::new(to.clone(), Vec::new())).await;
            recipient.map_err(|error| Unsent::new(&error, Failure::of_recipient(&error, secrets)))?;
            let begun = self.connection.command(Data).await;
            // Nothing of the letter is known to the server yet.
            let begun = begun.map_err(|error| Unsent::new(&error, Failure::of_sender(&error, secrets)))?;
            // Replies that somebody put in before TLS began would stand one too early here.
            expect(&begun, 354).map_err(Unsent::from)
        };
        let late = |_| Err(Failure::late().into());
        tokio::time::timeout(smtp.timeout, begin).await.unwrap_or_else(late)?;
        // Who breaks off here gets the letter taken twice (RFC 5321 §4.5.3.2.6).
        let end = async {
            let taken = self.connection.message(bytes).await;
            let taken = taken.map_err(|error| Unsent::new(&error, Failure::of_letter(&error, secrets)))?;
            expect(&taken, 250).map_err(Unsent::from)
        };
        tokio::time::timeout(smtp.data_timeout, end).await.unwrap_or_else(late)
    }

    /// Says goodbye.
    pub async fn close(mut self) {
        // Whether it is answered changes nothing: what was taken was taken.
        let _ = tokio::time::timeout(GOODBYE, self.connection.quit()).await;
    }
}

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailer").field("smtp", &self.smtp).finish_non_exhaustive()
    }
}

/// What stands in the buffer after the first answer under TLS was put in before it, readable, by whoever is in
/// between (CVE-2011-0411 and its like): a whole script of it would have a letter taken by nobody.
async fn nothing_was_put_in(connection: &mut AsyncSmtpConnection) -> Result<(), Failure> {
    tokio::select! {
        biased;
        _ = connection.read_response() => Err(Failure::server(
            "The mail server answered what it was not asked, and before TLS began.",
            "Look for who stands between this machine and the mail server, or set smtp.security to \"tls\".",
        )),
        () = std::future::ready(()) => Ok(()),
    }
}

fn expect(response: &Response, code: u16) -> Result<(), Failure> {
    if response.has_code(code) {
        return Ok(());
    }
    let detail = format!("The mail server answered {} where {code} belongs.", response.code());
    Err(Failure::server(
        &detail,
        "Check that smtp.host and smtp.port lead to a mail server, and what is between.",
    ))
}

fn tls(smtp: &Smtp) -> Result<TlsParameters, Unusable> {
    let mut tls = TlsParameters::builder(smtp.host.trim_matches(['[', ']']).to_owned());
    if let Some(pem) = &smtp.trusted {
        let trusted = Certificate::from_pem(pem)
            .map_err(|_| Unusable("smtp.ca_file holds no certificates in PEM".to_owned()))?;
        tls = tls.add_root_certificate(trusted);
    }
    tls.build_rustls().map_err(|error| {
        Unusable(format!("no certificate that a mail server could be proved by is trusted here ({error})"))
    })
}

#[cfg(test)]
mod tests;
