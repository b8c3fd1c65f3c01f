//! `/v1/account`

mod recovery;
mod totp;
