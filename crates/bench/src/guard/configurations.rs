//! What the proxies are told where no recipe of Keystead's is installed: to let everything through, or to do what they
//! can of themselves.

use std::fmt::Write;
use std::net::SocketAddr;

/// An API whose answer is always the same.
pub(super) const API: &str = "default_type application/json; return 200 '{\"zone\":\"example\",\"records\":12,\"serial\":2026112301}';";
/// Whoever is asked about requests and lets all through: without a body, so that nginx keeps its connections.
pub(super) const YES: &str = "return 204;";

/// Always the same answer, to everything that comes to an address or a socket.
pub(super) fn nginx_constant(listen: &str, answer: &str) -> String {
    format!("server {{ listen {listen}; keepalive_requests 1000000000; location / {{ {answer} }} }}")
}

/// `inside` is put into the location, `beside` beside it.
pub(super) fn nginx(port: u16, api: SocketAddr, inside: &str, beside: &str) -> String {
    format!(
        "upstream api {{ server {api}; keepalive 32; }}\n\
         server {{ listen {port}; keepalive_requests 1000000000; {beside}\n\
         location / {{ {inside} proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_pass http://api; }} }}"
    )
}

/// `filter` comes before the router.
pub(super) fn envoy(port: u16, api: SocketAddr, filter: &str) -> String {
    let (host, upstream) = (api.ip(), api.port());
    format!(
        r#"static_resources:
  listeners:
    - address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}
      filter_chains:
        - filters:
            - name: envoy.filters.network.http_connection_manager
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                stat_prefix: bench
                http_filters:
{filter}                  - name: envoy.filters.http.router
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
                route_config:
                  virtual_hosts:
                    - name: bench
                      domains: ["*"]
                      routes: [{{match: {{prefix: "/"}}, route: {{cluster: api}}}}]
  clusters:
    - name: api
      type: STATIC
      load_assignment:
        cluster_name: api
        endpoints: [{{lb_endpoints: [{{endpoint: {{address: {{socket_address: {{address: {host}, port_value: {upstream}}}}}}}}}]}}]
"#
    )
}

/// Envoy's own list of keys.
pub(super) fn envoy_keys(keys: &[String]) -> String {
    let mut filter = String::from(
        r#"                  - name: envoy.filters.http.api_key_auth
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.filters.http.api_key_auth.v3.ApiKeyAuth
                      key_sources: [{header: x-api-key}]
                      credentials:
"#,
    );
    for (number, key) in keys.iter().enumerate() {
        let _ = writeln!(filter, "                        - {{key: \"{key}\", client: \"client-{number}\"}}");
    }
    filter
}

pub(super) fn caddy(port: u16, api: SocketAddr) -> String {
    format!(":{port} {{\n\treverse_proxy {api}\n}}\n")
}

pub(super) fn traefik(api: SocketAddr) -> String {
    format!(
        "http:\n  routers:\n    api: {{entryPoints: [web], rule: PathPrefix(`/`), service: api}}\n  services:\n    api:\n      \
         loadBalancer:\n        servers: [{{url: \"http://{api}\"}}]\n"
    )
}

pub(super) fn haproxy(port: u16, api: SocketAddr) -> String {
    format!(
        "defaults\n    mode http\n    timeout connect 5s\n    timeout client 60s\n    timeout server 60s\n\
         frontend bench\n    bind 127.0.0.1:{port}\n    default_backend api\nbackend api\n    server api {api}\n"
    )
}
