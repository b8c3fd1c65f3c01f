//! Durable creates a second, through the service: one at a time, 16 writers at once with one create
//! outstanding each, and 16 with 64; and keys minted a second.

use crate::cluster::Cluster;
use crate::figure::Figure;
use crate::installation::{Installation, caller};
use crate::measure::{data_folder, instant};
use crate::population;
use crate::say;
use anyhow::{Context, Result, anyhow};
use keystead_api::{CreateKey, MintKey, Restrictions};
use keystead_service::Keystead;
use keystead_service::caller::Caller;
use keystead_store::Database;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

const WRITERS: usize = 16;
const OUTSTANDING: usize = 64;
const WARM_UP: Duration = Duration::from_secs(1);
const ROUND: Duration = Duration::from_secs(3);
const ROUNDS: usize = 3;

/// Creates a second by how many are outstanding, and keys minted a second.
struct Rates {
    one: f64,
    sixteen: f64,
    many: f64,
    minted: f64,
}

const MINTS_MIN: f64 = 500.0;
const MINTS: &str = "keys minted a second from one key, 16 holders, 1 outstanding each";

/// Measures on SQLite, and on PostgreSQL where it is installed or `postgres` names a server.
///
/// # Errors
/// When an installation cannot be made, or a create is refused.
pub async fn figures(postgres: Option<String>) -> Result<Vec<Figure>> {
    let folder = tempfile::Builder::new().prefix("creates-").tempdir_in(data_folder()?)?;
    say::progress("creating keys on SQLite");
    let rates = measure(&Installation::embedded(folder.path())).await?;
    let mut figures = vec![
        Figure::at_least(
            "sqlite_group_ratio",
            rates.many / rates.one,
            20.0,
            "16 writers with 64 outstanding over one at a time",
        ),
        Figure::told(
            "sqlite_group_ratio_16",
            rates.sixteen / rates.one,
            "16 writers with 1 outstanding; 16 at most",
        ),
        Figure::at_least("mints_16_sqlite", rates.minted, MINTS_MIN, MINTS),
        Figure::told("creates_1_sqlite", rates.one, "durable creates a second, one at a time"),
        Figure::told("creates_16_sqlite", rates.sixteen, "16 writers, 1 outstanding each"),
        Figure::told("creates_16x64_sqlite", rates.many, "16 writers, 64 outstanding each"),
    ];
    let (_cluster, url) = match postgres {
        Some(url) => (None, url),
        None => match Cluster::start() {
            Ok(cluster) => {
                let url = cluster.url().to_owned();
                (Some(cluster), url)
            }
            Err(error) => {
                say::progress(&format!("not measured on PostgreSQL: {error:#}"));
                return Ok(figures);
            }
        },
    };
    say::progress("creating keys on PostgreSQL");
    let folder = tempfile::Builder::new().prefix("creates-").tempdir_in(data_folder()?)?;
    let rates =
        measure(&Installation { folder: folder.path().to_owned(), database: Database::Postgres(url) })
            .await?;
    figures.extend([
        Figure::told(
            "postgres_group_ratio",
            rates.many / rates.one,
            "16 writers with 64 outstanding over one",
        ),
        Figure::at_least("mints_16_postgres", rates.minted, MINTS_MIN, MINTS),
        Figure::told("creates_1_postgres", rates.one, "durable creates a second, one at a time"),
        Figure::told("creates_16_postgres", rates.sixteen, "16 writers, 1 outstanding each"),
        Figure::told("creates_16x64_postgres", rates.many, "16 writers, 64 outstanding each"),
    ]);
    Ok(figures)
}

async fn measure(installation: &Installation) -> Result<Rates> {
    let key = installation.make().await?;
    let keystead = installation.open().await?.keystead;
    let caller = caller(&keystead, &key)?;
    creates(&keystead, &caller, WRITERS, WARM_UP).await?;
    let (mut one, mut sixteen, mut many, mut minted) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        one.push(creates(&keystead, &caller, 1, ROUND).await?);
        sixteen.push(creates(&keystead, &caller, WRITERS, ROUND).await?);
        many.push(creates(&keystead, &caller, WRITERS * OUTSTANDING, ROUND).await?);
        minted.push(mints(&keystead, &caller).await?);
    }
    keystead.close().await;
    let [one, sixteen, many, minted] = [one, sixteen, many, minted].map(crate::measure::median);
    Ok(Rates { one, sixteen, many, minted })
}

/// Creates a second.
pub(crate) async fn creates(
    keystead: &Arc<Keystead>,
    caller: &Caller,
    outstanding: usize,
    duration: Duration,
) -> Result<f64> {
    let (keystead, caller) = (Arc::clone(keystead), caller.clone());
    let make = move |task: usize| {
        let (keystead, caller) = (Arc::clone(&keystead), caller.clone());
        async move {
            let number = u32::try_from(task)? % population::POLICIES;
            let made = keystead.create_key(&caller, "bench", key(number)).await;
            made.map(drop).map_err(|refused| anyhow!("a create is refused: {refused}"))
        }
    };
    rate(outstanding, duration, make).await
}

/// Keys minted a second from a new key.
async fn mints(keystead: &Arc<Keystead>, caller: &Caller) -> Result<f64> {
    // The requests here have no address, which networks would refuse.
    let parent = CreateKey { restrictions: Restrictions::default(), ..key(0) };
    let parent = keystead.create_key(caller, "bench", parent).await;
    let parent = parent.map_err(|refused| anyhow!("a create is refused: {refused}"))?;
    let parent = keystead.identify_holder(&parent.key, caller.origin.clone()).await;
    let parent = parent.map_err(|refused| anyhow!("the parent is refused: {refused}"))?;
    let keystead = Arc::clone(keystead);
    let make = move |_| {
        let (keystead, parent) = (Arc::clone(&keystead), parent.clone());
        async move {
            let made = keystead.mint_key(&parent, MintKey::default()).await;
            made.map(drop).map_err(|refused| anyhow!("a mint is refused: {refused}"))
        }
    };
    rate(WRITERS, ROUND, make).await
}

/// How often a second `make` is done with so many outstanding all the time.
async fn rate<M, F>(outstanding: usize, duration: Duration, make: M) -> Result<f64>
where
    M: Fn(usize) -> F + Clone + Send + 'static,
    F: Future<Output = Result<()>> + Send,
{
    let begun = instant();
    let mut tasks = JoinSet::new();
    for task in 0..outstanding {
        let make = make.clone();
        tasks.spawn(async move {
            let mut created = 0_u32;
            while begun.elapsed() < duration {
                make(task).await?;
                created += 1;
            }
            Ok::<_, anyhow::Error>(created)
        });
    }
    let mut created = 0;
    while let Some(task) = tasks.join_next().await {
        created += task.context("a writer did not end")??;
    }
    Ok(f64::from(created) / begun.elapsed().as_secs_f64())
}

/// A key like those that are verified.
#[must_use]
pub fn key(policy: u32) -> CreateKey {
    let policy = population::policy(policy);
    CreateKey {
        name: "A key of the benchmark".into(),
        environment: "production".into(),
        owner: Some("owner".into()),
        permissions: policy.permissions,
        restrictions: policy.restrictions,
        limits: policy.limits,
        ..CreateKey::default()
    }
}
