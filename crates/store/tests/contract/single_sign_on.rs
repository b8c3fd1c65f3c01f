//! Identity providers, whom they know, the seats that came from them, and sign-ins under way.

use crate::log::{Now, backup_of, begin, log_in, logged_rows, restored};
use crate::people::settle_people;
use crate::sign_in::{account_row, session_row};
use crate::world::*;
use keystead_domain::ids::*;
use keystead_domain::time::SECOND;
use keystead_store::testing::{START, TestStore};
use keystead_store::*;

fn provider(n: u8) -> IdentityProviderId {
    IdentityProviderId([n; 16])
}

fn provider_row(n: u8) -> IdentityProviderRow {
    IdentityProviderRow {
        id: provider(n),
        organization_id: org(n),
        name: "corp".to_owned(),
        issuer: "https://id.example.com".to_owned(),
        client_id: "keystead".to_owned(),
        sealed: Some(vec![n; 12]),
        scopes: "[\"openid\"]".to_owned(),
        groups_claim: Some("groups".to_owned()),
        group_teams: "[]".to_owned(),
        email_domains: "[\"example.net\"]".to_owned(),
        just_in_time: true,
        enforced: false,
        created_at: START,
        updated_at: START,
        version: 1,
    }
}

fn identity_row(n: u8) -> IdentityRow {
    IdentityRow {
        id: IdentityId([n; 16]),
        organization_id: org(n),
        provider_id: provider(n),
        member_id: MemberId([n; 16]),
        account_id: AccountId([n; 16]),
        subject: "Ann".to_owned(),
        created_at: START,
    }
}

fn flow_row(n: u8) -> FlowRow {
    FlowRow {
        id: FlowId([n; 16]),
        organization_id: org(1),
        provider_id: provider(1),
        digest: [n; 32],
        network: "192.0.2.0/24".to_owned(),
        redirect_uri: "http://127.0.0.1:7700/callback".to_owned(),
        again: true,
        created_at: START,
        expires_at: START.plus(i64::from(n) * SECOND),
    }
}

async fn with_providers(store: &TestStore) {
    for n in [1, 2] {
        settle_people(store, n).await;
        act!(store.store, |tx| {
            tx.insert_identity_provider(&provider_row(n)).await?;
            tx.insert_account(&account_row(n)).await?;
            tx.insert_identity(&identity_row(n)).await?;
            tx.put_mapped_seat(SeatId([n; 16]), provider(n)).await?;
        })
        .unwrap();
    }
}

pub(crate) async fn a_provider_is_its_organizations(store: TestStore) {
    settle(&store, 1).await;
    act!(store.store, |tx| tx.insert_identity_provider(&provider_row(1)).await?).unwrap();
    let mut r = read(&store).await;
    assert_eq!(r.identity_provider(org(1), provider(1)).await, Ok(Some(provider_row(1))));
    assert_eq!(r.identity_provider(org(2), provider(1)).await, Ok(None));
    assert_eq!(r.identity_provider_by_name(org(1), "corp").await, Ok(Some(provider_row(1))));
    assert_eq!(r.identity_provider_by_name(org(1), "CORP").await, Ok(None));
    assert_eq!(r.identity_provider_by_name(org(2), "corp").await, Ok(None));
    assert_eq!(r.identity_providers(org(1)).await, Ok(vec![provider_row(1)]));
    drop(r);
    let again = IdentityProviderRow { id: provider(9), ..provider_row(1) };
    let again = act!(store.store, |tx| tx.insert_identity_provider(&again).await?);
    assert_eq!(again, Err(StoreError::Unique(Unique::IdentityProviderName)));
    let changed = IdentityProviderRow { sealed: None, enforced: true, version: 2, ..provider_row(1) };
    let others = IdentityProviderRow { organization_id: org(2), ..changed.clone() };
    let expected = changed.clone();
    let done = act!(store.store, |tx| (
        tx.hold_identity_providers(org(2)).await?.len(),
        tx.hold_identity_providers(org(1)).await?.len(),
        tx.update_identity_provider(&others, 1).await?,
        tx.update_identity_provider(&changed, 2).await?,
        tx.update_identity_provider(&changed, 1).await?,
    ));
    assert_eq!(done, Ok((0, 1, false, false, true)));
    assert_eq!(read(&store).await.identity_provider(org(1), provider(1)).await, Ok(Some(expected)));
}

