//! The committed description of the API is the code's, and clients can be generated from it.

use keystead_server::routes::document;
use serde_json::Value;
use std::collections::BTreeSet;

pub(crate) fn described() -> Value {
    serde_json::to_value(document()).unwrap()
}

/// Method, path and operation of each.
pub(crate) fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            all.push((method.to_uppercase(), path.clone(), operation.clone()));
        }
    }
    all
}

#[test]
fn the_committed_document_is_the_codes() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    let current = document().to_pretty_json().unwrap() + "\n";
    assert!(committed == current, "docs/openapi.json is stale: run `cargo xtask openapi`");
}

#[test]
fn every_operation_has_a_name_of_its_own() {
    let mut names = BTreeSet::new();
    for (method, path, operation) in operations(&described()) {
        let name = operation["operationId"].as_str().unwrap().to_owned();
        assert!(names.insert(name.clone()), "{method} {path}: {name} is taken");
        assert_eq!(operation["tags"].as_array().unwrap().len(), 1, "{name}");
        assert!(operation["summary"].as_str().unwrap().ends_with('.'), "{name}");
    }
}

#[test]
fn every_parameter_of_a_path_is_described() {
    for (method, path, operation) in operations(&described()) {
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        assert!(parameters.iter().all(|one| !one["description"].as_str().unwrap().is_empty()), "{path}");
        let named =
            parameters.iter().filter(|one| one["in"] == "path").map(|one| one["name"].as_str().unwrap());
        let in_path = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        assert_eq!(named.collect::<BTreeSet<_>>(), in_path.collect::<BTreeSet<_>>(), "{method} {path}");
        // What is ended has no version, nor has being in a team: one is in it or not.
        let ends = ["end_session", "sign_out", "end_member_sessions", "remove_totp"];
        let ends = ends.contains(&operation["operationId"].as_str().unwrap())
            || path == "/v1/teams/{team}/members/{member}";
        let edits = (method == "PATCH" || method == "DELETE") && !ends;
        assert_eq!(edits, edits && parameters.iter().any(|one| one["name"] == "If-Match"), "{method} {path}");
    }
}

#[test]
fn all_but_operation_needs_a_key_and_says_how_it_refuses() {
    let document = described();
    assert_eq!(document["security"], serde_json::json!([{"bearer": []}, {"header": []}]));
    for (method, path, operation) in operations(&document) {
        let open = operation["security"] == serde_json::json!([{}]);
        let tag = operation["tags"][0].as_str().unwrap();
        let asks_nothing = ["operation", "sign-in", "contacts"].contains(&tag);
        assert_eq!(open, asks_nothing, "{path}");
        assert!(open || operation["security"].is_null());
        let responses = operation["responses"].as_object().unwrap();
        let success = match (method.as_str(), operation["operationId"].as_str().unwrap()) {
            (_, name) if name.starts_with("create_") || ["mint_key", "rotate_key"].contains(&name) => "201",
            ("DELETE", _) | (_, "change_password" | "recover_account") => "204",
            (_, "request_recovery") => "202",
            _ => "200",
        };
        assert!(responses.contains_key(success), "{method} {path} has no {success}");
        if !open {
            let refusals =
                ["400", "401", "403", "404", "409", "412", "413", "415", "422", "429", "431", "500", "503"];
            assert!(refusals.iter().all(|status| responses.contains_key(*status)), "{method} {path}");
        }
        if success == "201" {
            let headers = responses[success]["headers"].as_object().unwrap();
            assert!(headers.contains_key("Location"), "{path}");
        }
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn visit(value: &Value, document: &Value) {
        match value {
            Value::Object(fields) => {
                if let Some(target) = fields.get("$ref") {
                    let target = target.as_str().unwrap().strip_prefix('#').unwrap();
                    assert!(document.pointer(target).is_some(), "{target} does not exist");
                }
                fields.values().for_each(|value| visit(value, document));
            }
            Value::Array(items) => items.iter().for_each(|value| visit(value, document)),
            _ => {}
        }
    }
    let document = described();
    visit(&document, &document);
}

#[test]
fn a_question_about_permissions_nests() {
    let schemas = &described()["components"]["schemas"];
    let query = schemas["PermissionQuery"]["oneOf"].as_array().unwrap();
    assert_eq!(query[0]["type"], "string");
    let branches: Vec<_> = query[1..].iter().map(|one| one["$ref"].as_str().unwrap()).collect();
    assert_eq!(
        branches,
        ["AllOf", "AnyOf", "PermissionOn"].map(|name| format!("#/components/schemas/{name}"))
    );
    for (name, field) in [("AllOf", "all"), ("AnyOf", "any")] {
        let items = &schemas[name]["properties"][field]["items"];
        assert_eq!(items["$ref"], "#/components/schemas/PermissionQuery");
    }
}

#[test]
fn only_what_null_clears_may_be_null_in_an_edit() {
    let document = described();
    let mut clearable = BTreeSet::new();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        if !name.starts_with("Update") {
            continue;
        }
        assert!(schema.get("required").is_none(), "{name}");
        for (field, schema) in schema["properties"].as_object().unwrap() {
            let types = [&schema["type"], &schema["oneOf"]];
            if types.iter().any(|one| one.to_string().contains("null") && one.is_array()) {
                clearable.insert(format!("{name}.{field}"));
            }
        }
    }
    let expected = [
        "UpdateConsumer.ceiling",
        "UpdateConsumer.contact",
        "UpdateConsumer.external_id",
        "UpdateConsumer.quota",
        "UpdateIdentityProvider.client_secret",
        "UpdateIdentityProvider.groups_claim",
        "UpdateKey.consumer",
        "UpdateKey.credits",
        "UpdateKey.expires_at",
        "UpdateKey.not_before",
        "UpdateKey.quota",
        "UpdateServiceAccount.ceiling",
        "UpdateTeam.contact",
    ];
    assert_eq!(clearable, expected.map(str::to_owned).into());
}
