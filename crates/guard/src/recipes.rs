//! Complete configurations for the proxies that people have already: each asks Keystead at a door of its own.

mod kubernetes;

pub use kubernetes::Service;

use crate::headers::IDENTITY;
use crate::place::Place;
use http::HeaderName;
use keystead_api::Guard;
use std::fmt::Write;

/// A proxy that there is a recipe for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proxy {
    /// nginx, with `auth_request`.
    Nginx,
    /// Caddy, with `forward_auth`.
    Caddy,
    /// Traefik, with ForwardAuth.
    Traefik,
    /// Envoy, with ext_authz.
    Envoy,
    /// Envoy, with ext_authz over gRPC.
    EnvoyGrpc,
    /// HAProxy, with Lua.
    Haproxy,
    /// Envoy Gateway, an implementation of the Kubernetes Gateway API.
    KubernetesGateway,
}

/// Where a proxy asks.
#[derive(Debug, Clone, Copy)]
pub enum Asked<'a> {
    /// Over plain HTTP, at `127.0.0.1:7070`, where it proves itself by a key.
    At(&'a str),
    /// At a socket of `[[door]]`: who can open it needs no key. Its path is absolute.
    Socket(&'a str),
}

impl Proxy {
    /// Whether it can ask at a socket.
    #[must_use]
    pub const fn asks_at_sockets(self) -> bool {
        !matches!(self, Self::Traefik | Self::KubernetesGateway)
    }
}

/// What a recipe is made for.
#[derive(Debug, Clone, Copy)]
pub struct Recipe<'a> {
    /// The project's slug.
    pub project: &'a str,
    /// The environment's slug.
    pub environment: &'a str,
    /// Where Keystead is asked.
    pub keystead: Asked<'a>,
    /// Where the API is: `127.0.0.1:3000`.
    pub upstream: &'a str,
    /// The port on which the proxy is to listen.
    pub port: u16,
    /// How the project is guarded.
    pub guard: &'a Guard,
}

impl Recipe<'_> {
    /// The configuration, with how to install it in its first lines; none where the proxy cannot ask there.
    #[must_use]
    pub fn write(&self, proxy: Proxy) -> Option<String> {
        let socket = matches!(self.keystead, Asked::Socket(_));
        (!socket || proxy.asks_at_sockets()).then(|| self.written(proxy))
    }

    fn written(&self, proxy: Proxy) -> String {
        let headers = self.headers();
        match proxy {
            Proxy::Nginx => self.filled(
                include_str!("recipes/nginx.conf"),
                &[
                    (
                        "{{take}}",
                        &each(&headers, |name| {
                            let variable = name.as_str().replace('-', "_");
                            format!(
                                "        auth_request_set $keystead_{variable} $upstream_http_{variable};\n"
                            )
                        }),
                    ),
                    (
                        "{{give}}",
                        &each(&headers, |name| {
                            let variable = name.as_str().replace('-', "_");
                            format!("        proxy_set_header {name} $keystead_{variable};\n")
                        }),
                    ),
                    (
                        "{{bare}}",
                        &each(&headers, |name| format!("        #open proxy_set_header {name} \"\";\n")),
                    ),
                ],
            ),
            Proxy::Caddy => {
                let names = each(&headers, |name| format!(" {name}"));
                self.filled(include_str!("recipes/Caddyfile"), &[("{{headers}}", names.trim_start())])
            }
            Proxy::Traefik => {
                let names = each(&headers, |name| format!("          - {name}\n"));
                self.filled(include_str!("recipes/traefik.yml"), &[("{{headers}}\n", &names)])
            }
            Proxy::Envoy => self.filled(include_str!("recipes/envoy.yaml"), &[]),
            Proxy::EnvoyGrpc => self.filled(include_str!("recipes/envoy-grpc.yaml"), &[]),
            Proxy::KubernetesGateway => self.kubernetes(),
            Proxy::Haproxy => {
                let names = each(&headers, |name| format!("#|    \"{name}\",\n"));
                self.filled(include_str!("recipes/haproxy.cfg"), &[("{{headers}}\n", &names)])
            }
        }
    }

    /// The headers that Keystead sets or removes: the identity's, and those that a key can be in.
    fn headers(&self) -> Vec<HeaderName> {
        let routes = self.guard.routes.iter().filter_map(|route| route.credentials.as_ref());
        let lists = std::iter::once(&self.guard.credentials).chain(routes);
        let places = lists.filter_map(|list| Place::list(list).ok());
        let mut names: Vec<HeaderName> = places
            .flat_map(|places| places.iter().filter_map(Place::header).cloned().collect::<Vec<_>>())
            .collect();
        names.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        names.dedup();
        names.extend(IDENTITY);
        names
    }

    fn filled(&self, template: &str, own: &[(&str, &str)]) -> String {
        let (host, port) = split(self.upstream, "80");
        // What stands for the socket where there is none is never printed.
        let (keystead, socket) = match self.keystead {
            Asked::At(address) => (address, ""),
            Asked::Socket(path) => ("", path),
        };
        let socket_folder = socket.rsplit_once('/').map_or("", |(folder, _)| folder);
        let (keystead_host, keystead_port) = split(keystead, "80");
        let listen = self.port.to_string();
        let mut text = chosen(template, socket.is_empty());
        let all = [
            ("{{project}}", self.project),
            ("{{environment}}", self.environment),
            ("{{keystead}}", keystead),
            ("{{socket}}", socket),
            ("{{socket_folder}}", socket_folder),
            ("{{keystead_host}}", keystead_host),
            ("{{keystead_port}}", keystead_port),
            ("{{upstream}}", self.upstream),
            ("{{upstream_host}}", host),
            ("{{upstream_port}}", port),
            ("{{port}}", &listen),
        ];
        for (placeholder, value) in own.iter().chain(&all) {
            text = text.replace(placeholder, value);
        }
        text
    }
}

