//! `/v1/keys/{id}`

mod kinds;
mod life;
mod mint;
mod rotate;
mod show;
mod update;
