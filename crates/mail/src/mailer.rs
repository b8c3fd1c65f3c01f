//! The conversation with the SMTP server: each part of it ends in a stated time.

use crate::failure::Failure;
use crate::letter::Letter;
use crate::mailbox::Mailbox;
use crate::smtp::{Security, Smtp, Unusable};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
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

    /// How long connecting and signing in may take, and after it each letter.
    #[must_use]
    pub const fn timeout(&self) -> Duration {
        self.smtp.timeout
    }

    /// Where the server is, for people.
    #[must_use]
    pub fn server(&self) -> String {
        format!("{}:{}", self.smtp.host, self.smtp.port)
    }

    /// Connects and signs in.
    ///
    /// # Errors
    /// With [`Fault::Server`].
    pub async fn open(&self) -> Result<Line<'_>, Failure> {
        let connected = tokio::time::timeout(self.smtp.timeout, self.connect()).await;
        let connection = connected.unwrap_or_else(|_| {
            Err(Failure::server(
                &format!("{} did not answer within {} s.", self.server(), self.smtp.timeout.as_secs_f32()),
                "Check smtp.host, smtp.port and smtp.security, and that the mail server runs and can be reached from here.",
            ))
        })?;
        Ok(Line { mailer: self, connection })
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
}

impl Line<'_> {
    /// Hands a letter over. After a failure the connection is of no use any more.
    ///
    /// # Errors
    /// With whose fault it is. After [`Fault::Later`] the server may have taken it all the same.
    pub async fn send(&mut self, letter: &Letter) -> Result<(), Failure> {
        let smtp = &self.mailer.smtp;
        let (to, bytes) = letter.written(&smtp.from, smtp.reply_to.as_ref())?;
        let refused = |error| Failure::of_letter(&error, &self.mailer.secrets);
        let connection = &mut self.connection;
        let handing_over = async {
            let from = Mail::new(Some(smtp.from.email.clone()), Vec::new());
            connection.command(from).await.map_err(refused)?;
            connection.command(Rcpt::new(to, Vec::new())).await.map_err(refused)?;
            // Replies that somebody put in before TLS began would stand one too early here.
            expect(&connection.command(Data).await.map_err(refused)?, 354)?;
            expect(&connection.message(&bytes).await.map_err(refused)?, 250)
        };
        tokio::time::timeout(smtp.timeout, handing_over).await.unwrap_or_else(|_| Err(Failure::late()))
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
mod tests {
    use super::*;
    use crate::failure::Fault;
    use crate::mailbox::mailbox;
    use std::time::SystemTime;
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    use tokio::net::TcpListener;

    /// A mailer whose server says the first of these by itself, the next after each line that it gets, and goes
    /// after the last.
    async fn mailer(says: &'static [&'static str]) -> Mailer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (read, mut write) = stream.split();
            let mut lines = BufReader::new(read).lines();
            for (number, says) in says.iter().enumerate() {
                if number > 0 && lines.next_line().await.unwrap().is_none() {
                    return;
                }
                write.write_all(says.as_bytes()).await.unwrap();
            }
        });
        let smtp = Smtp {
            host: "127.0.0.1".into(),
            port,
            security: Security::None,
            login: None,
            trusted: None,
            from: mailbox("keys@example.com").unwrap(),
            reply_to: None,
            timeout: Duration::from_secs(600),
        };
        Mailer::new(smtp).unwrap()
    }

    fn letter() -> Letter {
        Letter {
            id: "ntc_1".into(),
            to: "noc@customer.example".into(),
            subject: "A test".into(),
            text: ".\nA line that is a dot would end the letter.\n".into(),
            at: SystemTime::UNIX_EPOCH,
        }
    }

    /// Who stands in between can put a reply in before TLS begins: all later ones then come one too early
    /// (CVE-2011-0411 and its like), and a letter would count as taken that was not.
    #[tokio::test]
    async fn a_reply_too_many_is_no_success() {
        let early = &[
            "220 hello\r\n250 put in\r\n",
            "250 hello\r\n",
            "250 sender\r\n",
            "250 recipient\r\n",
            "354 go\r\n",
        ];
        let mailer = mailer(early).await;
        let mut line = mailer.open().await.unwrap();
        let failure = line.send(&letter()).await.unwrap_err();
        assert_eq!(failure.fault, Fault::Server, "{failure:?}");
        assert!(failure.detail.contains("answered 250 where 354 belongs"), "{failure:?}");
    }

    #[tokio::test]
    async fn a_server_that_takes_no_mail_gives_no_letter_up() {
        for (says, fault) in [
            (&["554 no service here\r\n"][..], Fault::Server),
            (&["220 hello\r\n", "250 hello\r\n", "530 sign in first\r\n"], Fault::Server),
            (&["220 hello\r\n", "250 hello\r\n", "421 closing\r\n"], Fault::Server),
            (&["220 hello\r\n", "250 hello\r\n", "250 sender\r\n", "450 busy\r\n"], Fault::Later),
            (&["220 hello\r\n", "250 hello\r\n", "553 sender refused\r\n"], Fault::Never),
            (&["220 hello\r\n", "nonsense\r\n"], Fault::Server),
        ] {
            let mailer = mailer(says).await;
            let sent = async { mailer.open().await?.send(&letter()).await };
            assert_eq!(sent.await.unwrap_err().fault, fault, "{says:?}");
        }
    }

    #[tokio::test]
    async fn nobody_listening_is_told_with_what_to_check() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let mut gone = mailer(&[]).await;
        gone.smtp.port = port;
        let failure = gone.open().await.map(|_| ()).unwrap_err();
        assert!(failure.fault == Fault::Server && failure.fix.unwrap().contains("smtp.port"), "{failure:?}");
    }
}
