//! `/v1/keys/{id}`

mod life;
mod show;
mod update;
