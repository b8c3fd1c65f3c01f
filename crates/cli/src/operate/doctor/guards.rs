//! Whether the proxies of `[[guard]]` can do what their tables say.

use super::Finding;
use crate::operate::guards;
use keystead_proxy::Origin;
use keystead_server::configuration::Guard;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

const CHECK: &str = "guard";
/// For an upstream to accept a connection.
const CONNECT_MAX: Duration = Duration::from_secs(2);

/// Reads what they name, and connects to their upstreams; nothing is sent.
pub(super) async fn examine(guards: &[Guard]) -> Vec<Finding> {
    let mut asking = JoinSet::new();
    for origin in guards.iter().flat_map(|guard| &guard.proxy.upstreams) {
        let origin = origin.clone();
        asking.spawn(async move { (accepts(&origin).await, origin) });
    }
    let asked = asking.join_all().await;
    let silent: Vec<&Origin> =
        asked.iter().filter(|(accepts, _)| !accepts).map(|(_, origin)| origin).collect();
    guards.iter().map(|guard| finding(guard, &silent)).collect()
}

async fn accepts(origin: &Origin) -> bool {
    timeout(CONNECT_MAX, TcpStream::connect(origin.address())).await.is_ok_and(|stream| stream.is_ok())
}

fn finding(guard: &Guard, silent: &[&Origin]) -> Finding {
    let listen = guard.listen;
    if let Err(failure) = guards::check(guard.clone()) {
        let (what, fix) = failure.told();
        return Finding::failed(CHECK, format!("{listen}: {what}"), fix);
    }
    let upstreams = &guard.proxy.upstreams;
    let silent: Vec<String> =
        upstreams.iter().filter(|origin| silent.contains(origin)).map(ToString::to_string).collect();
    if silent.is_empty() {
        let all = if upstreams.len() == 1 { "its upstream accepts" } else { "all its upstreams accept" };
        return Finding::ok(CHECK, format!("{listen}: {all} connections."));
    }
    Finding::warning(
        CHECK,
        format!("{listen}: no connection from here to {}.", silent.join(", ")),
        "Start the API, or correct upstreams of the guard.",
    )
}
