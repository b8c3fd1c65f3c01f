//! What is sent: verifications of many keys, and echoes of the very same bodies.

use super::server::Server;
use crate::creates;
use crate::installation::{Installation, caller};
use crate::population::{IP, PATH, PERMISSION, POLICIES};
use crate::wrk::{Lines, Target};
use anyhow::{Context, Result, anyhow, ensure};
use keystead_api::{CreateKey, NarrowedPermission, PermissionGrant, PermissionQuery, Verify};
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// Keys that are verified.
const KEYS: u32 = 2_000;
/// Creates at once while they are made.
const AT_ONCE: u32 = 250;

/// An administrator who waits longer has not been answered.
const ADMIN_TIME_MAX: Duration = Duration::from_secs(10);

/// Bodies to send, and who sends them.
pub(super) struct Requests {
    administrator: String,
    asker: String,
    bodies: PathBuf,
    first: String,
}

/// Bytes of bodies.
pub(super) struct Sizes {
    pub(super) request: usize,
    pub(super) response: usize,
    /// Bytes that an echo adds to what was sent.
    filler: usize,
}

impl Requests {
    /// Makes the installation, its keys, and a file of bodies, one a line.
    pub(super) async fn prepare(installation: &Installation, folder: &Path) -> Result<Self> {
        let administrator = installation.make().await?;
        let keystead = installation.open().await?.keystead;
        let caller = caller(&keystead, &administrator)?;
        let grant = NarrowedPermission {
            permission: "keys.verify".into(),
            resources: vec!["projects/bench/environments/production".into()],
        };
        let asker = CreateKey {
            name: "The gateway".into(),
            environment: "production".into(),
            permissions: vec![PermissionGrant::Narrowed(grant)],
            ..CreateKey::default()
        };
        let refused = |refused| anyhow!("a create is refused: {refused}");
        let asker = keystead.create_key(&caller, "keystead", asker).await.map_err(refused)?.key;
        let mut lines = String::new();
        for first in (0..KEYS).step_by(AT_ONCE as usize) {
            let mut creates = JoinSet::new();
            for number in first..first + AT_ONCE {
                let (keystead, caller) = (Arc::clone(&keystead), caller.clone());
                creates.spawn(async move {
                    keystead.create_key(&caller, "bench", creates::key(number % POLICIES)).await
                });
            }
            while let Some(created) = creates.join_next().await {
                lines.push_str(&serde_json::to_string(&body(created?.map_err(refused)?.key))?);
                lines.push('\n');
            }
        }
        keystead.close().await;
        let bodies = folder.join("bodies");
        fs::write(&bodies, &lines)?;
        let first = lines.lines().next().context("no key was made")?.to_owned();
        Ok(Self { administrator, asker, bodies, first })
    }

    pub(super) fn verify(&self, server: &Server) -> Target {
        self.target(server, "/v1/verify".into())
    }

    pub(super) fn echo(&self, server: &Server, sizes: &Sizes) -> Target {
        self.target(server, format!("/echo/{}", sizes.filler))
    }

    fn target(&self, server: &Server, path: String) -> Target {
        let lines = Lines::Bodies(self.bodies.clone(), self.asker.clone());
        Target { address: server.address(), path, lines }
    }

    /// Sends one of each, looks that a verification is valid, and fits the echo's size to it.
    pub(super) fn match_sizes(&self, server: SocketAddr) -> Result<Sizes> {
        let verified = self.ask(server, "/v1/verify")?;
        ensure!(verified.starts_with(r#"{"valid":true"#), "not valid: {verified}");
        let bare = self.ask(server, "/echo/0")?;
        let (request, response) = (self.first.len(), verified.len());
        let filler = response.checked_sub(bare.len()).context("an echo is longer than a verification")?;
        let echoed = self.ask(server, &format!("/echo/{filler}"))?;
        ensure!(echoed.len() == response, "an echo has {} bytes, a verification {response}", echoed.len());
        Ok(Sizes { request, response, filler })
    }

    /// A request of an administrator's, on a connection of its own.
    pub(super) fn administer(&self, server: SocketAddr) -> Result<()> {
        let mut stream = TcpStream::connect(server)?;
        stream.set_read_timeout(Some(ADMIN_TIME_MAX))?;
        let key = &self.administrator;
        write!(
            stream,
            "GET /v1/projects HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\nAuthorization: Bearer {key}\r\n\r\n"
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        ensure!(answer.starts_with("HTTP/1.1 200"), "an administrator is answered {answer}");
        Ok(())
    }

    /// The answer's body.
    fn ask(&self, server: SocketAddr, path: &str) -> Result<String> {
        let mut stream = TcpStream::connect(server)?;
        let (asker, body) = (&self.asker, &self.first);
        write!(
            stream,
            "POST {path} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\nAuthorization: Bearer {asker}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").context("no answer")?;
        ensure!(head.starts_with("HTTP/1.1 200"), "{path} answers {answer}");
        Ok(body.to_owned())
    }
}

fn body(key: String) -> Verify {
    Verify {
        key,
        project: Some("bench".into()),
        environment: Some("production".into()),
        ip: Some(IP.to_string()),
        method: Some("GET".into()),
        path: Some(PATH.into()),
        permissions: Some(PermissionQuery::One(PERMISSION.into())),
        ..Verify::default()
    }
}
