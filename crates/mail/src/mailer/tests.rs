//! What servers say, and what follows from it.

use super::*;
use crate::failure::Fault;
use crate::mailbox::mailbox;
use rcgen::{CertificateParams, KeyPair};
use std::sync::Arc;
use std::time::SystemTime;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

const HELLO: [&str; 2] = ["220 hello\r\n", "250 hello\r\n"];

/// Says the first of these by itself, the next after each line that it gets, one after a whole letter, and goes
/// after the last.
async fn converse(mut stream: TcpStream, says: &[&str]) {
    let (read, mut write) = stream.split();
    let mut lines = BufReader::new(read).lines();
    let mut in_letter = false;
    for (number, says) in says.iter().enumerate() {
        if number > 0 {
            loop {
                let Some(line) = lines.next_line().await.unwrap() else { return };
                if !in_letter || line == "." {
                    break;
                }
            }
        }
        in_letter = says.starts_with("354");
        write.write_all(says.as_bytes()).await.unwrap();
    }
}

fn mailer_at(port: u16) -> Mailer {
    let smtp = Smtp {
        host: "127.0.0.1".into(),
        port,
        security: Security::None,
        login: None,
        trusted: None,
        from: mailbox("keys@example.com").unwrap(),
        reply_to: None,
        timeout: Duration::from_secs(600),
        data_timeout: Duration::from_secs(3_600),
    };
    Mailer::new(smtp).unwrap()
}

/// A mailer whose server has these conversations, one after the other.
async fn mailer_of(conversations: Vec<Vec<&'static str>>) -> Mailer {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        for says in conversations {
            converse(listener.accept().await.unwrap().0, &says).await;
        }
    });
    mailer_at(port)
}