/// The lines for proxies that prove themselves by a key, or by a socket, and those that are for both.
fn chosen(template: &str, by_key: bool) -> String {
    let (key, socket) = ("{{by key}}", "{{by socket}}");
    let (ours, others) = if by_key { (key, socket) } else { (socket, key) };
    let lines = template.lines().filter(|line| !line.contains(others));
    lines.flat_map(|line| [line.replace(ours, ""), "\n".to_owned()]).collect()
}

fn split<'a>(address: &'a str, default: &'a str) -> (&'a str, &'a str) {
    address.rsplit_once(':').unwrap_or((address, default))
}

fn each(names: &[HeaderName], line: impl Fn(&HeaderName) -> String) -> String {
    names.iter().fold(String::new(), |mut all, name| {
        let _ = write!(all, "{}", line(name));
        all
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use keystead_api::{GuardMode, GuardRoute};

    #[test]
    fn every_recipe_is_filled_and_names_every_header() {
        let mut guard = Guard::new(GuardMode::Enforce);
        let credentials = Some(vec!["header:x-partner-key".to_owned(), "query:key".to_owned()]);
        guard.routes.push(GuardRoute { path: "/a".into(), credentials, ..GuardRoute::default() });
        let recipe = Recipe {
            project: "shop",
            environment: "live",
            keystead: Asked::At("127.0.0.1:7070"),
            upstream: "127.0.0.1:3000",
            port: 8080,
            guard: &guard,
        };
        let told_by_keystead = [Proxy::Envoy, Proxy::EnvoyGrpc, Proxy::KubernetesGateway];
        for proxy in
            [Proxy::Nginx, Proxy::Caddy, Proxy::Traefik, Proxy::Haproxy].into_iter().chain(told_by_keystead)
        {
            let text = recipe.write(proxy).unwrap();
            assert!(!text.replace("{{ env", "").contains("{{"), "{proxy:?}: {text}");
            assert!(text.contains("keystead guard key -p shop -e live"), "{proxy:?}");
            assert!(!text.contains("[[door]]"), "{proxy:?}");
            let socket = Recipe { keystead: Asked::Socket("/run/keystead/shop.sock"), ..recipe };
            let at_socket = socket.write(proxy);
            assert_eq!(at_socket.is_some(), proxy.asks_at_sockets(), "{proxy:?}");
            if let Some(text) = at_socket {
                assert!(!text.contains("{{") && !text.contains("guard key"), "{proxy:?}: {text}");
                assert!(text.contains("socket = \"/run/keystead/shop.sock\""), "{proxy:?}: {text}");
                assert!(text.contains("'d /run/keystead 2750 keystead "), "{proxy:?}: {text}");
            }
            let all =
                ["authorization", "x-api-key", "x-partner-key", "x-keystead-key-id", "x-keystead-request-id"];
            if !told_by_keystead.contains(&proxy) {
                assert!(all.iter().all(|name| text.contains(name)), "{proxy:?}: {text}");
            }
        }
    }
}
