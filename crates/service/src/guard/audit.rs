//! What the audit keeps of a guard: each route by its name, so that a record has the routes that changed and not
//! thousands that did not.

use keystead_api::{Guard, GuardRoute};
use keystead_guard::label;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashSet};

/// Routes that are told one by one; of more, only how many there were.
const ROUTES_TOLD_MAX: usize = 100;

/// Before and after, as an audit record compares them.
pub(super) fn both(
    before: Option<&Guard>,
    after: &Guard,
) -> (Option<Map<String, Value>>, Map<String, Value>) {
    let of = |guard: &Guard| -> BTreeMap<String, GuardRoute> {
        guard.routes.iter().map(|route| (label(route), route.clone())).collect()
    };
    let (was, is) = (before.map(of).unwrap_or_default(), of(after));
    let every: HashSet<&String> = was.keys().chain(is.keys()).collect();
    let changed: Vec<&String> = every.into_iter().filter(|name| was.get(*name) != is.get(*name)).collect();
    let told = changed.len() <= ROUTES_TOLD_MAX;
    let side = |guard: &Guard, routes: &BTreeMap<String, GuardRoute>| {
        let mut map = settings(guard);
        if told {
            for name in &changed {
                map.insert(
                    format!("route {name}"),
                    routes.get(*name).map_or(Value::Null, |route| json!(route)),
                );
            }
        } else {
            map.insert("routes".into(), json!(routes.len()));
        }
        map
    };
    let mut after = side(after, &is);
    if !told {
        after.insert("routes_changed".into(), json!(changed.len()));
    }
    (before.map(|guard| side(guard, &was)), after)
}

fn settings(guard: &Guard) -> Map<String, Value> {
    let without_routes = Guard { routes: Vec::new(), ..guard.clone() };
    match json!(without_routes) {
        Value::Object(mut map) => {
            map.remove("routes");
            map
        }
        _ => Map::new(),
    }
}
