//! How people prove who they are: passwords, tokens of sessions and links, one-time codes, and how often
//! somebody may be wrong.

pub mod backoff;
pub mod breached;
pub mod password;
pub mod recovery_code;
pub mod secret_token;
pub mod totp;
