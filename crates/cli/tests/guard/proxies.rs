//! The real proxies, each installed as its recipe says.

use crate::house::{House, Running, free_port};
use crate::upstream::Upstream;
use crate::wire;
use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

/// Where programs from PyPI are: `caddy`, `traefik`, `envoy`.
const PROXIES: &str = "KEYSTEAD_TEST_PROXIES";
/// What cannot be tried here fails.
const NOTHING_SKIPPED: &str = "KEYSTEAD_TEST_NOTHING_SKIPPED";

/// A proxy that guards the API.
pub(crate) struct Proxy {
    pub(crate) name: &'static str,
    pub(crate) port: u16,
    running: Option<Running>,
}

/// What the name of a proxy ends with that asks at a socket.
pub(crate) const AT_SOCKET: &str = "-socket";

/// Keystead's own proxy, a part of its server.
pub(crate) const OWN: &str = "own";

/// A program, where it is installed.
fn program(name: &str) -> Option<PathBuf> {
    let named = std::env::var_os(PROXIES).map(PathBuf::from);
    let folders = named.into_iter().chain(["/usr/sbin", "/usr/local/sbin", "/usr/bin"].map(PathBuf::from));
    folders.map(|folder| folder.join(name)).find(|path| path.is_file())
}

impl Proxy {
    /// Installs and starts one; `None` where the program is not here and may be missing.
    pub(crate) fn start(
        name: &'static str,
        house: &House,
        upstream: &Upstream,
        opened: bool,
    ) -> Option<Self> {
        if name == OWN {
            upstream.take();
            return Some(Self { name, port: house.own, running: None });
        }
        // One program has several recipes.
        let installed_as = name.split('-').next().unwrap();
        let Some(program) = program(installed_as) else {
            assert!(std::env::var_os(NOTHING_SKIPPED).is_none(), "{name} is not installed");
            eprintln!("not run: {name} is not installed; cargo xtask test installs it");
            return None;
        };
        let port = free_port();
        let folder = house.path(name);
        fs::create_dir(&folder).unwrap();
        let to = format!("127.0.0.1:{}", upstream.port);
        let on = port.to_string();
        let socket = house.socket();
        let named = name.strip_suffix(AT_SOCKET).unwrap_or(name);
        let at: &[&str] = if named == name { &[] } else { &["--socket", &socket] };
        let common = ["guard", "recipe", named, "-p", "shop", "-e", "live", "--upstream", &to, "--port", &on];
        let recipe = house.run(&[&common, at].concat());
        let recipe = if opened { open(&recipe) } else { recipe };
        let recipe = recipe.replace(&format!("/etc/{installed_as}/"), &format!("{}/", folder.display()));
        let mut command = installed(named, &program, house, &folder, &recipe, port);
        let log = fs::File::create(folder.join("log")).unwrap();
        let running =
            command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        let mut proxy = Self { name, port, running: Some(Running(running)) };
        assert!(proxy.answers(), "{name} did not start: {}", fs::read_to_string(folder.join("log")).unwrap());
        upstream.take();
        Some(proxy)
    }

    /// Asks it for what is public until it passes; `false` when it has ended instead. It says in no other way of its own
    /// that it listens, or has found Keystead again.
    pub(crate) fn answers(&mut self) -> bool {
        loop {
            let ended = self.running.as_mut().is_some_and(|running| running.0.try_wait().unwrap().is_some());
            let open = !ended && TcpStream::connect(("127.0.0.1", self.port)).is_ok();
            let passes = open && wire::send(self.port, "GET", "/v1/open/ready", &[], b"").status() == 200;
            if ended || passes {
                return passes;
            }
            thread::yield_now();
        }
    }
}

/// What a recipe's own command for it makes of it.
fn open(recipe: &str) -> String {
    let command = "sed -i -e '/#closed$/d' -e 's/#open //' FILE";
    assert!(recipe.contains(command), "{recipe}");
    let lines = recipe.lines().filter(|line| !line.ends_with("#closed"));
    lines.map(|line| line.replacen("#open ", "", 1) + "\n").collect()
}

