//! `keystead guard recipe`: the configuration of a proxy that people have already.

use crate::exit::{Exit, Failure, Outcome};
use crate::flags::project::InProject;
use crate::session::Session;
use clap::{Args, ValueEnum};
use keystead_guard::recipes::{self, Asked, Proxy, Service};

/// Print a complete configuration for a proxy, with how to install it in its first lines
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead guard recipe nginx -p shop -e live --upstream 127.0.0.1:3000
  keystead guard recipe nginx -p shop -e live --upstream 127.0.0.1:3000 \\
      --socket /run/keystead/shop-live.sock
  keystead guard recipe envoy -p shop -e live --upstream api:3000 --port 80
  keystead guard recipe kubernetes-gateway -p shop -e live \\
      --upstream api.shop:3000 --keystead keystead.keystead:7070")]
pub(crate) struct Recipe {
    /// For which proxy
    proxy: Word,
    #[command(flatten)]
    project: InProject,
    /// The environment's id or slug
    #[arg(long, short)]
    environment: String,
    /// Where the API is; in Kubernetes, its SERVICE.NAMESPACE:PORT
    #[arg(long, value_name = "HOST:PORT", value_parser = address)]
    upstream: String,
    /// Where the proxy reaches Keystead over plain HTTP; by default where this command does
    #[arg(long, value_name = "HOST:PORT", value_parser = address)]
    keystead: Option<String>,
    /// The socket of [[door]] at which the proxy asks instead, on the same machine and without a key
    #[arg(long, value_name = "PATH", value_parser = socket, conflicts_with = "keystead")]
    socket: Option<String>,
    /// On which port the proxy listens; in Kubernetes its Gateway says
    #[arg(long, default_value_t = 8080)]
    port: u16,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Word {
    /// nginx, with auth_request
    Nginx,
    /// Caddy 2.11.2 or newer, with forward_auth
    Caddy,
    /// Traefik, with ForwardAuth
    Traefik,
    /// Envoy, with ext_authz over HTTP
    Envoy,
    /// Envoy, with ext_authz over gRPC: takes keys out of a query too, logs whose requests they were
    EnvoyGrpc,
    /// HAProxy 2.6 or newer, with Lua
    Haproxy,
    /// Envoy Gateway in Kubernetes, over gRPC (not tried on a cluster)
    KubernetesGateway,
}

/// A host and a port: what stands in a configuration must not become more of it.
fn address(text: &str) -> Result<String, String> {
    let wrong = || "Give a host and a port, such as 127.0.0.1:3000.".to_owned();
    let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    if host.is_empty() || !host.bytes().all(is_host) || port.parse::<u16>().is_err() {
        return Err(wrong());
    }
    Ok(text.to_owned())
}

/// A path that stands in every proxy's configuration as it is.
fn socket(text: &str) -> Result<String, String> {
    let is_path = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'-' | b'_');
    if !text.starts_with('/') || text.ends_with('/') || text.len() > 107 || !text.bytes().all(is_path) {
        return Err("Give an absolute path of at most 107 letters, digits, /, ., - and _.".to_owned());
    }
    // The recipe gives the folder to Keystead and the proxy: it must be nobody else's.
    let folder = text.rsplit_once('/').map_or("", |(folder, _)| folder);
    if matches!(folder, "/var/run" | "/var/tmp" | "/var/lib" | "/dev/shm") || folder.matches('/').count() < 2
    {
        return Err("Give a path in a folder of its own, such as /run/keystead/shop.sock.".to_owned());
    }
    Ok(text.to_owned())
}

impl Recipe {
    pub(super) async fn run(self, session: &Session) -> Outcome {
        let client = &session.client;
        let project = client.project(&self.project.project).await?;
        let environment = client.environment(&project.id, &self.environment).await?;
        let guard = client.guard(&project.id).await?.rules;
        let at = match (&self.socket, self.keystead) {
            (Some(_), _) => String::new(),
            (None, Some(keystead)) => keystead,
            (None, None) => own_address(client.url())?,
        };
        let keystead = self.socket.as_deref().map_or(Asked::At(&at), Asked::Socket);
        let recipe = recipes::Recipe {
            project: &project.slug,
            environment: &environment.slug,
            keystead,
            upstream: &self.upstream,
            port: self.port,
            guard: &guard,
        };
        let proxy = match self.proxy {
            Word::Nginx => Proxy::Nginx,
            Word::Caddy => Proxy::Caddy,
            Word::Traefik => Proxy::Traefik,
            Word::Envoy => Proxy::Envoy,
            Word::EnvoyGrpc => Proxy::EnvoyGrpc,
            Word::Haproxy => Proxy::Haproxy,
            Word::KubernetesGateway => Proxy::KubernetesGateway,
        };
        if proxy == Proxy::KubernetesGateway && self.socket.is_none() {
            check_services([recipe.upstream, &at])?;
        }
        session.output.data(&recipe.write(proxy).ok_or_else(no_socket)?)?;
        session.output.note("Its first lines say how to install it.");
        Ok(Exit::Done)
    }
}

fn no_socket() -> Failure {
    Failure::usage(
        "This proxy cannot ask at a socket.",
        "Give --keystead HOST:PORT instead of --socket; it then proves itself by a key.",
    )
}

