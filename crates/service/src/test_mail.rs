//! A test message: whether the mail server takes one, asked by the installation's operator.

use crate::act::Target;
use crate::caller::Caller;
use crate::refused::Refused;
use crate::{Keystead, management};
use keystead_api::{MailTest, TestMail};
use keystead_domain::ids::NoticeId;
use keystead_domain::name;
use keystead_mail::{Failure, Letter, Mailer};
use keystead_store::Acted;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// How long connecting may take, and how long the letter; a request lasts no longer than 30 s, as a rule.
const PART_TIME_MAX: Duration = Duration::from_secs(12);

impl Keystead {
    /// Sends a test message. For the operator; on record before it is sent, and limited.
    ///
    /// # Errors
    /// When the caller is not the operator, the address is none, e-mail is not set up, or too many were
    /// sent.
    pub async fn test_mail(self: &Arc<Self>, caller: &Caller, input: TestMail) -> Result<MailTest, Refused> {
        self.authorise(caller, management::INSTALLATION_ADMIN, None).await?;
        name::contact("/to", &input.to)?;
        let mailer = self.post.mailer.as_ref().ok_or_else(|| {
            Refused::conflict(
                "E-mail is not set up on this server.",
                "Set smtp.host and smtp.from in its configuration, and start it again.",
            )
        })?;
        self.post.hourly.take_test(self.clock.now()).map_err(|retry_after_seconds| Refused::TooOften {
            detail: "This node sent ten test messages within the hour.".into(),
            retry_after_seconds,
        })?;
        let event = self.event(
            caller,
            "mail.test",
            Target { kind: "mail", id: input.to.clone(), name: &input.to, project: None },
        );
        self.act(move |_| {
            Box::pin(async move { Ok(Acted { value: (), events: vec![event], changes: Vec::new() }) })
        })
        .await?;
        let letter = Letter {
            id: self.entropy.with(|rng| NoticeId::random(rng)).to_string(),
            to: input.to,
            subject: "A test message from Keystead".into(),
            text: "Somebody who administers this Keystead asked for this message, to see whether its mail \
                   arrives.\n\nWhat to do: nothing.\n"
                .into(),
            at: SystemTime::UNIX_EPOCH
                + Duration::from_micros(u64::try_from(self.clock.now().0).unwrap_or(0)),
        };
        let failure = send(mailer, &letter).await.err();
        Ok(MailTest {
            accepted: failure.is_none(),
            server: mailer.server(),
            message_id: letter.message_id(mailer.from()),
            fix: failure.as_ref().and_then(|failure| failure.fix).map(ToOwned::to_owned),
            error: failure.map(|failure| failure.detail),
            to: letter.to,
        })
    }
}

async fn send(mailer: &Mailer, letter: &Letter) -> Result<(), Failure> {
    let mut line = mailer.open_within(PART_TIME_MAX).await?;
    let sent = tokio::time::timeout(PART_TIME_MAX, line.send(letter)).await;
    sent.unwrap_or_else(|_| Err(Failure::late()))?;
    line.close().await;
    Ok(())
}