pub(crate) async fn a_person_is_known_once_and_goes_with_member_or_provider(store: TestStore) {
    with_providers(&store).await;
    let mut r = read(&store).await;
    assert_eq!(r.identity(provider(1), "Ann").await, Ok(Some(identity_row(1))));
    assert_eq!(r.identity(provider(1), "ann").await, Ok(None), "a subject is compared byte by byte");
    assert_eq!(r.identity(provider(9), "Ann").await, Ok(None));
    assert_eq!(r.identity_of_member(provider(1), MemberId([1; 16])).await, Ok(Some(identity_row(1))));
    assert_eq!(r.identity_of_member(provider(2), MemberId([1; 16])).await, Ok(None));
    assert_eq!(r.identities_of_provider(provider(1)).await, Ok(1));
    let seats = r.mapped_seats_of_member(provider(1), org(1), MemberId([1; 16])).await;
    assert_eq!(seats, Ok(vec![SeatId([1; 16])]));
    assert_eq!(r.mapped_seats_of_member(provider(1), org(2), MemberId([1; 16])).await, Ok(Vec::new()));
    assert_eq!(r.mapped_seats_of_provider(provider(2)).await, Ok(vec![SeatId([2; 16])]));
    drop(r);
    for (row, unique) in [
        (
            IdentityRow { id: IdentityId([9; 16]), member_id: MemberId([2; 16]), ..identity_row(1) },
            Unique::IdentitySubject,
        ),
        (
            IdentityRow { id: IdentityId([9; 16]), subject: "Bob".into(), ..identity_row(1) },
            Unique::IdentityMember,
        ),
    ] {
        let twice = act!(store.store, |tx| tx.insert_identity(&row).await?);
        assert_eq!(twice, Err(StoreError::Unique(unique)));
    }
    let used = act!(store.store, |tx| tx.delete_identity_provider(org(1), provider(1)).await?);
    assert_eq!(used, Err(StoreError::Referenced));
    let gone = act!(store.store, |tx| (
        tx.delete_identities_of_provider(org(2), provider(1)).await?,
        tx.delete_identities_of_provider(org(1), provider(1)).await?,
        tx.delete_mapped_seat(SeatId([1; 16])).await?,
        tx.delete_mapped_seat(SeatId([1; 16])).await?,
        tx.delete_identity_provider(org(2), provider(1)).await?,
        tx.delete_identity_provider(org(1), provider(1)).await?,
    ));
    assert_eq!(gone, Ok((0, 1, true, false, false, true)));
    let gone = act!(store.store, |tx| (
        tx.delete_seat(org(2), SeatId([2; 16])).await?,
        tx.delete_member(org(2), MemberId([2; 16])).await?,
    ));
    assert_eq!(gone, Ok((true, true)));
    assert_eq!(read(&store).await.identities_of_provider(provider(2)).await, Ok(0));
}

