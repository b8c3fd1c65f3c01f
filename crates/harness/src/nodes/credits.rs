//! Credits that are spent on two nodes at once are spent once; what the nodes had leased and not spent is
//! there again after stops in order, exactly.

use super::{Cluster, Node};
use crate::place::Place;
use crate::worker::ask;
use anyhow::{Context, Result, ensure};
use keystead_sdk::Client;
use keystead_sdk::api::{Code, CreateKey, CreditsSpec, Refill};
use std::path::Path;
use tokio::task::JoinSet;

const CREDITS: u64 = 500;
/// Who spends on each node at once.
const SPENDERS: u64 = 4;
/// How often each of them asks at first: all of it is to be had.
const TIMES: u64 = 30;

pub(super) async fn holds(program: &Path, url: &str) -> Result<()> {
    let place = Place::make(Some(url)).await?;
    let cluster = Cluster::start(&place, program).await?;
    let credits = CreditsSpec { remaining: CREDITS, refill: Refill::None, amount: None };
    let input = CreateKey { name: "spent".into(), credits: Some(credits), ..CreateKey::default() };
    let made = cluster.first.create(input).await?;
    let second = cluster.another().await?;

    let spent = spend([&cluster.first, &second], &made.key, Some(TIMES)).await?;
    ensure!(spent == 2 * SPENDERS * TIMES, "{spent} of {} requests passed", 2 * SPENDERS * TIMES);
    second.server.stop().await?;
    let Cluster { first, launcher, admin_key } = cluster;
    first.server.stop().await?;

    let first = Node::start(&launcher, &admin_key).await?;
    let left = first.client.key(&made.details.id).await?.key.credits.context("no credits")?.remaining;
    ensure!(left == CREDITS - spent, "{left} of {CREDITS} credits are left, and {spent} were spent");
    let second = Node::start(&launcher.beside()?, &admin_key).await?;
    let rest = spend([&first, &second], &made.key, None).await?;
    second.server.stop().await?;
    // What the other still held when this one found nothing is there now.
    let last = spend([&first], &made.key, None).await?;
    ensure!(
        spent + rest + last <= CREDITS,
        "{spent} + {rest} + {last} of {CREDITS} credits were spent: more than there were"
    );
    first.server.stop().await?;
    let first = Node::start(&launcher, &admin_key).await?;
    let end = spend([&first], &made.key, None).await?;
    ensure!(spent + rest + last + end == CREDITS, "{} credits are lost", CREDITS - spent - rest - last - end);
    first.server.stop().await?;
    place.remove().await
}

/// Spends on all of these nodes at once, so often or until nothing is left; how much passed.
async fn spend<const N: usize>(nodes: [&Node; N], key: &str, times: Option<u64>) -> Result<u64> {
    let mut spenders = JoinSet::new();
    for node in nodes {
        for _ in 0..SPENDERS {
            spenders.spawn(one(node.client.clone(), key.to_owned(), times.unwrap_or(u64::MAX)));
        }
    }
    let mut passed = 0;
    while let Some(spender) = spenders.join_next().await {
        passed += spender??;
    }
    Ok(passed)
}

async fn one(client: Client, key: String, times: u64) -> Result<u64> {
    let mut passed = 0;
    for _ in 0..times {
        match client.verify(&ask(key.clone(), 1)).await?.code {
            Code::Valid => passed += 1,
            Code::CreditsExhausted => break,
            other => anyhow::bail!("spending a credit is answered {other}"),
        }
    }
    Ok(passed)
}
