//! Flags that `keys create` and `keys update` share.

use super::amounts::credits;
use super::body::object;
use super::endpoint::endpoint;
use super::hours::{hours, joined};
use super::moment::{Moment, moment};
use crate::exit::Failure;
use clap::Args;
use keystead_sdk::api::{CreditsSpec, Endpoint, Hours, Networks, Restrictions};
use serde_json::{Map, Value};

/// What narrows a key.
#[derive(Debug, Args)]
#[group(conflicts_with = "from_json")]
pub(crate) struct Narrowing {
    /// Only from these networks or addresses: 10.0.0.0/8,2001:db8::/32
    #[arg(long, value_name = "CIDR", value_delimiter = ',', help_heading = "Restrictions")]
    network_allow: Vec<String>,
    /// Never from these networks or addresses
    #[arg(long, value_name = "CIDR", value_delimiter = ',', help_heading = "Restrictions")]
    network_deny: Vec<String>,
    /// Only from these web origins: https://app.example.com,https://*.example.com
    #[arg(long, value_name = "ORIGIN", value_delimiter = ',', help_heading = "Restrictions")]
    origin: Vec<String>,
    /// Only these endpoints: 'GET,POST /v1/zones/*'; a path alone allows any method; repeat it for more
    #[arg(long, value_name = "[METHODS ]PATH", value_parser = endpoint, help_heading = "Restrictions")]
    endpoint: Vec<Endpoint>,
    /// Only at these hours: 'mon-fri 08:00-18:00 Europe/Berlin'; repeat it for more
    #[arg(long, value_name = "DAYS FROM-TO [ZONE]", value_parser = hours, help_heading = "Restrictions")]
    hours: Vec<Hours>,
}

impl Narrowing {
    /// Whether a flag was given.
    pub(crate) fn is_given(&self) -> bool {
        let networks = self.network_allow.len() + self.network_deny.len();
        networks + self.origin.len() + self.endpoint.len() + self.hours.len() > 0
    }

    /// The restrictions with each part that was given in place of the one there was.
    pub(crate) fn over(self, mut current: Restrictions) -> Result<Restrictions, Failure> {
        if !(self.network_allow.is_empty() && self.network_deny.is_empty()) {
            let networks = current.networks.get_or_insert_with(Networks::default);
            replace(&mut networks.allow, self.network_allow);
            replace(&mut networks.deny, self.network_deny);
        }
        replace(&mut current.origins, self.origin);
        replace(&mut current.endpoints, self.endpoint);
        let hours = joined(&self.hours).map_err(|what| {
            Failure::usage(
                format!("The hours do not fit together: {what}."),
                "Give every --hours the same zone.",
            )
        })?;
        if hours.is_some() {
            current.hours = hours;
        }
        Ok(current)
    }
}

fn replace<T>(current: &mut Vec<T>, given: Vec<T>) {
    if !given.is_empty() {
        *current = given;
    }
}

/// How often and when a key may be used.
#[derive(Debug, Args)]
#[group(conflicts_with = "from_json")]
pub(crate) struct Life {
    /// A number of uses, and how it is refilled: 500, 500,refill=monthly or
    /// 100,refill=daily,amount=1000; none, daily, weekly or monthly
    #[arg(long, value_name = "SPEC", value_parser = credits, help_heading = "Limits")]
    pub(crate) credits: Option<CreditsSpec>,
    /// Not valid before: 2027-01-31T12:00:00Z, 2027-01-31, or so far from now: 12h, 7d
    #[arg(long, value_name = "WHEN", value_parser = moment, help_heading = "Validity")]
    pub(crate) not_before: Option<Moment>,
    /// Not valid from then on: 2027-01-31T12:00:00Z, 2027-01-31, or so far from now: 12h, 90d, 4w
    #[arg(long, value_name = "WHEN", value_parser = moment, help_heading = "Validity")]
    pub(crate) expires: Option<Moment>,
    /// Whether its holder may mint temporary keys from it; by default a private key's may
    #[arg(long, value_name = "BOOL", help_heading = "Access")]
    pub(crate) may_mint: Option<bool>,
}

/// What is remembered of a key for people and programs.
#[derive(Debug, Args)]
#[group(conflicts_with = "from_json")]
pub(crate) struct Labels {
    /// Tags, to find it by: edge,team:maps
    #[arg(long, value_name = "TAG", value_delimiter = ',', help_heading = "Labels")]
    pub(crate) tag: Vec<String>,
    /// A JSON object of yours, or @FILE with one; never a place for secrets
    #[arg(long, value_name = "JSON|@FILE", value_parser = object, help_heading = "Labels")]
    pub(crate) metadata: Option<Map<String, Value>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_were_not_given_stay() {
        let current = Restrictions {
            networks: Some(Networks {
                allow: vec!["10.0.0.0/8".to_owned()],
                deny: vec!["10.1.0.0/16".to_owned()],
            }),
            origins: vec!["https://a.example".to_owned()],
            ..Restrictions::default()
        };
        let given = Narrowing {
            network_allow: vec!["192.0.2.0/24".to_owned()],
            network_deny: Vec::new(),
            origin: Vec::new(),
            endpoint: vec![endpoint("GET /a").unwrap()],
            hours: Vec::new(),
        };
        let changed = given.over(current.clone()).unwrap();
        let networks = changed.networks.unwrap();
        assert_eq!(
            (networks.allow, networks.deny),
            (vec!["192.0.2.0/24".to_owned()], vec!["10.1.0.0/16".to_owned()])
        );
        assert_eq!((changed.origins, changed.endpoints.len()), (current.origins, 1));
    }
}
