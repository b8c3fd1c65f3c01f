//! Several servers on one PostgreSQL database: what one does holds on the others, what they spend at once
//! is spent once, and one that is cut off says so. Each guarantee (docs/RELIABILITY.md) is tried on real
//! processes; bounds are asserted as an order of events, never as a speed.

mod credits;
mod cut_off;
mod limits;
mod revocation;
mod upgrade;

pub(crate) use upgrade::holds as upgrade;

use crate::faults::proxy::Proxy;
use crate::place::Place;
use crate::say;
use crate::server::{Launcher, Server};
use crate::worker::{ENVIRONMENT, PROJECT, ask};
use anyhow::{Context, Result, ensure};
use keystead_sdk::api::{Code, CreateEnvironment, CreateKey, CreateProject, CreatedKey, RevokeKey};
use keystead_sdk::{Client, Error};
use std::path::Path;
use std::time::Duration;

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(20);
/// How long a node may answer without news.
const STALENESS: Duration = Duration::from_secs(4);

/// Tries every guarantee.
///
/// # Errors
/// With the first that does not hold.
pub(crate) async fn all(program: &Path, url: &str) -> Result<()> {
    revocation::holds(program, url).await.context("a revocation on another node")?;
    say::line("what one node does holds on the other: as stated");
    credits::holds(program, url).await.context("credits on two nodes")?;
    say::line("credits spent on two nodes at once: as stated");
    limits::holds(program, url).await.context("rate limits over several nodes")?;
    say::line("rate limits over two and three nodes that come and go: as stated");
    cut_off::holds(program, url).await.context("a node that is cut off")?;
    say::line("a node whose packets to the database are dropped: as stated");
    Ok(())
}

/// A server, and its administrator.
pub(super) struct Node {
    server: Server,
    client: Client,
}

impl Node {
    async fn start(launcher: &Launcher, admin_key: &str) -> Result<Self> {
        let server = launcher.start(&arguments()).await?;
        Ok(Self { client: client(&server, admin_key)?, server })
    }

    async fn verdict(&self, key: &str) -> Result<Code> {
        match self.client.verify(&ask(key.to_owned(), 1)).await {
            Ok(answer) => Ok(answer.code),
            // It cannot know who asks, either.
            Err(Error::Problem { problem, .. }) if problem.code == "unavailable" => Ok(Code::Unavailable),
            Err(error) => Err(error.into()),
        }
    }

    /// Asks until the verdict is this one; before it, only `until_then` is allowed.
    async fn comes_to(&self, key: &str, code: Code, until_then: &[Code]) -> Result<()> {
        let mut tries = PATIENCE.as_millis() / PAUSE.as_millis();
        loop {
            let found = self.verdict(key).await?;
            if found == code {
                return Ok(());
            }
            ensure!(until_then.contains(&found), "{found} before it is {code}");
            tries = tries.checked_sub(1).with_context(|| format!("it stays {found} and never is {code}"))?;
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn create(&self, key: CreateKey) -> Result<CreatedKey> {
        let key = CreateKey { environment: ENVIRONMENT.into(), ..key };
        Ok(self.client.create_key(PROJECT, &key).await?)
    }

    async fn revoke(&self, id: &str) -> Result<()> {
        self.client.revoke_key(id, &RevokeKey { reason: "stolen".into() }).await?;
        Ok(())
    }
}

/// An installation with one node that runs, and how others are started.
pub(super) struct Cluster {
    first: Node,
    admin_key: String,
    launcher: Launcher,
}

impl Cluster {
    /// Starts the first node.
    async fn start(place: &Place, program: &Path) -> Result<Self> {
        let launcher = place.launcher(program);
        let server = launcher.start(&arguments()).await?;
        let admin_key = server.admin_key.clone().context("the first start printed no key")?;
        let client = client(&server, &admin_key)?;
        let project = CreateProject { name: "Harness".into(), slug: PROJECT.into(), prefix: None };
        client.create_project(&project).await?;
        let name = "Production".into();
        let environment = CreateEnvironment { name, slug: ENVIRONMENT.into(), tag: Some("live".into()) };
        client.create_environment(PROJECT, &environment).await?;
        Ok(Self { first: Node { server, client }, admin_key, launcher })
    }

    /// Starts another node.
    async fn another(&self) -> Result<Node> {
        Node::start(&self.launcher.beside()?, &self.admin_key).await
    }

    /// Starts another node that reaches its database through a proxy.
    async fn behind(&self, place: &mut Place, program: &Path) -> Result<(Proxy, Node)> {
        let proxy = Proxy::start(place.address()?).await?;
        place.through(proxy.address())?;
        Ok((proxy, Node::start(&place.launcher(program).beside()?, &self.admin_key).await?))
    }
}

fn arguments() -> [&'static str; 2] {
    ["--freshness-max-staleness-seconds", "4"]
}

/// Whose calls are not repeated by themselves: what is asked is what is answered.
fn client(server: &Server, key: &str) -> Result<Client> {
    Ok(Client::builder().url(&server.url).key(key).retries_max(0).build()?)
}
