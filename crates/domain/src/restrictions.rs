//! Everything that narrows a key to some callers, calls and times, compiled together.

use crate::endpoints::EndpointRules;
use crate::hours::HoursRule;
use crate::invalid::Invalid;
use crate::networks::NetworkRules;
use crate::origins::OriginRules;

/// What narrows a key; `None` does not narrow it. Whoever asks denies where a rule stands and the
/// request lacks its input.
#[derive(Debug, Clone, Default)]
pub struct Restrictions {
    /// Which addresses may use it.
    pub networks: Option<NetworkRules>,
    /// Which web origins may use it.
    pub origins: Option<OriginRules>,
    /// Which endpoints it may call.
    pub endpoints: Option<EndpointRules>,
    /// At which hours of the week it may be used.
    pub hours: Option<HoursRule>,
}

impl Restrictions {
    /// Compiles restrictions; empty lists become `None`.
    ///
    /// # Errors
    /// Names the first part that is wrong: `/networks/allow/3`.
    pub fn compile(written: &keystead_api::Restrictions) -> Result<Self, Invalid> {
        let networks = written.networks.as_ref().map(NetworkRules::parse).transpose();
        let origins = (!written.origins.is_empty()).then(|| OriginRules::parse(&written.origins));
        let endpoints = (!written.endpoints.is_empty()).then(|| EndpointRules::parse(&written.endpoints));
        let hours = written.hours.as_ref().map(HoursRule::parse).transpose();
        Ok(Self {
            networks: networks.map_err(|e| e.below("/networks"))?.filter(|rules| !rules.is_empty()),
            origins: origins.transpose().map_err(|e| e.below("/origins"))?,
            endpoints: endpoints.transpose().map_err(|e| e.below("/endpoints"))?,
            hours: hours.map_err(|e| e.below("/hours"))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn compile(written: Value) -> Result<Restrictions, Invalid> {
        Restrictions::compile(&serde_json::from_value(written).unwrap())
    }

    #[test]
    fn refusals_point_into_what_was_sent() {
        for (written, field) in [
            (json!({ "networks": { "allow": ["10.0.0.0/8", "::1", "x"] } }), "/networks/allow/2"),
            (json!({ "networks": { "deny": ["x"] } }), "/networks/deny/0"),
            (json!({ "networks": { "allow": vec!["::1"; 257] } }), "/networks"),
            (json!({ "origins": ["https://a.example", "null"] }), "/origins/1"),
            (json!({ "origins": vec!["https://a.example"; 65] }), "/origins"),
            (json!({ "endpoints": [{ "methods": ["GET", "get"], "path": "/" }] }), "/endpoints/0/methods/1"),
            (json!({ "endpoints": [{ "path": "v1" }] }), "/endpoints/0/path"),
            (json!({ "hours": { "time_zone": "Mars", "weekly": [] } }), "/hours/time_zone"),
        ] {
            assert_eq!(compile(written.clone()).unwrap_err().field, field, "{written}");
        }
    }

    #[test]
    fn what_says_nothing_narrows_nothing() {
        let empty = compile(json!({ "networks": {}, "origins": [], "endpoints": [] })).unwrap();
        assert!(empty.networks.is_none() && empty.origins.is_none());
        assert!(empty.endpoints.is_none() && empty.hours.is_none());
    }

    #[test]
    fn compiled_restrictions_are_shared_between_threads() {
        fn shared<T: Send + Sync>() {}
        shared::<Restrictions>();
    }
}
