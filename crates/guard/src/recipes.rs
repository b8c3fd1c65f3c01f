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

/// What a recipe is made for.
#[derive(Debug)]
pub struct Recipe<'a> {
    /// The project's slug.
    pub project: &'a str,
    /// The environment's slug.
    pub environment: &'a str,
    /// Where Keystead listens: `127.0.0.1:7070`.
    pub keystead: &'a str,
    /// Where the API is: `127.0.0.1:3000`.
    pub upstream: &'a str,
    /// The port on which the proxy is to listen.
    pub port: u16,
    /// How the project is guarded.
    pub guard: &'a Guard,
}

impl Recipe<'_> {
    /// The configuration, with how to install it in its first lines.
    #[must_use]
    pub fn write(&self, proxy: Proxy) -> String {
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
        let (keystead_host, keystead_port) = split(self.keystead, "80");
        let listen = self.port.to_string();
        let mut text = template.to_owned();
        let all = [
            ("{{project}}", self.project),
            ("{{environment}}", self.environment),
            ("{{keystead}}", self.keystead),
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
            keystead: "127.0.0.1:7070",
            upstream: "127.0.0.1:3000",
            port: 8080,
            guard: &guard,
        };
        let told_by_keystead = [Proxy::Envoy, Proxy::EnvoyGrpc, Proxy::KubernetesGateway];
        for proxy in
            [Proxy::Nginx, Proxy::Caddy, Proxy::Traefik, Proxy::Haproxy].into_iter().chain(told_by_keystead)
        {
            let text = recipe.write(proxy);
            assert!(!text.replace("{{ env", "").contains("{{"), "{proxy:?}: {text}");
            assert!(text.contains("keystead guard key -p shop -e live"), "{proxy:?}");
            let all =
                ["authorization", "x-api-key", "x-partner-key", "x-keystead-key-id", "x-keystead-request-id"];
            if !told_by_keystead.contains(&proxy) {
                assert!(all.iter().all(|name| text.contains(name)), "{proxy:?}: {text}");
            }
        }
    }
}
