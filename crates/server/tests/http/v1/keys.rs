//! `/v1/keys/{id}`

mod kinds;
mod life;
mod mint;
mod mint_bound;
mod mint_guardrails;
mod mint_rotation;
mod rotate;
mod show;
mod update;