/// Follows the recipe's own steps.
fn installed(name: &str, program: &Path, house: &House, folder: &Path, recipe: &str, port: u16) -> Command {
    let file = |name: &str| folder.join(name);
    let mut command = Command::new(program);
    match name {
        "nginx" => {
            fs::create_dir(file("conf.d")).unwrap();
            fs::write(file("conf.d/keystead.conf"), recipe).unwrap();
            // What Debian's own nginx.conf has, in a folder of the test's, which is nobody else's.
            let main = format!(
                "daemon off; user root; pid {0}/pid; error_log {0}/error.log; events {{}} http {{ access_log off; include {0}/conf.d/*.conf; }}",
                folder.display()
            );
            fs::write(file("nginx.conf"), main).unwrap();
            command.arg("-c").arg(file("nginx.conf")).arg("-p").arg(folder);
        }
        "caddy" => {
            fs::write(file("Caddyfile"), recipe).unwrap();
            command.args(["run", "--adapter", "caddyfile", "--config"]).arg(file("Caddyfile"));
            command
                .env("CADDY_ADMIN", format!("127.0.0.1:{}", free_port()))
                .env("HOME", folder)
                .env("XDG_DATA_HOME", folder)
                .env("XDG_CONFIG_HOME", folder);
        }
        "traefik" => {
            fs::write(file("keystead.yml"), recipe).unwrap();
            command.arg(format!("--providers.file.filename={}", file("keystead.yml").display()));
            command.arg(format!("--entryPoints.web.address=127.0.0.1:{port}"));
            command.args(["--global.checkNewVersion=false", "--global.sendAnonymousUsage=false"]);
        }
        "envoy" | "envoy-grpc" => {
            let whole = !recipe.contains("keystead-envoy.yaml");
            fs::write(file(if whole { "envoy.yaml" } else { "keystead-envoy.yaml" }), recipe).unwrap();
            command.arg("-c").arg(file("envoy.yaml")).args([
                "--concurrency",
                "1",
                "--log-level",
                "warning",
                "--disable-hot-restart",
                "--file-flush-interval-msec",
                "20",
            ]);
        }
        "haproxy" => {
            fs::write(file("haproxy.cfg"), recipe).unwrap();
            command.args(["-db", "-f"]).arg(file("haproxy.cfg"));
        }
        other => panic!("{other} is new: say how it is installed"),
    }
    for step in steps(recipe) {
        let mut shell = Command::new("sh");
        shell.args(["-e", "-c", &step]).current_dir(folder).env_clear().envs(house.environment());
        let output = shell.output().unwrap();
        assert!(output.status.success(), "{step}: {}", String::from_utf8_lossy(&output.stderr));
    }
    if name == "traefik" {
        let text = fs::read_to_string(file("keystead-guard.env")).unwrap();
        command.envs(text.lines().filter_map(|line| line.split_once('=')));
    }
    command
}

/// The commands in a recipe's first lines that make the key and take files apart; not those that start the proxy.
fn steps(recipe: &str) -> Vec<String> {
    let mut steps: Vec<String> = Vec::new();
    let mut goes_on = false;
    for line in recipe.lines().take_while(|line| line.starts_with('#')) {
        let Some(text) = line.strip_prefix("#      ") else { continue };
        if goes_on {
            steps.last_mut().unwrap().push_str(&format!("\n{text}"));
        } else if text.starts_with("umask") || text.starts_with("sed -n") {
            steps.push(text.to_owned());
        } else {
            continue;
        }
        goes_on = text.ends_with('\\') || text.ends_with('|');
    }
    let by_key = steps.iter().any(|step| step.contains("keystead guard key"));
    assert!(by_key != recipe.contains("[[door]]"), "{recipe}");
    steps
}
