//! The installation that guards, and the API behind: one nginx that always gives the same answer.

use super::child::{COMMAND, Took};
use super::configurations::{API, nginx_constant};
use super::peers::{listening, nginx};
use crate::installation::{Installation, caller};
use crate::pinned::{LOAD_CORE, Pinned, Running};
use crate::population::{PATH, PERMISSION};
use crate::wrk::{Lines, Target};
use anyhow::{Context, Result, anyhow};
use keystead_api::{
    CreateKey, Endpoint, Guard, GuardMode, GuardRoute, LimitSpec, NarrowedPermission, Networks,
    PermissionGrant, PermissionQuery, Restrictions,
};
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

/// Keys of clients.
const KEYS: usize = 200;

pub(super) struct House {
    folder: PathBuf,
    /// Where the API answers.
    pub(super) api: SocketAddr,
    /// Where the API's WebSockets are to be listened for.
    pub(super) sockets_api: SocketAddr,
    server: Pinned,
    /// Keystead, our own proxy, and our own proxy before WebSockets.
    addresses: [SocketAddr; 3],
    /// The proxies' own key.
    pub(super) door_key: String,
    /// Clients' keys.
    pub(super) keys: Vec<String>,
    /// How the API is guarded.
    pub(super) guard: Guard,
    _api: Running,
}

impl House {
    pub(super) async fn make(folder: &Path) -> Result<Self> {
        let (api, sockets_api) = (free()?, free()?);
        let running = nginx(LOAD_CORE, folder, "api", &nginx_constant(&api.to_string(), API))?;
        listening(api)?;
        let guard = guard();
        let (door_key, keys) = keys(folder, &guard).await?;
        fs::write(folder.join("keys"), keys.join("\n"))?;
        fs::write(folder.join("keystead.toml"), configuration(folder, api, sockets_api)?)?;
        let mut server = Pinned::start(COMMAND, folder)?;
        let addresses = [address(&mut server)?, address(&mut server)?, address(&mut server)?];
        let folder = folder.to_owned();
        Ok(Self { folder, api, sockets_api, server, addresses, door_key, keys, guard, _api: running })
    }

    /// A folder for a peer's files.
    pub(super) fn folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.folder.join(name);
        fs::create_dir(&folder)?;
        Ok(folder)
    }

    /// Where Keystead answers the doors of other proxies.
    pub(super) const fn keystead(&self) -> SocketAddr {
        self.addresses[0]
    }

    /// The socket at which they are, too.
    pub(super) fn socket(&self) -> String {
        socket(&self.folder)
    }

    /// Where our own proxy listens.
    pub(super) const fn own(&self) -> SocketAddr {
        self.addresses[1]
    }

    /// Where our own proxy listens before WebSockets.
    pub(super) const fn sockets(&self) -> SocketAddr {
        self.addresses[2]
    }

    pub(super) fn process(&self) -> u32 {
        self.server.process()
    }

    /// What wrk sends to a proxy.
    pub(super) fn target(&self, address: SocketAddr) -> Target {
        Target { address, path: PATH.into(), lines: Lines::Keys(self.folder.join("keys")) }
    }

    /// Begins to measure decisions anew.
    pub(super) fn forget(&mut self) -> Result<()> {
        self.server.tell("forget")
    }

    /// What the decisions took since.
    pub(super) fn took(&mut self) -> Result<Took> {
        self.server.tell("tell")?;
        Ok(serde_json::from_str(&self.server.line()?)?)
    }

    pub(super) fn end(mut self) -> Result<()> {
        self.server.end()
    }
}

/// A port that nobody listens on right now.
pub(super) fn free() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

fn address(server: &mut Pinned) -> Result<SocketAddr> {
    server.line()?.parse().context("the server did not start")
}

fn socket(folder: &Path) -> String {
    folder.join("door.sock").display().to_string()
}

/// One listener before the API, and one before its WebSockets, with room for all of these; a socket for other proxies.
fn configuration(folder: &Path, api: SocketAddr, sockets: SocketAddr) -> Result<String> {
    let before = |listen: SocketAddr, upstream: SocketAddr| {
        format!(
            "[[guard]]\nlisten = \"{listen}\"\nupstreams = [\"http://{upstream}\"]\nproject = \"bench\"\n\
             environment = \"production\"\nconnections_max = 20000\nrequests_in_flight_max = 20000\n"
        )
    };
    let door = format!(
        "[[door]]\nsocket = \"{}\"\nproject = \"bench\"\nenvironment = \"production\"\n",
        socket(folder)
    );
    Ok(before(free()?, api) + &before(free()?, sockets) + &door)
}

/// Keys are in `X-API-Key` alone, as Envoy's own keys are.
fn guard() -> Guard {
    let mut guard = Guard::new(GuardMode::Enforce);
    guard.credentials = vec!["header:x-api-key".into()];
    guard.routes.push(GuardRoute {
        methods: vec!["GET".into()],
        path: "/v1/zones/*".into(),
        permissions: Some(PermissionQuery::One(PERMISSION.into())),
        ..GuardRoute::default()
    });
    guard
}

async fn keys(folder: &Path, guard: &Guard) -> Result<(String, Vec<String>)> {
    let installation = Installation::embedded(folder);
    let administrator = installation.make().await?;
    let keystead = installation.open().await?.keystead;
    let caller = caller(&keystead, &administrator)?;
    let refused = |refused| anyhow!("what the benchmark prepares is refused: {refused}");
    keystead.set_guard(&caller, "bench", guard.clone(), None).await.map_err(refused)?;
    let door = NarrowedPermission {
        permission: "keys.verify".into(),
        resources: vec!["projects/bench/environments/production".into()],
    };
    let door = CreateKey {
        name: "The proxy".into(),
        environment: "production".into(),
        permissions: vec![PermissionGrant::Narrowed(door)],
        ..CreateKey::default()
    };
    let door = keystead.create_key(&caller, "keystead", door).await.map_err(refused)?.key;
    let mut keys = Vec::with_capacity(KEYS);
    for _ in 0..KEYS {
        keys.push(keystead.create_key(&caller, "bench", client()).await.map_err(refused)?.key);
    }
    keystead.close().await;
    Ok((door, keys))
}

/// A client's key: with a permission, a network, an endpoint and a limit, as in the other benchmarks.
fn client() -> CreateKey {
    CreateKey {
        name: "A client".into(),
        environment: "production".into(),
        owner: Some("owner".into()),
        permissions: vec![PermissionGrant::Everywhere(PERMISSION.into())],
        restrictions: Restrictions {
            networks: Some(Networks { allow: vec!["127.0.0.0/8".into()], deny: vec![] }),
            endpoints: vec![Endpoint { methods: vec!["GET".into()], path: "/v1/zones/*".into() }],
            ..Restrictions::default()
        },
        limits: vec![LimitSpec {
            name: "requests".into(),
            limit: 1_000_000_000,
            window: "1s".into(),
            burst: None,
        }],
        ..CreateKey::default()
    }
}
