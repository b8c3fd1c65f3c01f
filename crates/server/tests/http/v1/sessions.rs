//! `/v1/sessions`

mod browser;
mod life;
mod passkey;
mod passkey_attacks;
mod start;
mod tries;
