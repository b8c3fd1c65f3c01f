//! Requests for approvals.

use crate::world::*;
use keystead_domain::ids::*;
use keystead_store::testing::{START, TestStore};
use keystead_store::*;

/// The request of that number, of organization 1, as it is asked for.
pub(crate) fn approval_row(n: u8) -> ApprovalRow {
    ApprovalRow {
        id: ApprovalId([n; 16]),
        organization_id: org(1),
        project_id: project(1),
        environment_id: environment(1),
        requester_id: MemberId([n; 16]),
        team_id: Some(TeamId([1; 16])),
        key_id: None,
        lineage_id: None,
        key_version: Some(3),
        name: "Importer".to_owned(),
        why: "The migration".to_owned(),
        wish: r#"{"create":{}}"#.to_owned(),
        needs: "[]".to_owned(),
        digest: [n; 32],
        state: "pending".to_owned(),
        decided_by: None,
        decided_at: None,
        comment: None,
        created_at: minutes(i64::from(n)),
        updated_at: minutes(i64::from(n)),
        expires_at: minutes(100),
        version: 1,
    }
}

fn decided(row: &ApprovalRow, state: &str) -> ApprovalRow {
    ApprovalRow {
        state: state.to_owned(),
        decided_by: Some(MemberId([9; 16])),
        decided_at: Some(minutes(5)),
        comment: Some("Fine".to_owned()),
        key_id: Some(key_id(1)),
        lineage_id: Some(key_id(1)),
        updated_at: minutes(5),
        expires_at: minutes(50),
        version: row.version + 1,
        ..row.clone()
    }
}

pub(crate) async fn an_approval_is_read_back_and_of_two_who_decide_one_does(store: TestStore) {
    settle(&store, 1).await;
    let row = approval_row(1);
    let (approved, denied) = (decided(&row, "approved"), decided(&row, "denied"));
    let (asked, first, second) = (row.clone(), approved.clone(), denied);
    act!(store.store, |tx| {
        tx.insert_approval(&asked).await?;
        assert_eq!(tx.approval(org(1), asked.id).await?, Some(asked.clone()));
        let foreign = ApprovalRow { organization_id: org(2), ..first.clone() };
        assert!(!tx.update_approval(&foreign, 1).await?);
        assert!(tx.update_approval(&first, 1).await?);
        assert!(!tx.update_approval(&second, 1).await?);
    })
    .unwrap();
    let mut r = read(&store).await;
    assert_eq!(r.approval(org(1), row.id).await, Ok(Some(approved)));
    assert_eq!(r.approval(org(2), row.id).await, Ok(None));
}

pub(crate) async fn approvals_are_found_by_project_person_and_where_they_stand(store: TestStore) {
    settle(&store, 1).await;
    let rows: Vec<ApprovalRow> = (1..=4)
        .map(|n| match n {
            2 => decided(&approval_row(n), "approved"),
            3 => decided(&approval_row(n), "redeemed"),
            _ => approval_row(n),
        })
        .collect();
    let all = rows.clone();
    act!(store.store, |tx| {
        for row in &all {
            tx.insert_approval(row).await?;
        }
    })
    .unwrap();
    let mut r = read(&store).await;
    let filter = ApprovalFilter { organization: org(1), project: None, requester: None, stage: None };
    let at = |stage| ApprovalFilter { stage: Some(stage), ..filter.clone() };
    for (filter, expected) in [
        (filter.clone(), vec![4, 3, 2, 1]),
        (ApprovalFilter { organization: org(2), ..filter.clone() }, vec![]),
        (ApprovalFilter { project: Some(project(2)), ..filter.clone() }, vec![]),
        (
            ApprovalFilter {
                project: Some(project(1)),
                requester: Some(MemberId([2; 16])),
                ..filter.clone()
            },
            vec![2],
        ),
        (at(ApprovalStage::Open("pending", minutes(99))), vec![4, 1]),
        (at(ApprovalStage::Open("approved", minutes(50))), vec![]),
        (at(ApprovalStage::Closed("redeemed")), vec![3]),
        (at(ApprovalStage::Expired(minutes(50))), vec![2]),
    ] {
        let found = r.approvals(&filter, None, 9).await.unwrap();
        assert_eq!(found.iter().map(|row| row.id.0[0]).collect::<Vec<_>>(), expected, "{filter:?}");
    }
    let page = r.approvals(&filter, Some((minutes(3), [3; 16])), 1).await.unwrap();
    assert_eq!(page[0].id, rows[1].id);
    assert_eq!(r.open_approvals(org(1), minutes(49)).await, Ok(3));
    assert_eq!(r.open_approvals(org(1), minutes(50)).await, Ok(2));
    assert_eq!(r.open_approvals_of(org(1), MemberId([1; 16]), START).await, Ok(1));
    assert_eq!(r.is_approved(org(1), key_id(1)).await, Ok(true));
    assert_eq!(
        (r.is_approved(org(2), key_id(1)).await, r.is_approved(org(1), key_id(2)).await),
        (Ok(false), Ok(false))
    );
}

/// That a key was approved is known while it is there.
pub(crate) async fn what_is_over_is_forgotten_and_an_approved_key_is_not(store: TestStore) {
    settle(&store, 1).await;
    add_key(&store, key_row(1, 1)).await;
    let gone = ApprovalRow { lineage_id: Some(key_id(7)), ..decided(&approval_row(3), "redeemed") };
    act!(store.store, |tx| {
        tx.insert_approval(&approval_row(1)).await?;
        tx.insert_approval(&decided(&approval_row(2), "redeemed")).await?;
        tx.insert_approval(&gone).await?;
    })
    .unwrap();
    let trim = async |before| {
        let trimmed: Result<u64, StoreError> = store
            .store
            .bookkeeping(move |ledger| Box::pin(async move { ledger.trim_approvals(before).await }))
            .await;
        trimmed.unwrap()
    };
    assert_eq!(trim(minutes(50)).await, 0);
    assert_eq!(trim(minutes(60)).await, 1);
    assert_eq!(trim(minutes(200)).await, 1);
    let mut r = read(&store).await;
    assert!(r.approval(org(1), ApprovalId([2; 16])).await.unwrap().is_some());
}

/// Guardrails ask which permissions deserve a second look.
pub(crate) async fn sensitive_permissions_are_named(store: TestStore) {
    settle(&store, 1).await;
    let plain = PermissionRow {
        id: PermissionId([8; 16]),
        sensitive: false,
        name: "routes.read".into(),
        ..permission_row(1)
    };
    act!(store.store, |tx| tx.insert_permission(&plain).await?).unwrap();
    let found = read(&store).await.sensitive_permissions(project(1)).await;
    assert_eq!(found, Ok(vec!["routes.write".to_owned()]));
}
