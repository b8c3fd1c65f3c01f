//! What Kubernetes is told: a route to the API, and that Envoy Gateway asks Keystead about each of its requests.

use super::{Asked, Recipe};

/// A Service, by a name as it has in a cluster's DNS.
#[derive(Debug, PartialEq, Eq)]
pub struct Service<'a> {
    name: &'a str,
    namespace: &'a str,
    port: &'a str,
}

impl<'a> Service<'a> {
    /// Reads `SERVICE:PORT`, `SERVICE.NAMESPACE:PORT`, also with `.svc` and `.svc.cluster.local`; nothing else is one.
    #[must_use]
    pub fn parse(address: &'a str) -> Option<Self> {
        let (host, port) = address.rsplit_once(':')?;
        let host = host.strip_suffix(".cluster.local").unwrap_or(host);
        let (name, rest) = host.split_once('.').unwrap_or((host, "default"));
        let namespace = rest.strip_suffix(".svc").unwrap_or(rest);
        // RFC 1035 labels, as names of Services are; so an IP address is none.
        let is_label = |label: &str| {
            let all =
                label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
            all && label.starts_with(|first: char| first.is_ascii_lowercase()) && !label.ends_with('-')
        };
        let is_port = port.parse::<u16>().is_ok_and(|port| port > 0);
        ([name, namespace].into_iter().all(is_label) && is_port).then_some(Self { name, namespace, port })
    }
}

impl Recipe<'_> {
    /// The command line refuses what is no Service; here it stays visible.
    pub(super) fn kubernetes(&self) -> String {
        let service = |address| {
            Service::parse(address).unwrap_or(Service { name: address, namespace: "default", port: "0" })
        };
        let (Asked::At(keystead) | Asked::Socket(keystead)) = self.keystead;
        let (api, keystead) = (service(self.upstream), service(keystead));
        // Who is in one namespace needs no leave.
        let same = api.namespace == keystead.namespace;
        let grant = if same { "" } else { include_str!("kubernetes-grant.yaml") };
        self.filled(
            include_str!("kubernetes.yaml"),
            &[
                ("{{grant}}", grant),
                ("{{namespace}}", api.namespace),
                ("{{api}}", api.name),
                ("{{api_port}}", api.port),
                ("{{keystead_service}}", keystead.name),
                ("{{keystead_namespace}}", keystead.namespace),
                ("{{service_port}}", keystead.port),
            ],
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_known_by_every_name_that_it_has() {
        let api = Service { name: "api", namespace: "shop", port: "3000" };
        for name in ["api.shop:3000", "api.shop.svc:3000", "api.shop.svc.cluster.local:3000"] {
            assert_eq!(Service::parse(name).as_ref(), Some(&api), "{name}");
        }
        assert_eq!(Service::parse("api:80").unwrap().namespace, "default");
        for wrong in [
            "127.0.0.1:80",
            "api.example.com:80",
            "api.:80",
            ".shop:80",
            "Api:80",
            "a-:80",
            "api:0",
            "api",
            "a_b:80",
        ] {
            assert_eq!(Service::parse(wrong), None, "{wrong}");
        }
    }
}
