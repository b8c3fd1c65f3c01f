//! Mail through one SMTP server: letters in plain text, the conversation that hands them over, and what became
//! of it in words that may be shown. Knows neither the database nor why something is told.

mod failure;
mod letter;
mod mailbox;
mod mailer;
mod smtp;

pub use failure::{Failure, Fault};
pub use letter::Letter;
pub use mailbox::{Mailbox, mailbox};
pub use mailer::{Line, Mailer};
pub use smtp::{Login, Security, Smtp, Unusable, is_loopback};
