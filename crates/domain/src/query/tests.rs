//! What queries accept, refuse and answer.

use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

fn read(value: Value) -> PermissionQuery {
    serde_json::from_value(value).unwrap()
}

fn query(value: Value) -> Result<Query, Invalid> {
    Query::parse(&read(value))
}

#[test]
fn all_any_and_one_nest() {
    let query = query(json!({ "all": ["a.r", { "any": ["b.r", "c.r"] }] })).unwrap();
    let holds = |has: &[&str]| query.holds(None, &mut |name, _| has.contains(&name));
    assert!(holds(&["a.r", "c.r"]) && holds(&["a.r", "b.r"]));
    assert!(!holds(&["a.r"]) && !holds(&["b.r", "c.r"]) && !holds(&[]));
    let mut names = Vec::new();
    query.names(&mut |name| names.push(name.to_owned()));
    assert_eq!(names, ["a.r", "b.r", "c.r"]);
}

#[test]
fn a_part_may_name_its_own_resource() {
    let query =
        query(json!({ "all": ["a.r", { "permission": "b.r", "resource": "networks/NET-7" }] })).unwrap();
    let mut asked = Vec::new();
    query.holds(Some("zones/x"), &mut |name, resource| {
        asked.push((name.to_owned(), resource.map(str::to_owned)));
        true
    });
    let on = |name: &str, resource: &str| (name.to_owned(), Some(resource.to_owned()));
    assert_eq!(asked, [on("a.r", "zones/x"), on("b.r", "networks/NET-7")]);
}

#[test]
fn refusals_say_where() {
    for (value, field) in [
        (json!("routes.*"), ""),
        (json!("**"), ""),
        (json!("Routes.read"), ""),
        (json!({ "all": [] }), "/all"),
        (json!({ "any": ["a", { "all": [] }] }), "/any/1/all"),
        (json!({ "any": ["a", { "all": ["b", "c.*"] }] }), "/any/1/all/1"),
        (json!({ "all": [{ "permission": "a.*", "resource": "x" }] }), "/all/0/permission"),
        (json!({ "all": [{ "permission": "a", "resource": "networks/*" }] }), "/all/0/resource"),
        (json!({ "all": vec!["a"; NAMES_MAX + 1] }), "/all/64"),
    ] {
        assert_eq!(query(value.clone()).unwrap_err().field, field, "{value}");
    }
    assert!(query(json!({ "all": vec!["a"; NAMES_MAX] })).is_ok());
}

/// LESSONS 42 (CVE-2025-59043): JSON nesting exhausted a server.
#[test]
fn lesson_42_deep_queries_are_refused_before_the_stack_ends() {
    let nested = |levels: usize| {
        (0..levels).fold(PermissionQuery::One("a".into()), |inner, _| {
            PermissionQuery::All(keystead_api::AllOf { all: vec![inner] })
        })
    };
    assert!(Query::parse(&nested(DEPTH_MAX)).is_ok());
    assert!(Query::parse(&nested(DEPTH_MAX + 1)).is_err());
    assert!(Query::parse(&nested(1000)).is_err());
}

fn any_query() -> impl Strategy<Value = PermissionQuery> {
    "[a-d]".prop_map(PermissionQuery::One).prop_recursive(4, 32, 3, |inner| {
        let parts = prop::collection::vec(inner, 1..4);
        prop_oneof![
            parts.clone().prop_map(|all| PermissionQuery::All(keystead_api::AllOf { all })),
            parts.prop_map(|any| PermissionQuery::Any(keystead_api::AnyOf { any })),
        ]
    })
}

proptest! {
    #[test]
    fn holding_more_never_makes_it_fail(query in any_query(), has in "[a-d]{0,3}", more in "[a-d]{1}") {
        let query = Query::parse(&query).unwrap();
        let holds = |has: &str| query.holds(None, &mut |name, _| has.contains(name));
        let both = format!("{has}{more}");
        prop_assert!(!holds(&has) || holds(&both));
        prop_assert!(holds("abcd") && !holds(""));
    }
}
