//! The proxies that are measured, each on the core of what is measured: as they are, and asking Keystead as the recipe
//! for them says.

use super::configurations as plain;
use super::house::{House, free};
use crate::installation::wait_until;
use crate::measure::instant;
use crate::pinned::{CORE, Running, on_core};
use crate::population::PATH;
use anyhow::{Context, Result, bail, ensure};
use keystead_guard::recipes::{Asked, Proxy, Recipe};
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// The folder of the proxies that do not come from Debian.
const PROXIES: &str = "KEYSTEAD_TEST_PROXIES";
const START_MAX: Duration = Duration::from_secs(20);

/// All of them, in the order of their turns.
pub(super) const NAMES: [&str; 17] = [
    "nginx_plain",
    "nginx_inner",
    "nginx_constant",
    "nginx_keystead",
    "nginx_constant_socket",
    "nginx_keystead_socket",
    "own",
    "envoy_plain",
    "envoy_key",
    "envoy_keystead",
    "envoy_grpc_keystead",
    "caddy_plain",
    "caddy_keystead",
    "traefik_plain",
    "traefik_keystead",
    "haproxy_plain",
    "haproxy_keystead",
];

/// The name of a peer's figure, and what it is.
pub(super) fn told(name: &str) -> Option<(&'static str, &'static str)> {
    Some(match name {
        "nginx_plain" => ("guard_nginx_plain", "nginx that lets everything through, requests a second"),
        "nginx_inner" => ("guard_nginx_inner", "nginx, auth_request to a constant within it"),
        "nginx_constant" => {
            ("guard_nginx_constant", "nginx, auth_request to a second nginx that always allows")
        }
        "nginx_keystead" => ("guard_nginx_keystead", "nginx, auth_request to Keystead"),
        "nginx_constant_socket" => ("guard_nginx_constant_socket", "the same to a second nginx at a socket"),
        "nginx_keystead_socket" => {
            ("guard_nginx_keystead_socket", "nginx, auth_request to Keystead at a socket")
        }
        "own" => ("guard_own", "Keystead's own proxy, deciding"),
        "envoy_plain" => ("guard_envoy_plain", "Envoy that lets everything through"),
        "envoy_key" => ("guard_envoy_key", "Envoy, its api_key_auth"),
        "envoy_keystead" => ("guard_envoy_keystead", "Envoy, ext_authz over HTTP to Keystead"),
        "envoy_grpc_keystead" => ("guard_envoy_grpc_keystead", "Envoy, ext_authz over gRPC to Keystead"),
        "caddy_plain" => ("guard_caddy_plain", "Caddy that lets everything through"),
        "caddy_keystead" => ("guard_caddy_keystead", "Caddy, forward_auth to Keystead"),
        "traefik_plain" => ("guard_traefik_plain", "Traefik that lets everything through"),
        "traefik_keystead" => ("guard_traefik_keystead", "Traefik, ForwardAuth to Keystead"),
        "haproxy_plain" => ("guard_haproxy_plain", "HAProxy that lets everything through"),
        "haproxy_keystead" => ("guard_haproxy_keystead", "HAProxy, Lua to Keystead"),
        _ => return None,
    })
}

/// A proxy that runs.
pub(super) struct Peer {
    pub(super) name: &'static str,
    pub(super) address: SocketAddr,
    _running: Vec<Running>,
}