/// In a cluster, Keystead and the API are reached as Services.
fn check_services(addresses: [&str; 2]) -> Result<(), Failure> {
    match addresses.into_iter().find(|address| Service::parse(address).is_none()) {
        None => Ok(()),
        Some(address) => Err(Failure::usage(
            format!("{address} is no Service of Kubernetes."),
            "Give --upstream and --keystead as SERVICE.NAMESPACE:PORT, such as keystead.keystead:7070.",
        )),
    }
}

/// Where this command itself reaches Keystead, if that is over plain HTTP.
fn own_address(url: &str) -> Result<String, Failure> {
    let rest = url.trim_end_matches('/').strip_prefix("http://");
    let with_port = rest.map(|rest| if rest.contains(':') { rest.to_owned() } else { format!("{rest}:80") });
    with_port.and_then(|rest| address(&rest).ok()).ok_or_else(|| {
        Failure::usage(
            "Where the proxy reaches Keystead is not known: this command does not reach it at a plain host and port.",
            "Give --keystead HOST:PORT; in between must be a network that you trust, such as the loopback.",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use keystead_sdk::api::{Guard, GuardMode};
    use serde_json::{Value, json};

    #[test]
    fn only_a_host_and_a_port_stand_in_a_configuration() {
        for good in ["127.0.0.1:3000", "api:80", "api-1.example.org:443"] {
            assert_eq!(address(good).unwrap(), good);
        }
        for bad in
            ["", "api", "api:", ":80", "api:99999", "a;b:80", "a b:80", "http://a:80", "a{b}:1", "a\n:1"]
        {
            assert!(address(bad).is_err(), "{bad}");
        }
        assert_eq!(own_address("http://127.0.0.1:7070/").unwrap(), "127.0.0.1:7070");
        assert_eq!(own_address("http://keystead").unwrap(), "keystead:80");
        assert!(own_address("https://keystead.example").is_err());
        assert_eq!(socket("/run/keystead/shop-live.sock").unwrap(), "/run/keystead/shop-live.sock");
        for bad in [
            "",
            "run/k/a.sock",
            "/run/k/",
            "/run/k/a b",
            "/run/k/a;",
            "/run/k/\n",
            "/k.sock",
            "/run/k.sock",
            "/tmp/k.sock",
            "/var/run/k.sock",
            &format!("/run/k/{}", "a".repeat(107)),
        ] {
            assert!(socket(bad).is_err(), "{bad}");
        }
        assert!(check_services(["api:80", "keystead.keystead.svc:7070"]).is_ok());
        assert!(check_services(["api:80", "127.0.0.1:7070"]).is_err());
    }

    fn documents(upstream: &str) -> Vec<Value> {
        let guard = Guard::new(GuardMode::Enforce);
        let recipe = recipes::Recipe {
            project: "shop",
            environment: "live",
            keystead: Asked::At("keystead.keys:7070"),
            upstream,
            port: 8080,
            guard: &guard,
        };
        let text = recipe.write(Proxy::KubernetesGateway).unwrap();
        text.split("\n---\n").map(|document| serde_saphyr::from_str(document).unwrap()).collect()
    }

    /// It cannot be tried on a cluster here: these are the fields of Envoy Gateway's and the Gateway API's own types.
    #[test]
    fn a_cluster_gets_the_policy_before_the_route_that_it_guards() {
        let grant = json!({
            "apiVersion": "gateway.networking.k8s.io/v1beta1",
            "kind": "ReferenceGrant",
            "metadata": {"name": "keystead-shop-live", "namespace": "keys"},
            "spec": {
                "from": [{"group": "gateway.envoyproxy.io", "kind": "SecurityPolicy", "namespace": "api"}],
                "to": [{"group": "", "kind": "Service", "name": "keystead"}],
            },
        });
        let policy = json!({
            "apiVersion": "gateway.envoyproxy.io/v1alpha1",
            "kind": "SecurityPolicy",
            "metadata": {"name": "keystead-shop-live", "namespace": "api"},
            "spec": {
                "targetRefs": [
                    {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": "keystead-shop-live"}
                ],
                "extAuth": {
                    "failOpen": false,
                    "timeout": "2s",
                    "contextExtensions": [{"name": "x-keystead-guard", "type": "ValueRef", "valueRef":
                        {"group": "", "kind": "Secret", "name": "keystead-guard-shop-live", "key": "key"}}],
                    "grpc": {"backendRefs": [{"name": "keystead", "namespace": "keys", "port": 7070}]},
                },
            },
        });
        let route = json!({
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "HTTPRoute",
            "metadata": {"name": "keystead-shop-live", "namespace": "api"},
            "spec": {
                "parentRefs": [{"name": "eg"}],
                "rules": [{
                    "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
                    "backendRefs": [{"name": "shop", "port": 3000}],
                }],
            },
        });
        assert_eq!(documents("shop.api:3000"), [grant, policy, route]);
        let kinds: Vec<Value> =
            documents("shop.keys.svc:3000").iter().map(|document| document["kind"].clone()).collect();
        assert_eq!(kinds, ["SecurityPolicy", "HTTPRoute"]);
    }
}
