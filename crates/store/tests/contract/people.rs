//! Members, teams, seats, and keys that people own.

use crate::world::*;
use keystead_domain::ids::*;
use keystead_store::testing::{START, TestStore};
use keystead_store::*;

pub(crate) fn member(n: u8) -> MemberId {
    MemberId([n; 16])
}

fn team(n: u8) -> TeamId {
    TeamId([n; 16])
}

fn seat(n: u8) -> SeatId {
    SeatId([n; 16])
}

pub(crate) fn member_row(n: u8) -> MemberRow {
    MemberRow {
        id: member(n),
        organization_id: org(n),
        account_id: None,
        email: "ann@example.net".to_owned(),
        name: "Ann".to_owned(),
        grants: "[]".to_owned(),
        disabled: false,
        disabled_at: None,
        joined_at: Some(START),
        created_at: START,
        updated_at: START,
        version: 1,
    }
}

fn team_row(n: u8) -> TeamRow {
    TeamRow {
        id: team(n),
        organization_id: org(n),
        name: "routing".to_owned(),
        purpose: "Routes".to_owned(),
        contact: Some("routing@example.net".to_owned()),
        grants: "[]".to_owned(),
        created_at: START,
        updated_at: START,
        version: 1,
        listed: false,
        asked_contact: None,
        asked_at: None,
        verified_contact: None,
        verified_at: None,
    }
}

fn seat_row(n: u8) -> SeatRow {
    SeatRow {
        id: seat(n),
        organization_id: org(n),
        team_id: team(n),
        member_id: member(n),
        left_at: None,
        created_at: START,
        updated_at: START,
        version: 1,
    }
}

pub(crate) async fn settle_people(store: &TestStore, n: u8) {
    settle(store, n).await;
    act!(store.store, |tx| {
        tx.insert_member(&member_row(n)).await?;
        tx.insert_team(&team_row(n)).await?;
        tx.insert_seat(&seat_row(n)).await?;
    })
    .unwrap();
}

pub(crate) async fn people_are_read_back_as_they_were_written(store: TestStore) {
    settle_people(&store, 1).await;
    settle_people(&store, 2).await;
    let mut r = read(&store).await;
    assert_eq!(r.member(org(1), member(1)).await, Ok(Some(member_row(1))));
    assert_eq!(r.member_by_email(org(2), "ann@example.net").await, Ok(Some(member_row(2))));
    assert_eq!(r.members(org(1), None, 10).await, Ok(vec![member_row(1)]));
    assert_eq!(r.members_of_account(AccountId([1; 16])).await, Ok(vec![]));
    assert_eq!(r.all_members().await.unwrap().len(), 2);
    assert_eq!(r.team(org(1), team(1)).await, Ok(Some(team_row(1))));
    assert_eq!(r.team_by_name(org(2), "routing").await, Ok(Some(team_row(2))));
    assert_eq!(r.teams(org(1), None, 10).await, Ok(vec![team_row(1)]));
    assert_eq!(r.all_teams().await.unwrap().len(), 2);
    assert_eq!(r.seat(org(1), seat(1)).await, Ok(Some(seat_row(1))));
    assert_eq!(r.seats_of_team(org(1), team(1)).await, Ok(vec![seat_row(1)]));
    assert_eq!(r.seats_of_member(org(1), member(1)).await, Ok(vec![seat_row(1)]));
    assert_eq!(r.all_seats().await.unwrap().len(), 2);
    for foreign in [
        r.member(org(2), member(1)).await.unwrap().is_none(),
        r.team(org(2), team(1)).await.unwrap().is_none(),
        r.seat(org(2), seat(1)).await.unwrap().is_none(),
        r.seats_of_team(org(2), team(1)).await.unwrap().is_empty(),
        r.seats_of_member(org(2), member(1)).await.unwrap().is_empty(),
    ] {
        assert!(foreign);
    }
}

pub(crate) async fn people_change_at_their_version(store: TestStore) {
    settle_people(&store, 1).await;
    act!(store.store, |tx| {
        let gone = MemberRow { disabled: true, disabled_at: Some(START), version: 2, ..member_row(1) };
        assert!(tx.update_member(&gone, 1).await?);
        assert!(!tx.update_member(&gone, 1).await?);
        let purpose = TeamRow { purpose: "More routes".to_owned(), version: 2, ..team_row(1) };
        assert!(tx.update_team(&purpose, 1).await?);
        assert!(!tx.update_team(&TeamRow { organization_id: org(2), ..purpose }, 2).await?);
        let left = SeatRow { left_at: Some(START), version: 2, ..seat_row(1) };
        assert!(tx.update_seat(&left, 1).await?);
        assert!(!tx.update_seat(&left, 1).await?);
    })
    .unwrap();
    let mut r = read(&store).await;
    assert!(r.member(org(1), member(1)).await.unwrap().unwrap().disabled);
    assert_eq!(r.seat(org(1), seat(1)).await.unwrap().unwrap().left_at, Some(START));
}