pub(crate) async fn sessions_end_by_how_they_began(store: TestStore) {
    with_providers(&store).await;
    let through = |n: u8| SessionRow { provider_id: Some(provider(1)), ..session_row(n, 1) };
    let done = act!(store.store, |tx| {
        for row in [session_row(1, 1), session_row(2, 1), session_row(3, 1), through(4), through(5)] {
            tx.insert_session(&row).await?;
        }
        (
            tx.end_password_sessions(org(2), None, START).await?,
            tx.end_password_sessions(org(1), Some(SessionId([3; 16])), START).await?,
            tx.end_password_sessions(org(1), None, START).await?,
            tx.end_sessions_of_provider(org(2), provider(1), START).await?,
            tx.end_sessions_of_provider(org(1), provider(2), START).await?,
            tx.end_sessions_of_provider(org(1), provider(1), START).await?,
        )
    });
    assert_eq!(done, Ok((0, 2, 1, 0, 0, 2)));
    let row = read(&store).await.session(SessionId([4; 16])).await.unwrap().unwrap();
    assert_eq!((row.provider_id, row.ended_at), (Some(provider(1)), Some(START)));
}

pub(crate) async fn a_sign_in_under_way_is_used_once_and_forgotten(store: TestStore) {
    let done: Outcome<_> = store
        .store
        .bookkeeping(|ledger| {
            Box::pin(async move {
                for n in 1..=3 {
                    ledger.insert_flow(&flow_row(n)).await?;
                }
                Ok((
                    ledger.flows_from("192.0.2.0/24", START).await?,
                    ledger.flows_from("192.0.2.0/24", START.plus(SECOND)).await?,
                    ledger.flows_from("198.51.100.0/24", START).await?,
                    ledger.take_flow(FlowId([1; 16]), START.plus(SECOND)).await?,
                    ledger.take_flow(FlowId([2; 16]), START.plus(SECOND)).await?,
                    ledger.take_flow(FlowId([2; 16]), START.plus(SECOND)).await?,
                    ledger.purge_flows(START.plus(SECOND)).await?,
                ))
            })
        })
        .await;
    assert_eq!(done, Ok((3, 2, 0, false, true, false, 1)));
    assert_eq!(read(&store).await.flow(FlowId([3; 16])).await, Ok(Some(flow_row(3))));
    assert_eq!(read(&store).await.flow(FlowId([2; 16])).await, Ok(None));
}

pub(crate) async fn of_many_who_finish_one_sign_in_at_once_one_does(store: TestStore) {
    let begun: Outcome = store
        .store
        .bookkeeping(|ledger| Box::pin(async move { ledger.insert_flow(&flow_row(1)).await }))
        .await;
    begun.unwrap();
    let tries: Vec<_> = (0..8)
        .map(|_| {
            let store = store.store.clone();
            tokio::spawn(async move {
                let took: Outcome<bool> = store
                    .bookkeeping(|ledger| {
                        Box::pin(async move { ledger.take_flow(FlowId([1; 16]), START).await })
                    })
                    .await;
                took.unwrap()
            })
        })
        .collect();
    let mut took = 0;
    for one in tries {
        took += usize::from(one.await.unwrap());
    }
    assert_eq!(took, 1);
}

/// A restore has providers, whom they know and the seats that came from them, as the backup and the log say.
pub(crate) async fn backup_and_log_have_who_signs_in_through_whom(store: TestStore) {
    let folder = tempfile::tempdir().unwrap();
    let path = log_in(&folder, "a.log");
    begin(&store, Some(&path), 1).await;
    settle_people(&store, 2).await;
    act!(store.store, |tx| tx.insert_identity_provider(&provider_row(2)).await?).unwrap();
    let backup = backup_of(&store.database, store.clock_now()).await;
    act!(store.store, |tx| {
        let changed = IdentityProviderRow { enforced: true, version: 2, ..provider_row(2) };
        assert!(tx.update_identity_provider(&changed, 1).await?);
        tx.insert_account(&account_row(2)).await?;
        tx.insert_identity(&identity_row(2)).await?;
        tx.put_mapped_seat(SeatId([2; 16]), provider(2)).await?;
        let session =
            SessionRow { organization_id: org(2), provider_id: Some(provider(2)), ..session_row(2, 2) };
        tx.insert_session(&session).await?;
    })
    .unwrap();
    store.store.end_session().await.unwrap();
    restored(&backup, &[path], &logged_rows(&store.database).await).await;
}
