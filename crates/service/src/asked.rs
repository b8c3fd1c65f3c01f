//! What a request to verify says of the request that is judged, read and bounded.

use keystead_api::{Include, Verify};
use keystead_domain::conditions::Deed;
use keystead_domain::decide::{Ask, COST_MAX};
use keystead_domain::invalid::{Invalid, texts_at_most};
use keystead_domain::networks;
use keystead_domain::query::Query;
use keystead_domain::share::Sharing;
use std::net::IpAddr;

const TAGS_MAX: usize = 8;
/// Longest text of a request, in bytes.
pub(crate) const TEXT_BYTES_MAX: usize = 2_048;

/// A question about a key.
#[derive(Clone, Copy)]
pub(crate) struct Question<'a> {
    /// The key.
    pub(crate) key: &'a str,
    /// What its request is.
    pub(crate) ask: Ask<'a>,
    /// What the client calls itself.
    pub(crate) user_agent: Option<&'a str>,
    /// What to add to the answer.
    pub(crate) include: &'a [Include],
    /// Whether every check is listed, and nothing taken.
    pub(crate) explain: bool,
}

/// What was asked.
pub(crate) struct Asked {
    ip: Option<IpAddr>,
    query: Option<Query>,
    cost: u64,
}

impl Asked {
    pub(crate) fn read(input: &Verify) -> Result<Self, Invalid> {
        let texts = [
            ("/method", &input.method),
            ("/path", &input.path),
            ("/origin", &input.origin),
            ("/user_agent", &input.user_agent),
            ("/resource", &input.resource),
        ];
        texts_at_most(TEXT_BYTES_MAX, &texts)?;
        if input.tags.len() > TAGS_MAX {
            return Err(Invalid::new(
                "/tags",
                "There are too many tags.",
                format!("Send at most {TAGS_MAX}."),
            ));
        }
        keystead_domain::name::tags("/tags", &input.tags)?;
        let ip = input.ip.as_deref().map(str::parse).transpose().map_err(|_| {
            Invalid::new(
                "/ip",
                "This is not an IP address.",
                "Send the client's IPv4 or IPv6 address without port or brackets.",
            )
        })?;
        let query = input
            .permissions
            .as_ref()
            .map(Query::parse)
            .transpose()
            .map_err(|invalid| invalid.below("/permissions"))?;
        let cost = input.cost.unwrap_or(1);
        if cost > COST_MAX {
            return Err(Invalid::new("/cost", "This costs too much.", format!("Send at most {COST_MAX}.")));
        }
        Ok(Self { ip: ip.map(networks::normalise), query, cost })
    }

    pub(crate) fn question<'a>(&'a self, input: &'a Verify, sharing: &'a Sharing) -> Question<'a> {
        let ask = Ask {
            ip: self.ip,
            method: input.method.as_deref(),
            path: input.path.as_deref(),
            origin: input.origin.as_deref(),
            resource: input.resource.as_deref(),
            permissions: self.query.as_ref(),
            cost: self.cost,
            sharing,
            deed: Deed::Use,
            route: None,
        };
        Question {
            key: &input.key,
            ask,
            user_agent: input.user_agent.as_deref(),
            include: &input.include,
            explain: input.explain,
        }
    }
}