impl Peer {
    /// Installs and starts one, and looks that it lets a key through, and no other where it looks at keys.
    pub(super) fn start(name: &'static str, house: &House) -> Result<Self> {
        let folder = house.folder(name)?;
        let address = if name == "own" { house.own() } else { free()? };
        let files = Files { folder: &folder, house, address };
        let keystead = house.keystead().to_string();
        let keystead = Asked::At(&keystead);
        let running = match name {
            "own" => Vec::new(),
            "nginx_plain" => files.nginx(&plain::nginx(address.port(), house.api, "", ""))?,
            "nginx_inner" => {
                let beside = "location = /_constant { internal; return 204; }";
                files.nginx(&plain::nginx(address.port(), house.api, "auth_request /_constant;", beside))?
            }
            "nginx_constant" => {
                let constant = free()?.to_string();
                files.nginx_asking_nginx(&constant, Asked::At(&constant))?
            }
            "nginx_constant_socket" => {
                let socket = files.path("constant.sock");
                files.nginx_asking_nginx(&format!("unix:{socket}"), Asked::Socket(&socket))?
            }
            "nginx_keystead_socket" => {
                files.nginx(&files.recipe(Proxy::Nginx, Asked::Socket(&house.socket()))?)?
            }
            "nginx_keystead" => files.nginx(&files.recipe(Proxy::Nginx, keystead)?)?,
            "envoy_plain" => files.envoy(&plain::envoy(address.port(), house.api, ""))?,
            "envoy_key" => {
                files.envoy(&plain::envoy(address.port(), house.api, &plain::envoy_keys(&house.keys)))?
            }
            "envoy_keystead" => files.envoy(&files.recipe(Proxy::Envoy, keystead)?)?,
            "envoy_grpc_keystead" => files.envoy(&files.recipe(Proxy::EnvoyGrpc, keystead)?)?,
            "caddy_plain" => files.caddy(&plain::caddy(address.port(), house.api))?,
            "caddy_keystead" => files.caddy(&files.recipe(Proxy::Caddy, keystead)?)?,
            "traefik_plain" => files.traefik(&plain::traefik(house.api))?,
            "traefik_keystead" => files.traefik(&files.recipe(Proxy::Traefik, keystead)?)?,
            "haproxy_plain" => files.haproxy(&plain::haproxy(address.port(), house.api))?,
            "haproxy_keystead" => files.haproxy(&files.recipe(Proxy::Haproxy, keystead)?)?,
            other => bail!("nobody knows how to start {other}"),
        };
        let answered = answers(name, address, house);
        answered.with_context(|| {
            format!("{name}: {}", fs::read_to_string(folder.join("log")).unwrap_or_default())
        })?;
        Ok(Self { name, address, _running: running })
    }
}

/// Where a peer's files are, and what it stands before.
struct Files<'a> {
    folder: &'a Path,
    house: &'a House,
    address: SocketAddr,
}

impl Files<'_> {
    /// The recipe, installed in the folder: the key is where it says.
    fn recipe(&self, proxy: Proxy, keystead: Asked<'_>) -> Result<String> {
        let recipe = Recipe {
            project: "bench",
            environment: "production",
            keystead,
            upstream: &self.house.api.to_string(),
            port: self.address.port(),
            guard: &self.house.guard,
        };
        let key = &self.house.door_key;
        let text = recipe.write(proxy).context("it cannot ask there")?.replace("PUT-THE-KEY-HERE", key);
        self.write("keystead-guard.key", key)?;
        self.write("keystead-guard.conf", &format!("proxy_set_header X-Keystead-Guard \"{key}\";"))?;
        let installed = |text: String, name| text.replace(&format!("/etc/{name}/"), &self.path(""));
        Ok(["nginx", "caddy", "haproxy"].into_iter().fold(text, installed))
    }

    fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.folder.display())
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        fs::write(self.folder.join(name), text).with_context(|| format!("cannot write {name}"))
    }

    fn nginx(&self, text: &str) -> Result<Vec<Running>> {
        Ok(vec![nginx(CORE, self.folder, "nginx", text)?])
    }

    /// The recipe, and a second nginx where it asks, which always allows.
    fn nginx_asking_nginx(&self, listen: &str, asked: Asked<'_>) -> Result<Vec<Running>> {
        let second = nginx(CORE, self.folder, "constant", &plain::nginx_constant(listen, plain::YES))?;
        match asked {
            Asked::At(address) => listening(address.parse()?)?,
            Asked::Socket(path) => wait_until(START_MAX, || Path::new(path).exists())?,
        }
        let mut running = self.nginx(&self.recipe(Proxy::Nginx, asked)?)?;
        running.push(second);
        Ok(running)
    }

    fn envoy(&self, text: &str) -> Result<Vec<Running>> {
        self.write("envoy.yaml", text)?;
        let mut command = on_core(CORE, &program("envoy")?);
        command.args(["-c", &self.path("envoy.yaml"), "--concurrency", "1", "--log-level", "warning"]);
        Ok(vec![spawn(command.arg("--disable-hot-restart"), self.folder)?])
    }

    fn caddy(&self, text: &str) -> Result<Vec<Running>> {
        self.write("Caddyfile", text)?;
        let mut command = on_core(CORE, &program("caddy")?);
        command.args(["run", "--adapter", "caddyfile", "--config", &self.path("Caddyfile")]);
        command.env("CADDY_ADMIN", free()?.to_string());
        let home = ["HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"].map(|name| (name, self.folder));
        Ok(vec![spawn(command.envs(home), self.folder)?])
    }

    fn traefik(&self, text: &str) -> Result<Vec<Running>> {
        self.write("keystead.yml", text)?;
        let mut command = on_core(CORE, &program("traefik")?);
        command.arg(format!("--providers.file.filename={}", self.path("keystead.yml")));
        command.arg(format!("--entryPoints.web.address={}", self.address));
        command.args(["--global.checkNewVersion=false", "--global.sendAnonymousUsage=false"]);
        Ok(vec![spawn(command.env("KEYSTEAD_GUARD", &self.house.door_key), self.folder)?])
    }

    fn haproxy(&self, text: &str) -> Result<Vec<Running>> {
        self.write("haproxy.cfg", text)?;
        let lua: String =
            text.lines().filter_map(|line| line.strip_prefix("#|")).flat_map(|line| [line, "\n"]).collect();
        self.write("keystead.lua", &lua)?;
        let mut command = on_core(CORE, &program("haproxy")?);
        Ok(vec![spawn(command.args(["-db", "-f", &self.path("haproxy.cfg")]), self.folder)?])
    }
}

