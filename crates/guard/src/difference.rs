//! What importing a document changes in a guard: nothing that people set is lost.

use crate::openapi::{Operation, Operations};
use crate::rules::label;
use keystead_api::{Guard, GuardDifference, GuardRoute, GuardRouteChange};
use std::collections::HashMap;

/// A guard after an import.
#[derive(Debug)]
pub struct Imported {
    /// The guard.
    pub guard: Guard,
    /// What changed.
    pub difference: GuardDifference,
}

/// How an import is done.
#[derive(Debug, Clone, Copy, Default)]
pub struct Manner {
    /// Whether what the document asks for replaces what routes ask for.
    pub reset: bool,
    /// Whether routes that it has no more are removed.
    pub remove_absent: bool,
}

/// What a document's operations make of a guard. A route is known again by its operation, or by its method and path;
/// what people set on it stays, unless it is reset. Routes that came from no document stay as they are.
#[must_use]
pub fn difference(before: Guard, operations: Operations, manner: Manner) -> Imported {
    let mut difference = GuardDifference { notes: operations.notes, ..GuardDifference::default() };
    let mut waiting = Waiting::new(&operations.list);
    let mut routes = Vec::with_capacity(before.routes.len());
    for route in &before.routes {
        let Some(operation) = waiting.take(route) else {
            if let Some(kept) = without_operation(route, manner, &mut difference) {
                routes.push(kept);
            }
            continue;
        };
        let after = merged(route, &operation.route, manner);
        if after == *route {
            difference.unchanged += 1;
        } else {
            difference.changed.push(GuardRouteChange { before: route.clone(), after: after.clone() });
        }
        if asks(&after) != asks(&operation.route) {
            let what = "asks for something else than the document does; it was kept";
            difference.notes.push(format!("{} {what}.", label(&after)));
        }
        routes.push(after);
    }
    for operation in waiting.left() {
        difference.added.push(operation.route.clone());
        routes.push(operation.route.clone());
    }
    Imported { guard: Guard { routes, ..before }, difference }
}

/// A route that no operation stands for.
fn without_operation(
    route: &GuardRoute,
    manner: Manner,
    difference: &mut GuardDifference,
) -> Option<GuardRoute> {
    if route.operation.is_none() {
        difference.unchanged += 1;
        return Some(route.clone());
    }
    difference.absent.push(route.clone());
    (!manner.remove_absent).then(|| GuardRoute { absent: true, ..route.clone() })
}

fn merged(before: &GuardRoute, said: &GuardRoute, manner: Manner) -> GuardRoute {
    let mut after = if manner.reset { said.clone() } else { before.clone() };
    after.mode = before.mode;
    if after.limits.is_empty() && after.public == before.public {
        after.limits.clone_from(&before.limits);
    }
    after.methods.clone_from(&said.methods);
    after.path.clone_from(&said.path);
    after.operation.clone_from(&said.operation);
    after.absent = false;
    after
}

type Asks<'a> = (&'a Option<keystead_api::PermissionQuery>, bool);

const fn asks(route: &GuardRoute) -> Asks<'_> {
    (&route.permissions, route.public)
}

/// The operations that no route has been found for.
struct Waiting<'a> {
    list: &'a [Operation],
    by_id: HashMap<&'a str, usize>,
    by_place: HashMap<(&'a [String], &'a str), usize>,
    taken: Vec<bool>,
}

impl<'a> Waiting<'a> {
    fn new(list: &'a [Operation]) -> Self {
        let by_id = list.iter().enumerate().map(|(at, operation)| (operation.id.as_str(), at));
        let place = |route: &'a GuardRoute| (route.methods.as_slice(), route.path.as_str());
        let by_place = list.iter().enumerate().map(|(at, operation)| (place(&operation.route), at));
        Self { list, by_id: by_id.collect(), by_place: by_place.collect(), taken: vec![false; list.len()] }
    }

