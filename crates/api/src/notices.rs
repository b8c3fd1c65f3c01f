//! Notices to people about their keys, what became of each, and test messages.

use crate::Timestamp;
use serde::{Deserialize, Serialize};

/// A notice to people about a key of theirs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Notice {
    /// `ntc_…`
    pub id: String,
    /// `rotation_due`, `rotation_started`, `rotation_complete`, `rotation_cancelled`, `rotation_reused`,
    /// `approval_requested`, `approval_decided`, `break_glass`; to administrators `key_orphaned`.
    pub kind: String,
    /// The key that it is about; `null` where it is about a request.
    pub key_id: Option<String>,
    /// To which addresses: the contacts of the key's consumer and owner, the person whom it is for, or an administrator.
    pub recipients: Vec<String>,
    /// Its first line.
    pub subject: String,
    /// Its text, with what to do; never a secret.
    pub body: String,
    /// What became of it.
    pub state: NoticeState,
    /// How often somebody began to send it.
    pub attempts: u64,
    /// The recipients for whom the mail server took it.
    pub delivered: Vec<String>,
    /// Why the last try failed: one line, what the mail server said or what was wrong.
    pub last_error: Option<String>,
    /// Before when it is not tried again.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub next_attempt_at: Option<Timestamp>,
    /// When the mail server took it for the last recipient.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub sent_at: Option<Timestamp>,
    /// What to do, where it does not go by itself.
    pub fix: Option<String>,
    /// When it was written.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
}

/// What became of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum NoticeState {
    /// It goes out in a moment.
    Waiting,
    /// It goes out when this server is told of a mail server; until then it is handed over by hand.
    WaitingForSmtp,
    /// It is being sent now.
    Sending,
    /// It was not taken, and is tried again.
    Retrying,
    /// The mail server took it for every recipient.
    Sent,
    /// It is not tried again, unless somebody asks for it.
    GivenUp,
    /// It waited in a backup that was restored, and may have been sent since; somebody has to say.
    Held,
    /// No address is known.
    Nobody,
}

/// A test message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TestMail {
    /// To which address.
    pub to: String,
}

/// How a test message went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MailTest {
    /// Whether the mail server took it; what becomes of it then is in that one's log.
    pub accepted: bool,
    /// To which address.
    pub to: String,
    /// Which mail server, `host:port`.
    pub server: String,
    /// Its `Message-ID`, as the mail server's log names it.
    pub message_id: String,
    /// Why it was not taken.
    pub error: Option<String>,
    /// What to do about it.
    pub fix: Option<String>,
}