/// An nginx with one worker, as Debian's own configuration has it otherwise.
pub(super) fn nginx(core: &str, folder: &Path, name: &str, text: &str) -> Result<Running> {
    let path = |suffix: &str| format!("{}/{name}{suffix}", folder.display());
    fs::write(path(".part"), text)?;
    let main = format!(
        "daemon off; user root; worker_processes 1; pid {}; error_log {}; worker_rlimit_nofile 8192; events {{ worker_connections 4096; }} http {{ access_log off; include {}; }}",
        path(".pid"),
        path(".error"),
        path(".part")
    );
    fs::write(path(".conf"), main)?;
    let mut command = on_core(core, &program("nginx")?);
    spawn(command.args(["-c", &path(".conf"), "-p"]).arg(folder), folder)
}

fn spawn(command: &mut Command, folder: &Path) -> Result<Running> {
    let log = fs::File::options().create(true).append(true).open(folder.join("log"))?;
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    Ok(Running(command.spawn().context("cannot start taskset, which pins proxies to a core")?))
}

/// A program, where it is installed.
fn program(name: &str) -> Result<PathBuf> {
    let named = std::env::var_os(PROXIES).map(PathBuf::from);
    let folders = named.into_iter().chain(["/usr/sbin", "/usr/local/sbin", "/usr/bin"].map(PathBuf::from));
    let mut paths = folders.map(|folder| folder.join(name));
    paths.find(|path| path.is_file()).with_context(|| format!("{name} is not installed"))
}

/// Waits until somebody listens.
pub(super) fn listening(address: SocketAddr) -> Result<()> {
    wait_until(START_MAX, || TcpStream::connect(address).is_ok()).context("a program does not start")
}

fn answers(name: &str, address: SocketAddr, house: &House) -> Result<()> {
    listening(address)?;
    let key = house.keys.first().context("no key")?;
    let begun = instant();
    // A proxy may listen before it knows where its upstream is.
    while status(address, key)? != "200" {
        ensure!(begun.elapsed() < START_MAX, "it does not let a key through");
    }
    if name.contains("keystead") || name == "own" || name == "envoy_key" {
        let answered = status(address, "nobody")?;
        ensure!(answered == "401", "it answers {answered} to what is no key");
    }
    Ok(())
}

fn status(address: SocketAddr, key: &str) -> Result<String> {
    let mut stream = TcpStream::connect(address)?;
    write!(
        stream,
        "GET {PATH} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nX-API-Key: {key}\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    Ok(answer.split(' ').nth(1).unwrap_or_default().to_owned())
}
