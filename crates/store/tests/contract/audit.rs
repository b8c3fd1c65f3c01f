//! Audit records.

use crate::world::*;
use keystead_domain::ids::*;
use keystead_store::testing::TestStore;
use keystead_store::*;

async fn record(store: &TestStore, events: Vec<Event>) {
    let acted: Outcome = store
        .store
        .act(move |_| Box::pin(async move { Ok(Acted { value: (), events, changes: Vec::new() }) }))
        .await;
    acted.unwrap();
}

fn numbered(n: u8) -> Event {
    Event { id: AuditId([n; 16]), at: minutes(i64::from(n)), ..event(1) }
}

pub(crate) async fn an_act_is_recorded_as_it_was_handed_over(store: TestStore) {
    let full = Event {
        actor_key: Some(key_id(1)),
        actor_owner: Some("sa_x".to_owned()),
        actor_member: Some(MemberId([3; 16])),
        actor_team: Some(TeamId([4; 16])),
        actor_session: Some("ses_x".to_owned()),
        actor_lineage: Some(key_id(2)),
        target_lineage: Some(key_id(3)),
        address: Some("192.0.2.1".to_owned()),
        project_id: Some(project(1)),
        before_body: Some("{}".to_owned()),
        after_body: Some(r#"{"name":"é"}"#.to_owned()),
        request_id: Some("req_x".to_owned()),
        ..numbered(2)
    };
    record(&store, vec![numbered(1), full.clone()]).await;
    let found = read(&store).await.audit(&AuditFilter::of(org(1)), None, 10).await;
    assert_eq!(found, Ok(vec![full, numbered(1)]));
    assert_eq!(read(&store).await.audit(&AuditFilter::of(org(2)), None, 10).await, Ok(vec![]));
}

pub(crate) async fn every_filter_narrows(store: TestStore) {
    record(
        &store,
        vec![
            numbered(1),
            Event { project_id: Some(project(1)), ..numbered(2) },
            Event { action: "keys.create".to_owned(), ..numbered(3) },
            Event { actor_key: Some(key_id(1)), ..numbered(4) },
            Event { target_id: "key_x".to_owned(), ..numbered(5) },
            Event { request_id: Some("req_x".to_owned()), ..numbered(6) },
            Event { actor_lineage: Some(key_id(7)), ..numbered(7) },
            Event { target_lineage: Some(key_id(7)), ..numbered(8) },
        ],
    )
    .await;
    let lineage = Event { target_id: key_id(8).to_string(), target_lineage: Some(key_id(7)), ..numbered(9) };
    record(&store, vec![Event { organization_id: org(2), ..lineage }]).await;
    assert_eq!(read(&store).await.audited_lineage(org(2), key_id(8)).await, Ok(Some(key_id(7))));
    assert_eq!(read(&store).await.audited_lineage(org(1), key_id(8)).await, Ok(None));
    let none = AuditFilter::of(org(1));
    let cases: [(AuditFilter, &[u8]); 11] = [
        (none.clone(), &[8, 7, 6, 5, 4, 3, 2, 1]),
        (AuditFilter { project: Some(project(1)), ..none.clone() }, &[2]),
        (AuditFilter { action: Some("keys.create".to_owned()), ..none.clone() }, &[3]),
        (AuditFilter { actor: Some(Actor::Key(key_id(1))), ..none.clone() }, &[4]),
        (AuditFilter { target_id: Some("key_x".to_owned()), ..none.clone() }, &[5]),
        (AuditFilter { target_id: Some("KEY_X".to_owned()), ..none.clone() }, &[]),
        (AuditFilter { request_id: Some("req_x".to_owned()), ..none.clone() }, &[6]),
        (AuditFilter { lineage: Some(key_id(7)), ..none.clone() }, &[8, 7]),
        (AuditFilter { lineage: Some(key_id(8)), ..none.clone() }, &[]),
        (AuditFilter { since: Some(minutes(2)), until: Some(minutes(4)), ..none.clone() }, &[3, 2]),
        (AuditFilter { project: Some(project(1)), since: Some(minutes(3)), ..none.clone() }, &[]),
    ];
    for (filter, expected) in cases {
        let found = read(&store).await.audit(&filter, None, 10).await.unwrap();
        assert_eq!(found.iter().map(|row| row.id.0[0]).collect::<Vec<_>>(), expected, "{filter:?}");
        let foreign = AuditFilter { organization: org(3), ..filter };
        assert_eq!(read(&store).await.audit(&foreign, None, 10).await, Ok(vec![]));
    }
}

pub(crate) async fn pages_are_stable(store: TestStore) {
    record(&store, (1..=20).map(|n| Event { at: minutes(i64::from(n / 4)), ..numbered(n) }).collect()).await;
    let (mut after, mut seen) = (None, Vec::new());
    loop {
        let page = read(&store).await.audit(&AuditFilter::of(org(1)), after, 3).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some((last.at, last.id.0));
        seen.extend(page.iter().map(|row| row.id.0[0]));
        record(&store, vec![Event { at: minutes(100), ..event(1) }]).await;
    }
    assert_eq!(seen, (1..=20).rev().collect::<Vec<u8>>());
}
