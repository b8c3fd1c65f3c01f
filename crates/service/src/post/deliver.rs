//! One look at the outbox. Each notice is taken in a transaction of its own, sent outside of any, and what
//! came of it is recorded: who dies in between has sent it twice at most, and lost nothing.

use super::backoff::{GIVEN_UP_MICROS, LONGEST_MICROS, next_try};
use crate::Keystead;
use crate::notice_view::NOBODY;
use crate::notices::addresses;
use crate::present::{json, to_json};
use crate::refused::Refused;
use keystead_domain::ids::NoticeId;
use keystead_domain::time::{Micros, SECOND};
use keystead_mail::{Failure, Fault, Letter, Line, Mailer};
use keystead_store::{NO_PROJECT, NoticeRow, Tried, letter_place};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};
use zeroize::Zeroizing;

/// Notices of one look.
const NOTICES_MAX: usize = 64;
/// Notices that one look chooses from, of each organization in turn.
const DUE_MAX: u32 = 4_096;
/// Whom a notice goes to at most: its key's consumer and its owner.
const RECIPIENTS_MAX: i64 = 2;
/// How long a stop waits for a letter that is being handed over.
const STOP_TIME_MAX: Duration = Duration::from_secs(3);
/// What is added to the time that sending a notice can take before another node may take it.
const SPARE_MICROS: i64 = 120 * SECOND;
/// Nothing is ever due later than this from now.
const FAR_MICROS: i64 = 2 * LONGEST_MICROS;

/// What the people of a project are told of a mail server that is not theirs.
const SERVER_FAULT: &str = "The mail server of this installation could not be used.";
const TOO_OLD: &str = "It waited for longer than 5 days.";

/// How a notice's letters went.
#[derive(Debug, Default)]
struct Went {
    /// At which addresses it is there.
    delivered: Vec<String>,
    /// Why it is not at others; the last that may be mended by trying again, else the last.
    failure: Option<Failure>,
}

impl Went {
    fn failed(&mut self, failure: Failure) {
        if failure.fault != Fault::Never
            || self.failure.as_ref().is_none_or(|known| known.fault == Fault::Never)
        {
            self.failure = Some(failure);
        }
    }
}

impl Keystead {
    /// Sends what is due in the outbox; `false` when the mail server could not be used.
    ///
    /// # Errors
    /// When the database cannot answer; what was not recorded is due again later.
    pub async fn deliver(self: &Arc<Self>) -> Result<bool, Refused> {
        let Some(mailer) = &self.post.mailer else { return Ok(true) };
        let now = self.clock.now();
        let due = self.store.read().await?.notices_due(now, now.plus(FAR_MICROS), DUE_MAX).await?;
        let (mut line, mut usable, mut taken) = (None, true, 0);
        for due in due {
            if !usable || taken >= NOTICES_MAX || self.stopping.is_cancelled() {
                break;
            }
            if !self.post.hourly.may_send(due.organization_id, self.clock.now()) {
                continue;
            }
            let Some(row) = self.claim(mailer, due.id).await? else { continue };
            taken += 1;
            if self.clock.now().since(row.retried_at.unwrap_or(row.created_at)) > GIVEN_UP_MICROS {
                self.give_up_old(&row).await?;
                continue;
            }
            let went = self.hand_over(mailer, &mut line, &row).await?;
            usable = went.failure.as_ref().is_none_or(|failure| failure.fault != Fault::Server);
            self.record(&row, went).await?;
        }
        if let Some(line) = line {
            line.close().await;
        }
        Ok(usable)
    }

    /// Takes a notice for longer than sending it can last; `None` when another has it, or nobody is to get it.
    async fn claim(&self, mailer: &Mailer, id: NoticeId) -> Result<Option<NoticeRow>, Refused> {
        let letter = i64::try_from(mailer.letter_time_max().as_micros()).unwrap_or(i64::MAX);
        let now = self.clock.now();
        let until = now.plus(letter.saturating_mul(RECIPIENTS_MAX).saturating_add(SPARE_MICROS));
        let far = now.plus(FAR_MICROS);
        let claimed = self.store.bookkeeping(move |ledger| {
            Box::pin(async move {
                let Some(mut row) = ledger.claim_notice(id, now, far, until).await? else { return Ok(None) };
                if row.project_id == NO_PROJECT {
                    // A link is for the address that it was made for.
                    return Ok(Some(row));
                }
                // A contact may have been corrected, or taken away, since it was written.
                let to = addresses(ledger, &row).await?;
                let recipients = to_json(&to)?;
                if recipients == row.recipients {
                    return Ok(Some(row));
                }
                row.recipients = recipients;
                if to.is_empty() {
                    (row.state, row.sending_since, row.next_at) = (NOBODY.to_owned(), None, None);
                }
                ledger.address_notice(&row).await?;
                Ok::<_, Refused>((!to.is_empty()).then_some(row))
            })
        });
        claimed.await
    }

