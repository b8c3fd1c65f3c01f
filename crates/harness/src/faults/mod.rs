//! What goes wrong around a server: a full disk, a disk or a database that cannot be written, a database
//! that answers late. Each has a stated behaviour (docs/RELIABILITY.md), which is tried on the real server.

mod disk;
mod disk_error;
mod full_disk;
mod lost_usage;
pub(crate) mod proxy;
mod read_only_database;
mod read_only_disk;
mod slow_database;

use crate::place::Place;
use crate::say;
use crate::server::{Launcher, Server};
use crate::worker::{ENVIRONMENT, PROJECT, ask, create};
use anyhow::{Context, Result, bail, ensure};
use keystead_sdk::api::{AuditQuery, Code, CreateEnvironment, CreateProject, KeyQuery};
use keystead_sdk::{Client, Error};
use std::path::Path;
use std::time::Duration;

/// Longer than any fault is noticed or forgotten, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(100);
/// What an answer may take at most (docs/RELIABILITY.md): 30 s in the server, and the way there and back.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(35);

/// Tries every fault that PostgreSQL can have.
///
/// # Errors
/// With the first behaviour that is not as stated.
pub(crate) async fn on_postgres(program: &Path, url: &str) -> Result<()> {
    usage(program, Some(url)).await?;
    slow_database::holds(program, url).await.context("a database that answers late")?;
    say::line("a database that answers after 30 s: as stated");
    read_only_database::holds(program, url).await.context("a read-only database")?;
    say::line("a read-only database: as stated");
    Ok(())
}

/// Tries every fault that SQLite can have. Where disks cannot be mounted, what needs them is left out if it
/// may be.
///
/// # Errors
/// With the first behaviour that is not as stated.
pub(crate) async fn on_sqlite(program: &Path, may_skip: bool) -> Result<()> {
    usage(program, None).await?;
    match disk::can_be_mounted() {
        Err(error) if may_skip => {
            say::line(&format!("SKIPPED, not tried: a full disk and read-only ones. {error:#}"));
            return Ok(());
        }
        can => can?,
    }
    full_disk::holds(program).await.context("a full disk")?;
    say::line("a full disk: as stated");
    read_only_disk::holds(program).await.context("a read-only disk")?;
    say::line("a read-only disk: as stated");
    disk_error::holds(program).await.context("a disk that becomes read-only")?;
    say::line("a disk that becomes read-only: as stated");
    Ok(())
}

async fn usage(program: &Path, postgres: Option<&str>) -> Result<()> {
    lost_usage::holds(program, postgres).await.context("what a kill loses of usage")?;
    say::line("what a kill loses of usage: as stated");
    Ok(())
}

/// A server with a project, and one key in it.
struct Scene {
    server: Server,
    client: Client,
    /// Of the first key.
    key: String,
}

impl Scene {
    /// Starts a first time.
    async fn set(launcher: &Launcher, arguments: &[&str]) -> Result<Self> {
        let server = launcher.start(arguments).await?;
        let admin_key = server.admin_key.clone().context("the first start printed no key")?;
        let client = client(&server, &admin_key)?;
        let project = CreateProject { name: "Harness".into(), slug: PROJECT.into(), prefix: None };
        client.create_project(&project).await?;
        let name = "Production".into();
        let environment = CreateEnvironment { name, slug: ENVIRONMENT.into(), tag: Some("live".into()) };
        client.create_environment(PROJECT, &environment).await?;
        let key = create(&client, "before", None).await?.key;
        Ok(Self { server, client, key })
    }

    /// The verdict on the first key.
    async fn verdict(&self) -> Result<Code> {
        Ok(self.client.verify(&ask(self.key.clone(), 1)).await?.code)
    }

    /// How often the first key passed, as far as it is written.
    async fn passed(&self) -> Result<u64> {
        let query = KeyQuery { text: Some("before".into()), ..KeyQuery::default() };
        let key = self.client.list_keys(PROJECT, &query).await?.items.into_iter().next();
        Ok(self.client.key(&key.context("the key is not there")?.id).await?.seen.passed)
    }

    /// An act is refused in the words that say what to do, and nothing of it is done: neither the key nor
    /// its audit record is there once the fault has ended.
    async fn act_is_refused(&self, name: &str) -> Result<()> {
        let code = refusal(&self.client, name).await?;
        ensure!(code == "unavailable", "an act was answered {code}");
        Ok(())
    }

    /// Everything works again, without a restart; what was refused meanwhile was not done.
    async fn recovers(&self, refused: &[&str]) -> Result<()> {
        let mut tries = PATIENCE.as_millis() / PAUSE.as_millis();
        while let Err(error) = create(&self.client, "after", None).await {
            tries = tries.checked_sub(1).with_context(|| format!("it does not recover: {error}"))?;
            tokio::time::sleep(PAUSE).await;
        }
        ensure!(self.client.is_ready().await?, "it works and says that it is not ready");
        ensure!(self.verdict().await? == Code::Valid, "a key is not valid any more");
        self.client.published_identity_keys().await.context("the keys that sign identities")?;
        self.nothing_half_done(&["before", "after"], refused).await
    }

    /// Keys and audit agree: these were made, each with one record, and those were not.
    async fn nothing_half_done(&self, made: &[&str], refused: &[&str]) -> Result<()> {
        let query = KeyQuery { limit: Some(1_000), ..KeyQuery::default() };
        let keys = self.client.list_keys(PROJECT, &query).await?.items;
        let query =
            AuditQuery { action: Some("key.create".into()), limit: Some(1_000), ..Default::default() };
        let audit = self.client.list_audit(&query).await?.items;
        for (names, expected) in [(made, 1), (refused, 0)] {
            for name in names {
                let keys = keys.iter().filter(|key| key.name == *name).count();
                let records = audit.iter().filter(|record| record.target.name == *name).count();
                ensure!(
                    (keys, records) == (expected, expected),
                    "{name}: {keys} keys and {records} audit records, and {expected} of each must be"
                );
            }
        }
        Ok(())
    }
}

/// The code with which an act is refused, in words that say what to do.
async fn refusal(client: &Client, name: &str) -> Result<String> {
    match create(client, name, None).await {
        Err(Error::Problem { problem, .. }) => {
            let (status, code, fix) = (problem.status, problem.code, problem.fix);
            ensure!(status == 503, "an act was answered {status} {code}: {}", problem.detail);
            ensure!(!fix.is_empty(), "the refusal says nothing of what to do");
            Ok(code)
        }
        Err(error) => bail!("an act was not answered: {error}"),
        Ok(_) => bail!("an act was done although nothing could be written"),
    }
}

/// Whose calls are not repeated by themselves: what is asked is what is answered. It waits for longer than a
/// server may take.
fn client(server: &Server, key: &str) -> Result<Client> {
    Ok(Client::builder().url(&server.url).key(key).retries_max(0).timeout(ANSWER_TIME_MAX * 2).build()?)
}

/// A place on a file system of its own, which goes with it.
async fn place() -> Result<Place> {
    Place::make(None).await
}