pub(crate) async fn contacts_are_listed_while_verified_and_asked_when_due(store: TestStore) {
    settle_people(&store, 1).await;
    let listed = async |after| read(&store).await.listed_teams(org(1), after, 10).await.unwrap().len();
    let to_ask = async |now: i64| {
        let due = ContactsDue {
            verified_to: minutes(now - 335),
            verified_after: minutes(now - 395),
            asked_to: minutes(now - 14),
        };
        read(&store).await.teams_to_ask(due, 10).await.unwrap().len()
    };
    assert_eq!((listed(START.plus(-1)).await, to_ask(0).await), (0, 1), "never asked");
    let address = || Some("routing@example.net".to_owned());
    let asked = TeamRow { asked_contact: address(), asked_at: Some(START), version: 2, ..team_row(1) };
    let set = async |row: TeamRow| {
        let version = row.version - 1;
        act!(store.store, |tx| assert!(tx.update_team(&row, version).await?)).unwrap();
    };
    set(asked.clone()).await;
    assert_eq!((to_ask(0).await, to_ask(500).await), (0, 0), "asked once, and never answered");
    let verified = TeamRow {
        listed: true,
        verified_contact: address(),
        verified_at: Some(minutes(1)),
        version: 3,
        ..asked.clone()
    };
    set(verified.clone()).await;
    assert_eq!(read(&store).await.team(org(1), team(1)).await, Ok(Some(verified.clone())));
    assert_eq!((listed(START).await, listed(minutes(1)).await), (1, 0));
    assert_eq!(read(&store).await.listed_teams(org(2), START, 10).await, Ok(vec![]));
    assert_eq!([to_ask(335).await, to_ask(336).await, to_ask(395).await, to_ask(396).await], [0, 1, 1, 0]);
    set(TeamRow { asked_at: Some(minutes(336)), version: 4, ..verified.clone() }).await;
    assert_eq!([to_ask(349).await, to_ask(350).await], [0, 1], "asked again after a while");
    let other = Some("noc@example.net".to_owned());
    set(TeamRow { contact: other, version: 5, ..verified }).await;
    assert_eq!((listed(START).await, to_ask(2).await), (0, 1), "another address is another contact");
}

pub(crate) async fn names_of_people_are_taken_once(store: TestStore) {
    settle_people(&store, 1).await;
    let again =
        act!(store.store, |tx| tx.insert_member(&MemberRow { id: member(9), ..member_row(1) }).await?);
    assert_eq!(again, Err(StoreError::Unique(Unique::MemberEmail)));
    let again = act!(store.store, |tx| tx.insert_team(&TeamRow { id: team(9), ..team_row(1) }).await?);
    assert_eq!(again, Err(StoreError::Unique(Unique::TeamName)));
    let again = act!(store.store, |tx| tx.insert_seat(&SeatRow { id: seat(9), ..seat_row(1) }).await?);
    assert_eq!(again, Err(StoreError::Unique(Unique::SeatMember)));
}

pub(crate) async fn who_owns_a_key_stays(store: TestStore) {
    settle_people(&store, 1).await;
    add_key(&store, KeyRow { owner: OwnerId::Member(member(1)), ..key_row(1, 1) }).await;
    add_key(&store, KeyRow { owner: OwnerId::Seat(seat(1)), ..key_row(1, 2) }).await;
    let mut r = read(&store).await;
    let owned = r.keys_owned(org(1), OwnerId::Seat(seat(1)), 10).await.unwrap();
    assert_eq!(owned.iter().map(|row| row.id).collect::<Vec<_>>(), [key_id(2)]);
    assert_eq!(r.keys_owned(org(2), OwnerId::Member(member(1)), 10).await, Ok(vec![]));
    assert_eq!(r.keys_of_owner(OwnerId::Member(member(1))).await, Ok(1));
    act!(store.store, |tx| {
        tx.hold_owner(org(1), OwnerId::Member(member(1))).await?;
        tx.hold_owner(org(1), OwnerId::Seat(seat(1))).await?;
    })
    .unwrap();
    let seat_gone = act!(store.store, |tx| {
        tx.delete_seat(org(1), seat(1)).await?;
    });
    assert_eq!(seat_gone, Err(StoreError::Referenced));
    let member_gone = act!(store.store, |tx| {
        tx.delete_member(org(1), member(1)).await?;
    });
    assert_eq!(member_gone, Err(StoreError::Referenced));
}

pub(crate) async fn a_granted_role_stays(store: TestStore) {
    settle_people(&store, 1).await;
    act!(store.store, |tx| tx.set_grant_roles(team(1).0, &[role(1)]).await?).unwrap();
    assert_eq!(read(&store).await.holders_of_role(role(1)).await, Ok(1));
    let gone = act!(store.store, |tx| {
        tx.delete_role(org(1), role(1)).await?;
    });
    assert_eq!(gone, Err(StoreError::Referenced));
    act!(store.store, |tx| {
        tx.set_grant_roles(team(1).0, &[]).await?;
        assert!(tx.delete_role(org(1), role(1)).await?);
        assert!(tx.delete_seat(org(1), seat(1)).await?);
        assert!(tx.delete_team(org(1), team(1)).await?);
        assert!(tx.delete_member(org(1), member(1)).await?);
    })
    .unwrap();
}

pub(crate) async fn records_are_found_by_the_person(store: TestStore) {
    settle_people(&store, 1).await;
    let record =
        |by: Option<MemberId>, team: Option<TeamId>| Event { actor_member: by, actor_team: team, ..event(1) };
    let (of_member, of_team) = (record(Some(member(1)), None), record(None, Some(team(1))));
    let (by_member, by_team) = (of_member.id, of_team.id);
    store
        .store
        .act::<_, StoreError, _>(move |_| {
            Box::pin(async move {
                let events = vec![of_member, of_team];
                Ok(Acted { value: (), events, changes: Vec::new() })
            })
        })
        .await
        .unwrap();
    let mut r = read(&store).await;
    for (actor, id) in [(Actor::Member(member(1)), by_member), (Actor::Team(team(1)), by_team)] {
        let filter = AuditFilter { actor: Some(actor), ..AuditFilter::of(org(1)) };
        let found = r.audit(&filter, None, 10).await.unwrap();
        assert_eq!(found.iter().map(|row| row.id).collect::<Vec<_>>(), [id]);
    }
}