    /// Hands a notice to each of its recipients who has not got it yet, a letter each: no address is shown to
    /// another's holder.
    async fn hand_over<'m>(
        &self,
        mailer: &'m Mailer,
        line: &mut Option<Line<'m>>,
        row: &NoticeRow,
    ) -> Result<Went, Refused> {
        let recipients: Vec<String> = json(&row.recipients)?;
        let delivered = row.delivered.as_deref().map_or(Ok(Vec::new()), json)?;
        let mut went = Went { delivered, failure: None };
        let text = match self.text_of(row) {
            Ok(text) => text,
            Err(failure) => {
                went.failed(failure);
                return Ok(went);
            }
        };
        for to in recipients {
            if went.delivered.contains(&to) {
                continue;
            }
            // What was taken is recorded; the rest is for the next start.
            if self.stopping.is_cancelled() {
                went.failed(Failure::stopped());
                break;
            }
            let letter = Letter {
                id: row.id.to_string(),
                to,
                subject: row.subject.clone(),
                text: text.to_string(),
                at: instant(self.clock.now()),
            };
            let sent = tokio::select! {
                biased;
                sent = send(mailer, line, &letter) => sent,
                () = self.stopped() => Err(Failure::stopped()),
            };
            match sent {
                Ok(()) => {
                    self.post.sent.fetch_add(1, Ordering::Relaxed);
                    self.post.hourly.count(row.organization_id, self.clock.now());
                    went.delivered.push(letter.to);
                }
                Err(failure) => {
                    *line = None;
                    self.post.failed.fetch_add(1, Ordering::Relaxed);
                    tracing::warn!(
                        notice = %row.id,
                        server = mailer.server(),
                        fault = ?failure.fault,
                        why = failure.detail,
                        fix = failure.fix,
                        "a mail was not taken"
                    );
                    let of_server = failure.fault == Fault::Server;
                    went.failed(failure);
                    if of_server {
                        break;
                    }
                }
            }
        }
        Ok(went)
    }

    /// What a letter says, also where that is sealed. A node that has not the root key yet leaves it to another.
    fn text_of(&self, row: &NoticeRow) -> Result<Zeroizing<String>, Failure> {
        let Some(sealed) = &row.sealed else { return Ok(Zeroizing::new(row.body.clone())) };
        let opened = self.root.keys().open(&letter_place(row.id), sealed).map_err(|_| shut())?;
        String::from_utf8(opened.to_vec()).map(Zeroizing::new).map_err(|_| shut())
    }

    /// Some time after the stop: what is being handed over then gets to its end.
    async fn stopped(&self) {
        self.stopping.cancelled().await;
        tokio::time::sleep(STOP_TIME_MAX).await;
    }

    async fn record(&self, row: &NoticeRow, went: Went) -> Result<(), Refused> {
        let now = self.clock.now();
        let next = || Some(self.entropy.with(|rng| next_try(row.attempts, now, rng)));
        let mut tried = Tried { delivered: Some(to_json(&went.delivered)?), ..Tried::default() };
        match went.failure {
            None => (tried.outcome, tried.closed_at) = (Some("sent"), Some(now)),
            Some(Failure { fault: Fault::Never, detail, .. }) => {
                (tried.outcome, tried.closed_at) = (Some("given_up"), Some(now));
                tried.last_error = Some(detail);
            }
            Some(Failure { fault: Fault::Later, detail, .. }) => {
                (tried.next_at, tried.last_error) = (next(), Some(detail));
            }
            // The next start begins with what a stop cut short, which says nothing of the mail server.
            Some(failure) if failure == Failure::stopped() => {
                (tried.next_at, tried.last_error) = (Some(now), row.last_error.clone());
            }
            Some(Failure { fault: Fault::Server, .. }) => {
                (tried.next_at, tried.last_error) = (next(), Some(SERVER_FAULT.to_owned()));
            }
        }
        self.record_try(row, tried).await
    }

    async fn give_up_old(&self, row: &NoticeRow) -> Result<(), Refused> {
        let tried = Tried {
            outcome: Some("given_up"),
            closed_at: Some(self.clock.now()),
            next_at: None,
            last_error: Some(row.last_error.clone().unwrap_or_else(|| TOO_OLD.to_owned())),
            delivered: row.delivered.clone(),
        };
        self.record_try(row, tried).await
    }

    async fn record_try(&self, row: &NoticeRow, tried: Tried) -> Result<(), Refused> {
        let (id, attempt) = (row.id, row.attempts);
        let recorded = self.store.bookkeeping(move |ledger| {
            Box::pin(async move { Ok::<_, Refused>(ledger.record_try(id, attempt, &tried).await?) })
        });
        if !recorded.await? {
            tracing::warn!(notice = %id, "another try of a mail began before this one ended; it may come twice");
        }
        Ok(())
    }
}

/// Hands a letter over, on a connection that is made when there is none.
async fn send<'m>(mailer: &'m Mailer, line: &mut Option<Line<'m>>, letter: &Letter) -> Result<(), Failure> {
    let line = match line {
        Some(line) => line,
        None => line.insert(mailer.open().await?),
    };
    line.send(letter).await
}

fn shut() -> Failure {
    let detail = "The letter could not be opened with this node's root key.".to_owned();
    Failure { fault: Fault::Later, detail, fix: Some("Give every node the current root key.") }
}

fn instant(now: Micros) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(now.0).unwrap_or(0))
}
