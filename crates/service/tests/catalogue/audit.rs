//! The audit.

use crate::house::*;
use keystead_api::*;
use serde_json::json;

pub(crate) async fn every_change_says_what_was_and_is(house: House) {
    let (keystead, admin) = (&house.keystead, house.admin());
    let project = house.acme(&admin).await;
    let role = house.role(&admin, "acme", "editor", &["routes.read"]).await.unwrap();
    house.clock.step(5_000_000);
    let update = UpdateRole { description: None, permissions: Some(texts(&["routes.*"])) };
    keystead.update_role(&admin, "acme", "editor", update, None).await.unwrap();
    keystead.delete_role(&admin, "acme", "editor", None).await.unwrap();

    let created = &house.audit(&admin, "role.create").await[0];
    assert_eq!(created.before, None);
    assert_eq!(created.after, Some(serde_json::to_value(&role).unwrap()));
    let updated = &house.audit(&admin, "role.update").await[0];
    assert_eq!(
        updated.before,
        Some(json!({"permissions": ["routes.read"], "updated_at": "2026-01-01T00:00:00Z", "version": 1}))
    );
    assert_eq!(
        updated.after,
        Some(json!({"permissions": ["routes.*"], "updated_at": "2026-01-01T00:00:05Z", "version": 2}))
    );
    assert_eq!(updated.at, house.clock_now());
    assert_eq!(
        updated.target,
        AuditTarget { kind: "role".into(), id: role.id.clone(), name: "editor".into(), lineage: None }
    );
    assert_eq!(updated.project.as_ref(), Some(&project.id));
    assert_eq!(
        updated.actor,
        AuditActor {
            kind: "key".into(),
            key_id: Some(admin.key_id().to_string()),
            owner: Some(admin.entry.owner.id.to_string()),
            member: None,
            team: None,
            session: None,
            lineage: Some(admin.entry.lineage.id.to_string()),
        }
    );
    assert_eq!(updated.address.as_deref(), Some("192.0.2.7"));
    assert_eq!(updated.request_id.as_deref(), Some(admin.origin.request_id.to_string().as_str()));
    let deleted = &house.audit(&admin, "role.delete").await[0];
    assert_eq!(deleted.before.as_ref().unwrap()["permissions"], json!(["routes.*"]));
    assert_eq!(deleted.after, None);

    for action in ["project.create", "environment.create", "permission.create"] {
        assert!(!house.audit(&admin, action).await.is_empty(), "{action}");
    }
    // What was refused left nothing.
    let _ = house.role(&admin, "acme", "ghost", &["nothing"]).await;
    assert_eq!(house.audit(&admin, "role.create").await.len(), 1);
}

pub(crate) async fn every_filter_narrows_and_nobody_reads_another_s(house: House) {
    let (keystead, admin) = (&house.keystead, house.admin());
    let acme = house.acme(&admin).await;
    house.clock.step(1_000_000);
    let before = house.clock_now();
    house.project(&admin, "second").await;
    let other = house.tenant("other").await;
    let list = async |caller, query: AuditQuery| keystead.list_audit(caller, &query).await;
    let count = async |query: AuditQuery| list(&admin, query).await.unwrap().items.len();

    let in_acme = AuditQuery { project: Some("acme".into()), ..AuditQuery::default() };
    assert_eq!(count(in_acme.clone()).await, 4);
    assert_eq!(count(AuditQuery { target: Some(acme.id.clone()), ..AuditQuery::default() }).await, 1);
    assert_eq!(
        count(AuditQuery {
            since: Some(before),
            action: Some("project.create".into()),
            ..AuditQuery::default()
        })
        .await,
        1
    );
    assert_eq!(count(AuditQuery { until: Some(before), ..in_acme.clone() }).await, 4);
    let by = AuditQuery { actor: Some(admin.key_id().to_string()), ..AuditQuery::default() };
    assert_eq!(count(by).await, 6);
    assert_eq!(count(AuditQuery { request_id: Some("req_none".into()), ..AuditQuery::default() }).await, 0);
    assert_eq!(
        field(list(&admin, AuditQuery { actor: Some("me".into()), ..AuditQuery::default() }).await),
        "/actor"
    );
    assert_unknown(list(&admin, AuditQuery { project: Some("third".into()), ..AuditQuery::default() }).await);
    let first = list(&admin, AuditQuery { limit: Some(3), ..in_acme.clone() }).await.unwrap();
    let second = list(&admin, AuditQuery { limit: Some(3), cursor: first.next_cursor, ..in_acme.clone() })
        .await
        .unwrap();
    assert_eq!((first.items.len(), second.items.len(), second.next_cursor), (3, 1, None));

    // The new organization has the record of its own making, and no other.
    assert_eq!(list(&other, AuditQuery::default()).await.unwrap().items.len(), 1);
    assert_unknown(list(&other, in_acme.clone()).await);
    let limited = house.key_of(&admin, vec![narrowed("audit.read", &["projects/acme"])]).await;
    assert_eq!(list(&limited, in_acme).await.unwrap().items.len(), 4);
    assert_forbidden(list(&limited, AuditQuery::default()).await);
    assert_forbidden(
        list(&limited, AuditQuery { project: Some("second".into()), ..AuditQuery::default() }).await,
    );
}
