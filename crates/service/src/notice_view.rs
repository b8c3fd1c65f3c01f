//! A notice as it is shown: what became of it, and what to do where that is not enough.

use crate::present::json;
use crate::refused::Refused;
use keystead_api::{Notice, NoticeState};
use keystead_domain::ids::KeyId;
use keystead_domain::time::Micros;
use keystead_store::NoticeRow;

pub(crate) const WAITING: &str = "waiting";
pub(crate) const NOBODY: &str = "nobody";

/// As it is shown by a node that sends mail, or does not.
pub(crate) fn present(row: NoticeRow, sends_mail: bool, now: Micros) -> Result<Notice, Refused> {
    let state = state(&row, sends_mail, now);
    let is_open = row.outcome.is_none() && row.state == WAITING;
    Ok(Notice {
        id: row.id.to_string(),
        kind: row.kind,
        key_id: (row.key_id != KeyId::NONE).then(|| row.key_id.to_string()),
        recipients: json(&row.recipients)?,
        subject: row.subject,
        body: row.body,
        state,
        attempts: u64::try_from(row.attempts).unwrap_or(0),
        delivered: row.delivered.as_deref().map_or(Ok(Vec::new()), json)?,
        last_error: row.last_error.filter(|_| state != NoticeState::Sent),
        next_attempt_at: row.next_at.filter(|_| is_open && sends_mail).map(Micros::to_timestamp),
        sent_at: row.closed_at.filter(|_| state == NoticeState::Sent).map(Micros::to_timestamp),
        fix: fix(state).map(ToOwned::to_owned),
        created_at: row.created_at.to_timestamp(),
    })
}

fn state(row: &NoticeRow, sends_mail: bool, now: Micros) -> NoticeState {
    match row.outcome.as_deref() {
        Some("sent") => NoticeState::Sent,
        Some("held") => NoticeState::Held,
        Some(_) => NoticeState::GivenUp,
        None if row.state == NOBODY => NoticeState::Nobody,
        None if row.sending_since.is_some() && row.next_at.is_some_and(|until| until > now) => {
            NoticeState::Sending
        }
        None if !sends_mail => NoticeState::WaitingForSmtp,
        None if row.attempts > 0 => NoticeState::Retrying,
        None => NoticeState::Waiting,
    }
}

const fn fix(state: NoticeState) -> Option<&'static str> {
    match state {
        NoticeState::Waiting | NoticeState::Sending | NoticeState::Retrying | NoticeState::Sent => None,
        NoticeState::WaitingForSmtp => Some(
            "E-mail is not set up on this server: hand subject and text to the recipients yourself, or have its operator set smtp.host and smtp.from.",
        ),
        NoticeState::GivenUp => Some(
            "Correct the contact of the key's consumer if that is what is wrong, then try again with POST …/notices/{id}/retry (keystead notices retry); or hand the text over yourself.",
        ),
        NoticeState::Held => Some(
            "It waited when a backup was written that was restored since, and may have been sent after it. If it was not: POST …/notices/{id}/retry (keystead notices retry).",
        ),
        NoticeState::Nobody => Some(
            "Give the key's consumer a contact, then try again with POST …/notices/{id}/retry (keystead notices retry); or hand the text over yourself.",
        ),
    }
}
