//! Waits for the server and for the key that it printed when it first started.

use anyhow::{Result, bail};
use keystead_demo::memory;
use keystead_sdk::Client;
use std::path::Path;
use std::time::Duration;

const PAUSE: Duration = Duration::from_millis(200);
const TRIES_READY: u32 = 300;
/// The key is printed before the server listens; what is left is the way into the file.
const TRIES_KEY: u32 = 25;

/// Returns the admin key once the server answers.
///
/// # Errors
/// When the server is not ready within a minute, or its key is nowhere.
pub(crate) async fn ready(url: &str, data: &Path) -> Result<String> {
    let client = Client::builder().url(url).build()?;
    let mut tries = 0;
    while !matches!(client.is_ready().await, Ok(true)) {
        tries += 1;
        if tries == TRIES_READY {
            bail!("{url} was not ready within a minute");
        }
        tokio::time::sleep(PAUSE).await;
    }
    for _ in 0..TRIES_KEY {
        if let Some(key) = memory::recall(data, memory::ADMIN)? {
            return Ok(key);
        }
        tokio::time::sleep(PAUSE).await;
    }
    bail!(
        "{} has no admin key: the server prints it only once, on its first start. Put one into that \
         file, or start anew with --fresh",
        data.join(memory::ADMIN).display()
    )
}