async fn mailer(says: &[&'static str]) -> Mailer {
    mailer_of(vec![says.to_vec()]).await
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

/// What comes of a letter to a server that says this after its greeting.
async fn answered(says: &[&'static str]) -> Result<(), Failure> {
    let mailer = mailer(&[&HELLO[..], says].concat()).await;
    mailer.open().await?.send(&letter()).await
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

/// A whole script, put in before TLS begins, answers everything that is said under it.
#[tokio::test]
async fn a_script_put_in_before_tls_takes_no_letter() {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap().self_signed(&key).unwrap();
    let mut mailer = mailer_at(0);
    mailer.smtp.security = Security::StartTls;
    mailer.smtp.trusted = Some(certificate.pem().into_bytes());
    mailer.tls = Some(tls(&mailer.smtp).unwrap());
    let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder().with_no_client_auth();
    let config = config.with_single_cert(vec![certificate.der().clone()], private).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    mailer.smtp.port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        let script = "220 go\r\n250 hello\r\n250 sender\r\n250 recipient\r\n354 go\r\n250 taken\r\n";
        let mut stream = listener.accept().await.unwrap().0;
        converse_to_starttls(&mut stream, script).await;
        let mut secured = acceptor.accept(stream).await.unwrap();
        let mut got = Vec::new();
        let _ = secured.read_to_end(&mut got).await;
        got
    });
    let sent = async { mailer.open().await?.send(&letter()).await };
    let failure = sent.await.unwrap_err();
    assert!(failure.fault == Fault::Server && failure.detail.contains("before TLS"), "{failure:?}");
    let got = String::from_utf8(server.await.unwrap()).unwrap();
    assert!(got.starts_with("EHLO") && !got.contains("MAIL"), "{got}");
}

async fn converse_to_starttls(stream: &mut TcpStream, then: &str) {
    stream.write_all(b"220 hello\r\n").await.unwrap();
    for says in ["250-hello\r\n250 STARTTLS\r\n", then] {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            line.push(stream.read_u8().await.unwrap());
        }
        stream.write_all(says.as_bytes()).await.unwrap();
    }
}

#[tokio::test]
async fn a_server_that_takes_no_mail_gives_no_letter_up() {
    let refused = mailer(&["554 no service here\r\n"]).await;
    assert_eq!(refused.open().await.map(drop).unwrap_err().fault, Fault::Server);
    let nonsense = mailer(&["220 hello\r\n", "nonsense\r\n"]).await;
    assert_eq!(nonsense.open().await.map(drop).unwrap_err().fault, Fault::Server);
    for said in ["530 sign in first\r\n", "421 closing\r\n"] {
        assert_eq!(answered(&[said]).await.unwrap_err().fault, Fault::Server, "{said}");
    }
}

/// All letters are from one sender: were it the letter's fault, a wrong `smtp.from` would give up all of them.
#[tokio::test]
async fn a_refused_sender_gives_no_letter_up() {
    let (sender, recipient) = ("250 sender\r\n", "250 recipient\r\n");
    for says in [
        &["553 5.7.1 Sender address rejected: not owned by user keys\r\n"][..],
        &["550 5.1.8 Sender address rejected: Domain not found\r\n"],
        &["451 4.1.8 Sender address rejected: Domain not found\r\n"],
        &[sender, recipient, "554 5.5.1 no mail from you\r\n"],
    ] {
        let failure = answered(says).await.unwrap_err();
        assert_eq!(failure.fault, Fault::Server, "{failure:?}");
        assert!(failure.fix.unwrap().contains("smtp.from"), "{failure:?}");
    }
    let mailer = mailer(&[&HELLO[..], &["553 not yours\r\n"]].concat()).await;
    let failure = mailer.open().await.unwrap().check_sender().await.unwrap_err();
    assert!(failure.fix.unwrap().contains("smtp.from"), "{failure:?}");
    let mailer = mailer_of(vec![[&HELLO[..], &[sender, "250 reset\r\n"]].concat()]).await;
    assert_eq!(mailer.open().await.unwrap().check_sender().await, Ok(()));
}

#[tokio::test]
async fn what_is_said_of_a_recipient_is_about_one_letter() {
    for (said, fault) in [
        ("550 5.1.1 No such user\r\n", Fault::Never),
        ("550 No such user\r\n", Fault::Never),
        ("450 busy\r\n", Fault::Later),
        // What Postfix says with defer_unauth_destination: of one destination, not of all.
        ("454 4.7.1 <noc@customer.example>: Relay access denied\r\n", Fault::Later),
        ("554 5.7.1 <noc@customer.example>: Relay access denied\r\n", Fault::Later),
        ("530 5.7.0 Authentication required\r\n", Fault::Server),
        ("421 4.3.2 shutting down\r\n", Fault::Server),
    ] {
        let failure = answered(&["250 sender\r\n", said]).await.unwrap_err();
        assert_eq!(failure.fault, fault, "{failure:?}");
    }
    let begun = ["250 sender\r\n", "250 recipient\r\n", "354 go\r\n"];
    for (said, fault) in [
        ("554 5.7.1 This looks like spam\r\n", Fault::Never),
        ("454 4.7.1 not now\r\n", Fault::Later),
        ("535 5.7.8 no\r\n", Fault::Never),
    ] {
        let failure = answered(&[&begun[..], &[said]].concat()).await.unwrap_err();
        assert_eq!(failure.fault, fault, "{failure:?}");
    }
}

/// Some servers take so many letters on a line, and then end it.
#[tokio::test]
async fn a_line_that_ends_after_some_letters_is_opened_anew() {
    let taken = ["250 sender\r\n", "250 recipient\r\n", "354 go\r\n", "250 taken\r\n"];
    let ends = "421 4.7.0 too many letters\r\n";
    let first = [&HELLO[..], &taken, &[ends]].concat();
    let mailer = mailer_of(vec![first.clone(), [&HELLO[..], &taken, &taken].concat()]).await;
    let mut line = mailer.open().await.unwrap();
    for _ in 0..3 {
        assert_eq!(line.send(&letter()).await, Ok(()));
    }
    // Once: a server that has enough of us is left alone.
    let mailer = mailer_of(vec![first, [&HELLO[..], &[ends]].concat()]).await;
    let mut line = mailer.open().await.unwrap();
    assert_eq!(line.send(&letter()).await, Ok(()));
    assert_eq!(line.send(&letter()).await.unwrap_err().fault, Fault::Server);
}

/// The server checks a letter before it says that it has it; who does not wait sends it again.
#[tokio::test]
async fn the_last_word_has_longer_than_the_others() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mailer = mailer_at(listener.local_addr().unwrap().port());
    let over = mailer.smtp.timeout * 2;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let says = [&HELLO[..], &["250 sender\r\n", "250 recipient\r\n", "354 go\r\n"]].concat();
        converse_keeping(&mut stream, &says).await;
        tokio::time::pause();
        tokio::time::advance(over).await;
        stream.write_all(b"250 taken\r\n").await.unwrap();
        tokio::time::resume();
        let _ = stream.read_u8().await;
    });
    assert_eq!(mailer.open().await.unwrap().send(&letter()).await, Ok(()));
}

/// Says all of these, and then has the whole letter.
async fn converse_keeping(stream: &mut TcpStream, says: &[&str]) {
    let (read, mut write) = stream.split();
    let mut lines = BufReader::new(read).lines();
    for (number, says) in says.iter().enumerate() {
        if number > 0 {
            lines.next_line().await.unwrap().unwrap();
        }
        write.write_all(says.as_bytes()).await.unwrap();
    }
    while lines.next_line().await.unwrap().unwrap() != "." {}
}

#[tokio::test]
async fn nobody_listening_is_told_with_what_to_check() {
    // Held, so that nobody else begins to listen there.
    let held = TcpSocket::new_v4().unwrap();
    held.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = held.local_addr().unwrap().port();
    let failure = mailer_at(port).open().await.map(drop).unwrap_err();
    assert!(failure.fault == Fault::Server && failure.fix.unwrap().contains("smtp.port"), "{failure:?}");
}

#[tokio::test]
async fn who_waits_less_is_told_what_to_check_too() {
    // The system takes the connection, and nobody ever says anything on it.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mailer = mailer_at(silent.local_addr().unwrap().port());
    let failure = mailer.open_within(Duration::from_millis(50)).await.map(drop).unwrap_err();
    assert!(failure.fault == Fault::Server && failure.fix.unwrap().contains("smtp.port"), "{failure:?}");
}
