//! What a policy says holds on the other node, too, and dies there with what it was found out of.

use super::*;

fn tagged(tag: &str) -> String {
    format!(
        "forbid (principal is Key, action == Action::\"verify\", resource) when {{ principal.tags.contains(\"{tag}\") }};"
    )
}

pub(super) async fn policies_are_followed_there(pair: Pair) {
    let (node, admin) = (Arc::clone(&pair.here.keystead), &pair.admin);
    let key = pair.key(CreateKey { tags: vec!["ci".into()], ..CreateKey::default() }).await;
    let other = pair.key(CreateKey::default()).await;
    pair.comes_to(&key.key, Code::Valid).await;
    let new = CreatePolicy { name: "tags".into(), text: tagged("ci"), ..CreatePolicy::default() };
    node.create_policy(admin, new).await.unwrap();
    assert_eq!(pair.here(&key.key).await, Code::ConditionDenied, "before the answer");
    pair.comes_to(&key.key, Code::ConditionDenied).await;
    assert_eq!(pair.there(&other.key).await, Code::Valid);
    // Another tag, another text, another standing.
    let retagged = UpdateKey { tags: Some(Vec::new()), ..UpdateKey::default() };
    node.update_key(admin, &key.details.id, retagged, None).await.unwrap();
    pair.comes_to(&key.key, Code::Valid).await;
    let text = UpdatePolicy {
        text: Some(format!("{} {}", tagged("x"), tagged("ci").replace("when", "unless"))),
        ..UpdatePolicy::default()
    };
    node.update_policy(admin, "tags", text, None).await.unwrap();
    pair.comes_to(&key.key, Code::ConditionDenied).await;
    pair.comes_to(&other.key, Code::ConditionDenied).await;
    // What is written there holds here.
    let off = UpdatePolicy { enabled: Some(false), ..UpdatePolicy::default() };
    pair.there.update_policy(admin, "tags", off, None).await.unwrap();
    assert!(comes(&node, async || pair.here(&key.key).await == Code::Valid).await);
    let on = UpdatePolicy { enabled: Some(true), ..UpdatePolicy::default() };
    node.update_policy(admin, "tags", on, None).await.unwrap();
    pair.comes_to(&key.key, Code::ConditionDenied).await;
    node.delete_policy(admin, "tags", None).await.unwrap();
    pair.comes_to(&key.key, Code::Valid).await;
}
