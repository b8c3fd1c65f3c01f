//! `POST /v1/keys/{id}/rotate`, `/rotate/complete` and `/rotate/cancel`

mod counters;
mod drain;
mod end;
mod first_use;
mod reuse;
mod start;

use crate::house::{House, Issued};

/// The verdict on a key, once it is not `valid` any more: what its or another key's use sets off is
/// done beside the request.
async fn when_ended(house: &House, key: &Issued) -> String {
    for _ in 0..10_000 {
        let code = house.asker.bare(key).await;
        if code != "valid" {
            return code;
        }
        tokio::task::yield_now().await;
    }
    panic!("{} never ended", key.id);
}