    fn take(&mut self, route: &GuardRoute) -> Option<&'a Operation> {
        let by_id = route.operation.as_deref().and_then(|id| self.by_id.get(id));
        let by_place = || self.by_place.get(&(route.methods.as_slice(), route.path.as_str()));
        let at = *by_id.or_else(by_place)?;
        let taken = self.taken.get_mut(at)?;
        if std::mem::replace(taken, true) { None } else { self.list.get(at) }
    }

    fn left(&self) -> impl Iterator<Item = &'a Operation> {
        self.list.iter().zip(&self.taken).filter(|(_, taken)| !**taken).map(|(operation, _)| operation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations;
    use keystead_api::{GuardMode, LimitPer, PermissionQuery};
    use serde_json::{Value, json};

    fn read(document: Value) -> Operations {
        let Value::Object(document) = document else { panic!() };
        operations(&document, None).unwrap()
    }

    fn shop(change: impl FnOnce(&mut Value)) -> Value {
        let mut document = json!({"openapi": "3.1.0", "servers": [{"url": "https://api.example/v1/"}],
        "tags": [{"name": "Orders", "description": "What people buy.\nMore."}],
        "components": {"securitySchemes": {"o": {"type": "oauth2", "flows": {"implicit": {
            "scopes": {"read:pets": "See pets"}}}}}},
        "paths": {
            "/orders": {"get": {"operationId": "listOrders", "tags": ["Orders"]},
                "post": {"tags": ["Orders"], "x-keystead": {"cost": 5,
                    "limits": [{"name": "orders", "limit": 20, "window": "1h", "per": "all"}]}}},
            "/orders/{id}": {"parameters": [], "get": {"operationId": "showOrder", "tags": ["Orders"]}},
            "/pets/{a}.json": {"get": {"operationId": "pets", "security": [{"o": ["read:pets"]}]}},
            "/pets/{b}": {"get": {"security": []}},
            "/health": {"get": {"security": [{}]}},
            "/a//b": {"get": {}},
        }});
        change(&mut document);
        document
    }

    fn routes(guard: &Guard) -> Vec<String> {
        let asks = |route: &GuardRoute| match &route.permissions {
            Some(PermissionQuery::One(name)) => name.clone(),
            Some(other) => serde_json::to_string(other).unwrap(),
            None if route.public => "public".into(),
            None => "any key".into(),
        };
        guard.routes.iter().map(|route| format!("{} {}", label(route), asks(route))).collect()
    }

    #[test]
    fn a_document_becomes_routes_and_permissions() {
        let read = read(shop(|_| {}));
        let permissions: Vec<_> =
            read.permissions.iter().map(|(name, text)| format!("{name}: {text}")).collect();
        assert_eq!(
            permissions,
            ["orders.read: What people buy.", "orders.write: What people buy.", "read.pets: See pets"]
        );
        assert_eq!(read.notes.len(), 3, "{:?}", read.notes);
        let imported = difference(Guard::new(GuardMode::Observe), read, Manner::default());
        let mut found = routes(&imported.guard);
        found.sort();
        assert_eq!(
            found,
            [
                "GET /v1/health public",
                "GET /v1/orders orders.read",
                "GET /v1/orders/* orders.read",
                "GET /v1/pets/* read.pets",
                "POST /v1/orders orders.write",
            ]
        );
        assert_eq!(imported.difference.added.len(), 5);
        let post = imported.guard.routes.iter().find(|route| route.methods == ["POST"]).unwrap();
        assert_eq!((post.cost, post.operation.as_deref()), (Some(5), Some("POST /orders")));
        assert_eq!((post.limits[0].limit, post.limits[0].per), (20, LimitPer::All));
    }

    #[test]
    fn scopes_are_joined_as_the_document_joins_them() {
        let read = read(
            json!({"openapi": "3.0.3", "security": [{"o": ["read:pets", "write:pets"]}, {"p": ["admin"]}],
            "paths": {"/x": {"get": {}}}}),
        );
        let wanted = json!({"any": [{"all": ["read.pets", "write.pets"]}, "admin"]});
        assert_eq!(serde_json::to_value(&read.list[0].route.permissions).unwrap(), wanted);
    }

    #[test]
    fn importing_again_loses_nothing_that_people_set_and_flags_what_is_gone() {
        let first = difference(Guard::new(GuardMode::Enforce), read(shop(|_| {})), Manner::default());
        let mut guard = first.guard;
        let list =
            guard.routes.iter().position(|route| route.operation.as_deref() == Some("listOrders")).unwrap();
        guard.routes[list].permissions = Some(PermissionQuery::One("orders.list".into()));
        guard.routes[list].mode = Some(GuardMode::Observe);
        let limit = json!({"name": "lists", "limit": 10, "window": "1m"});
        guard.routes[list].limits = vec![serde_json::from_value(limit).unwrap()];
        guard.routes.push(GuardRoute { path: "/by-hand".into(), ..GuardRoute::default() });

        let same = difference(guard.clone(), read(shop(|_| {})), Manner::default());
        assert_eq!(same.guard, guard);
        assert_eq!(same.difference.unchanged, 6);
        assert!(same.difference.notes.iter().any(|note| note.starts_with("GET /v1/orders asks")));

        let moved = shop(|document| {
            let paths = document["paths"].as_object_mut().unwrap();
            let orders = paths.remove("/orders").unwrap();
            paths.insert("/purchases".into(), json!({"get": orders["get"]}));
        });
        let after = difference(guard.clone(), read(moved.clone()), Manner::default());
        assert_eq!(after.difference.changed.len(), 1);
        assert_eq!(after.guard.routes[list].path, "/v1/purchases");
        assert_eq!(after.guard.routes[list].permissions, Some(PermissionQuery::One("orders.list".into())));
        let absent: Vec<_> = after.guard.routes.iter().filter(|route| route.absent).map(label).collect();
        assert_eq!(absent, ["POST /v1/orders"]);

        let all = Manner { reset: true, remove_absent: true };
        let reset = difference(guard, read(moved), all);
        assert_eq!(reset.guard.routes[list].permissions, Some(PermissionQuery::One("orders.read".into())));
        assert_eq!(reset.guard.routes[list].mode, Some(GuardMode::Observe));
        assert_eq!(reset.guard.routes[list].limits.len(), 1);
        assert!(!reset.guard.routes.iter().any(|route| route.absent || route.methods == ["POST"]));
        assert!(reset.guard.routes.iter().any(|route| route.path == "/by-hand"));
    }

    #[test]
    fn what_is_no_document_is_refused() {
        let field = |document: Value| {
            let Value::Object(document) = document else { panic!() };
            operations(&document, None).unwrap_err().field
        };
        assert_eq!(field(json!({"swagger": "2.0", "paths": {}})), "/document/openapi");
        assert_eq!(field(json!({"openapi": "3.1.0"})), "/document/paths");
        let base = json!({"openapi": "3.1.0", "servers": [{"url": "/{tenant}/v1"}], "paths": {}});
        assert_eq!(field(base), "/document/servers/0/url");
        let wrong =
            json!({"openapi": "3.1.0", "paths": {"/a": {"get": {"x-keystead": {"mode": "observe"}}}}});
        assert_eq!(field(wrong), "/document/paths/x-keystead/mode");
    }
}
