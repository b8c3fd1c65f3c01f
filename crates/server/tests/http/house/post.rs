//! A real mail server on loopback, and what it was given.

use keystead_mail::{Login, Security, Smtp, mailbox};
use serde_json::{Value, json};
use std::io::Write;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use zeroize::Zeroizing;

/// The Python that has aiosmtpd; `cargo xtask test` installs it and says where.
const PYTHON: &str = "KEYSTEAD_TEST_AIOSMTPD";
const PROGRAM: &str = include_str!("smtpd.py");

/// aiosmtpd in a process of its own.
#[derive(Debug)]
pub(crate) struct MailServer {
    child: Child,
    told: Lines<BufReader<ChildStdout>>,
    port: u16,
    _program: tempfile::NamedTempFile,
}

impl MailServer {
    /// Starts one that answers so; `None`, and a word, where aiosmtpd is not installed.
    pub(crate) async fn start(answers: Value) -> Option<Self> {
        let Some(python) = std::env::var_os(PYTHON) else {
            println!("not run: {PYTHON} is not set");
            return None;
        };
        let mut program = tempfile::NamedTempFile::new().unwrap();
        program.write_all(PROGRAM.as_bytes()).unwrap();
        let mut command = Command::new(python);
        command.arg("-B").arg(program.path()).arg(answers.to_string());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let told = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut server = Self { child, told, port: 0, _program: program };
        server.port = u16::try_from(server.next().await.unwrap()["port"].as_u64().unwrap()).unwrap();
        Some(server)
    }

    /// What it tells next: a letter that it took, or that it hangs. `None` once it has ended.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        let line = self.told.next_line().await.unwrap()?;
        Some(serde_json::from_str(&line).unwrap())
    }

    /// Ends it; the letters that it took and that nobody has looked at.
    pub(crate) async fn end(mut self) -> Vec<Value> {
        drop(self.child.stdin.take());
        self.child.wait().await.unwrap();
        let mut rest = Vec::new();
        while let Some(told) = self.next().await {
            rest.push(told);
        }
        rest
    }

    /// How mail is sent through it.
    pub(crate) fn smtp(&self) -> Smtp {
        smtp_at(self.port)
    }
}

/// How mail is sent through whatever listens on a port of this machine.
pub(crate) fn smtp_at(port: u16) -> Smtp {
    Smtp {
        host: "127.0.0.1".into(),
        port,
        security: Security::None,
        login: None,
        trusted: None,
        from: mailbox("Keys of Ä & Co. <keys@keystead.example>").unwrap(),
        reply_to: Some(mailbox("ops@keystead.example").unwrap()),
        // A slow machine must not look like a server that hangs.
        timeout: Duration::from_secs(600),
        data_timeout: Duration::from_secs(600),
    }
}

/// Who signs in.
pub(crate) fn login(user: &str, password: &str) -> Option<Login> {
    Some(Login { user: user.into(), password: Zeroizing::new(password.into()) })
}

/// Headers of a letter, unfolded, and its text.
pub(crate) fn read(letter: &Value) -> (Vec<(String, String)>, String) {
    let text = letter["text"].as_str().unwrap().replace("\r\n", "\n");
    let (head, body) = text.split_once("\n\n").unwrap();
    let head = head.replace("\n ", " ");
    let headers = head.lines().map(|line| {
        let (name, value) = line.split_once(": ").unwrap();
        (name.to_owned(), value.to_owned())
    });
    (headers.collect(), body.to_owned())
}

/// Answers for one letter: a private authority's certificate for `127.0.0.1`, and its own in PEM.
pub(crate) struct Authority {
    pub(crate) trusted: Vec<u8>,
    pub(crate) answers: Value,
    _folder: tempfile::TempDir,
}

impl Authority {
    pub(crate) fn new() -> Self {
        use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, IsCa, Issuer, KeyPair};
        let folder = tempfile::tempdir().unwrap();
        let authority_key = KeyPair::generate().unwrap();
        let mut of_authority = CertificateParams::new(Vec::new()).unwrap();
        of_authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        of_authority.distinguished_name = DistinguishedName::new();
        let trusted = of_authority.self_signed(&authority_key).unwrap().pem();
        let issuer = Issuer::new(of_authority, authority_key);
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        let certificate = certificate.signed_by(&key, &issuer).unwrap();
        let (cert_file, key_file) = (folder.path().join("server.crt"), folder.path().join("server.key"));
        std::fs::write(&cert_file, certificate.pem()).unwrap();
        std::fs::write(&key_file, key.serialize_pem()).unwrap();
        Self {
            trusted: trusted.into_bytes(),
            answers: json!({"certificate": cert_file, "key": key_file}),
            _folder: folder,
        }
    }
}
