//! Guards, and what observing found, for people.

use crate::exit::{Exit, Outcome};
use crate::flags::named::name;
use crate::output::Present;
use crate::output::table::Cell;
use crate::session::Session;
use keystead_sdk::api::{GuardLimit, GuardObservation, GuardRoute, GuardView, PermissionQuery};

/// What holds for all routes, then each route on a line.
pub(super) fn view(session: &Session, view: &GuardView) -> Outcome {
    if session.output.is_json() {
        session.output.json(view)?;
        return Ok(Exit::Done);
    }
    let rules = &view.rules;
    session.output.fields(&[
        ("mode", name(&rules.mode).into()),
        ("unlisted endpoints", name(&rules.unlisted).into()),
        ("keys are in", Cell::list(&rules.credentials)),
        ("preflights pass", if rules.preflight { "yes" } else { "no" }.into()),
        ("trusted proxies", Cell::list(&rules.trusted_proxies)),
        ("identity's issuer", view.identity_issuer.as_str().into()),
        ("identity's audience", view.identity_audience.as_str().into()),
        ("changed", Cell::time(view.updated_at)),
        ("version", view.version.to_string().into()),
    ])?;
    if view.version == 0 {
        let next = "Begin with observing: keystead guard import openapi.yaml --mode observe --apply";
        session.output.note(&format!("Nobody has guarded this project; its doors are closed. {next}"));
    } else if rules.routes.is_empty() {
        session
            .output
            .note("There are no routes: keystead guard import reads them from an OpenAPI document.");
    } else {
        session.output.columns(HEADINGS, &rules.routes.iter().map(row).collect::<Vec<_>>())?;
    }
    Ok(Exit::Done)
}

pub(super) const HEADINGS: &[&str] = &["METHODS", "PATH", "NEEDS", "COST", "LIMITS", "MODE", "OPERATION"];

/// A route.
pub(super) fn row(route: &GuardRoute) -> Vec<Cell> {
    let methods = if route.methods.is_empty() { "*".to_owned() } else { route.methods.join(",") };
    let mode = route.mode.map(|mode| name(&mode));
    let operation = match (&route.operation, route.absent) {
        (Some(operation), true) => Some(format!("{operation} (no longer in the document)")),
        (operation, _) => operation.clone(),
    };
    vec![
        methods.into(),
        route.path.as_str().into(),
        needs(route).into(),
        route.cost.unwrap_or(1).to_string().into(),
        Cell::list(&route.limits.iter().map(limit).collect::<Vec<_>>()),
        Cell::maybe(mode.as_deref()),
        Cell::maybe(operation.as_deref()),
    ]
}

/// `exports 10/1m burst 5 per consumer`.
fn limit(limit: &GuardLimit) -> String {
    let GuardLimit { name: called, limit, window, burst, per } = limit;
    let burst = burst.map(|burst| format!(" burst {burst}")).unwrap_or_default();
    format!("{called} {limit}/{window}{burst} per {}", name(per))
}

fn needs(route: &GuardRoute) -> String {
    let on = route.resource.as_ref().map(|resource| format!(" on {resource}")).unwrap_or_default();
    match &route.permissions {
        Some(PermissionQuery::One(name)) => format!("{name}{on}"),
        Some(query) => format!("{}{on}", serde_json::to_string(query).unwrap_or_default()),
        None if route.public => "nothing: public".to_owned(),
        None => "any key".to_owned(),
    }
}

impl Present for GuardObservation {
    const HEADINGS: &'static [&'static str] = &["COUNT", "ROUTE", "CODE", "KEY", "LAST", "ENDPOINT", "FROM"];

    fn row(&self) -> Vec<Cell> {
        vec![
            self.count.to_string().into(),
            self.route.as_str().into(),
            self.code.as_str().into(),
            Cell::maybe(self.key_id.as_deref()),
            Cell::time(Some(self.last_at)),
            Cell::from(self.endpoint.as_str()).shortened(40),
            Cell::maybe(self.ip.as_deref()),
        ]
    }

    fn fields(&self) -> Vec<(&'static str, Cell)> {
        ["count", "route", "code", "key", "last", "endpoint", "from"].into_iter().zip(self.row()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use keystead_sdk::api::LimitPer;

    #[test]
    fn a_limit_is_said_in_a_line() {
        let mut said = GuardLimit {
            name: "exports".into(),
            limit: 10,
            window: "1m".into(),
            burst: None,
            per: LimitPer::Key,
        };
        assert_eq!(limit(&said), "exports 10/1m per key");
        (said.burst, said.per) = (Some(5), LimitPer::Consumer);
        assert_eq!(limit(&said), "exports 10/1m burst 5 per consumer");
    }
}
