//! `/v1/account`

mod passkeys;
mod recovery;
mod totp;
