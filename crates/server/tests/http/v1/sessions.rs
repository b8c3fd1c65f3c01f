//! `/v1/sessions`

mod browser;
mod life;
mod start;
mod tries;
